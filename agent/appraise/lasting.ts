import type { Facts } from '../../shared/facts.ts';
import type { Observation } from '../normalise/observation.ts';
import type { DeviceState } from './device.ts';
import type { Outcome } from './outcome.ts';
import type { Deviation, RuleEntry } from './rule.ts';
import { identityDuplicate } from './rules/identity-duplicate.ts';
import { identityEndpointChanged } from './rules/identity-endpoint-changed.ts';
import { remoteControlWriteSessionHeld } from './rules/remote-control-write-session-held.ts';
import { runtimeStaleData, standingCounters } from './rules/runtime-stale-data.ts';
import { runtimeStoppedUnexpectedly, stopSeen } from './rules/runtime-stopped-unexpectedly.ts';
import { hasStopped, isSessionHeld, isStale } from './running.ts';
import type { LookContext } from './verdict.ts';

/** The rules about what lasts over several looks, of which `running.ts` keeps count. */

type Poll = Pick<LookContext, 'nowMs' | 'pollIntervalMs'>;

/** Whether what other devices show may begin or end a finding of this one. */
const isShared = (state: DeviceState, { twins, endpointChanges = 0 }: Others): boolean =>
  (twins !== undefined && (twins.length > 0 || has(state, identityDuplicate))) ||
  (endpointChanges > 0 &&
    state.tracks.some(({ finding }) => finding.ruleId === identityEndpointChanged.id && finding.severity === 'medium'));

type Others = Pick<LookContext, 'twins' | 'endpointChanges'>;

const has = ({ tracks }: Pick<DeviceState, 'tracks'>, rule: RuleEntry): boolean =>
  tracks.some(({ finding }) => finding.ruleId === rule.id);

/** Whether one of these findings may have to begin or end, though the look shows what the last one showed. */
export const isAstir = (state: DeviceState, { facts }: Observation, poll: Poll & Others): boolean => {
  const held = facts['access.write_session'];
  return (
    isShared(state, poll) ||
    isStale(state.marks, poll) !== has(state, runtimeStaleData) ||
    hasStopped(state.marks, facts) !== has(state, runtimeStoppedUnexpectedly) ||
    (held !== undefined && held !== has(state, remoteControlWriteSessionHeld))
  );
};

/** A stop is judged by a full look only: faults are named in no other. */
export const isStopNew = (state: DeviceState, { facts, look }: Observation): boolean =>
  look === 'pools' && hasStopped(state.marks, facts) && !has(state, runtimeStoppedUnexpectedly);

/** How these rules come out. `observation` as it came, whether or not what it shows can be believed to be current. */
export const lastingOutcomes = (state: DeviceState, observation: Observation, poll: Poll): readonly Outcome[] => {
  const { facts } = observation;
  const isOpen = isSessionHeld(state.marks);
  return [
    facts['access.write_session'] === undefined
      ? { kind: 'silent', rule: remoteControlWriteSessionHeld }
      : ran(remoteControlWriteSessionHeld, isOpen ? [{ after: { session: 'open' } }] : []),
    staleOutcome(state, facts, poll),
    stopOutcome(state, observation),
  ];
};

/** What a look does not show of the counters stands as it did: it is no other finding, and no look without any begins one. */
const staleOutcome = ({ marks, tracks }: DeviceState, facts: Facts, poll: Poll): Outcome => {
  if (!isStale(marks, poll)) return ran(runtimeStaleData, []);
  const open = tracks.find(({ finding }) => finding.ruleId === runtimeStaleData.id)?.finding.after;
  const after = { ...(typeof open === 'object' ? open : {}), ...standingCounters(facts) };
  return Object.keys(after).length === 0
    ? { kind: 'silent', rule: runtimeStaleData }
    : ran(runtimeStaleData, [{ after }]);
};

const stopOutcome = (state: DeviceState, observation: Observation): Outcome => {
  const { facts } = observation;
  const silent = { kind: 'silent', rule: runtimeStoppedUnexpectedly } as const;
  if (facts['telemetry.hashrate_hs'] === undefined || isStopNew(state, observation)) return silent;
  const seen = hasStopped(state.marks, facts) ? stopSeen(facts) : [];
  if (seen !== 'unknown') return ran(runtimeStoppedUnexpectedly, seen);
  // A stop that is explained is over as far as this rule goes, until the device runs again.
  state.marks.ranS = undefined;
  return silent;
};

const ran = (rule: RuleEntry, deviations: readonly Deviation[]): Outcome => ({
  kind: 'ran',
  rule,
  deviations,
  facts: [],
});
