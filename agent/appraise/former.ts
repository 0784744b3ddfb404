import type { FactName } from '../../shared/facts.ts';
import { absentMember } from '../baseline/absent.ts';
import { keptFacts } from '../baseline/kept.ts';
import type { Standing } from '../baseline/standing.ts';
import { breachesOf, withBreaches } from './breach.ts';
import type { DeviceState } from './device.ts';
import { effectOf, withEdited } from './edit.ts';
import { isHeld } from './replaced.ts';

/**
 * A device of which nothing is attested yet, with what was known of its machine under a former name, or before it left the
 * configuration: an edit of the configuration approves nothing. No entry says so of this device; what it shows as it was is
 * named by the next `learned` one, and what it does not is a finding.
 */
export const withFormer = (device: DeviceState, former: DeviceState | undefined, standing: Standing): DeviceState => {
  if (device.attested !== undefined || device.reference !== undefined || former?.reference === undefined) return device;
  const { reference, firstSeen, firstSeenMs, unknownDevice, unreadable, replaces } = former;
  const { facts, absent, standIns } = reference;
  const { edited } = effectOf({ device: device.id, labels: device.labels, befores: [former] }, standing);
  return {
    ...withBreaches(withEdited(device, edited ?? device.edited), breachesOf(former)),
    reference: {
      entries: [],
      facts,
      carried: Object.keys(keptFacts(facts)) as FactName[],
      ...absentMember(absent),
      ...(standIns === undefined ? {} : { standIns }),
    },
    ...(firstSeen === undefined ? {} : { firstSeen }),
    ...(firstSeenMs === undefined ? {} : { firstSeenMs }),
    ...(unknownDevice === undefined ? {} : { unknownDevice }),
    ...(unreadable === undefined ? {} : { unreadable }),
    ...(isHeld(former) && replaces !== undefined ? { replaces } : {}),
  };
};
