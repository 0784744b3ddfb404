import type { OutboxEntry } from './outbox.ts';
import type { PublishOptions } from './packet.ts';

/** How each type of message is published (mqtt.md §3). All with QoS 1; what MQTT 5 adds is a convenience. */

const STATEMENT = 'application/vnd.miner-attestation+json';
const JSON_TEXT = 'application/json';

/** A log entry; `seq` and `kind` are routing hints only. */
export const logMessage = ({ seq, kind }: OutboxEntry): PublishOptions => ({
  retain: false,
  expiryS: 3_600,
  contentType: STATEMENT,
  user: { seq: String(seq), kind },
});

/** The newest signed checkpoint. */
export const HEARTBEAT: PublishOptions = { retain: true, expiryS: 86_400, contentType: `${STATEMENT};type=cp` };

/** A page of an answer; the correlation data of the request goes back. */
export const answerMessage = (correlation: Uint8Array | undefined): PublishOptions => ({
  retain: false,
  expiryS: 300,
  contentType: JSON_TEXT,
  ...(correlation === undefined ? {} : { correlation }),
});

export const ONLINE: PublishOptions = { retain: true, expiryS: 900, contentType: JSON_TEXT };
export const STOPPED: PublishOptions = { retain: true, expiryS: 86_400, contentType: JSON_TEXT };
export const DEVICE_MIRROR: PublishOptions = { retain: true, contentType: STATEMENT };
export const FINDING_MIRROR: PublishOptions = { retain: false, expiryS: 3_600, contentType: STATEMENT };
