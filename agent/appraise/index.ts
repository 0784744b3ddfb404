import type { Rule, RuleEntry } from './rule.ts';
import { baselineLearned } from './rules/baseline-learned.ts';
import { baselinePromoted } from './rules/baseline-promoted.ts';
import { baselineStale } from './rules/baseline-stale.ts';
import { changeBreakGlass } from './rules/change-break-glass.ts';
import { changeDeviation } from './rules/change-deviation.ts';
import { changeNotObserved } from './rules/change-not-observed.ts';
import { changeWindowOverrun } from './rules/change-window-overrun.ts';
import { configAccessChanged } from './rules/config-access-changed.ts';
import { configDrift } from './rules/config-drift.ts';
import { configNetworkChanged } from './rules/config-network-changed.ts';
import { configPerformanceChanged } from './rules/config-performance-changed.ts';
import { configSafetyWeakened } from './rules/config-safety-weakened.ts';
import { evidenceAgentGap } from './rules/evidence-agent-gap.ts';
import { evidenceClockUntrusted } from './rules/evidence-clock-untrusted.ts';
import { firmwareBootMediumChanged } from './rules/firmware-boot-medium-changed.ts';
import { firmwareFamilyChanged } from './rules/firmware-family-changed.ts';
import { firmwareFingerprintChanged } from './rules/firmware-fingerprint-changed.ts';
import { firmwareImageHashMismatch } from './rules/firmware-image-hash-mismatch.ts';
import { firmwareInconsistent } from './rules/firmware-inconsistent.ts';
import { firmwareKnownVulnerable } from './rules/firmware-known-vulnerable.ts';
import { firmwareRollback } from './rules/firmware-rollback.ts';
import { firmwareUnlisted } from './rules/firmware-unlisted.ts';
import { firmwareVersionChanged } from './rules/firmware-version-changed.ts';
import { identityAddressMoved } from './rules/identity-address-moved.ts';
import { identityDeviceMissing } from './rules/identity-device-missing.ts';
import { identityDuplicate } from './rules/identity-duplicate.ts';
import { identityEndpointChanged } from './rules/identity-endpoint-changed.ts';
import { identityHardwareSwapped } from './rules/identity-hardware-swapped.ts';
import { identityHashboardChanged } from './rules/identity-hashboard-changed.ts';
import { identityNewDevice } from './rules/identity-new-device.ts';
import { identityProvenanceFlagged } from './rules/identity-provenance-flagged.ts';
import { identityPsuChanged } from './rules/identity-psu-changed.ts';
import { poolFailoverActive } from './rules/pool-failover-active.ts';
import { poolOutsideAllowlist } from './rules/pool-outside-allowlist.ts';
import { poolPriorityChanged } from './rules/pool-priority-changed.ts';
import { poolReconnectRedirect } from './rules/pool-reconnect-redirect.ts';
import { poolShareGap } from './rules/pool-share-gap.ts';
import { poolSlotAdded } from './rules/pool-slot-added.ts';
import { poolSlotRemoved } from './rules/pool-slot-removed.ts';
import { poolTransportDowngraded } from './rules/pool-transport-downgraded.ts';
import { poolUrlChanged } from './rules/pool-url-changed.ts';
import { poolUserChanged } from './rules/pool-user-changed.ts';
import { remoteControlApiWriteOpen } from './rules/remote-control-api-write-open.ts';
import { remoteControlDefaultCredentials } from './rules/remote-control-default-credentials.ts';
import { remoteControlManagementPortOpen } from './rules/remote-control-management-port-open.ts';
import { remoteControlVendorCloudEnabled } from './rules/remote-control-vendor-cloud-enabled.ts';
import { remoteControlWriteSessionHeld } from './rules/remote-control-write-session-held.ts';
import { runtimeRebootUnexpected } from './rules/runtime-reboot-unexpected.ts';
import { runtimeStaleData } from './rules/runtime-stale-data.ts';
import { runtimeStoppedUnexpectedly } from './rules/runtime-stopped-unexpectedly.ts';
import { tenantHashDestinationBreach } from './rules/tenant-hash-destination-breach.ts';
import { visibilityChangedWhileDark } from './rules/visibility-changed-while-dark.ts';
import { visibilityCoverageReduced } from './rules/visibility-coverage-reduced.ts';
import { visibilityDeviceDark } from './rules/visibility-device-dark.ts';
import { waiverExpired } from './rules/waiver-expired.ts';

/** Rules that hold the facts of one look against the reference or the configuration. */
export const COMPARISONS: readonly Rule[] = [
  poolUrlChanged,
  poolUserChanged,
  poolSlotAdded,
  poolSlotRemoved,
  poolPriorityChanged,
  poolOutsideAllowlist,
  poolFailoverActive,
  poolTransportDowngraded,
  poolReconnectRedirect,
  tenantHashDestinationBreach,
  firmwareVersionChanged,
  firmwareFamilyChanged,
  firmwareFingerprintChanged,
  firmwareUnlisted,
  firmwareImageHashMismatch,
  firmwareRollback,
  firmwareInconsistent,
  firmwareBootMediumChanged,
  firmwareKnownVulnerable,
  configDrift,
  configPerformanceChanged,
  configSafetyWeakened,
  configNetworkChanged,
  configAccessChanged,
  remoteControlApiWriteOpen,
  remoteControlManagementPortOpen,
  remoteControlDefaultCredentials,
  remoteControlVendorCloudEnabled,
  identityHardwareSwapped,
  identityHashboardChanged,
  identityPsuChanged,
  identityEndpointChanged,
  identityProvenanceFlagged,
];

/** Every id this agent can state, in the order of the catalogue. */
export const RULES: readonly RuleEntry[] = [
  ...COMPARISONS,
  poolShareGap,
  remoteControlWriteSessionHeld,
  identityNewDevice,
  identityDeviceMissing,
  identityDuplicate,
  identityAddressMoved,
  runtimeStaleData,
  runtimeStoppedUnexpectedly,
  runtimeRebootUnexpected,
  visibilityDeviceDark,
  visibilityCoverageReduced,
  visibilityChangedWhileDark,
  evidenceAgentGap,
  evidenceClockUntrusted,
  changeDeviation,
  changeNotObserved,
  changeWindowOverrun,
  changeBreakGlass,
  baselineLearned,
  baselinePromoted,
  baselineStale,
  waiverExpired,
];

const BY_ID = new Map(RULES.map((rule) => [rule.id, rule]));

const COMPARED: ReadonlySet<string> = new Set(COMPARISONS.map(({ id }) => id));

/** Whether a rule holds the facts of one look against something: what several looks make of a device is none of that. */
export const isComparison = (id: string): boolean => COMPARED.has(id);

const ABOUT_POLICY: ReadonlySet<string> = new Set(
  COMPARISONS.filter(({ against }) => against === 'policy').map(({ id }) => id),
);

/** Whether a rule holds devices against what the operator says, whatever their reference. */
export const isAboutPolicy = (id: string): boolean => ABOUT_POLICY.has(id);

/** What the catalogue says about an id; undefined for one this agent does not know. */
export const ruleOf = (id: string): RuleEntry | undefined => BY_ID.get(id);
