import type { FactName } from '../shared/facts.ts';
import { isAhead } from './appraise/ago.ts';
import type { Attested, DeviceState } from './appraise/device.ts';
import { surfacesShown } from './appraise/endpoint.ts';
import { isTaker } from './appraise/replaced.ts';
import type { Assignment } from './appraise/tenancy.ts';
import type { LookContext } from './appraise/verdict.ts';
import type { Seen, Sight } from './look.ts';
import { answeredIn } from './probe/probe.ts';
import { vantageTo } from './probe/vantage.ts';
import type { RoundDeps, RoundSettings } from './round.ts';
import type { FleetSeat } from './schedule/seat.ts';

/**
 * What a look at this device is judged by, beside the look itself. Without `seat` and `sight` for a device whose place was taken by
 * another machine.
 */
export const contextOf = (
  state: DeviceState,
  seat: FleetSeat | undefined,
  sight: Sight | undefined,
  { settings, fleet, wallMs, random }: Pick<RoundDeps, 'settings' | 'fleet' | 'wallMs' | 'random'>,
): LookContext => ({
  nowMs: wallMs(),
  ...policyFor(fleet.assignmentOf(state), settings),
  firmware: settings.firmware,
  nameplates: settings.nameplates,
  vantage: () => vantageTo(state.address),
  provenance: settings.provenance,
  primaryIsDown: () => fleet.primaryIsDown(state, wallMs()),
  endpointChanges: fleet.endpointChanges(state.id, wallMs()),
  confirmS: settings.confirmS,
  pollIntervalMs: settings.pollIntervalMs(),
  refreshDueMs: state.attested && refreshDue(state.attested, seat ?? fleet.seatOf(state.id), settings, wallMs()),
  demanded: seat?.demanded === true,
  inFirstPass: seat === undefined ? false : settings.inFirstPass(seat),
  amongCommissioned: fleet.hasCommissioned(),
  surfaces: (fact) => (sight?.kind === 'seen' ? surfacesOf(fact, sight, state) : []),
  // Who answers at a place that was taken is the one that took it.
  linkAlive: seat === undefined ? undefined : () => settings.linkAlive(state.address),
  placeTakenBy: seat === undefined ? () => fleet.seatOf(state.id)?.device : undefined,
  driven: isTaker(state) ? fleet.machines.drivenBy(state, wallMs(), settings.searchMs()) : undefined,
  seenElsewhere: () => fleet.machines.isElsewhere(state),
  formerLabels: seat === undefined || seat.place.address === state.address ? undefined : fleet.labelsAt(state.address),
  twins: sight?.kind === 'seen' && sight.observation.look === 'full' ? fleet.twinsOf(state) : undefined,
  answered:
    sight?.kind === 'seen' && sight.observation.look === 'full' ? answeredIn(sight.driver, sight.capture) : undefined,
  ...settings.standing(),
  random,
});

/** The pools of the tenant hold for its devices, those of the site for all others. */
const policyFor = (
  assignment: Assignment | undefined,
  { allow, allowOf }: RoundSettings,
): Pick<LookContext, 'allow' | 'tenancy'> => {
  if (assignment === undefined) return { allow };
  const own = allowOf?.get(assignment.tenant);
  return { allow: own ?? allow, tenancy: own === undefined ? assignment : { ...assignment, allow: own } };
};

/** Where a fact was read: names of questions of the driver that were answered, and of surfaces of the endpoint. */
const surfacesOf = (fact: FactName, { driver, capture }: Seen, state: DeviceState): readonly string[] => {
  const queries = (driver.facts[fact]?.queries ?? []).filter((name) => capture.replies.get(name)?.kind === 'reply');
  if (fact === 'access.open_ports') return ['ports'];
  if (fact === 'access.default_login') return ['login'];
  return fact === 'firmware.components'
    ? [...queries, ...surfacesShown(state).filter((one) => one !== 'ports' && one !== 'login')]
    : queries;
};

/**
 * Within the last tenth of the refresh period, at the phase of its place, so that a fleet attested at once spreads out. At once where a
 * clock that ran ahead dated the attestation: it would not be due for as long, and speaks of the future meanwhile.
 */
const refreshDue = (
  { atMs }: Attested,
  seat: FleetSeat | undefined,
  { refreshS }: RoundSettings,
  nowMs: number,
): number => (isAhead(atMs, nowMs) ? nowMs : atMs + refreshS * 1000 * (0.9 + 0.1 * (seat?.phase ?? 0)));
