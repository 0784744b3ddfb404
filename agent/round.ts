import type { Facts } from '../shared/facts.ts';
import { affirmsPools, isUnreadNews, notePools } from './appraise/agreement.ts';
import { isBreach } from './appraise/breach.ts';
import { type DeviceState, withIdentified } from './appraise/device.ts';
import { effectOf, withEdited } from './appraise/edit.ts';
import { type EndpointTurns, endpointShown, isFirstReading, noteEndpoint } from './appraise/endpoint.ts';
import { appraise } from './appraise/engine.ts';
import type { FirmwarePolicy } from './appraise/firmware-policy.ts';
import { withFormer } from './appraise/former.ts';
import type { Provenance } from './appraise/provenance.ts';
import type { AllowList, Nameplate } from './appraise/rule.ts';
import { isSeenTogether } from './appraise/rules/identity-duplicate.ts';
import { isLost } from './appraise/rules/visibility-coverage-reduced.ts';
import { isDark } from './appraise/rules/visibility-device-dark.ts';
import { withoutStale } from './appraise/running.ts';
import { comparable } from './appraise/stand-ins.ts';
import { relabelled } from './appraise/tenancy.ts';
import type { Look, LookContext, Verdict } from './appraise/verdict.ts';
import { asAttested } from './appraise/waiting.ts';
import type { Driver } from './drivers/driver.ts';
import type { LookDeps, Seen, Sight } from './look.ts';
import { contextOf } from './look-context.ts';
import { withEndpoint } from './normalise/facts.ts';
import { maskCapture, secretNames } from './normalise/mask.ts';
import type { LookKind, Observation } from './normalise/observation.ts';
import type { Emit } from './platform/events.ts';
import type { Capture, EndpointReading, NoReply, Reply } from './probe/capture.ts';
import { FIRST_PAUSE_MS } from './probe/door-record.ts';
import type { Target } from './probe/target.ts';
import { probeSeat } from './probe-seat.ts';
import { heedReassignments } from './reassignments.ts';
import type { Judged } from './record/batch.ts';
import type { KeptReply } from './record/entry.ts';
import type { Recorder } from './record/recorder.ts';
import type { Fleet } from './schedule/fleet.ts';
import { marksOf, poolsOf } from './schedule/likeness.ts';
import type { FleetSeat } from './schedule/seat.ts';
import type { DueLook, Timetable } from './schedule/timetable.ts';

/** What a round needs from the outside. Replaced as a whole when the configuration is read again. */
export interface RoundDeps {
  readonly fleet: Fleet;
  readonly timetable: Timetable<FleetSeat>;
  readonly look: LookDeps;
  readonly recorder: Recorder;
  readonly emit: Emit;
  /** Nothing is judged before this resolves, and nothing at all where it gives false: the log could not begin. */
  readonly begun: Promise<boolean>;
  readonly wallMs: () => number;
  /** The clock of the timetable. */
  readonly monoMs: () => number;
  readonly random: () => number;
  readonly targetOf: (seat: FleetSeat) => Target;
  readonly settings: RoundSettings;
}

/** What approvers laid down as it is in force now. `policy` changes with it and with the configuration. */
export type StandingNow = Pick<LookContext, 'standing' | 'policy' | 'people'>;

/** What the configuration, and the documents in force, say about looks. */
export interface RoundSettings {
  readonly allow?: AllowList;
  readonly firmware?: FirmwarePolicy | undefined;
  readonly nameplates?: readonly Nameplate[];
  /** The lists of tenants that have one. */
  readonly allowOf?: ReadonlyMap<string, AllowList>;
  readonly provenance?: Provenance;
  /** Whether anybody answers to ARP at an address. */
  readonly linkAlive: (address: string) => boolean | undefined;
  readonly confirmS: number;
  readonly refreshS: number;
  readonly pollIntervalMs: () => number;
  /** Within this time every place of the configuration was looked at. */
  readonly searchMs: () => number;
  /** Documents, plans and waivers that the log holds now. */
  readonly standing: () => StandingNow;
  /** Facts that the operator wants published as digests only. */
  readonly redact: readonly string[];
  /** When this seat has its turns for the surfaces of its endpoint. */
  readonly turns: (seat: FleetSeat) => EndpointTurns;
  /** The entry of this seat is being searched for the first time. */
  readonly inFirstPass: (seat: FleetSeat) => boolean;
}

