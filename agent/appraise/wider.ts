import type { Facts } from '../../shared/facts.ts';
import type { Approved } from '../baseline/approved.ts';
import { changed, comparedFacts } from '../baseline/compared.ts';
import { holderOf } from '../baseline/reference.ts';
import { isOwedTo, owedTo, withBreaches } from './breach.ts';
import type { Approval, Breach, DeviceState, Track } from './device.ts';
import { CONFIGURATION_EDITED, isEdited } from './edited.ts';
import type { Finding } from './finding.ts';
import { COMPARISONS } from './index.ts';
import type { Outcome, Ran } from './outcome.ts';
import { raisedByEdit } from './raised.ts';
import type { Deviation, Rule } from './rule.ts';
import { inputsOf, isAsAttested, isOfPools, isOfRunning, isSamePool, isStillServed } from './still-shown.ts';
import { MATCHES, sameName } from './track.ts';
import type { LookContext } from './verdict.ts';
import { needsMorePeople } from './who-approves.ts';

/**
 * Lists of the operator allow what somebody writes into them. Where a device shows what it was found for, and a list allows it
 * now, the list was edited, or the device was given to another tenant and back: where approvers are named that ends nothing which
 * takes two people, until what the device shows was approved; elsewhere the end of the finding says so. What an edit alone
 * raised, the next one may end. Nor does a position that was led to another address end what was found at the former one.
 */

/** What is known of the device at this look. */
interface Shown {
  readonly state: DeviceState;
  readonly facts: Facts;
  readonly approved: Approved | undefined;
  readonly context: Pick<LookContext, 'people'>;
}

/** The device and the outcomes of a look, with what lists say since they were edited told as such. */
export const underWiderLists = (
  shown: Shown,
  judged: readonly Outcome[],
): { readonly state: DeviceState; readonly outcomes: readonly Outcome[] } => {
  const outcomes = judged.map((outcome) => raisedByEdit(outcome, shown));
  const listed = shown.state.tracks.filter(
    (track) =>
      isListedNow(track.finding, outcomes, shown, track.clear) ||
      isSwitched(track.finding, outcomes, shown) ||
      isLeftBehind(track, outcomes),
  );
  const ending = new Set(listed.filter((track) => !isHeld(track, shown)));
  const state = withBreaches(shown.state, breachesLeft(shown, outcomes));
  const held = [
    ...listed.filter((track) => !ending.has(track)).map(({ finding }) => finding),
    ...owedTo(state, state.labels).filter((finding) => isListedNow(finding, outcomes, shown)),
  ];
  return {
    state:
      ending.size === 0
        ? state
        : {
            ...state,
            tracks: state.tracks.map((track) =>
              ending.has(track) ? { ...track, finding: withReason(track.finding) } : track,
            ),
          },
    outcomes: held.length === 0 ? outcomes : outcomes.map((outcome) => withHeld(outcome, held)),
  };
};

const withHeld = (outcome: Outcome, held: readonly Finding[]): Outcome => {
  const those = held.filter(({ ruleId }) => ruleId === outcome.rule.id).map(again);
  if (outcome.kind !== 'ran' || those.length === 0) return outcome;
  const { idle: _, ...ran } = outcome;
  return { ...ran, deviations: [...ran.deviations, ...those] };
};

const isHeld = ({ finding, foundAt }: Pick<Track, 'finding' | 'foundAt'>, shown: Shown): boolean =>
  (shown.context.people ?? 0) > 0 &&
  needsMorePeople(finding) &&
  finding.edit !== 'raised' &&
  // What was approved is not what shows where it was found.
  (foundAt !== undefined || !isApproved(finding, shown));

/** Without what the device shows no more at as many looks as end a finding, what is open again, and what its own tenant has no reason to hold. */
const breachesLeft = (shown: Shown, outcomes: readonly Outcome[]): readonly Breach[] => {
  const { breaches = [] } = shown.state;
  const left = breaches.flatMap((breach) => breachLeft(breach, shown, outcomes) ?? []);
  return left.length === breaches.length && left.every((one, at) => one === breaches[at]) ? breaches : left;
};

const breachLeft = (breach: Breach, shown: Shown, outcomes: readonly Outcome[]): Breach | undefined => {
  const { finding, clear = 0, ...owed } = breach;
  const { labels, tracks } = shown.state;
  const isOwed = isOwedTo(breach, labels.tenant);
  if (isOwed && tracks.some((track) => track.finding.state !== 'provisional' && sameName(track.finding, finding)))
    return undefined;
  const rule = COMPARISONS.find(({ id }) => id === finding.ruleId);
  if (rule === undefined || isUnseen(rule, finding, shown.facts)) return breach;
  if (isOwed && isListedNow(finding, outcomes, shown) && !isHeld({ finding }, shown)) return undefined;
  if (isThere(rule, finding, shown.facts) || isFoundOtherwise(rule, finding, outcomes))
    return clear === 0 ? breach : { ...owed, finding };
  return clear + 1 < MATCHES ? { ...breach, clear: clear + 1 } : undefined;
};

const isUnseen = (rule: Rule, { part = '' }: Finding, facts: Facts): boolean =>
  rule.sees?.(part, facts) === false ||
  [...rule.reads, ...(rule.compares ?? [])].every((fact) => facts[fact] === undefined);

