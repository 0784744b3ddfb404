import { FACTS, type FactName, type Facts, type PoolSlot } from '../../shared/facts.ts';
import { canonicalJson } from '../../shared/jcs.ts';
import { WITH_VERSION } from '../../shared/open-values.ts';
import type { Plan } from '../../shared/terms.ts';
import { approvedFacts, type Holders } from '../baseline/approved.ts';
import { partsOf } from '../baseline/compared.ts';
import { type Circumstances, itemsAt, saysNothing } from '../baseline/expected.ts';
import { type Adopted, expectedBy, type Held, leftOfPlan, phaseOfPlan, planNames } from '../baseline/standing.ts';
import type { Track } from './device.ts';
import type { Finding } from './finding.ts';
import { FIRMWARE_TEXTS } from './firmware.ts';
import { changedParts, isKeyed } from './keyed.ts';
import type { Outcome, Ran } from './outcome.ts';
import { arePlanned, showsPools, tellsPlanned } from './planned-pools.ts';
import { isStrange } from './replaced.ts';
import type { Deviation, Rule } from './rule.ts';
import { changeDeviation } from './rules/change-deviation.ts';
import { changeWindowOverrun } from './rules/change-window-overrun.ts';
import { firmwareBootMediumChanged, isSameVersion } from './rules/firmware-boot-medium-changed.ts';
import { firmwareFamilyChanged } from './rules/firmware-family-changed.ts';
import { firmwareRollback } from './rules/firmware-rollback.ts';
import { firmwareVersionChanged } from './rules/firmware-version-changed.ts';
import { poolSlotAdded } from './rules/pool-slot-added.ts';
import { poolUrlChanged } from './rules/pool-url-changed.ts';
import { poolUserChanged } from './rules/pool-user-changed.ts';
import { PLANNED_REBOOTS, type PlannedReboot, runtimeRebootUnexpected } from './rules/runtime-reboot-unexpected.ts';
import { compareVersions } from './version.ts';
import { speaksOfPools, wholeOf } from './who-approves.ts';

/** What plans know of the deviations of one look (catalogue §3): which they cover, and which they should have covered. */

/** A look at a device, with what plans may have to do with it. */
export interface Planned {
  /** Those that speak of the device and are open, or were until a day ago. */
  readonly plans: readonly Adopted<Plan>[];
  readonly observed: Facts;
  readonly approved: Facts;
  /** For whom slots may work where none is approved. */
  readonly beyond: () => readonly PoolSlot[];
  /** What was learned or accepted, below documents, and which of the approved facts documents hold. */
  readonly known: () => Facts;
  readonly holders?: ReadonlyMap<FactName, Holders> | undefined;
  /** Texts of the firmware are held against those that came with another family. */
  readonly otherFamily?: boolean;
  readonly circumstances: Circumstances;
  readonly tracks: readonly Track[];
}

/** The outcomes with what plans cover named in their deviations, and with those of the rules about plans themselves. */
export const underPlans = (outcomes: readonly Outcome[], planned: Planned): readonly Outcome[] => {
  const aboutPlans = planned.tracks.some(({ finding }) => ABOUT_PLANS.has(finding.ruleId));
  if (planned.plans.length === 0 && !aboutPlans) return outcomes;
  const judged = outcomes.map((outcome) => ({
    outcome,
    told: outcome.kind === 'ran' ? outcome.deviations.map((one) => judgeAmong(outcomes, outcome, one, planned)) : [],
  }));
  const told = judged.flatMap((each) => each.told);
  // Of what was not judged this time nothing is known: whether it is still unlike the plan, too.
  const ran = new Set(outcomes.filter((outcome) => isJudged(outcome, planned)).map(({ rule }) => rule.id));
  const sees = (part: string): boolean => ran.has(ruleTold(part));
  return [
    ...judged.map(({ outcome, told }) =>
      outcome.kind === 'ran' && told.length > 0
        ? { ...outcome, deviations: told.map(({ deviation }) => deviation) }
        : outcome,
    ),
    { kind: 'ran', rule: changeDeviation, deviations: told.flatMap(({ wrong }) => wrong), facts: [], sees },
    { kind: 'ran', rule: changeWindowOverrun, deviations: told.flatMap(({ late }) => late), facts: [], sees },
  ];
};

