import type { Breach, DeviceState, Track } from './device.ts';
import type { Finding } from './finding.ts';
import { poolOutsideAllowlist } from './rules/pool-outside-allowlist.ts';
import { tenantHashDestinationBreach } from './rules/tenant-hash-destination-breach.ts';
import { sameName } from './track.ts';

/** What the list of a tenant decides. */
const BY_LIST: ReadonlySet<string> = new Set([tenantHashDestinationBreach.id, poolOutsideAllowlist.id]);

/** Whether the list of the tenant, or of the site, was left. */
export const isBreach = ({ finding }: Track): boolean => BY_LIST.has(finding.ruleId);

/**
 * What the device owes when an edit takes its tenant, or its name, away from it: what is confirmed now, and what earlier edits
 * ended. Nobody approved any of it, so it is found again where the same tenant gets the device back and it still shows that.
 */
export const breachesOf = ({ tracks, breaches = [], labels: { tenant } }: DeviceState): readonly Breach[] => {
  const now = tracks
    .filter((track) => isBreach(track) && track.finding.state !== 'provisional' && track.finding.severity !== 'info')
    .map(
      ({ finding }): Breach => ({
        ...(tenant === undefined ? {} : { tenant }),
        finding: { ...finding, edit: finding.edit ?? 'ended' },
      }),
    );
  const before = breaches.filter((one) => !now.some((other) => isSame(one, other)));
  return [...before, ...now];
};

const isSame = (one: Breach, other: Breach): boolean =>
  one.tenant === other.tenant && sameName(one.finding, other.finding);

/** What waits for the device at the tenant that these labels give it to. */
export const owedTo = ({ breaches = [] }: DeviceState, { tenant }: DeviceState['labels']): readonly Finding[] =>
  breaches.filter((breach) => breach.tenant === tenant).map(({ finding }) => finding);

/** The device with these. */
export const withBreaches = (state: DeviceState, breaches: readonly Breach[]): DeviceState => {
  const { breaches: before, ...rest } = state;
  if (breaches === before || (before === undefined && breaches.length === 0)) return state;
  return breaches.length === 0 ? rest : { ...rest, breaches };
};
