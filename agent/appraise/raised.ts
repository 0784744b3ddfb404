import type { Facts } from '../../shared/facts.ts';
import { keptFacts } from '../baseline/kept.ts';
import { digestOfList } from './allow.ts';
import type { Attested, DeviceState, Track } from './device.ts';
import { COMPARISONS } from './index.ts';
import type { Outcome } from './outcome.ts';
import type { AllowList, Deviation, Rule } from './rule.ts';
import { inputsOf, isAsAttested, isOfPools, isSamePool, isStillSet, poolOf } from './still-shown.ts';
import { sameName } from './track.ts';
import { needsMorePeople, takesTwo } from './who-approves.ts';

/** What only an edit of the lists raised: an attestation remembers what they held the device against, and what they refused. */

/** The outcome, with what the device was attested with and the rule let pass then: all that changed since is the configuration. */
export const raisedByEdit = (
  outcome: Outcome,
  { state, facts }: { readonly state: DeviceState; readonly facts: Facts },
): Outcome => {
  if (outcome.kind !== 'ran' || outcome.deviations.length === 0) return outcome;
  const rule = COMPARISONS.find(({ id, against }) => id === outcome.rule.id && against === 'policy');
  if (rule === undefined) return outcome;
  const wasListed = (deviation: Deviation): boolean => {
    const name = { ruleId: rule.id, ...deviation };
    const known = state.tracks.find(({ finding }) => sameName(finding, name))?.finding;
    if (known === undefined) return !isByTime(deviation) && passedAsAttested(rule, deviation, state, facts);
    return (
      known.edit === 'raised' && (isOfPools(rule) ? isSamePool(known, deviation) : isAsAttested(rule, state, facts))
    );
  };
  return {
    ...outcome,
    deviations: outcome.deviations.map((one) => (wasListed(one) ? { ...one, edit: 'raised' as const } : one)),
  };
};

/** Nobody edited anything: what was allowed for a while is so no longer. */
const isByTime = ({ reasons = [] }: Deviation): boolean =>
  reasons.includes('factory-default') || reasons.includes('expired');

/** Whether what was attested last, for the same tenant, has what was found now, and it passed then. */
const passedAsAttested = (rule: Rule, deviation: Deviation, state: DeviceState, facts: Facts): boolean => {
  const { listed = '', unlisted = [], facts: shown } = state.attested ?? {};
  if (state.relabelled === true || !listed.split(' ').includes(versionOf(rule))) return false;
  if (unlisted.includes(thingOf(rule, deviation))) return false;
  return isOfPools(rule) ? isStillSet(deviation, keptFacts(shown)) : isAsAttested(rule, state, facts);
};

/** The rules of two people that hold a device against a list of the configuration. */
const BY_LISTS = COMPARISONS.filter(
  ({ id, against, applies }) => against === 'policy' && applies !== undefined && takesTwo({ ruleId: id }),
);

/** What another version of a rule let pass this one might not have. */
const versionOf = ({ id, version }: Rule): string => `${id}/${version}`;

/** How a look that is attested was held against the lists. */
export const heldAgainstLists = (
  outcomes: readonly Outcome[],
  tracks: readonly Track[],
): Pick<Attested, 'listed' | 'unlisted'> => {
  // Without a list it looks at no fact, also where something is held of the time when there was one. Of a flood not all is told.
  const held = BY_LISTS.filter((rule) =>
    outcomes.some(
      (one) =>
        one.rule === rule &&
        one.kind === 'ran' &&
        one.facts.length > 0 &&
        one.lost === undefined &&
        one.isFlood !== true,
    ),
  );
  if (held.length === 0) return {};
  const unlisted = BY_LISTS.flatMap((rule) =>
    tracks.filter(({ finding }) => finding.ruleId === rule.id).map(({ finding }) => thingOf(rule, finding)),
  );
  const listed = held.map(versionOf).join(' ');
  return { listed, ...(unlisted.length === 0 ? {} : { unlisted: [...new Set(unlisted)] }) };
};

/** Under which list of pools a look is attested: the former one, as long as its pools are found to be what only two people approve. */
export const underList = ({ attested, tracks }: DeviceState, allow: AllowList | undefined): Pick<Attested, 'allow'> => {
  const isOpen = tracks.some(
    ({ finding }) => finding.severity !== 'info' && needsMorePeople(finding) && OF_POOLS.has(finding.ruleId),
  );
  if (isOpen) return attested?.allow === undefined ? {} : { allow: attested.allow };
  return allow === undefined ? {} : { allow: digestOfList(allow) };
};

const OF_POOLS: ReadonlySet<string> = new Set(
  COMPARISONS.filter((rule) => inputsOf(rule).includes('pools')).map(({ id }) => id),
);

/** What a list names: a pool, whichever rule speaks of it, else the firmware, or the access, that the rule is about. */
const thingOf = (rule: Rule, found: Pick<Deviation, 'after'>): string => {
  const { url = '', user = '' } = poolOf(found);
  return isOfPools(rule) ? `${url} ${user}` : rule.id;
};
