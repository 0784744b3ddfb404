import type { FactName, Facts, PoolSlot, ReadingName, UnknownReason } from '../../shared/facts.ts';
import { type Absent, absentMember } from '../baseline/absent.ts';
import { type KeptFacts, keepText, keptText } from '../baseline/kept.ts';
import { isCommissioned, stillHolding } from '../baseline/reference.ts';
import type { Edited } from '../baseline/scope.ts';
import type { Surface } from '../probe/capture.ts';
import type { Finding } from './finding.ts';
import type { ToldMs } from './last-told.ts';
import type { ShareMark } from './rules/pool-share-gap.ts';
import type { PlannedReboot } from './rules/runtime-reboot-unexpected.ts';
import type { LeftOut } from './rules/visibility-coverage-reduced.ts';

/** Who approved a reference: nobody (it was learned), a person at the gateway, or approvers by signature. */
export type Approval = 'none' | 'local' | 'signed';

/** One `baseline` entry as far as it speaks of one device: `facts` limits it, without them it holds all that its claims hold. */
export interface ReferenceEntry {
  /** `seq` of the `baseline` entry. */
  readonly seq: number;
  readonly approval: Approval;
  readonly facts?: readonly FactName[];
  /** Facts in force that its claims do not hold. */
  readonly without?: readonly FactName[];
}

/** What was learned from an attestation: all its claims, or some facts. `seq` is absent until that is appended. */
export interface Unrecorded {
  readonly seq?: number;
  readonly facts: readonly FactName[] | 'all';
}

/** The reference values in force for one device. */
export interface Reference<Kept = KeptFacts> {
  /** Oldest first; only entries that still hold a fact. */
  readonly entries: readonly ReferenceEntry[];
  /** Facts in force that no `baseline` entry names yet: to be written as `learned`. */
  readonly unrecorded?: readonly Unrecorded[];
  /** The values: read on demand. */
  readonly facts: Kept;
  /** Facts that it had none of when this was learned or accepted, of those of which `absencesIn` tells. */
  readonly absent?: Absent;
  /** Facts that the one look had none of from which it was learned: a list may be empty for a moment, so a second look has to say so. */
  readonly absentOnce?: Absent;
  /**
   * Facts of these whose values no entry of this name has yet: known of the machine under a former name, or told in the words of
   * their own place since that opened.
   */
  readonly carried?: readonly FactName[];
  /** Facts of these that were read from a stand-in, because their own surface was closed. */
  readonly standIns?: readonly FactName[];
}

/** The attestation that states the device as it is now known. */
export interface Attested<Kept = KeptFacts> {
  /** `seq` of the entry; absent between the verdict and the record. */
  readonly seq?: number;
  readonly atMs: number;
  /** False for an `unreachable` attestation; `facts` are then those of the last one with claims. */
  readonly reachable: boolean;
  /** The claims of non-volatile facts; with the last known value of those named in `missing`. */
  readonly facts: Kept;
  /** Facts of these that the claims of this entry do not hold, because they could not be read then. */
  readonly missing?: readonly FactName[];
  /** Facts that it says the device has none of, and that are not among these. */
  readonly absent?: Absent;
  /** Facts of these that were read from a stand-in, because their own surface was closed. */
  readonly standIns?: readonly FactName[];
  /** `seq` of the entries that adopted the documents which held its facts, as text. */
  readonly documents?: string;
  /** The rules of two people, with their versions, that held it against a list of the configuration, as text, and what they found. */
  readonly listed?: string;
  readonly unlisted?: readonly string[];
  /** Digest of the list of pools under which nothing was wrong with its pools. */
  readonly allow?: string;
}

/** Firmware of another version than that of the reference: its texts, and its parts as they were first seen with these. */
export interface FirstSeen<Kept = KeptFacts> {
  /** When they were, Unix seconds. */
  readonly atS: number;
  readonly facts: Kept;
  /** The texts with which its family came, where that is another one than that of the reference. */
  readonly came?: Facts;
}

