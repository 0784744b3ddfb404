import { type PoolSlot, present } from '../../shared/facts.ts';
import type { Source } from './driver.ts';
import { CGMINER_POOL, type PoolMembers, withRuntime } from './pools.ts';
import { closedBy, isLost } from './readers.ts';

const withoutQuota = ({ quota: _, ...members }: PoolMembers): PoolMembers => members;

/** Without the quota, which is always 1 on such machines and unknown to their stored lists. */
export const RUNTIME_POOL: PoolMembers = withoutQuota(CGMINER_POOL);

/**
 * `pools` where a device has its stored list on one surface and the list of its miner program on another: the stored
 * slots with where each stands now. One surface alone only where the other is closed, not where it was late. Two queries
 * of one name each, so that a poll has both.
 */
export const storedAndRunning = <const Name extends string>(
  stored: Source<readonly PoolSlot[], Name>,
  running: Source<readonly PoolSlot[], Name>,
): Source<readonly PoolSlot[], Name> => ({
  queries: [...stored.queries, ...running.queries],
  read: (replies) => {
    const kept = stored.read(replies);
    const rows = running.read(replies);
    if (isLost(kept)) return kept;
    if (isLost(rows)) return rows;
    if (kept.kind !== 'present') return rows.kind === 'present' ? rows : kept;
    return rows.kind === 'present' ? present(withRuntime(kept.value, rows.value)) : kept;
  },
  // The two may spell schemes and users differently.
  standsIn: (replies) => {
    const kept = stored.read(replies);
    return kept.kind !== 'present' && running.read(replies).kind === 'present' ? closedBy(kept) : undefined;
  },
});
