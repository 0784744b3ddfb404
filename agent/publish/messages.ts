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

export const ONLINE: PublishOptions = publishingOn('conn');
export const STOPPED: PublishOptions = { ...ONLINE, expiryS: GONE_EXPIRY_S };
export const DEVICE_MIRROR: PublishOptions = publishingOn('dev');
export const FINDING_MIRROR: PublishOptions = publishingOn('finding');
