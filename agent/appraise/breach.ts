import type { Breach, DeviceState, Track } from './device.ts';
import type { Finding } from './finding.ts';
import { COMPARISONS } from './index.ts';
import { poolOutsideAllowlist } from './rules/pool-outside-allowlist.ts';
import { tenantHashDestinationBreach } from './rules/tenant-hash-destination-breach.ts';
import { isOfPools } from './still-shown.ts';
import { sameName } from './track.ts';
import { takesTwo } from './who-approves.ts';

/** What the list of a tenant decides. */
const BY_TENANT: ReadonlySet<string> = new Set([tenantHashDestinationBreach.id, poolOutsideAllowlist.id]);

/** Whether the list of the tenant, or of the site, was left. */
export const isBreach = ({ finding }: Pick<Track, 'finding'>): boolean => BY_TENANT.has(finding.ruleId);

/** What any list decides that takes two people: of tenants, of pools, of firmware. */
const BY_LIST: ReadonlySet<string> = new Set(
  COMPARISONS.filter(
    (rule) =>
      rule.against === 'policy' && takesTwo({ ruleId: rule.id }) && (isOfPools(rule) || rule.shows !== undefined),
  ).map(({ id }) => id),
);

/**
 * What the device owes when an edit takes its tenant, or its name, away from it: what is confirmed now, and what earlier edits
 * ended. Nobody approved any of it, so it is found again where the same tenant gets the device back and it still shows that.
 */
export const breachesOf = ({ tracks, breaches = [], labels: { tenant } }: DeviceState): readonly Breach[] => {
  const now = tracks
    .filter((track) => BY_LIST.has(track.finding.ruleId) && hasWeight(track))
    .map(
      (track): Breach => ({
        ...(tenant === undefined || !isBreach(track) ? {} : { tenant }),
        finding: { ...track.finding, edit: track.finding.edit ?? 'ended' },
      }),
    );
  const before = breaches.filter((one) => !now.some((other) => isSame(one, other)));
  return [...before, ...now];
};

/** It is confirmed, and no plan or waiver covers it. */
const hasWeight = ({ finding: { state, severity } }: Track): boolean => state !== 'provisional' && severity !== 'info';

/** What was found for the tenant of the device and nobody approved: with the tenant it ends. */
export const endsWithTenant = ({ tracks }: Pick<DeviceState, 'tracks'>): readonly Finding[] =>
  tracks.filter((track) => isBreach(track) && hasWeight(track)).map(({ finding }) => finding);

const isSame = (one: Breach, other: Breach): boolean =>
  one.tenant === other.tenant && sameName(one.finding, other.finding);

/** What waits for the device at the tenant that these labels give it to. */
export const owedTo = ({ breaches = [] }: DeviceState, { tenant }: DeviceState['labels']): readonly Finding[] =>
  breaches.filter((breach) => isOwedTo(breach, tenant)).map(({ finding }) => finding);

/** What no tenant's list decides is owed whoever has the device. */
export const isOwedTo = (breach: Breach, tenant: string | undefined): boolean =>
  breach.tenant === tenant || (breach.tenant === undefined && !isBreach(breach));

/** The device with these. */
export const withBreaches = (state: DeviceState, breaches: readonly Breach[]): DeviceState => {
  const { breaches: before, ...rest } = state;
  if (breaches === before || (before === undefined && breaches.length === 0)) return state;
  return breaches.length === 0 ? rest : { ...rest, breaches };
};