/** Whether what was found by this rule was judged: one that compared nothing may still see that a part of it is gone. */
const isJudged = (outcome: Outcome, { tracks }: Planned): boolean => {
  if (outcome.kind !== 'ran') return false;
  const { idle, rule, sees } = outcome;
  if (idle !== true || sees === undefined) return true;
  const partsOfFinding = ({ after, part = '' }: Finding): readonly string[] =>
    isKeyed(after) ? after.map(({ key }) => key) : [part];
  return tracks.every(({ finding }) => finding.ruleId !== rule.id || partsOfFinding(finding).every(sees));
};

const ABOUT_PLANS: ReadonlySet<string> = new Set([changeDeviation.id, changeWindowOverrun.id]);

/** What plans say of one deviation. */
interface Told {
  /** With the plan that covers it, where one does. */
  readonly deviation: Deviation;
  /** Of `change.deviation` and `change.window-overrun`. */
  readonly wrong: readonly Deviation[];
  readonly late: readonly Deviation[];
}

/** What plans say of a deviation beside the others of its look, of which one may explain it. */
const judgeAmong = (outcomes: readonly Outcome[], ran: Ran, deviation: Deviation, planned: Planned): Told => {
  // No update explains a slot under a version that ran from another one before.
  const isExplained = ran.rule.id === firmwareBootMediumChanged.id && !isSameVersion(deviation);
  const slotPlan = isExplained ? planOfVersion(outcomes, planned) : undefined;
  if (slotPlan === undefined) return judge(ran, deviation, planned);
  const track = planned.tracks.find(({ finding }) => isAbout(finding, ran, deviation));
  // Nor one that the device was found to run from before it, under the same version.
  const isTold =
    track !== undefined &&
    track.finding.state !== 'provisional' &&
    track.finding.plan === undefined &&
    isSameVersion(track.finding) &&
    isSame(track.finding, deviation);
  return isTold ? judge(ran, deviation, planned) : { deviation: { ...deviation, plan: slotPlan }, wrong: [], late: [] };
};

/**
 * The plan that covers the other version of this look. Where a firmware is written beside the running one, the slot that the device
 * boots from goes with it, as components do.
 */
const planOfVersion = (outcomes: readonly Outcome[], planned: Planned): number | undefined =>
  outcomes
    .filter((outcome) => outcome.kind === 'ran')
    .filter(({ rule }) => OF_VERSION.has(rule.id))
    .flatMap((ran) => ran.deviations.map((deviation) => judge(ran, deviation, planned).deviation.plan))
    .find((plan) => plan !== undefined);

/** Rules that tell another version. */
export const OF_VERSION: ReadonlySet<string> = new Set([firmwareVersionChanged.id, firmwareRollback.id]);

const OF_FIRMWARE: readonly string[] = [...OF_VERSION, firmwareFamilyChanged.id, firmwareBootMediumChanged.id];

/** Whether it is of this plan that its devices start anew, whether it names the reboot or not: no firmware changes without that. */
export const expectsReboot = (plan: Plan): boolean => OF_FIRMWARE.some((id) => planNames(plan, id));

/** The open plan under which a device started anew now, as long as the device does not do so over and over. */
export const planOfReboot = (
  plans: readonly Adopted<Plan>[],
  planned: readonly PlannedReboot[],
  nowMs: number,
): number | undefined =>
  plans.find(
    ({ seq, terms }) =>
      phaseOfPlan(terms, nowMs) === 'open' &&
      expectsReboot(terms) &&
      planned.filter(({ plan }) => plan === seq).length < PLANNED_REBOOTS,
  )?.seq;

/** Whether what a plan covers is of the change that it announces: a reboot that it does not name says nothing of that. */
export const isOfChange = ({ ruleId }: Pick<Finding, 'ruleId'>, plan: Plan): boolean =>
  ruleId !== runtimeRebootUnexpected.id || planNames(plan, ruleId);