/** When a look that was wanted early is tried again where the device is still being asked, ms. */
const BUSY_MS = 1000;

/**
 * Whether a look that is due can be made. A device that is still being asked from its last turn is left alone; a look that
 * somebody waits for is not forgotten over it.
 */
export const admitLook = (
  due: DueLook<FleetSeat>,
  { recorder, timetable, monoMs }: Pick<RoundDeps, 'recorder' | 'timetable' | 'monoMs'>,
): boolean => {
  const { seat, look, early } = due;
  if (!seat.busy) {
    seat.busy = true;
    return true;
  }
  if (isCounted(due)) recorder.polled(look, false, seat.device);
  if (early) timetable.askEarly(seat, monoMs() + BUSY_MS);
  return false;
};

const isCounted = ({ seat, early }: DueLook<FleetSeat>): boolean => !early && seat.device !== undefined;

/** One admitted look, from socket to log: probe and normalise, appraise, record. Publishing follows from the log by itself. */
export const runLook = async (due: DueLook<FleetSeat>, deps: RoundDeps): Promise<void> => {
  const { seat, look } = due;
  const counts = isCounted(due);
  let ok = false;
  try {
    const sight = await probeSeat(seat, look, deps);
    if (!(await deps.begun)) return;
    deps.recorder.heedClock();
    tellSilent(seat, sight, deps);
    const judged = judge(seat, look, sight, deps);
    ok = judged?.look.kind === 'observed' && judged.look.affirms;
    const taken = judged === undefined || deps.recorder.take(judged);
    const recorded = taken === true || (await taken);
    ok &&= recorded;
    seat.passed ||= recorded && notePassing(seat, sight);
  } finally {
    seat.busy = false;
    if (counts) deps.recorder.polled(look, ok, seat.device);
  }
};

/**
 * Notes who stands at a seat that is in its first pass, and says whether that is over. A configured position counts as passed once
 * something was seen there, an address of a range once it was asked. Not where somebody stands of whom nothing could be read yet, and
 * who may be a miner: it was there when its entry was searched, unless two looks in a row found nobody.
 */
const notePassing = (seat: FleetSeat, sight: Sight): boolean => {
  const isNamed = sight.kind === 'seen' && !isNameless(seat);
  if (isNamed || seat.place.origin === 'host') return isNamed;
  if (sight.kind === 'seen' || sight.mayBeMiner === true || sight.family !== undefined) {
    seat.untold ??= 'there';
    seat.goneOnce = false;
    return false;
  }
  const isGone = seat.untold === undefined || seat.goneOnce === true;
  seat.goneOnce = true;
  return isGone;
};

/**
 * A miner in a range that lets nothing be read, most of all without its log-in, has no history that a finding could be about: that it is
 * there is said once, and again when it is something else. Of one of which nobody can tell what it is no finding would say that: one at a
 * position would only be called dark.
 */
const tellSilent = (seat: FleetSeat, sight: Sight, deps: RoundDeps): void => {
  if (sight.kind === 'seen') return;
  if (sight.isUntold === true) tellUnrecognised(seat, sight, deps);
  else if (seat.device === undefined && sight.family !== undefined)
    tellUnread(seat, { ...sight, family: sight.family }, deps);
};

type Nothing = Extract<Sight, { kind: 'nothing' }>;