/** A finding that is not closed, with its counters. */
export interface Track {
  readonly finding: Finding;
  /** The after-value being confirmed, as text; always there while provisional. */
  readonly candidate?: {
    readonly after: string;
    /** Consecutive observations of this very after-value, and of any deviation. */
    readonly same: number;
    readonly any: number;
    readonly sinceMs: number;
    /** Since when it is this very value, where it was another one at first. */
    readonly afterMs?: number;
  };
  /** Consecutive observations that match the reference, and since when. */
  readonly clear: number;
  readonly clearSinceMs?: number;
  /** When the finding changed state within the last hour, and when it was last stated. */
  readonly changesMs: readonly number[];
  readonly statedMs?: number;
  /** What was stated of it, while it is flapping: since then `finding` may have become another one. */
  readonly said?: Said;
  /** How much of the time since it was first observed the clock was only set, ms: of one that gets graver with time. */
  readonly aheadMs?: number;
  /** The address at which it was found, where an edit leads the position elsewhere since. */
  readonly foundAt?: string;
}

/** What the statements about a flapping finding said last, as far as that decides what may wait. */
export interface Said extends Pick<Finding, 'state' | 'severity'> {
  /** Digests of the values that were stated of it one soon after the other, where these take two people. */
  readonly values: readonly string[];
}

/** What a device was found for under a list, that of its tenant or one for all devices, until an edit took it from there. */
export interface Breach {
  readonly tenant?: string;
  readonly finding: Finding;
  /** Looks in a row that showed something else. */
  readonly clear?: number;
}

/** Unconfirmed values that went away. */
export interface Blip {
  /** What they have in common. */
  readonly key: string;
  /** The last ones, Unix milliseconds. */
  readonly atMs: readonly number[];
}

/** What is remembered of the endpoint. A gateway holds one for each of its devices, so it is kept small. */
export interface EndpointMarks {
  /** When each surface was looked at, Unix seconds, rounded up. */
  readonly atS: { readonly [Name in Surface]?: number };
  /** The components that they showed then, as text: parsed at full looks. Empty where there are none. */
  readonly shown: string;
}

/**
 * Marks of the present process: touched at every look, never a reason to persist. A member is set to `undefined`, never
 * deleted, and all are there from the start: V8 keeps an object of changing shape in several times the memory.
 */
export interface Marks {
  /** Last valid look at the pools, and last valid full look, Unix milliseconds. */
  poolsMs?: number | undefined;
  fullMs?: number | undefined;
  /** First of the looks in a row that could not read the pools which the current attestation claims, or lost them with it. */
  poolsUnreadMs?: number | undefined;
  /** When what is not told now, of what the reference knows, was told last. */
  toldMs?: ToldMs | undefined;
  /** Consecutive failed polls, when the first of them was, and how much of the time since then nobody looked. */
  failures: number;
  failingSinceMs?: number | undefined;
  unwatchedMs?: number | undefined;
  /** So many of the last polls were refused; below zero: gave nothing for another reason. Those that do not tell do not count. */
  refusals: number;
  /** Why the last of the failed polls that told whether somebody is there gave nothing. */
  lostBy?: Exclude<UnknownReason, 'unsupported'> | undefined;
  /** The newest full look gave nothing: the pools alone do not end a row of failures then. */
  fullLost: boolean;
  /** First of the looks at the pools in a row that left something waiting for a full look. */
  waitsMs?: number | undefined;
  /** Last sample of the uptime counter. */
  uptime?: { readonly atMs: number; readonly s: number; readonly counter: 'uptime' | 'elapsed' } | undefined;
  /** When a share was last seen to be accepted. */
  shares?: ShareMark | undefined;
  /** Small integers, because a gateway keeps them for each of its devices: the counter of the mining program, Unix seconds
   * when a counter was last seen to move, and how many looks found all standing since (`running.ts`). */
  elapsedS?: number | undefined;
  movedS?: number | undefined;
  still: number;
  /** The usual hash rate in steps of a 64th of a doubling, and Unix seconds of the last look that found it near that. */
  rate?: number | undefined;
  ranS?: number | undefined;
  /** Polls in a row that found a write session open. */
  sessionPolls: number;
  /** Questions that were closed at every full look since the first. */
  usuallyClosed?: readonly string[] | undefined;
  /** What the device answers without, since when. */
  leftOut?: LeftOut | undefined;
  /** Facts whose surface was closed at the last full look. */
  closed?: readonly ReadingName[] | undefined;
  /** What the endpoint showed when it was last looked at; a full look in between is seen with it. */
  endpoint?: EndpointMarks | undefined;
  /** Since when time counts for early looks at what is new: each of them takes half a poll of it (`next-look.ts`). */
  hurriedMs?: number | undefined;
  /** Digest of what the last look of each kind showed when nothing was left to do: an equal one needs no work. */
  settledPools?: string | undefined;
  settledFull?: string | undefined;
  /** Mark of the volatile facts that rules read, at the last look of any kind that settled. */
  activity?: number | undefined;
  /** Configuration under which the device settled, and until when time alone changes nothing. */
  policy?: string | undefined;
  wakeMs?: number | undefined;
}

