import { GONE_EXPIRY_S, publishingOn } from '../../shared/channels.ts';
import type { OutboxEntry } from './outbox.ts';
import type { PublishOptions } from './packet.ts';

/** How each type of message of a gateway is published: what `shared/channels.ts` says, and what depends on the message. */

/** A log entry; `seq` and `kind` are routing hints only. */
export const logMessage = ({ seq, kind }: OutboxEntry): PublishOptions => ({
  ...publishingOn('log'),
  user: { seq: String(seq), kind },
});

/** The newest signed checkpoint. */
export const HEARTBEAT: PublishOptions = publishingOn('cp');

/** A page of an answer; the correlation data of the request goes back. */
export const answerMessage = (correlation: Uint8Array | undefined): PublishOptions => ({
  ...publishingOn('rsp'),
  ...(correlation === undefined ? {} : { correlation }),
});

/** How presence is published while the agent runs. */
export const ONLINE: PublishOptions = publishingOn('conn');

/** How the end of the agent is published: the broker forgets it after a while. */
export const STOPPED: PublishOptions = { ...ONLINE, expiryS: GONE_EXPIRY_S };

/** How each kind of mirror is published. */
export const MIRROR = {
  dev: publishingOn('dev'),
  finding: publishingOn('finding'),
  tenantDev: publishingOn('tenantDev'),
  tenantFinding: publishingOn('tenantFinding'),
  tenantCoverage: publishingOn('tenantCoverage'),
} satisfies { readonly [kind: string]: PublishOptions };
