import type { FactName } from '../../shared/facts.ts';
import { namesRule, type Plan, type Waiver } from '../../shared/terms.ts';
import { isEdited } from './edited.ts';
import type { Finding } from './finding.ts';
import { COMPARISONS, RULES, ruleOf } from './index.ts';
import { isOtherAccount, isStrange, OTHER_ACCOUNT } from './replaced.ts';
import type { RuleEntry } from './rule.ts';
import { baselineStale } from './rules/baseline-stale.ts';
import { changeBreakGlass } from './rules/change-break-glass.ts';
import { changeDeviation } from './rules/change-deviation.ts';
import { changeNotObserved } from './rules/change-not-observed.ts';
import { changeWindowOverrun } from './rules/change-window-overrun.ts';
import { configAccessChanged, isClosing } from './rules/config-access-changed.ts';
import { evidenceAgentGap } from './rules/evidence-agent-gap.ts';
import { evidenceClockUntrusted } from './rules/evidence-clock-untrusted.ts';
import { firmwareBootMediumChanged, isWithVersion } from './rules/firmware-boot-medium-changed.ts';
import { firmwareVersionChanged } from './rules/firmware-version-changed.ts';
import { identityNewDevice } from './rules/identity-new-device.ts';
import { poolUrlChanged } from './rules/pool-url-changed.ts';
import { isSameAccount, poolUserChanged } from './rules/pool-user-changed.ts';
import { visibilityChangedWhileDark } from './rules/visibility-changed-while-dark.ts';
import { visibilityCoverageReduced } from './rules/visibility-coverage-reduced.ts';
import { visibilityDeviceDark } from './rules/visibility-device-dark.ts';
import { waiverExpired } from './rules/waiver-expired.ts';

/**
 * Who may approve a finding, and what ends it. Acceptances, documents, withdrawals and what people are told all ask here, so
 * that none of them is a way round another.
 */

/** A finding, or what will be one. */
export type Approvable = Pick<Finding, 'ruleId' | 'reasons'>;

/**
 * The code of the catalogue. A new machine in the place of another one that works for somebody else is a change of pools by
 * other means, and takes who may approve that. Of a user the account has to be planned; another worker of it, and a user that is told
 * for the first time, which takes the place of none, take who may approve pools. A slot that came with another version takes who may approve that. Ways in that were closed take
 * one person, as what finds them open asks for it. Undefined for an id of another version.
 */
export const approvalOf = (finding: Approvable): RuleEntry['approval'] | undefined => {
  if (finding.ruleId === poolUserChanged.id && isSameAccount(finding)) return poolUrlChanged.approval;
  if (isSlotOfVersion(finding)) return firmwareVersionChanged.approval;
  if (finding.ruleId === configAccessChanged.id && isClosing(finding)) return 'A1';
  if (finding.ruleId !== identityNewDevice.id || !isStrange(finding)) return ruleOf(finding.ruleId)?.approval;
  return isOtherAccount(finding) ? poolUserChanged.approval : poolUrlChanged.approval;
};

/** Whether it tells the slot from which the device boots another version, since that came. */
export const isSlotOfVersion = (finding: Approvable): boolean =>
  finding.ruleId === firmwareBootMediumChanged.id && isWithVersion(finding);

/** What two people have to approve, or a plan of theirs beforehand. */
export const takesTwo = (finding: Approvable): boolean => {
  const approval = approvalOf(finding);
  return approval === 'A2' || approval === 'AP';
};

/** Whether a finding that two people have to approve may be about this fact, beside others. */
export const isFactOfTwo = (fact: FactName): boolean => OF_TWO.has(fact);

/** The same, where no plan covers it. */
export const needsMorePeople = (finding: Approvable & Pick<Finding, 'plan'>): boolean =>
  finding.plan === undefined && takesTwo(finding);

/** Acceptable only when planned beforehand, and was not. */
export const isUnplanned = (finding: Approvable & Pick<Finding, 'plan'>): boolean =>
  finding.plan === undefined && approvalOf(finding) === 'AP';

/** The gravest finding of a rule that these terms can cover: strange pools of a new machine a plan covers only where it says them. */
export const coverable = ({ id }: RuleEntry, terms: Plan | Waiver): Approvable => {
  const isStrangeToo = id === identityNewDevice.id && (terms.kind === 'waiver' || speaksOfPools(terms));
  return { ruleId: id, ...(isStrangeToo ? { reasons: [OTHER_ACCOUNT] } : {}) };
};

/** Findings that less of a device is seen, or nothing: while they are tolerated nothing else is found of what lies behind. */
const OF_SIGHT: ReadonlySet<string> = new Set([visibilityCoverageReduced.id, visibilityDeviceDark.id]);