/** How its family was found out the last time that it was not known: what was asked and what came of it, in words of ours. */
export interface Identified {
  readonly family: string;
  readonly atMs: number;
  readonly by: readonly string[];
  /** A web page, which may yet name another family, was not seen. */
  readonly unpaged?: true;
  /** The family that it was taken for as long as its page was not seen. */
  readonly insteadOf?: string;
}

/** Longest word about one question that is kept: a device may send the browser anywhere. */
const LONGEST_WORD = 120;

/** The state after the device was identified. */
export const withIdentified = (state: DeviceState, { by, ...found }: Identified): DeviceState => ({
  ...state,
  identified: { ...found, by: sameWords(by.map((word) => word.slice(0, LONGEST_WORD))) },
});

/** The devices of a fleet are found out in few ways, each of which is kept once. */
const ways = new Map<string, readonly string[]>();
const MOST_WAYS = 256;

const sameWords = (by: readonly string[]): readonly string[] => {
  const key = by.join('\n');
  const known = ways.get(key);
  if (known === undefined && ways.size < MOST_WAYS) ways.set(key, by);
  return known ?? by;
};

/**
 * Everything the agent remembers about one device between looks. Replaced, not changed, except for `marks`. In the store
 * its facts are the text of `comparedText`.
 */
export interface DeviceState<Kept = KeptFacts> {
  readonly id: string;
  /** A `host` entry is a position, whatever machine answers there; in a `range` the id follows the machine. */
  readonly position: 'host' | 'range';
  readonly address: string;
  /** The IP address at which the last full look found it, where `address` is a name, or is spelled otherwise. */
  readonly reached?: string;
  readonly labels: { readonly [name: string]: string };
  readonly family?: string;
  readonly identified?: Identified;
  readonly firstSeenMs?: number;
  /** It appeared after the first pass over its entry and nobody accepted it yet. */
  readonly unknownDevice?: true;
  /**
   * The device whose place it took, or whose serials or MAC it showed at first sight, and the pools of its reference then.
   * `sinceMs`: when it took that place, where it was known before; it is gone once the other one showed elsewhere. `allow`: digest of
   * the list of pools under which that one was attested.
   */
  readonly replaces?: {
    readonly device: string;
    readonly pools: readonly PoolSlot[];
    readonly sinceMs?: number;
    readonly allow?: string;
  };
  /** Addresses that it left lately, the latest last. */
  readonly left?: readonly { readonly address: string; readonly atMs: number }[];
  readonly reference?: Reference<Kept>;
  readonly attested?: Attested<Kept>;
  /** Only of a device that shows another version than its reference holds parts of. */
  readonly firstSeen?: FirstSeen<Kept>;
  /** The reference changed since the last attestation. */
  readonly referenceChanged?: true;
  /** Its tenant is another one than the last attestation says. */
  readonly relabelled?: true;
  readonly edited?: Edited;
  /** It left the configuration with findings that nobody had settled; only of a device that left. */
  readonly leftOpen?: true;
  /** What only an edit ended, as long as it is shown. */
  readonly breaches?: readonly Breach[];
  /** Facts that a person accepted as closed: that they cannot be read is no finding. */
  readonly unreadable?: readonly ReadingName[];
  /** Provisional and open findings. */
  readonly tracks: readonly Track[];
  /** Findings that ended within the last hour: seen again, they continue. */
  readonly closed: readonly Track[];
  readonly blips: readonly Blip[];
  /** Reboots of the last hour, Unix milliseconds. */
  readonly rebootsMs: readonly number[];
  /** Those of them that a plan expected. */
  readonly rebootsPlanned?: readonly PlannedReboot[];
  /**
   * Since the device came back after more than 15 min: the interval, what it was before, and, once all of it was compared and
   * something had changed, what that was: whatever changes later did not change in the dark.
   */
  readonly returned?: {
    readonly darkSinceMs: number;
    readonly backMs: number;
    readonly facts: Kept;
    readonly absent?: Absent;
    readonly changed?: readonly string[];
  };
  /** Changed facts that no rule speaks of, as text, waiting for a second look. */
  readonly unattested?: string;
  readonly marks: Marks;
}

