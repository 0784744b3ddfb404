import type { FirmwareComponent, UnknownReason } from '../../shared/facts.ts';

/** A JSON value as a miner sent it, after parsing. Untrusted: every field comes from the device. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** An object of such values. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/**
 * Stands where a reply names one member twice with different values, so that no reader takes either for the truth. It
 * is of no type that JSON has, whatever the compiler is told: every reader that checks what it reads finds it unreadable.
 */
export const CONFLICT = Symbol('one member, two values') as unknown as JsonValue;

/** Stands for a member of which only the name is damaged: it is there, and no reader takes it for one that is not. */
export const DAMAGED = Symbol('a member with a damaged name') as unknown as JsonValue;

/** Marks an object of which a boundary between two members is lost: what it does not name may still be in it. */
export const INCOMPLETE = Symbol('members without a boundary');

/**
 * One reply to one query of a driver: the bytes as received (untrusted), what they parsed to, and the repairs that
 * parsing needed, by name.
 */
export interface Reply {
  readonly kind: 'reply';
  readonly bytes: Uint8Array;
  readonly value: JsonValue;
  readonly repairs: readonly string[];
}

/**
 * A query that gave nothing usable. `bytes` is what did arrive, where anything did; `detail` is for people and logs.
 * `unsupported` is the device's own word (HTTP 404); an unknown CGMiner command is a reply, and the driver's to judge.
 */
export interface NoReply {
  readonly kind: 'no-reply';
  readonly reason: UnknownReason;
  readonly detail: string;
  readonly bytes?: Uint8Array;
  /** No connection could be made: the other questions to that port need not be asked. */
  readonly dark?: true;
  /** A redirect or a web page came in place of the document: what some web servers do about a path that they do not serve. */
  readonly elsewhere?: true;
  /** An error of the web server came in its place: it serves the path, and does not give the document. */
  readonly withheld?: true;
  /** That error was one of a moment: too many questions, or what is behind the web server is not up. */
  readonly busy?: true;
  /** It began to give the page before the reply broke off: whatever log-in was shown, it took. */
  readonly begun?: true;
  /** Bytes came, though no whole reply within the time. */
  readonly drips?: true;
  /** Nothing was sent: the question waits. */
  readonly waits?: true;
  /** Nothing was sent: no time was left. */
  readonly unasked?: true;
}

/** Whether only the `pools` queries were asked, or every surface anew. Only a full look can be attested. */
export type LookKind = 'pools' | 'full';

/** What one look at a device gave, by name of the driver's query. A query that was not asked this time is not in the map. */
export interface Capture {
  readonly address: string;
  /** The IP address that was connected to, where `address` is a name, or is spelled otherwise. */
  readonly reached?: string;
  /** Wall clock, Unix milliseconds, when the last reply was complete. */
  readonly observedAtMs: number;
  readonly replies: ReadonlyMap<string, Reply | NoReply>;
}

/**
 * What a device shows to anybody, beside what it answers: static pages, the keys of its TLS and SSH servers, which ports are open,
 * and whether it takes the log-in that its maker documents.
 */
export const SURFACES = ['web', 'tls', 'ssh', 'ports', 'login'] as const;

/** One of these. */
export type Surface = (typeof SURFACES)[number];

/** The components that each surface which was looked at showed: none where it is closed, late, or not what it should be. */
export type EndpointReading = ReadonlyMap<Surface, readonly FirmwareComponent[]>;

/** What a reading says of a port: it is open, or gave no answer, once or twice in a row. One that refused is not named. */
export const OPEN = 'open';
export const SILENT = 'no answer';
export const FILTERED = 'filtered';