const judge = (ran: Ran, deviation: Deviation, planned: Planned): Told => {
  const named = planned.plans.filter(({ terms }) => planNames(terms, ran.rule.id));
  const now = planned.circumstances.nowMs;
  const found = planned.tracks.find(({ finding }) => isAbout(finding, ran, deviation));
  // What a plan covered has gone on to another value: that began now.
  const track = found?.finding.plan !== undefined && !isSame(found.finding, deviation) ? undefined : found;
  const open = named.filter((plan) => phaseOfPlan(plan.terms, now) === 'open' && isAnnounced(plan, track, planned));
  const covering = open.find((plan) => expects(plan, ran, deviation, planned));
  if (covering !== undefined) return { deviation: { ...deviation, plan: covering.seq }, wrong: [], late: [] };
  const ended = endedPlan(track, ran, deviation, planned);
  const isLeft = ended !== undefined || showsOtherTexts(track, ran, planned);
  // What a plan covered when it began stays covered while it shows the same; what it expected for a while, and a curtailment, leave it.
  if (track?.finding.plan !== undefined && !isLeft) return { deviation, wrong: [], late: [] };
  // Only what is held against the reference can have gone to another value than the planned one.
  const [unlike] = ran.against === undefined || ran.rule.approval === 'A0' ? [] : open;
  const overrun =
    ended ?? named.find((plan) => phaseOfPlan(plan.terms, now) === 'late' && expects(plan, ran, deviation, planned));
  const isLate = overrun !== undefined && isAnnounced(overrun, track, planned) && !beganBefore(track, overrun);
  const again = (id: string): readonly Deviation[] => toldBefore(planned.tracks, id, ran, deviation);
  const facts = unlike === undefined ? [] : unlikeFacts(unlike, ran, planned);
  // A look that does not tell the texts by which a plan knows another family says nothing of them.
  const isUntold = unlike === undefined || (isOfFamily(ran) && facts.length === 0);
  return {
    deviation: isLeft ? { ...deviation, uncovered: true } : deviation,
    wrong: isUntold ? again(changeDeviation.id) : [toldOf(unlike, ran, deviation, facts)],
    late: isLate ? [toldOf(overrun, ran, deviation)] : again(changeWindowOverrun.id),
  };
};

/** The plan that covers it, where that expected it for a while, which is over: by now it should be as it was before. */
const endedPlan = (
  track: Track | undefined,
  ran: Ran,
  deviation: Deviation,
  planned: Planned,
): Adopted<Plan> | undefined => {
  const own = planned.plans.find(({ seq }) => seq === track?.finding.plan);
  const left = own === undefined ? undefined : leftOfPlan(own.terms, planned.circumstances.nowMs);
  if (own === undefined || left === undefined) return undefined;
  const isExpected = left.expected_after?.length !== 0 && expects({ ...own, terms: left }, ran, deviation, planned);
  return isExpected ? undefined : own;
};

const isSame = ({ after }: Finding, deviation: Deviation): boolean =>
  canonicalJson(after ?? null) === canonicalJson(deviation.after ?? null);

const isAbout = (finding: Finding, { rule }: Ran, { part }: Deviation): boolean =>
  finding.ruleId === rule.id && finding.part === part;

/** A plan is signed beforehand: what was seen before it came into force is none of its, but for a curtailment that is to last longer. */
const isAnnounced = ({ seq, adoptedAt }: Adopted<Plan>, track: Track | undefined, { plans }: Planned): boolean =>
  track === undefined ||
  track.finding.plan === seq ||
  track.finding.firstObservedAt >= adoptedAt ||
  plans.some((other) => other.seq === track.finding.plan && other.terms.type === 'curtailment');

/** A deviation that stood before the window opened is none of the plan's. */
const beganBefore = (track: Track | undefined, { terms }: Adopted<Plan>): boolean =>
  track !== undefined && track.finding.firstObservedAt < terms.not_before_at;

const isOfFamily = ({ rule }: Ran): boolean => rule.id === firmwareFamilyChanged.id;

/**
 * Whether another family shows other texts than those with which a plan covered it, as long as none are remembered with it: from then
 * on these have a finding of their own.
 */
const showsOtherTexts = (track: Track | undefined, ran: Ran, planned: Planned): boolean => {
  if (!isOfFamily(ran)) return false;
  const { plans, approved, otherFamily } = planned;
  const own = plans.find(({ seq }) => seq === track?.finding.plan);
  if (own === undefined) return false;
  const isRemembered = (name: FactName): boolean => otherFamily === true && approved[name] !== undefined;
  return unlikeFacts(own, ran, planned).some((name) => !isRemembered(name));
};