/** The list of the many devices that have nothing to list: one for all of them. */
export const NONE: readonly never[] = Object.freeze([]);

export const orNone = <T>(list: readonly T[]): readonly T[] => (list.length === 0 ? NONE : list);

const noMarks = (): Marks => ({
  poolsMs: undefined,
  fullMs: undefined,
  poolsUnreadMs: undefined,
  toldMs: undefined,
  failures: 0,
  failingSinceMs: undefined,
  unwatchedMs: undefined,
  refusals: 0,
  lostBy: undefined,
  fullLost: false,
  waitsMs: undefined,
  uptime: undefined,
  shares: undefined,
  elapsedS: undefined,
  movedS: undefined,
  still: 0,
  rate: undefined,
  ranS: undefined,
  sessionPolls: 0,
  usuallyClosed: undefined,
  leftOut: undefined,
  closed: undefined,
  endpoint: undefined,
  hurriedMs: undefined,
  settledPools: undefined,
  settledFull: undefined,
  activity: undefined,
  policy: undefined,
  wakeMs: undefined,
});

/** A device nobody has looked at yet. */
export const newDevice = (device: Pick<DeviceState, 'id' | 'position' | 'address' | 'labels'>): DeviceState => ({
  ...device,
  tracks: NONE,
  closed: NONE,
  blips: NONE,
  rebootsMs: NONE,
  marks: noMarks(),
});

/** Takes back what a look touched. The object stays: every state of the device holds the same one. */
export const restoreMarks = ({ marks }: DeviceState, before: Marks): void => {
  Object.assign(marks, noMarks(), before);
};

/** The state as the store keeps it. What settled is left out, so that a new process judges every device once anew. */
export const writeDevice = (state: DeviceState): string => {
  const { poolsMs, fullMs, poolsUnreadMs, toldMs, failures, failingSinceMs, unwatchedMs, refusals, lostBy } =
    state.marks;
  const { uptime, elapsedS, rate, ranS, usuallyClosed, leftOut, endpoint } = state.marks;
  return JSON.stringify({
    ...withTexts(state, keptText),
    marks: {
      poolsMs,
      fullMs,
      poolsUnreadMs,
      toldMs,
      failures,
      failingSinceMs,
      unwatchedMs,
      refusals,
      lostBy,
      uptime,
      elapsedS,
      rate,
      ranS,
      usuallyClosed,
      leftOut,
      endpoint,
    },
  });
};

/** Reads what `writeDevice` wrote; throws where it is something else. */
export const readDevice = (text: string): DeviceState => {
  const state = JSON.parse(text) as DeviceState<string>;
  if (!isDevice(state)) throw new Error('not the state of a device');
  const { tracks, closed, blips, rebootsMs, rebootsPlanned, marks, identified } = state;
  const kept = {
    ...withTexts(state, keepText),
    tracks: orNone(tracks),
    closed: orNone(closed),
    blips: orNone(blips),
    rebootsMs: orNone(rebootsMs),
    ...(rebootsPlanned === undefined ? {} : { rebootsPlanned: orNone(rebootsPlanned) }),
    marks: { ...noMarks(), ...marks },
  };
  return identified === undefined ? kept : withIdentified(kept, identified);
};

/** The state with its facts in another form. */
const withTexts = <From, To>(state: DeviceState<From>, form: (facts: From) => To): DeviceState<To> => {
  const { reference, attested, returned, firstSeen, ...rest } = state;
  return {
    ...rest,
    ...(reference === undefined ? {} : { reference: inForm(reference, form) }),
    ...(attested === undefined ? {} : { attested: inForm(attested, form) }),
    ...(returned === undefined ? {} : { returned: inForm(returned, form) }),
    ...(firstSeen === undefined ? {} : { firstSeen: { ...firstSeen, facts: form(firstSeen.facts) } }),
  };
};

