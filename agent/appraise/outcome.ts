import type { FactName, Facts, PoolSlot, UnknownReason } from '../../shared/facts.ts';
import { only } from '../baseline/reference.ts';
import type { Observation } from '../normalise/observation.ts';
import { isAbsent } from './absences.ts';
import { asJson } from './finding.ts';
import { COMPARISONS } from './index.ts';
import type { Deviation, Rule, RuleContext, RuleEntry } from './rule.ts';
import { firmwareFamilyChanged } from './rules/firmware-family-changed.ts';
import { firmwareFingerprintChanged } from './rules/firmware-fingerprint-changed.ts';
import { firmwareRollback } from './rules/firmware-rollback.ts';
import { firmwareVersionChanged } from './rules/firmware-version-changed.ts';
import { filledSlots, leavesOutUsers, strangersIn, withStrangers } from './slots.ts';

/** How one rule came out in one look. */
export type Outcome =
  | {
      readonly kind: 'ran';
      readonly rule: RuleEntry;
      readonly deviations: readonly Deviation[];
      /** Facts that were held against the reference. */
      readonly facts: readonly FactName[];
      readonly sees?: (name: string) => boolean;
      /** There is nothing to hold anything against: the check is not named. */
      readonly idle?: true;
      /** It found more than has room among the findings of a device. */
      readonly isFlood?: true;
      /** Why a part of what the reference holds could not be compared. */
      readonly lost?: string;
      /** What the rule would say of the same look against another reference. */
      readonly against?: (approved: Facts) => readonly Deviation[] | 'unknown';
    }
  /** The reference holds what this look could not read. */
  | { readonly kind: 'not-run'; readonly rule: RuleEntry; readonly reason: string }
  /** Nothing to compare: not asked this time, not supported, no reference, no list. */
  | { readonly kind: 'silent'; readonly rule: RuleEntry };

/** A rule that had its inputs and compared them. */
export type Ran = Extract<Outcome, { kind: 'ran' }>;

/** A reply that was lost this time comes back; a refusal or a missing member is the device's answer. */
const isTransient = (reason: string | undefined): boolean =>
  reason === 'timeout' || reason === 'truncated' || reason === 'unreachable';

/**
 * While a device speaks another family these rules would only repeat it: what they hold it against is of the former one. What
 * came with its family is held against that all the same, and lists speak of any family.
 */
const followsFamily = ({ id, against }: Rule, { otherFamily }: RuleContext): boolean => {
  if (against === 'policy' || id === firmwareFamilyChanged.id) return false;
  return id.startsWith('config.') || (id.startsWith('firmware.') && !(otherFamily && OF_FAMILY.has(id)));
};

const OF_FAMILY: ReadonlySet<string> = new Set([
  firmwareVersionChanged.id,
  firmwareRollback.id,
  firmwareFingerprintChanged.id,
]);

/** Runs every comparison that has its inputs. `told`: pools of a list that is not compared as a whole. */
export const runComparisons = (
  observed: Facts,
  gaps: Observation['gaps'],
  approved: Facts | undefined,
  context: RuleContext,
  told: readonly PoolSlot[] = [],
): readonly Outcome[] => {
  const foreign =
    approved?.family !== undefined && observed.family !== undefined && approved.family !== observed.family;
  return COMPARISONS.map((rule) => {
    if (foreign && followsFamily(rule, context)) return { kind: 'silent', rule };
    const outcome = run(rule, observed, gaps, approved, context);
    return told.length === 0 ? outcome : withStrange(outcome, rule, { observed, gaps, approved, told, context });
  });
};

interface Told {
  readonly observed: Facts;
  readonly gaps: Observation['gaps'];
  readonly approved: Facts | undefined;
  readonly told: readonly PoolSlot[];
  readonly context: RuleContext;
}

/**
 * What a rule says of pools that are none of the reference, where the list that would hold them could not be compared: of
 * these as slots beside the known ones. Of those it says nothing, and ends nothing.
 */
const withStrange = (outcome: Outcome, rule: Rule, { observed, gaps, approved, told, context }: Told): Outcome => {
  const inputs = [...rule.reads, ...(rule.compares ?? [])];
  // Rules that judge what runs were handed these.
  const isJudged = inputs.includes('live_pools') && observed.live_pools !== undefined;
  const known = approved?.pools;
  if (known === undefined || !inputs.includes('pools') || isJudged) return outcome;
  const strangers = strangersIn(told, known);
  if (strangers.length === 0) return outcome;
  const pools = withStrangers(known, strangers);
  const beside = { ...observed, pools };
  const open = new Map([...gaps].filter(([name]) => name !== 'pools'));
  const whole = run(rule, beside, open, approved, context);
  if (whole.kind !== 'ran') return outcome;
  const places = filledSlots(pools).flatMap((slot, index) => (known.includes(slot) ? [] : [`slot ${index}`]));
  const deviations = whole.deviations.filter(({ part = '' }) => places.some((place) => part.endsWith(place)));
  if (deviations.length === 0) return outcome;
  const lost = gaps.get('pools');
  const against = ({ pools: expected = [], ...others }: Facts): readonly Deviation[] | 'unknown' =>
    appraised(
      rule,
      handed({ ...observed, pools: withStrangers(expected, strangersIn(told, expected)) }, inputs),
      handed({ ...others, pools: expected }, inputs),
      context,
    );
  return {
    ...whole,
    deviations,
    sees: (name) => deviations.some(({ part }) => part === name),
    ...(lost === undefined ? {} : { lost }),
    ...(whole.against === undefined ? {} : { against }),
  };
};