/**
 * Whether these terms would keep such a finding quiet: with it all that two people have to approve. A device that is dark while a
 * plan is open is held against the plan when it is back; what it stops telling it may never tell again.
 */
export const hidesSight = ({ id }: RuleEntry, { kind }: Plan | Waiver): boolean =>
  kind === 'waiver' ? OF_SIGHT.has(id) : id === visibilityCoverageReduced.id;

/** Whether a plan says what the pools will be. */
export const speaksOfPools = ({ expected_after: values = [] }: Plan): boolean =>
  values.some(({ fact }) => wholeOf(fact) === 'pools');

/** A column of the pools is a matter of the pools. */
export const wholeOf = (fact: string): string => (fact.startsWith('pools.') ? 'pools' : fact);

/** Findings about the gateway: no look at a device makes or ends them, and no plan or waiver covers them. */
const OF_GATEWAY: ReadonlySet<string> = new Set([
  changeBreakGlass.id,
  changeNotObserved.id,
  waiverExpired.id,
  baselineStale.id,
  evidenceAgentGap.id,
  evidenceClockUntrusted.id,
]);

/** Whether a plan or waiver can cover findings of this rule at all. */
export const isCoverable = (id: string): boolean => !OF_GATEWAY.has(id) && !NO_FINDINGS.has(id);

/** Their `baseline` entry is the statement. */
const NO_FINDINGS: ReadonlySet<string> = new Set(['baseline.learned', 'baseline.promoted']);

/** Of these ids of a plan or waiver those that it can do nothing about, whatever happens. */
export const uncoverableIds = (ids: readonly string[]): readonly string[] =>
  ids.filter((pattern) => {
    const named = RULES.filter(({ id }) => namesRule(pattern, id));
    return named.length > 0 && named.every(({ id }) => !isCoverable(id));
  });

/** Why, in words. */
export const notCoverable = (id: string): string =>
  `no plan or waiver covers ${id}: it is about this gateway, or a record, and no look at a device makes or ends it`;

/** Findings about a device as a whole: who accepts the device accepts them. */
const ABOUT_DEVICE: ReadonlySet<string> = new Set([
  identityNewDevice.id,
  visibilityChangedWhileDark.id,
  visibilityCoverageReduced.id,
]);

/** Whether accepting the whole device answers it. */
export const isAnswered = (id: string): boolean => ABOUT_DEVICE.has(id);

/** Whether approvers answer it who sign all that the device showed. What can be read no more no attestation claims. */
export const isAnsweredBySignature = (id: string): boolean => isAnswered(id) && id !== visibilityCoverageReduced.id;

const ABOUT_PLANS: ReadonlySet<string> = new Set([changeDeviation.id, changeWindowOverrun.id]);

/** What ends a finding, beside that its cause goes. */
export type Ending =
  /** These facts are accepted: nothing else of the device becomes its reference. */
  | { readonly kind: 'facts'; readonly facts: readonly FactName[] }
  /** The devices are accepted, all of what they show. */
  | { readonly kind: 'device' }
  /** A person closes it. */
  | { readonly kind: 'close' }
  /** The finding that it is about ends. */
  | { readonly kind: 'other' }
  /** Nothing that a person approves: the configuration says otherwise, or it is tolerated for a while. */
  | { readonly kind: 'waive' }
  /** Nobody has to do anything. */
  | { readonly kind: 'itself' };

/** What ends such a finding. */
export const endingOf = (finding: Approvable): Ending => {
  const { ruleId: id } = finding;
  const facts = factsToApprove(finding);
  if (facts.length > 0) return { kind: 'facts', facts };
  if (isAnswered(id) || id === baselineStale.id) return { kind: 'device' };
  if (ABOUT_PLANS.has(id)) return { kind: 'other' };
  const approval = ruleOf(id)?.approval;
  if (approval === 'A0') return { kind: 'itself' };
  return { kind: OF_GATEWAY.has(id) || approval === 'AN' ? 'close' : 'waive' };
};

/** The facts that such a finding holds against the reference of the device; none where it does not, or where nothing has to be approved. */
export const factsToApprove = (finding: Approvable): readonly FactName[] => {
  const rule = COMPARISONS.find(({ id }) => id === finding.ruleId);
  // What a list allows since it was edited is not allowed until somebody accepts it.
  const isListed = rule?.against === 'policy' && !isEdited(finding);
  if (rule === undefined || isListed || rule.approval === 'A0') return [];
  return [...rule.reads, ...(rule.compares ?? [])];
};

const OF_TWO: ReadonlySet<FactName> = new Set(
  COMPARISONS.filter(({ id }) => takesTwo({ ruleId: id })).flatMap(({ reads, compares = [] }) => [
    ...reads,
    ...compares,
  ]),
);
