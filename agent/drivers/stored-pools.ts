import { type PoolSlot, present, type Reading, standingIn } from '../../shared/facts.ts';
import type { Source } from './driver.ts';
import { withRuntime, withStatus } from './pools.ts';
import { closedBy, isLost, whenPresent } from './readers.ts';

/**
 * The slots that a device has stored, with where each stands in its miner program now. One list alone only where the
 * other is closed or is not served, not where it was late: the two may spell the same pool differently. `listed` is a
 * third list that is asked in full looks only: it may say how a slot stands, but neither that there are more nor which is
 * tried first, for the other looks would not know.
 */
export const storedAndRunning = <const Stored extends string, const Running extends string>(
  stored: Source<readonly PoolSlot[], Stored>,
  running: Source<readonly PoolSlot[], Running>,
  listed?: Source<readonly PoolSlot[]>,
): Source<readonly PoolSlot[], Stored | Running> => ({
  queries: [...stored.queries, ...running.queries],
  read: (replies) => {
    const slots = stored.read(replies);
    const rows = running.read(replies);
    if (isLost(slots)) return withTold(slots, rows);
    if (isLost(rows) || closedBy(rows) === 'elsewhere') return withTold(rows, slots);
    // The two spell schemes and users differently.
    if (slots.kind !== 'present') return rows.kind === 'present' ? standingIn(rows, closedBy(slots)) : slots;
    return whenPresent(slots, (configured) => {
      if (rows.kind === 'present') return present(withRuntime(configured, rows.value));
      const states = listed?.read(replies);
      return states?.kind === 'present' ? present(withStanding(configured, states.value)) : slots;
    });
  },
});

const withStanding = (stored: readonly PoolSlot[], listed: readonly PoolSlot[]): readonly PoolSlot[] =>
  withStatus(stored, listed).map((slot, place) => ({ ...slot, priority: stored[place]?.priority ?? slot.priority }));

type Slots = Reading<readonly PoolSlot[]>;

/** The list is unknown; what the other one tells is told. */
export const withTold = (lost: Slots, other: Slots): Slots =>
  lost.kind !== 'unknown' || other.kind !== 'present' ? lost : { ...lost, toldPools: other.value };