const idle = (rule: Rule): Ran => ({ kind: 'ran', rule, deviations: [], facts: [], idle: true });

const run = (
  rule: Rule,
  observed: Facts,
  gaps: Observation['gaps'],
  approved: Facts | undefined,
  context: RuleContext,
): Outcome => {
  const compares = rule.compares ?? [];
  const inputs = [...rule.reads, ...compares];
  // What is not configured any more, or not compared any more, ends what was found by it, at looks that could see that.
  if (rule.applies?.(context) === false)
    return inputs.some((name) => observed[name] !== undefined) ? idle(rule) : { kind: 'silent', rule };
  const held = rule.against === 'policy' ? undefined : approved;
  if (rule.against === 'reference' && held === undefined) return { kind: 'silent', rule };
  const absences = held === undefined || context.absent === undefined ? [] : (rule.absences ?? []);
  const absent = absences.filter((name) => held?.[name] === undefined && context.absent?.includes(name));
  const holds = (name: FactName): boolean => held?.[name] !== undefined || absent.includes(name);
  const wanted = held === undefined ? inputs : inputs.filter(holds);
  const facts = wanted.filter((name) => observed[name] !== undefined);
  const still = absent.filter((name) => isAbsent(name, { facts: observed, gaps, noPools: context.noPools }));
  // What the device truly lacks is lost to a reference that holds it; the operator's configuration holds nothing.
  const isLost = (name: FactName): boolean =>
    gaps.has(name) && !still.includes(name) && (held !== undefined || gaps.get(name) !== 'absent');
  const missing = wanted.find((name) => observed[name] === undefined && isLost(name));
  const users = rule.judgesUsers?.(context) === true ? usersLost(observed, gaps, held) : undefined;
  const lost = missing === undefined ? users : gaps.get(missing);
  if (held !== undefined && wanted.length === 0 && inputs.some((name) => context.classOf(name) === 'volatile'))
    return idle(rule);
  const complete = rule.reads.every((name) => facts.includes(name));
  const late = rule.whole === true && inputs.some((name) => holds(name) && isTransient(gaps.get(name)));
  const seen = handed(observed, inputs);
  if (!complete || facts.length === 0 || late) {
    if (lost !== undefined) return { kind: 'not-run', rule, reason: lost };
    // What is absent as it was is nothing to name, but ends what was found of it.
    return still.length === 0
      ? { kind: 'silent', rule }
      : { ...idle(rule), sees: (name) => rule.sees?.(name, seen, still) !== false };
  }
  const lacks = (reference: Facts) => (name: FactName) => reference[name] === undefined && !absent.includes(name);
  const against = (reference: Facts): readonly Deviation[] | 'unknown' =>
    rule.against === 'reference' && rule.reads.some(lacks(reference))
      ? 'unknown'
      : appraised(rule, seen, handed(reference, inputs), { ...context, absent });
  const deviations = against(held ?? NO_FACTS);
  if (deviations === 'unknown') return { kind: 'silent', rule };
  const sees = (name: string): boolean =>
    (users === undefined || deviations.some(({ part }) => part === name)) && rule.sees?.(name, seen, still) !== false;
  return {
    kind: 'ran',
    rule,
    deviations,
    facts,
    ...(rule.sees === undefined && users === undefined ? {} : { sees }),
    ...(lost === undefined ? {} : { lost }),
    ...(held === undefined || deviations.length === 0 ? {} : { against }),
  };
};

/** What the rule finds, in values that can be stated whatever stands in a document: what it writes down may be what somebody left out there. */
const appraised = (
  rule: Rule,
  observed: Required<Facts>,
  approved: Required<Facts>,
  context: RuleContext,
): readonly Deviation[] | 'unknown' => {
  const found = rule.appraise(observed, approved, context);
  return found === 'unknown' ? found : found.map(asStated);
};

const asStated = (deviation: Deviation): Deviation => {
  const { before, after } = deviation;
  return {
    ...deviation,
    ...(before === undefined ? {} : { before: asJson(before) }),
    ...(after === undefined ? {} : { after: asJson(after) }),
  };
};

/** Why users that are known cannot be compared. A document may know one that the device never told. */
const usersLost = (
  { pools }: Facts,
  gaps: Observation['gaps'],
  { pools: held = [] }: Facts = {},
): UnknownReason | 'absent' | undefined => {
  if (pools === undefined) return undefined;
  return gaps.get('pools.user') ?? (leavesOutUsers(held, pools) ? 'unreadable' : undefined);
};

/** A rule is handed the facts it lists and no others; that those it cannot do without are there was checked before. */
const handed = (facts: Facts, names: readonly FactName[]): Required<Facts> => only(facts, names) as Required<Facts>;

const NO_FACTS = {} as Required<Facts>;