/** Whether the plan allows what is seen: the same rule finds nothing against what the plan expects, and pools are those of the plan. */
const expects = ({ seq, terms }: Adopted<Plan>, ran: Ran, deviation: Deviation, planned: Planned): boolean => {
  // That machines come does not say for whom they work.
  if (isStrange(deviation) && !speaksOfPools(terms)) return false;
  if (terms.expected_after === undefined) return true;
  const { observed, approved, circumstances } = planned;
  const held = heldUnder({ seq, terms }, planned);
  const expected = expectedFacts(held, planned);
  const pools = { held, observed, approved, expected, circumstances };
  if (readsPools(ran) && !tellsPlanned(ran.rule.id, deviation, pools)) return false;
  // Who shows nothing shows nothing else than what is expected: a machine that is out for repair.
  const isSilent = Object.keys(observed).length === 0;
  if (ran.against === undefined)
    return isRelated(ran, held) && (isSilent || (shows(observed, held, circumstances) && arePlanned(pools)));
  // A version has two directions, with a rule for each: neither sees what lies on the other side of the planned one. And a plan for
  // another family is one for the version that it names.
  const texts = FIRMWARE_TEXTS.filter((name) => held.has(name) && (isOfFamily(ran) || ran.facts.includes(name)));
  if (!agrees(observed, expected, texts)) return false;
  // Which slot is one more than a planned list has depends on the others: it is enough that it is one of the plan.
  if (ran.rule.id === poolSlotAdded.id) return speaksOfPools(terms);
  const left = ran.against(expected);
  // What the plan leaves open, it allows.
  return left === 'unknown' || !left.some(({ part }) => part === deviation.part);
};

const readsPools = ({ rule }: Ran): boolean => {
  const { reads = [], compares = [] } = rule as Partial<Rule>;
  return reads.includes('pools') || compares.includes('pools');
};

/**
 * What comes with a version is left open beside that version alone, and while it is new to the device: one that tells none is held to
 * the rest, and so is one on which that version was approved, since parts that change now do not come with it.
 */
const heldUnder = (
  { seq, terms }: Pick<Adopted<Plan>, 'seq' | 'terms'>,
  planned: Planned,
): ReadonlyMap<string, Held> => {
  const held = expectedBy(terms, seq, planned.circumstances.nowMs);
  if (!held.has('firmware.version')) return held;
  const isOpen = ({ items }: Held): boolean => items.some((item) => item.class === 'volatile');
  return new Map(
    [...held].filter(
      ([fact, document]) => !WITH_VERSION.includes(fact) || !isOpen(document) || comesAnew(fact as FactName, planned),
    ),
  );
};

/**
 * Whether the device shows another version than that with which this fact was approved: by a document, or by what was learned or
 * accepted. Where this look does not tell the version, its finding does.
 */
const comesAnew = (fact: FactName, { observed, approved, known, holders, tracks }: Planned): boolean => {
  const now = observed['firmware.version'];
  if (now === undefined) return tracks.some(({ finding }) => OF_VERSION.has(finding.ruleId) && tellsVersion(finding));
  const before = (holders?.has(fact) === true ? approved : known())['firmware.version'];
  return before === undefined || compareVersions(before, now) !== 'same';
};

const tellsVersion = ({ after, state }: Finding): boolean =>
  state !== 'provisional' && isKeyed(after) && after.some(({ key }) => key === 'version');

/** The approved facts as they would be once the change is made. */
const expectedFacts = (held: ReadonlyMap<string, Held>, planned: Planned): Facts => {
  const { observed, approved, circumstances } = planned;
  const below = held.has('pools') ? { ...approved, pools: poolsBelow(planned) } : approved;
  return approvedFacts(below, held, observed, circumstances, () => undefined).facts;
};

/** Those of the facts that the rule looks at which are not as they would be. */
const unlikeFacts = (plan: Adopted<Plan>, ran: Ran, planned: Planned): readonly FactName[] => {
  const held = heldUnder(plan, planned);
  const expected = expectedFacts(held, planned);
  const texts = FIRMWARE_TEXTS.filter((name) => held.has(name) && planned.observed[name] !== undefined);
  return [...ran.facts, ...(isOfFamily(ran) ? texts : [])].filter(
    (name) => !agrees(planned.observed, expected, [name]),
  );
};

/** A rule that looks at facts is covered by a plan that speaks of them, and by no other. */
const isRelated = ({ rule }: Ran, held: ReadonlyMap<string, Held>): boolean => {
  const { reads = [], compares = [] } = rule as Partial<Rule>;
  const inputs = new Set<string>([...reads, ...compares]);
  return inputs.size === 0 || [...held.keys()].some((fact) => inputs.has(fact) || inputs.has(wholeOf(fact)));
};

/** Whether the texts that the plan names are as it has them. */
const agrees = (observed: Facts, expected: Facts, names: readonly FactName[]): boolean =>
  names.every(
    (name) => expected[name] === undefined || canonicalJson(expected[name]) === canonicalJson(observed[name] ?? null),
  );