/** One answer may be lost anywhere: nobody is told of that. An empty address would be asked again in the next full round only. */
const tellUnrecognised = (seat: FleetSeat, { detail }: Nothing, deps: RoundDeps): void => {
  const { emit, timetable, monoMs, settings } = deps;
  if (!seat.occupied) timetable.askEarly(seat, monoMs() + settings.pollIntervalMs());
  const { untold } = seat;
  seat.untold = untold === undefined || untold === 'there' ? 'once' : 'said';
  if (untold !== 'once') return;
  emit('warn', 'device.unrecognised', {
    address: seat.place.address,
    message: `nobody can tell which miner it is, so that it is not watched: ${detail}`,
    remedy: `it is asked again; where it stays so: assayer probe ${seat.place.address}, which says what became of each question`,
  });
};

const tellUnread = (seat: FleetSeat, sight: Nothing & { readonly family: string }, { emit }: RoundDeps): void => {
  const { family, reason, detail } = sight;
  const silent = `${family} ${reason}`;
  if (reason === 'unreachable' || reason === 'timeout' || silent === seat.silent) return;
  seat.silent = silent;
  emit('warn', 'device.silent', {
    address: seat.place.address,
    family,
    message: `it is a miner, but nothing can be read: ${detail}`,
    remedy: 'give the entry credentials that the device takes, or open one of its interfaces to this gateway',
  });
};

/** Which device this look belongs to, and what it means for that device. Undefined where no device was ever found at the address. */
const judge = (seat: FleetSeat, look: LookKind, probed: Sight, deps: RoundDeps): Judged | undefined => {
  const found = caseOf(seat, look, probed, deps);
  const judged = found === undefined ? undefined : judgeCase(seat, look, found, deps);
  if (probed.kind === 'seen') askToSettle(seat, look, deps);
  return judged;
};

const judgeCase = (seat: FleetSeat, look: LookKind, { device, shown }: Case, deps: RoundDeps): Judged => {
  const before = withReached(ofTenant(device, seat, deps), look, shown);
  const state = withHistory(before, look, shown, deps);
  // As they are before the look touches them: they are put back where the store refuses the verdict.
  const marks = { ...state.marks };
  const isFull = look === 'full' && shown.kind === 'seen';
  const sight = isFull ? inFull(state, shown, seat, deps) : shown;
  const context = contextOf(state, seat, sight, deps);
  const known = withRecognised(state, sight);
  const judged = appraise(known, lookOf(sight, look, deps), context);
  const said = judgedOf(state, judged, seat, sight, deps);
  const isNews =
    known !== state ||
    isFirstReading(state, marks.endpoint) ||
    state.reached !== device.reached ||
    isUnreadNews(marks, state.marks);
  const verdict = isNews ? { ...judged, changed: true } : judged;
  noteLook(seat, look, sight, deps);
  seat.restUntilMs = restUntil(verdict.state, deps);
  if (verdict.next !== undefined) deps.timetable.askEarly(seat, deps.monoMs() + verdict.next.atMs - deps.wallMs());
  askTwins(seat, context, deps);
  return { before: state, marks, verdict, ...said };
};

/** The seat after a look that was judged. */
const noteLook = (seat: FleetSeat, look: LookKind, sight: Sight, { timetable }: RoundDeps): void => {
  if (look === 'full') timetable.fullLookDone(seat);
  if (sight.kind === 'nothing') return;
  seat.family = sight.driver.family;
  if (look === 'full') seat.demanded = false;
};

/** The device with the IP address at which a full look found it. */
const withReached = (state: DeviceState, look: LookKind, sight: Sight): DeviceState => {
  if (look !== 'full' || sight.kind !== 'seen' || sight.capture.reached === state.reached) return state;
  const { reached: _, ...rest } = state;
  const { reached } = sight.capture;
  return reached === undefined ? rest : { ...rest, reached };
};

