import type { Closed, FactName, FactValues, Reading } from '../../shared/facts.ts';
import type { JsonValue, NoReply, Reply } from '../probe/capture.ts';

/** When a query is asked: at every pools round and full look (`pools`), or at full looks only (`config`). */
export type Cadence = 'pools' | 'config';

/** A question to the CGMiner API. `command` is a literal name, sent as `{"<key>":"<command>"}`, one per connection, never joined. */
export interface CgminerQuery {
  readonly kind: 'cgminer';
  readonly command: string;
  /** `command` unless the firmware wants `cmd`. */
  readonly key: 'command' | 'cmd';
  readonly cadence: Cadence;
  /** The same command under the other key, asked where the device does not know the question by this one (code 14 or 24). */
  readonly otherwise?: CgminerQuery;
}

/** A GET of a fixed path. `auth` says how the device asks for a log-in; without a configured credential such a query is `refused`. */
export interface HttpQuery {
  readonly kind: 'http';
  readonly path: string;
  readonly auth: 'none' | 'digest' | 'basic' | 'bearer';
  readonly cadence: Cadence;
  /** Whether the answers of this look so far show that the device serves no such path: then it is not asked, and `unsupported`. */
  readonly unless?: (replies: Replies) => boolean;
}

/** The closed verb set of the driver language. There is no verb that changes a miner. */
export type Query = CgminerQuery | HttpQuery;

/** `either` asks by `command` first. */
export const cgminer = (
  command: string,
  { cadence, key = 'command' }: { cadence: Cadence; key?: 'command' | 'cmd' | 'either' } = { cadence: 'config' },
): CgminerQuery =>
  key === 'either'
    ? { ...cgminer(command, { cadence }), otherwise: cgminer(command, { cadence, key: 'cmd' }) }
    : { kind: 'cgminer', command, key, cadence };

export const httpGet = (
  path: string,
  options: Pick<HttpQuery, 'cadence' | 'unless'> & { auth?: HttpQuery['auth'] } = { cadence: 'config' },
): HttpQuery => ({ kind: 'http', path, auth: 'none', ...options });

/** The replies a fact may look at, by query name. */
export type Replies<Name extends string = string> = ReadonlyMap<Name, Reply | NoReply>;

/**
 * Where a fact stands: the queries it needs, and a pure function from their replies to a reading. Made by the
 * functions of `readers.ts` (`at`, `firstOf`, `joined` …). `queries` decides in which looks the fact is asked.
 */
export interface Source<T, Name extends string = string> {
  readonly queries: readonly Name[];
  readonly read: (replies: Replies) => Reading<T>;
  /**
   * Why the place where the fact should stand is closed, when what `read` gives comes from another one, which may spell
   * it differently. Without it there is one place only, or the places are as good as each other.
   */
  readonly standsIn?: (replies: Replies) => Closed | undefined;
}

/** What identification saw at an address, gathered without credentials. Untrusted. */
export interface Clues {
  /** Parsed reply of 4028 `version`, else of the next identifying command that answered (`get_version`, `summary` …), by command name. */
  readonly cgminer: ReadonlyMap<string, JsonValue>;
  /** GET /: status, `WWW-Authenticate` realm, redirect target, start of the body. Absent when port 80 did not answer. */
  readonly web?: {
    readonly status: number;
    readonly realm?: string;
    readonly location?: string;
    readonly body: string;
  };
  /** Parsed replies of identifying GETs, by path. */
  readonly http: ReadonlyMap<string, JsonValue>;
}

/** One firmware family: what can be asked, how it is recognised, where each fact stands. A value, not a class. */
export interface Driver<Name extends string = string> {
  /** Id of the family: lower case, digits, dashes. */
  readonly family: string;
  /** For people and the documentation. */
  readonly title: string;
  /** Where the knowledge comes from. */
  readonly source: string;
  /** How sure the clues make this driver: 0 no, 1 possible, 2 likely, 3 certain. The highest wins; a tie is `ambiguous`. */
  readonly recognise: (clues: Clues) => 0 | 1 | 2 | 3;
  /** Whether replies of a later look still speak this family; `false` makes the agent identify the device anew. */
  readonly stillSpeaks?: (replies: Replies) => boolean;
  readonly queries: { readonly [Key in Name]: Query };
  readonly facts: { readonly [Fact in FactName]?: Source<FactValues[Fact], Name> };
  /** Names of members whose values are secret wherever they stand in a reply, e.g. `pass`. Added to the common list. */
  readonly secrets?: readonly string[];
  /** Default port of a pool URL that names none, where the firmware documents one. */
  readonly defaultPoolPort?: number;
  /** Oddities, for the generated documentation: one sentence each, with the hardware they were seen on. */
  readonly quirks?: readonly string[];
}

/** Checks query names and reader types at compile time; returns its argument. */
export const defineDriver = <const Name extends string>(driver: Driver<Name>): Driver => driver as unknown as Driver;

// Sources name queries by the driver's own literal names; once defined, a driver is used by code that knows them only as text.