/** Whether the device shows still what such a rule found, but for what it refuses. */
const isThere = ({ shows }: Rule, finding: Finding, facts: Facts, refused?: readonly Deviation[]): boolean =>
  shows?.(finding, facts) ?? isStillServed(finding, facts, refused);

/** The rule of the finding, where what it holds a device against stands in the configuration, or is filled in with what stands there. */
const editedRule = (finding: Finding, { edited }: DeviceState): Rule | undefined =>
  COMPARISONS.find(
    ({ id, against }) =>
      id === finding.ruleId && (against === 'policy' || (against === 'reference' && edited?.refilled)),
  );

/** The rule sees nothing any more in what the device was found for, and still shows. */
const isListedNow = (finding: Finding, outcomes: readonly Outcome[], shown: Shown, clear = 0): boolean => {
  const rule = editedRule(finding, shown.state);
  const refused = refusedBeside(finding, rule, outcomes);
  if (rule === undefined || refused === undefined) return false;
  return isOfPools(rule) || rule.shows !== undefined
    ? isThere(rule, finding, shown.facts, refused)
    : clear === 0 && isAsAttested(rule, shown.state, shown.facts);
};

/**
 * What a list allows since it was edited gave way to what is itself found to be another one than approved: that is no repair, and
 * might be gone tomorrow.
 */
const isSwitched = (finding: Finding, outcomes: readonly Outcome[], { state }: Shown): boolean => {
  const rule = editedRule(finding, state);
  if (rule === undefined || !isEdited(finding)) return false;
  return refusedBeside(finding, rule, outcomes) !== undefined && isFoundOtherwise(rule, finding, outcomes);
};

/** What shows at the address to which an edit leads the position is no repair of what was found at the former one. */
const isLeftBehind = ({ finding, foundAt }: Track, outcomes: readonly Outcome[]): boolean =>
  foundAt !== undefined && refusedBeside(finding, { id: finding.ruleId }, outcomes) !== undefined;

/** What the rule finds beside this; undefined where it finds that still, perhaps in another slot, or could not see it. */
const refusedBeside = (
  finding: Finding,
  rule: Pick<Rule, 'id'> | undefined,
  outcomes: readonly Outcome[],
): readonly Deviation[] | undefined => {
  const { state, severity, part } = finding;
  if (state === 'provisional' || severity === 'info') return undefined;
  const ran = outcomes.find((outcome): outcome is Ran => outcome.kind === 'ran' && outcome.rule.id === rule?.id);
  if (ran === undefined || (part !== undefined && ran.sees?.(part) === false)) return undefined;
  const isFound = ran.deviations.some((one) => one.part === part || isSamePool(one, finding));
  return isFound ? undefined : ran.deviations;
};

/** Whether the same facts leave the reference in a way that takes more people. It says nothing of what runs beside the pools. */
const isFoundOtherwise = (rule: Rule, finding: Finding, outcomes: readonly Outcome[]): boolean => {
  const inputs = new Set(inputsOf(rule));
  const isAlike = (id: string): boolean =>
    COMPARISONS.some(
      (other) => other.id === id && other.against === 'reference' && inputsOf(other).some((fact) => inputs.has(fact)),
    );
  return (
    !isOfRunning(finding) &&
    outcomes.some(
      (one) =>
        one.kind === 'ran' &&
        isAlike(one.rule.id) &&
        one.deviations.some((deviation) => needsMorePeople({ ruleId: one.rule.id, ...deviation })),
    )
  );
};

/**
 * Whether people approved what the device shows of what the rule looks at. Where an edit had ended the finding one person was enough
 * meanwhile: then only what they signed counts.
 */
export const isApproved = (
  finding: Finding,
  { state, facts, approved }: Pick<Shown, 'state' | 'facts' | 'approved'>,
): boolean => {
  const rule = editedRule(finding, state);
  // A document that is filled in with an edited label says nothing of what people approved.
  if (rule?.against !== 'policy' || approved === undefined || isOfRunning(finding)) return false;
  const [held, now] = [comparedFacts(approved.facts), comparedFacts(facts)];
  return inputsOf(rule)
    .filter((fact) => now[fact] !== undefined)
    .every((fact) => {
      const entry = holderOf(state.reference?.entries ?? [], fact);
      const byPeople = approved.holders.has(fact) || isByPeople(entry?.approval, finding);
      return byPeople && held[fact] !== undefined && !changed(fact, held[fact], now[fact]);
    });
};

const isByPeople = (approval: Approval = 'none', { edit }: Finding): boolean =>
  edit === 'ended' ? approval === 'signed' : approval !== 'none';

const withReason = (finding: Finding): Finding =>
  isEdited(finding) ? finding : { ...finding, reasons: [...(finding.reasons ?? []), CONFIGURATION_EDITED] };

const again = (finding: Finding): Deviation => {
  const { part, before, after, severityBase: severity, reasons = [], edit } = withReason(finding);
  return {
    severity,
    reasons,
    ...(part === undefined ? {} : { part }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(edit === undefined ? {} : { edit }),
  };
};