/** Whether a look shows all of what a plan expects that it could see, and saw any of it. */
const shows = (observed: Facts, held: ReadonlyMap<string, Held>, circumstances: Circumstances): boolean => {
  const { facts, holders } = approvedFacts(observed, held, observed, circumstances, () => undefined);
  const known = [...holders.keys()].filter((fact) => observed[fact] !== undefined);
  return known.length > 0 && known.every((fact) => canonicalJson(facts[fact]) === canonicalJson(observed[fact]));
};

/**
 * Whether a device shows all of what a plan expects, of what is known of it; undefined where the plan says nothing of that, or no
 * more.
 */
export const showsExpected = (
  { seq, terms }: Pick<Adopted<Plan>, 'seq' | 'terms'>,
  planned: Pick<Planned, 'observed' | 'approved' | 'beyond' | 'circumstances'>,
): boolean | undefined => {
  const { observed, approved, circumstances } = planned;
  const { nowMs } = circumstances;
  const isKnown = (fact: string): boolean => observed[wholeOf(fact) as FactName] !== undefined;
  const held = new Map(
    [...expectedBy(terms, seq, nowMs)].filter(
      ([fact, { items }]) => isKnown(fact) && itemsAt(items, nowMs).length > 0 && !saysNothing(items, nowMs),
    ),
  );
  if (held.size === 0) return undefined;
  const others = new Map([...held].filter(([fact]) => wholeOf(fact) !== 'pools'));
  const expected = approvedFacts(observed, others, observed, circumstances, () => undefined).facts;
  if ([...others.keys()].some((fact) => isUnlike(fact as FactName, observed, expected))) return false;
  const announces = (...rules: readonly { readonly id: string }[]): boolean =>
    rules.some(({ id }) => planNames(terms, id));
  const announced = { added: announces(poolSlotAdded), changed: announces(poolUrlChanged, poolUserChanged) };
  if (others.size === held.size) return true;
  return showsPools({ held, observed, approved, below: poolsBelow(planned), circumstances }, announced);
};

/** What a list of a plan leaves out is as it is here. */
const poolsBelow = ({
  approved: { pools = [] },
  beyond,
}: Pick<Planned, 'approved' | 'beyond'>): readonly PoolSlot[] => [...pools, ...beyond()];

/** Of lists by name or key the parts count that both know, as their rules have it. */
const isUnlike = (fact: FactName, observed: Facts, expected: Facts): boolean => {
  const [seen, planned] = [observed[fact], expected[fact]];
  if (planned === undefined) return false;
  const { class: kind } = FACTS[fact];
  if (kind === 'by-name' || kind === 'by-key')
    return changedParts(partsOf(seen as readonly unknown[]), partsOf(planned as readonly unknown[])).length > 0;
  return canonicalJson(seen) !== canonicalJson(planned);
};

/** The values stand in the finding that it is about; of these the names of those that the plan has otherwise. */
const toldOf = (
  { terms }: Adopted<Plan>,
  { rule }: Ran,
  { part }: Deviation,
  unlike: readonly FactName[] = [],
): Deviation => ({
  part: [terms.plan_id, rule.id, part].filter((word) => word !== undefined).join(' '),
  confirm: rule.confirm,
  reasons: [rule.id, ...unlike],
});

/** The rule that such a part names. */
const ruleTold = (part: string): string => part.split(' ')[1] ?? '';

/** Ids of the plans from which this finding was told to differ, by what is open about the device beside it. */
export const plansLeft = (
  { ruleId, part }: Pick<Finding, 'ruleId' | 'part'>,
  tracks: readonly Track[],
): readonly string[] => {
  const about = ` ${[ruleId, part].filter((word) => word !== undefined).join(' ')}`;
  return tracks.flatMap(({ finding }) =>
    finding.ruleId === changeDeviation.id && finding.state !== 'provisional' && finding.part?.endsWith(about) === true
      ? [finding.part.slice(0, -about.length)]
      : [],
  );
};

/** Once told, it lasts as long as what it is about. */
const toldBefore = (tracks: readonly Track[], id: string, ran: Ran, deviation: Deviation): readonly Deviation[] => {
  const name = [ran.rule.id, deviation.part].filter((word) => word !== undefined).join(' ');
  return tracks
    .filter(({ finding }) => finding.ruleId === id && finding.part?.endsWith(` ${name}`) === true)
    .map(({ finding: { part, reasons = [ran.rule.id] } }) => ({ ...(part === undefined ? {} : { part }), reasons }));
};
