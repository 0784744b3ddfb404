import type { DeviceState } from '../appraise/device.ts';
import type { Finding } from '../appraise/finding.ts';
import { type StormState, statedParents } from '../appraise/storm.ts';
import type { Store } from './store.ts';
import { rowOf, type StoredFinding } from './tables/findings.ts';

/**
 * The findings that devices and storms have as stated and not over, and of which the store has no open row: each transition writes
 * both in one transaction, so somebody else removed it. Those of the gateway itself are nowhere but in that table, and in the log.
 */
export const lostFindings = (
  store: Pick<Store, 'openFindings'>,
  states: Iterable<DeviceState>,
  storms: StormState,
): readonly StoredFinding[] => {
  const kept = store.openFindings();
  const lost: StoredFinding[] = statedParents(storms)
    .filter((finding) => !kept.has(rowOf(finding)))
    .map((finding) => ({ finding }));
  for (const { id, tracks } of states)
    for (const { finding } of tracks)
      if (isStated(finding) && !kept.has(rowOf(finding, id))) lost.push({ device: id, finding });
  return lost;
};

/** A child of a storm has no statement of its own, and no row. */
const isStated = ({ openedSeq, state }: Finding): boolean => openedSeq !== undefined && state !== 'provisional';
