import type { Marks } from '../device.ts';
import type { RuleEntry } from '../rule.ts';

/** A known machine was not seen for a day, neither at its place nor anywhere else (catalogue 5.6). */
export const identityDeviceMissing: RuleEntry = {
  id: 'identity.device-missing',
  title: 'Device missing',
  meaning:
    'Nothing of the machine answered where it was seen last for 24 hours in which somebody looked, and it did not show anywhere else. Where another device has that address since, the finding names it.',
  benign: ['sent away for repair', 'switched off for long, and its lease given to another machine'],
  severity: 'medium',
  basis: 'gateway-observed',
  confirm: 'C1',
  approval: 'A1',
  version: 1,
};

const MISSING_MS = 24 * 3_600_000;

/** Whether a device that does not answer has been silent for so long while somebody looked. */
export const isLongSilent = ({ failingSinceMs, unwatchedMs = 0 }: Marks, nowMs: number): boolean =>
  failingSinceMs !== undefined && nowMs - failingSinceMs - unwatchedMs >= MISSING_MS;