const inForm = <From, To, Known extends { readonly facts: From; readonly absent?: Absent }>(
  known: Known,
  form: (facts: From) => To,
): Omit<Known, 'facts'> & { readonly facts: To } => ({
  ...known,
  facts: form(known.facts),
  ...absentMember(known.absent),
});

/** Whether it is not yet known what changed while the device was dark. */
export const isJustBack = ({ returned }: Pick<DeviceState, 'returned'>): boolean =>
  returned !== undefined && returned.changed === undefined;

/** Damage that leaves JSON behind is rare; the members that every state has tell it. */
const isDevice = (state: Partial<DeviceState<string>> | null): boolean =>
  typeof state?.id === 'string' &&
  typeof state.address === 'string' &&
  typeof state.labels === 'object' &&
  typeof state.marks === 'object' &&
  isReadable(state.marks.endpoint) &&
  [state.tracks, state.closed, state.blips, state.rebootsMs].every(Array.isArray);

const isReadable = (endpoint: EndpointMarks | undefined): boolean =>
  endpoint === undefined ||
  (typeof endpoint.atS === 'object' && (endpoint.shown === '' || Array.isArray(JSON.parse(endpoint.shown))));

/** The state after its attestation was appended as entry `seq`. */
export const withAttestation = (state: DeviceState, seq: number): DeviceState => {
  const { attested, reference } = state;
  if (attested === undefined) return state;
  const named = { ...state, attested: { ...attested, seq } };
  if (reference?.unrecorded === undefined) return named;
  const unrecorded = reference.unrecorded.map((item) => ({ seq, ...item }));
  return { ...named, reference: { ...reference, unrecorded } };
};

/**
 * The state after a finding was stated: the first statement gives it its name, in the entry itself or that of its
 * parent. The outcome of an unconfirmed value names nothing that goes on.
 */
export const withStatement = (
  state: DeviceState,
  stated: Pick<Finding, 'ruleId' | 'part' | 'confirmedAt'>,
  entry: { readonly openedSeq: number } | { readonly parent: number },
): DeviceState => {
  if (stated.confirmedAt === undefined) return state;
  const isStated = ({ finding }: Track): boolean =>
    finding.ruleId === stated.ruleId && finding.part === stated.part && finding.openedSeq === undefined;
  const named = (tracks: readonly Track[]): readonly Track[] =>
    tracks.some(isStated)
      ? tracks.map((track) => (isStated(track) ? { ...track, finding: { ...track.finding, ...entry } } : track))
      : tracks;
  return { ...state, tracks: named(state.tracks), closed: named(state.closed) };
};

/** The marks of a device with which something is left to do, though it shows what it showed. */
export const unsettled = ({ marks }: DeviceState): DeviceState['marks'] => ({
  ...marks,
  settledPools: undefined,
  settledFull: undefined,
});

/** The state after the `baseline` entry `seq` recorded all that was learned. What a stronger entry holds that goes on holding. */
export const withLearned = (state: DeviceState, seq: number): DeviceState => {
  const { reference } = state;
  if (reference?.unrecorded === undefined) return state;
  const { unrecorded, ...rest } = reference;
  const later = unrecorded.flatMap(({ facts }) => (facts === 'all' ? [] : facts));
  const learned = unrecorded.map(({ facts }): ReferenceEntry => {
    if (facts !== 'all') return { seq, approval: 'none', facts };
    return { seq, approval: 'none', ...(later.length === 0 ? {} : { without: later }) };
  });
  const entries = stillHolding([...rest.entries, ...learned]);
  const next = { ...state, reference: { ...rest, entries } };
  // A person stands behind what was attested, and not behind this: that is said at the next full look.
  const isNews = isCommissioned(rest) && entries.some((entry) => entry.seq === seq);
  return isNews ? { ...next, referenceChanged: true, marks: unsettled(state) } : next;
};

/** When a look last read something, Unix milliseconds; the first that failed where none ever did. */
export const lastSeenMs = ({ marks: { poolsMs = 0, fullMs = 0, failingSinceMs = 0 } }: DeviceState): number =>
  Math.max(poolsMs, fullMs) || failingSinceMs;