/** A device that was never attested, with what was known of its machine before, or of the one that it replaces. */
const withHistory = (state: DeviceState, look: LookKind, sight: Sight, { fleet, settings }: RoundDeps): DeviceState => {
  if (state.attested !== undefined || look !== 'full' || sight.kind !== 'seen') return state;
  const former = fleet.machines.formerOf(state, sight.observation.facts);
  return former === undefined
    ? fleet.machines.withReplaced(state)
    : withFormer(state, former, settings.standing().standing);
};

/** Whether two devices really show the same machine is known once both are looked at, one right after the other. */
const askTwins = (
  seat: FleetSeat,
  { twins = [], nowMs }: LookContext,
  { fleet, timetable, monoMs, settings }: RoundDeps,
): void => {
  const seats = twins
    .filter((twin) => !isSeenTogether(twin, nowMs))
    .flatMap(({ device }) => fleet.seatOf(device) ?? []);
  if (seats.length === 0) return;
  for (const other of seats) timetable.askEarly(other, monoMs());
  timetable.askEarly(seat, monoMs() + settings.confirmS * 1000);
};

/** The device with the labels that it has now. Where it no longer belongs to a tenant, what was open for that tenant ends first. */
const ofTenant = (
  state: DeviceState,
  { place }: FleetSeat,
  { fleet, recorder, wallMs, settings }: RoundDeps,
): DeviceState => {
  const labels = fleet.labelsOf(place, state.id);
  if (labels.tenant === state.labels.tenant) return state;
  const { standing, people = 0 } = settings.standing();
  if (state.tracks.some(isBreach)) {
    heedReassignments({ fleet, recorder, standing, people, nowMs: wallMs() });
    return fleet.state(state.id) ?? state;
  }
  const { edited } = effectOf({ device: state.id, labels, befores: [state] }, standing);
  return relabelled(withEdited(state, edited), labels);
};

/** The full look with the endpoint of the device it belongs to, as it was seen now or when it last had its turn. */
const inFull = (state: DeviceState, sight: Seen, seat: FleetSeat, { settings }: RoundDeps): Seen => {
  noteEndpoint(state, sight.endpoint ?? NOT_LOOKED_AT, settings.turns(seat));
  return { ...sight, observation: withEndpoint(sight.observation, endpointShown(state)) };
};

const NOT_LOOKED_AT: EndpointReading = new Map();

/** The device, with how its family was identified where this look had to identify it. */
const withRecognised = (state: DeviceState, sight: Sight): DeviceState => {
  if (sight.kind === 'nothing' || sight.recognised === undefined) return state;
  const { observation, recognised } = sight;
  return withIdentified(state, { family: observation.family, atMs: observation.observedAtMs, ...recognised });
};

/** What the entries about this look will say of it. */
const judgedOf = (
  before: DeviceState,
  { state: after, stale, attest }: Verdict,
  seat: FleetSeat,
  sight: Sight,
  deps: RoundDeps,
): Pick<Judged, 'address' | 'look' | 'formerly'> => {
  const { address } = seat.place;
  if (sight.kind === 'nothing') return { address, look: { kind: 'unreachable', atMs: deps.wallMs() } };
  const { driver, capture, observation } = sight;
  const whole = comparable(before, attest === undefined ? observation : asAttested(before, observation));
  const shown = stale === true ? withoutStale(before, whole) : whole;
  const showsPools = affirmsPools(after.attested, shown);
  notePools(after, showsPools, shown);
  const affirms = showsPools && !after.marks.fullLost;
  const formerly = before.attested === undefined ? deps.fleet.machines.formerId(before, observation.facts) : undefined;
  return {
    address,
    look: {
      kind: 'observed',
      observation: shown,
      affirms,
      replies: () => keptReplies(driver, capture, deps.settings.redact),
    },
    ...(formerly === undefined ? {} : { formerly }),
  };
};

