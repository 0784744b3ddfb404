import type { Timing } from './timing.ts';

/** Why there is no connection, or no longer one. The world as expected: a value, not an exception. */
export type Ending =
  /** The broker said so: a reason code of MQTT 5, those of 3.1.1 translated. */
  | { readonly kind: 'refused'; readonly reason: number; readonly serverReference?: string }
  /** A certificate, key or TLS version did not fit, on either side; `code` as Node or OpenSSL has it. */
  | { readonly kind: 'tls'; readonly code?: string; readonly message: string }
  | { readonly kind: 'network'; readonly code?: string; readonly message: string }
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
  /** Somebody seems to be online as this gateway: another agent, or what one that was killed has left. */
  | { readonly kind: 'foreign'; readonly session: string }
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
  sessionTakenOver: 0x8e,
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
  ['tls', 'limit', 'store', 'rival'].includes(ending.kind) || (ending.kind === 'refused' && NO.includes(ending.reason));

/** The ending as one sentence for events and `status`. */
export const describeEnding = (ending: Ending): string => {
  switch (ending.kind) {
    case 'refused':
      return `the broker refused with ${reasonText(ending.reason)}`;
    case 'timeout':
      return `no ${ending.waitedFor} in time`;
    case 'closed':
      return ending.connected ? 'the broker closed the connection' : 'the broker closed before it answered CONNECT';
    case 'rival':
      return `another agent uses this identity (session ${ending.session})`;
    case 'foreign':
      return `somebody seems to be online as this gateway (session ${ending.session}): another agent, or what one that was killed has left`;
    case 'left':
      return 'disconnected';
    default:
      return ending.message;
  }
};

/** A reason code by number and name. */
export const reasonText = (reason: number): string => {
  const name = Object.entries(REASON).find(([, code]) => code === reason)?.[0] ?? 'see MQTT 5, 2.4';
  return `reason 0x${reason.toString(16).padStart(2, '0')} (${name})`;
};
