import { type LivePool, type PoolSlot, present, type Reading, standingIn } from '../../shared/facts.ts';
import type { Source } from './driver.ts';
import { withConnected, withRuntime } from './pools.ts';
import { closedBy, isLost, UNREADABLE, whenPresent } from './readers.ts';

/**
 * The slots that a device has stored, with where each stands in its miner program now. One list alone only where the
 * other is closed or is not served, not where it was late: the two may spell the same pool differently. `listed` is
 * another list of what runs, asked in every look that `running` leaves without one: it does not say which slot is tried
 * first.
 */
export const storedAndRunning = <
  const Stored extends string,
  const Running extends string,
  const Listed extends string = never,
>(
  stored: Source<readonly PoolSlot[], Stored>,
  running: Source<readonly PoolSlot[], Running>,
  listed?: Source<readonly PoolSlot[], Listed>,
): Source<readonly PoolSlot[], Stored | Running | Listed> => ({
  queries: [...stored.queries, ...running.queries, ...(listed?.queries ?? [])],
  read: (replies) => {
    const slots = stored.read(replies);
    const rows = running.read(replies);
    if (isLost(slots)) return withTold(slots, rows);
    if (isLost(rows) || closedBy(rows) === 'elsewhere') return withTold(rows, slots);
    // Its document arrived and has none: it is not closed, and what runs is not what is stored.
    if (slots.kind === 'absent') return withTold(UNREADABLE, rows);
    // The two spell schemes and users differently.
    if (slots.kind !== 'present') return rows.kind === 'present' ? standingIn(rows, closedBy(slots)) : slots;
    return whenPresent(slots, (configured) => {
      if (rows.kind === 'present') return present(withRuntime(configured, rows.value));
      const others = listed?.read(replies);
      if (others !== undefined && isLost(others)) return withTold(others, slots);
      return others?.kind === 'present' ? present(withListed(configured, others.value)) : slots;
    });
  },
});

const withListed = (stored: readonly PoolSlot[], listed: readonly PoolSlot[]): readonly PoolSlot[] => {
  const priorities = new Map(stored.map(({ slot, priority }) => [slot, priority]));
  return withRuntime(stored, listed).map((slot) => ({
    ...slot,
    priority: priorities.get(slot.slot) ?? slot.priority,
  }));
};

/**
 * The slots that a device is set to, and behind them what it is connected to now that is none of these. `asStored` spells
 * a connection as the slot that it is.
 */
export const storedAndConnected = <const Stored extends string, const Connected extends string>(
  stored: Source<readonly PoolSlot[], Stored>,
  connected: Source<readonly LivePool[], Connected>,
  asStored: (pool: LivePool, slots: readonly PoolSlot[]) => LivePool = (pool) => pool,
): Source<readonly PoolSlot[], Stored | Connected> => ({
  queries: [...new Set([...stored.queries, ...connected.queries])],
  read: (replies) => {
    const slots = stored.read(replies);
    const live = connected.read(replies);
    const beside = (known: readonly PoolSlot[]): Slots =>
      whenPresent(live, (pools) =>
        present(
          withConnected(
            known,
            pools.map((pool) => asStored(pool, known)),
          ),
        ),
      );
    if (isLost(slots)) return withTold(slots, beside([]));
    if (live.kind === 'unknown' && isLost(live)) return withTold(live, slots);
    return whenPresent(slots, (known) => (live.kind === 'present' ? beside(known) : slots));
  },
});

type Slots = Reading<readonly PoolSlot[]>;

/** The list is unknown; what the other one tells is told, beside what could be read of it. */
export const withTold = (lost: Slots, other: Slots): Slots => {
  if (lost.kind !== 'unknown') return lost;
  const told = other.kind === 'present' ? other.value : other.kind === 'unknown' ? other.toldPools : undefined;
  if (told === undefined) return lost;
  return { ...lost, toldPools: lost.toldPools === undefined ? told : withRuntime(lost.toldPools, told) };
};