/** The replies as an auditor may see them: secrets and redacted facts masked; what cannot be masked is not kept. */
const keptReplies = (driver: Driver, capture: Capture, redact: readonly string[]): readonly KeptReply[] => {
  const names = secretNames(driver, redact);
  return [...capture.replies].flatMap(([query, reply]) => {
    if (reply.kind === 'no-reply') return [];
    const bytes = maskCapture(reply.bytes, names);
    return bytes === undefined ? [] : [{ query, bytes, repairs: reply.repairs }];
  });
};

/** A look as it is judged: whose it is, and what it shows of that device. */
interface Case {
  readonly device: DeviceState;
  readonly shown: Sight;
}

/**
 * A seat that answers is judged or counted as failed: while it is open whose a look is, in full or of the pools, it shows nothing of
 * the device that sat here, which becomes dark over it as over any other silence. Undefined where none ever did.
 */
const caseOf = (seat: FleetSeat, look: LookKind, sight: Sight, deps: RoundDeps): Case | undefined => {
  noteGone(seat, sight);
  if (sight.kind === 'seen' && look === 'full') noteNames(seat, sight, deps);
  if (sight.kind === 'seen' && look === 'full' && !isNameless(seat)) {
    const owner = deps.fleet.ownerOf(seat, identityOf(seat, sight.observation, deps), deps.wallMs());
    if (owner.kind === 'device') return { device: owner.state, shown: sight };
  }
  const device = seat.device === undefined ? undefined : deps.fleet.state(seat.device);
  if (device === undefined) return undefined;
  const isOpen = seat.claim !== undefined || isNameless(seat);
  return { device, shown: sight.kind === 'seen' && isOpen ? SOMEBODY_ELSE : sight };
};

/** How long answers may be missing that name a device: as long as a machine may take to start, ms … */
const LONGEST_NAMELESS_MS = 600_000;
/** … and where a log-in rests that was left without an answer: until it was shown four times, ms. */
const LONGEST_RESTING_MS = 2_400_000;

/**
 * Notes whether it is open which machine of a range this is, because answers were lost that would say it, or it tells none and works as
 * another one that is known does: a known one that moved would become another device, which is new, and missing as soon as it tells who it
 * is, or what it shows would be a change of the one that sat here. It is asked again soon, then less and less often, or when a log-in that
 * rests may be shown again; who never tells is known by the address.
 */
const noteNames = (seat: FleetSeat, { observation, capture }: Seen, deps: RoundDeps): void => {
  if (seat.place.origin === 'host') return;
  if (!isUnnamed(seat, observation, deps)) {
    delete seat.nameless;
    return;
  }
  const nowMs = deps.monoMs();
  const { looks = 0, sinceMs = nowMs, over: wasOver = false } = seat.nameless ?? {};
  const isResting = capture.replies.values().some(restsUnanswered);
  const longestMs = isResting ? LONGEST_RESTING_MS : LONGEST_NAMELESS_MS;
  const over = wasOver || nowMs - sinceMs >= longestMs;
  const pauseMs = isResting ? FIRST_PAUSE_MS : deps.settings.confirmS * 1000 * 2 ** looks;
  const againMs = Math.min(nowMs + pauseMs, sinceMs + longestMs);
  seat.nameless = { looks: looks + 1, sinceMs, againMs, over, gone: false };
};

const isUnnamed = (seat: FleetSeat, observation: Observation, deps: RoundDeps): boolean => {
  if (marksOf(observation.facts).length > 0) return false;
  return (
    mayBeAnybody(seat, observation, deps) ||
    deps.fleet.machines.mayBeAnother(seat, observation.facts, identityOf(seat, observation, deps))
  );
};

/**
 * Whether answers were lost that would say who came to an address where nobody sits, or one that is dark, whose place is free to be
 * taken. Of that one the pools say enough, too: where they are read they are judged, or a theft at a machine that comes back would wait.
 */
