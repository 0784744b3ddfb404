import type { Broker } from './broker.ts';
import type { Timing } from './timing.ts';

/** Why there is no connection, or no longer one. The world as expected: a value, not an exception. */
export type Ending =
  /** The broker said so: a reason code of MQTT 5, those of 3.1.1 translated. */
  | { readonly kind: 'refused'; readonly reason: number; readonly serverReference?: string }
  /** A certificate, key or TLS version did not fit, on either side. */
  | { readonly kind: 'tls'; readonly message: string }
  /** A file with credentials cannot be used. */
  | { readonly kind: 'credentials'; readonly message: string }
  | { readonly kind: 'network'; readonly message: string }
  /** Nothing answered in time. */
  | { readonly kind: 'timeout'; readonly waitedFor: string }
  /** The broker closed without a word, before or after CONNACK. */
  | { readonly kind: 'closed'; readonly connected: boolean }
  /** The broker sent something MQTT does not allow. */
  | { readonly kind: 'protocol'; readonly message: string }
  /** A limit of the broker under which this agent cannot work. */
  | { readonly kind: 'limit'; readonly message: string }
  /** The log could not be read. */
  | { readonly kind: 'store'; readonly message: string }
  /** Another agent uses this identity. */
  | { readonly kind: 'rival'; readonly session: string }
  /** We left: at stop, with renewed credentials, or to return to the first broker. */
  | { readonly kind: 'left' };

/** The reason codes of MQTT 5 that this agent treats by name. */
export const REASON = {
  unsupportedVersion: 0x84,
  clientIdInvalid: 0x85,
  badCredentials: 0x86,
  notAuthorised: 0x87,
  serverUnavailable: 0x88,
  serverBusy: 0x89,
  shuttingDown: 0x8b,
  quotaExceeded: 0x97,
  retainNotSupported: 0x9a,
  useAnotherServer: 0x9c,
  serverMoved: 0x9d,
  connectionRate: 0x9f,
} as const;

/** CONNACK return codes of 3.1.1, 1 to 5, as reason codes of MQTT 5. A broker of 3.1.1 answers these to a CONNECT of 5, too. */
export const reasonOf = (returnCode: number | undefined): number =>
  [
    0,
    REASON.unsupportedVersion,
    REASON.clientIdInvalid,
    REASON.serverUnavailable,
    REASON.badCredentials,
    REASON.notAuthorised,
  ][returnCode ?? 0] ?? 0x80;

/** What an error of the library, of TLS or of a socket means for the connection. */
export const endingOf = (error: Error & { code?: unknown }, { tls, url }: Broker): Ending => {
  const { code, message } = error;
  if (typeof code === 'number') return { kind: 'refused', reason: code <= 5 ? reasonOf(code) : code };
  if (message === 'Keepalive timeout') return { kind: 'timeout', waitedFor: 'PINGRESP' };
  if (typeof code !== 'string') return { kind: 'protocol', message };
  const ofNetwork = /^(E[A-Z0-9]+|EAI_[A-Z]+)$/.test(code) && code !== 'EPROTO';
  return { kind: tls && !ofNetwork ? 'tls' : 'network', message: `${url}: ${code} ${message}` };
};

const NO: readonly number[] = [
  REASON.unsupportedVersion,
  REASON.clientIdInvalid,
  REASON.badCredentials,
  REASON.notAuthorised,
];
const BUSY: readonly number[] = [
  REASON.serverUnavailable,
  REASON.serverBusy,
  REASON.shuttingDown,
  REASON.quotaExceeded,
  REASON.connectionRate,
];

/** Longest pause before the next connect, by why the last one ended (mqtt.md §6). */
export const capMs = (ending: Ending, timing: Timing): number => {
  switch (ending.kind) {
    case 'tls':
    case 'credentials':
    case 'limit':
      return timing.refusedCapMs;
    case 'refused':
      if (NO.includes(ending.reason)) return timing.refusedCapMs;
      return BUSY.includes(ending.reason) ? timing.busyCapMs : timing.backoffCapMs;
    default:
      return timing.backoffCapMs;
  }
};

/** True where waiting will not help: a person has to change something. */
export const needsPerson = (ending: Ending): boolean =>
  ['tls', 'credentials', 'limit', 'store', 'rival'].includes(ending.kind) ||
  (ending.kind === 'refused' && NO.includes(ending.reason));

/** The ending as one sentence for events and `status`. */
export const describeEnding = (ending: Ending): string => {
  switch (ending.kind) {
    case 'refused':
      return `the broker refused with reason 0x${ending.reason.toString(16).padStart(2, '0')} (${reasonName(ending.reason)})`;
    case 'timeout':
      return `no ${ending.waitedFor} in time`;
    case 'closed':
      return ending.connected ? 'the broker closed the connection' : 'the broker closed before it answered CONNECT';
    case 'rival':
      return `another agent uses this identity (session ${ending.session})`;
    case 'left':
      return 'disconnected';
    default:
      return ending.message;
  }
};

const reasonName = (reason: number): string =>
  Object.entries(REASON).find(([, code]) => code === reason)?.[0] ?? 'see MQTT 5, 2.4';
