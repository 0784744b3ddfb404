import type { FactName, Facts, PoolSlot } from '../../shared/facts.ts';
import { attestedClaims } from '../appraise/accept.ts';
import { approvedOf, describe } from '../appraise/approval.ts';
import type { DeviceState } from '../appraise/device.ts';
import { poolsBefore } from '../appraise/replaced.ts';
import { untoldOf } from '../appraise/untold.ts';
import { withoutOpen } from '../baseline/approved.ts';
import { keptFacts } from '../baseline/kept.ts';
import type { ListedSlot } from '../baseline/listed-pools.ts';
import { type Difference, diffReference } from '../baseline/reference.ts';
import { heldBy } from '../baseline/standing.ts';
import type { Fleet } from '../schedule/fleet.ts';
import { seenStates } from './acceptance.ts';
import type { Shown } from './preview.ts';
import { type Watching, watchedDifferences } from './watched.ts';

/**
 * What differs from all that is in force: what a document allows is no difference, and of what it does not allow the nearest that it
 * does stands before. What nobody ever was told nothing in force can differ from. Throws what `seenStates` throws.
 */
export const differencesInForce = (
  fleet: Pick<Fleet, 'state' | 'states'>,
  devices: readonly string[],
  inForce: Watching,
): readonly Shown[] =>
  seenStates(fleet, devices).map((state) => {
    const claims = attestedClaims(state);
    const differences = [...differencesOf(state, claims, inForce), ...watchedDifferences(state, inForce)];
    const differing = differences.map(({ fact }) => fact);
    return {
      device: state.id,
      seq: state.attested?.seq ?? -1,
      differences,
      untold: untoldOf(state, { known: keptFacts(state.reference?.facts), claims, differing }).filter(
        ({ why }) => why !== 'never-told',
      ),
    };
  });

const differencesOf = (state: DeviceState, claims: Facts, inForce: Watching): readonly Difference[] => {
  const { standing, nowMs } = inForce;
  const approved = approvedOf(state, standing, claims, nowMs);
  const isListed = approved?.classes.has('pools') === true;
  const facts = { ...withUntold(approved?.facts ?? {}, claims, isListed), ...poolsBefore(state) };
  const isOpen = (fact: FactName): boolean => approved?.classes.has(fact) === true && facts[fact] === undefined;
  const { absent } = state.reference ?? {};
  return diffReference(facts, compared(claims, state, inForce), { absent }).filter(({ fact }) => !isOpen(fact));
};

/** Where a list of a document holds the pools: users and priorities that nothing in force tells are as they are seen, as findings have it. */
const withUntold = (facts: Facts, { pools: seen = [] }: Facts, isListed: boolean): Facts => {
  if (!isListed || facts.pools === undefined) return facts;
  const pools = facts.pools.map((slot: ListedSlot) => {
    const { user, priority } = seen.find((other) => other.slot === slot.slot) ?? {};
    const told = { user: slot.user ?? user, priority: slot.priority ?? priority };
    // What neither tells is left out of the text of both.
    return { ...slot, ...told } as PoolSlot;
  });
  return { ...facts, pools };
};

/** The claims without the parts of lists that documents leave open. */
const compared = (claims: Facts, state: DeviceState, { standing, nowMs }: Watching): Facts => {
  const held = heldBy(standing, describe(state, claims), nowMs);
  // Each value in the type of its fact: what is left of a list is one.
  return Object.fromEntries(
    Object.entries(claims).map(([fact, value]) => [fact, withoutOpen(value, held.get(fact)?.items ?? [])]),
  ) as Facts;
};
