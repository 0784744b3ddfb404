import { opennessOf } from '../../shared/open-values.ts';
import { LONGEST_BLANKET_S, namesRule, type Plan } from '../../shared/terms.ts';
import { RULES } from './index.ts';
import type { Rule, RuleEntry } from './rule.ts';
import { identityDeviceMissing } from './rules/identity-device-missing.ts';
import { visibilityDeviceDark } from './rules/visibility-device-dark.ts';
import { factsToApprove, isCoverable, wholeOf } from './who-approves.ts';

/** How far a plan reaches: what it would keep quiet of who a device is and whether it is seen, and which facts it would allow other values. */

const OF_SIGHT = /^(?:identity|visibility)\./;

/** The first of its ids that is about who a device is, or whether it is seen: nobody but an approver announces that, where there are any. */
export const sightIn = ({ ids }: Plan): string | undefined => ids.find((id) => OF_SIGHT.test(id));

const namedRules = ({ ids }: Plan): readonly RuleEntry[] =>
  RULES.filter(({ id }) => isCoverable(id) && ids.some((pattern) => namesRule(pattern, id)));

/** Of a device that shows nothing no plan says what is to be seen. */
const OF_SILENCE: ReadonlySet<string> = new Set([visibilityDeviceDark.id, identityDeviceMissing.id]);

/** What says which machine it is, what it runs and for whom. */
const OF_MACHINE = /^(?:identity\.|firmware\.|pools$)/;

/**
 * The first finding that the plan would cover for more than four hours without a word of what is to be seen then; undefined where
 * there is none. Serials that nobody knows beforehand may be left open, and what lasts longer takes all whose approval is asked for.
 */
export const openTooLong = (plan: Plan): string | undefined => {
  if (plan.not_after_at - plan.not_before_at <= LONGEST_BLANKET_S) return undefined;
  const held = heldFacts(plan);
  return namedRules(plan).find((rule) => held.size === 0 || (OF_SIGHT.test(rule.id) && !isSaid(rule, held)))?.id;
};

/** Facts that each value which the plan has for them holds to something. */
const heldFacts = ({ expected_after: values = [] }: Plan): ReadonlySet<string> => {
  const open = new Set(values.filter((item) => opennessOf(item) !== undefined).map(({ fact }) => fact));
  return new Set(values.filter(({ fact }) => !open.has(fact)).map(({ fact }) => wholeOf(fact)));
};

const isSaid = (rule: RuleEntry, held: ReadonlySet<string>): boolean => {
  if (OF_SILENCE.has(rule.id)) return false;
  const { reads = [], compares = [] } = rule as Partial<Rule>;
  const inputs: readonly string[] = [...reads, ...compares];
  return inputs.length === 0 ? [...held].some((fact) => OF_MACHINE.test(fact)) : inputs.some((fact) => held.has(fact));
};

/** Facts of which the plan would allow other values than the approved ones. */
export const factsCovered = (plan: Plan): ReadonlySet<string> => {
  const inputs = new Set<string>(namedRules(plan).flatMap(({ id }) => factsToApprove({ ruleId: id })));
  const { expected_after: values } = plan;
  return values === undefined
    ? inputs
    : new Set(values.map(({ fact }) => wholeOf(fact)).filter((fact) => inputs.has(fact)));
};