const mayBeAnybody = (seat: FleetSeat, observation: Observation, { fleet }: RoundDeps): boolean => {
  const lost = NAMES.map((fact) => observation.gaps.get(fact));
  if (seat.device === undefined) return lost.some(isLost);
  const here = fleet.state(seat.device);
  const isFree = here !== undefined && isDark(here) && here.marks.failures > 0;
  return isFree && !tellsPools(observation) && lost.some((gap) => gap !== undefined && !SAID.has(gap));
};

/** What a device says of a fact that it does not tell; any other gap is an answer that did not come, or not whole. */
const SAID: ReadonlySet<string> = new Set(['absent', 'refused']);

const tellsPools = ({ facts, toldPools = [] }: Observation): boolean => poolsOf(facts).length + toldPools.length > 0;

/** Whoever stood here without a name has left after two looks in a row that find nobody: who comes then is waited for anew. */
const noteGone = (seat: FleetSeat, sight: Sight): void => {
  const { nameless } = seat;
  if (nameless === undefined) return;
  const gone = sight.kind === 'nothing' && sight.reason === 'unreachable';
  if (gone && nameless.gone) delete seat.nameless;
  else seat.nameless = { ...nameless, gone };
};

const isNameless = ({ nameless }: FleetSeat): boolean => nameless?.over === false;

const restsUnanswered = (reply: Reply | NoReply): boolean =>
  reply.kind === 'no-reply' && reply.waits === true && reply.reason !== 'refused';

const NAMES = ['identity.mac', 'identity.serial'] as const;

const SOMEBODY_ELSE: Sight = { kind: 'nothing', reason: 'unreadable', detail: 'another device may be here' };

/**
 * The facts that tell which device this is. A value from a stand-in for a closed surface may differ from the one that is known, and would
 * make the machine that is here look like another one.
 */
const identityOf = (seat: FleetSeat, observation: Observation, { fleet }: RoundDeps): Facts => {
  const here = seat.device === undefined ? undefined : fleet.state(seat.device);
  return here === undefined ? observation.facts : comparable(here, observation).facts;
};

/**
 * What answers and could not be judged is looked at again soon, in full. A machine that was last seen elsewhere is looked for there
 * first.
 */
const askToSettle = (seat: FleetSeat, look: LookKind, { fleet, timetable, monoMs, settings }: RoundDeps): void => {
  const { claim, nameless, device = '' } = seat;
  const there = claim === undefined ? undefined : fleet.seatOf(claim.device);
  if (there !== undefined) timetable.askEarly(there, monoMs());
  const isFullLost = look === 'pools' && fleet.state(device)?.marks.fullLost === true;
  if (claim !== undefined || isFullLost) timetable.askEarly(seat, monoMs() + settings.confirmS * 1000);
  if (nameless?.over !== false) return;
  timetable.askEarly(seat, nameless.againMs);
  // One that is dark rests for longer: somebody is there now.
  seat.restUntilMs = Math.min(seat.restUntilMs, nameless.againMs);
};

const lookOf = (sight: Sight, look: LookKind, { wallMs }: RoundDeps): Look =>
  sight.kind === 'seen'
    ? { kind: 'observed', observation: sight.observation }
    : {
        kind: 'unreachable',
        atMs: wallMs(),
        reason: sight.reason,
        look,
        ...(sight.refuses === undefined ? {} : { refuses: sight.refuses }),
        ...(sight.waits === undefined ? {} : { waits: true }),
      };

const DARK_AFTER = 5;
const LONGEST_REST_MS = 300_000;

/** A device that stays dark is asked less and less often, at the latest after five minutes. */
const restUntil = ({ marks }: DeviceState, { settings, monoMs }: RoundDeps): number => {
  if (marks.failures <= DARK_AFTER) return 0;
  const rest = settings.pollIntervalMs() * 2 ** Math.min(16, marks.failures - DARK_AFTER);
  // Half an interval less, so that the turn it rests for is not missed by its own jitter.
  return monoMs() + Math.min(LONGEST_REST_MS, rest) - settings.pollIntervalMs() / 2;
};
