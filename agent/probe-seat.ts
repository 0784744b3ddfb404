import type { ReadingName } from '../shared/facts.ts';
import type { DeviceState } from './appraise/device.ts';
import { dueSurfaces } from './appraise/endpoint.ts';
import { keptFacts } from './baseline/kept.ts';
import type { Driver } from './drivers/driver.ts';
import { lookAt, type Seen, type Sight } from './look.ts';
import type { LookKind } from './normalise/observation.ts';
import { type Sample, sampleOf, stepBetween } from './platform/clock.ts';
import { readEndpoint } from './probe/endpoint.ts';
import { darkIn } from './probe/probe.ts';
import type { Interface, Target } from './probe/target.ts';
import type { RoundDeps } from './round.ts';
import type { FleetSeat } from './schedule/seat.ts';

type ProbeSeatDeps = Pick<RoundDeps, 'fleet' | 'look' | 'targetOf' | 'settings'>;

/** So often at most a device is asked in one full look. */
const FULL_LOOKS = 3;

/** Asks whatever sits at this seat. */
export const probeSeat = async (seat: FleetSeat, look: LookKind, deps: ProbeSeatDeps): Promise<Sight> => {
  const from = sampleOf(deps.look.clock);
  const sight =
    look === 'full'
      ? await lookInFull(seat, deps)
      : await lookAt(deps.targetOf(seat), driverOf(seat, deps), look, deps.look);
  return byPresentClock(sight, from, sampleOf(deps.look.clock));
};

/**
 * A look over which the clock was set back was made when it began, by the clock as it is now: when in it something was read nobody knows
 * any more, and the former clock would have it lie ahead.
 */
const byPresentClock = (sight: Sight, from: Sample, to: Sample): Sight => {
  const stepMs = stepBetween(from, to) ?? 0;
  if (sight.kind === 'nothing' || stepMs >= 0) return sight;
  const observedAtMs = Math.min(sight.observation.observedAtMs, from.wallMs + stepMs);
  return { ...sight, observation: { ...sight.observation, observedAtMs } };
};

/** A full look is repeated while it lost something; last of all comes the endpoint, where it has its turn. */
const lookInFull = async (seat: FleetSeat, deps: ProbeSeatDeps): Promise<Sight> => {
  const target = knownByKey(deps.targetOf(seat), seat, deps);
  const before = seat.device === undefined ? undefined : deps.fleet.state(seat.device);
  let sight = await lookAt(target, driverOf(seat, deps), 'full', deps.look, unpagedMs(before, seat));
  for (let looks = 1; looks < FULL_LOOKS && sight.kind === 'seen' && lostFacts(sight, before).length > 0; looks += 1) {
    const next = await lookAt(target, sight.driver, 'full', deps.look);
    if (next.kind === 'nothing') break;
    const { recognised } = sight;
    sight = { ...(recognised === undefined ? {} : { recognised }), ...next };
  }
  if (sight.kind === 'nothing') return sight;
  noteDark(seat, darkIn(sight.driver, sight.capture));
  return withEndpointOf(target, sight, seat, deps);
};

/** When the family in whose words the seat is asked was found out without the web page of its device, where it was. */
const unpagedMs = (before: DeviceState | undefined, { family }: FleetSeat): number | undefined => {
  const { identified } = before ?? {};
  return identified?.unpaged === true && identified.family === family ? identified.atMs : undefined;
};

/** The driver of the family that the last look spoke. */
const driverOf = (seat: FleetSeat, { look }: ProbeSeatDeps): Driver | undefined =>
  look.drivers.find(({ family }) => family === seat.family);

/** The target with the TLS key of its reference: another key is shown no log-in until a person accepted it. */
const knownByKey = (target: Target, seat: FleetSeat, { fleet }: ProbeSeatDeps): Target => {
  if (target.credential === undefined || seat.device === undefined) return target;
  const reference = fleet.state(seat.device)?.reference;
  if (reference === undefined) return target;
  const parts = keptFacts(reference.facts)['firmware.components'];
  return { ...target, tlsKey: parts?.find(({ name }) => name === 'tls.key')?.value };
};

/** A full look may fall into a restart of the miner program: closed is what two in a row could not connect to. */
const noteDark = (seat: FleetSeat, dark: readonly Interface[]): void => {
  seat.closed = sharedList(dark.filter((one) => seat.dark?.includes(one)));
  seat.dark = sharedList(dark);
};

/** Shared between seats: a fleet has many of them, and few different lists. */
const lists = new Map<string, readonly Interface[]>();
const sharedList = (list: readonly Interface[]): readonly Interface[] | undefined =>
  list.length === 0 ? undefined : lists.getOrInsert(list.join(), list);

/** Reading the endpoint may take long: coming last, it delays nothing else of the look. */
const withEndpointOf = async (target: Target, sight: Seen, seat: FleetSeat, deps: ProbeSeatDeps): Promise<Seen> => {
  const before = seat.device === undefined ? undefined : deps.fleet.state(seat.device);
  const due = before === undefined ? [] : dueSurfaces(before, deps.settings.turns(seat));
  if (due.length === 0) return sight;
  return { ...sight, endpoint: await readEndpoint(target, sight.driver, due, deps.look) };
};

/** Facts that the last attestation claims and this look could not read, without those that were closed at the last full look, too. */
const lostFacts = (sight: Sight, before: DeviceState | undefined): readonly ReadingName[] => {
  if (sight.kind === 'nothing' || sight.observation.gaps.size === 0) return [];
  if (before?.attested === undefined) return lostMarks(sight);
  const { closed } = before.marks;
  const unknown = [...sight.observation.gaps]
    .filter(
      ([fact, gap]) => gap !== 'absent' && !((gap === 'refused' || gap === 'unreachable') && closed?.includes(fact)),
    )
    .map(([fact]) => fact);
  if (unknown.length === 0) return [];
  const known = new Set(Object.keys(keptFacts(before.attested.facts)));
  for (const fact of before.attested.missing ?? []) known.delete(fact);
  return unknown.filter((fact) => known.has(fact));
};

/** What a machine is recognised by. Without these a machine that moved would be taken for another one. */
const MARKS = ['identity.mac', 'identity.serial', 'identity.hashboards'] as const;

const lostMarks = ({ observation: { gaps } }: Seen): readonly ReadingName[] =>
  MARKS.filter((fact) => gaps.get(fact) === 'truncated' || gaps.get(fact) === 'timeout');
