import type { DeviceState } from '../device.ts';
import type { RuleEntry } from '../rule.ts';

/** Nobody looked at an approved reference for half a year (catalogue 5.9). */
export const baselineStale: RuleEntry = {
  id: 'baseline.stale',
  title: 'Baseline not reviewed',
  meaning: 'The newest approval behind the reference of these devices is older than 180 days.',
  benign: ['nothing had to change'],
  severity: 'low',
  basis: 'human',
  confirm: 'C1',
  approval: 'A1',
  version: 1,
};

const STALE_S = 180 * 86_400;

/** Devices whose newest approval is older than that. `approvedAt`: when each `baseline` entry was written, Unix seconds. */
export const staleDevices = (
  states: readonly DeviceState[],
  approvedAt: (seq: number) => number | undefined,
  nowMs: number,
): readonly string[] =>
  states
    .filter(({ reference }) => {
      const times = (reference?.entries ?? [])
        .filter(({ approval }) => approval !== 'none')
        .flatMap(({ seq }) => approvedAt(seq) ?? []);
      return times.length > 0 && nowMs / 1000 - Math.max(...times) > STALE_S;
    })
    .map(({ id }) => id);
