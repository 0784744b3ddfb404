import type { DeviceState } from '../../appraise/device.ts';
import { refusedPlaces } from '../../desk/refused-logins.ts';
import { PORTS } from '../../drivers/driver.ts';
import { AgentError } from '../../platform/errors.ts';
import { LOGIN_REMEDY } from '../../probe/logins.ts';
import { reach } from '../../probe/reach.ts';
import { Store } from '../../record/store.ts';
import { machineKey, type Place, placesOf } from '../../schedule/places.ts';
import { durationText, isoOf } from '../../terms/instant.ts';
import type { Live } from '../live.ts';
import { namesText } from '../table.ts';
import { neverSeen } from '../unseen.ts';
import { type Check, fail, ok, type Result, type Visit, warn } from './result.ts';

/** How many addresses get a connection. */
const MOST = 16;

/** The way to the miners: a connection and no question. Where an agent runs it has asked them, and is not disturbed. */
export const miners: Check = {
  name: 'miners',
  run: async (visit) => [
    ...(visit.agent instanceof AgentError ? await tryPlaces(visit) : asAttested(visit, visit.agent)),
    ...refusing(visit),
  ],
};

/** A device that refuses the log-in answers all the same: nobody would look for what is not read of it. */
const refusing = ({ config }: Visit): readonly Result[] => {
  const names = refusingIn(config);
  if (names.length === 0) return [];
  const what = names.length === 1 ? 'device refuses its log-in' : 'devices refuse their log-in';
  return [warn(`${names.length} ${what}, so that what is behind it is not read: ${namesText(names)}`, LOGIN_REMEDY)];
};

const refusingIn = (config: Visit['config']): readonly string[] => {
  try {
    using store = Store.openReadOnly(config.state_dir);
    const places = refusedPlaces(config, store);
    const here = new Map(places.length === 0 ? [] : store.devices(sittingIn));
    return places.map(({ id, address }) => id ?? here.get(address) ?? address);
  } catch (error) {
    // What is wrong with the store another check says.
    if (error instanceof AgentError) return [];
    throw error;
  }
};

/** The device at an address, from a state that this agent wrote. */
const sittingIn = (text: string): readonly [address: string, device: string] => {
  const { id, address } = JSON.parse(text) as DeviceState<unknown>;
  return [address, id];
};

const asAttested = (
  { config }: Visit,
  { unlooked = {}, store_failing: isFailing }: Partial<Live>,
): readonly Result[] => {
  using store = Store.openReadOnly(config.state_dir);
  const unseen = neverSeen(config, store);
  const names = new Set(unseen.map(({ id }) => id));
  const states = [...store.devices(reachableIn)].filter(({ id }) => !names.has(id));
  const answering = states.filter(({ isReachable }) => isReachable).length;
  const remedies = [
    ...(answering < states.length ? ['assayer findings names those that do not'] : []),
    ...unseen
      .slice(0, 1)
      .map(({ address }) => `assayer probe ${address}: are address, ports, power and firewall right?`),
  ];
  const never = unseen.length === 0 ? '' : `; never seen: ${namesText(unseen.map(({ id }) => id))}`;
  const text = `${answering} of ${states.length + unseen.length} devices answer the running agent${never}`;
  return [
    remedies.length === 0 ? ok(text) : warn(text, remedies.join('; ')),
    ...leftAlone(Object.values(unlooked), states.length, { coverageS: config.coverage_s, isFailing }),
  ];
};

/** What was attested of a device says nothing of now where nobody looks any more. */
const leftAlone = (
  sinceS: readonly number[],
  devices: number,
  { coverageS, isFailing = false }: { readonly coverageS: number; readonly isFailing?: boolean | undefined },
): readonly Result[] =>
  sinceS.length === 0
    ? []
    : [
        warn(
          `${sinceS.length} of ${devices} devices were not looked at for longer than coverage_s (${durationText(coverageS)}), the first of them since ${isoOf(Math.min(...sinceS))}`,
          `assayer status names them; ${isFailing ? 'no look counts while the store refuses it' : 'assayer check-config says what is wrong with schedule.pools and schedule.config; is the host of the gateway too busy?'}`,
        ),
      ];

/** From a state that this agent wrote. */
const reachableIn = (text: string): { readonly id: string; readonly isReachable: boolean } => {
  const { id, attested } = JSON.parse(text) as DeviceState<unknown>;
  return { id, isReachable: attested?.reachable === true };
};

const tryPlaces = async ({ config }: Visit): Promise<readonly Result[]> => {
  const places = placesOf(config);
  const positions = places.filter(({ origin }) => origin === 'host').slice(0, MOST);
  const searched = spread(
    places.filter(({ origin }) => origin === 'range'),
    MOST - positions.length,
  );
  const asked = [...positions, ...searched];
  const silent = await whyEachSilent(asked, config.probe.connect_timeout_ms);
  const answering = silent.filter((reason) => reason === undefined).length;
  const text = `${answering} of ${asked.length} addresses ${asked.length < places.length ? 'tried ' : ''}answer`;
  if (answering === 0)
    return [
      fail(
        `${text}, ${asked[0]?.address}: ${silent[0]}`,
        'check ranges, ports, route and firewall from this host: assayer scan <range>',
      ),
    ];
  return [ok(text), ...asked.flatMap((place, at) => position(place, silent[at]))];
};

/**
 * Why each of them is silent, where it is. Those that are most likely one machine are tried once, since they have the ports that are tried in
 * common: some machines serve one connection at a time.
 */
const whyEachSilent = (places: readonly Place[], connectMs: number): Promise<readonly (string | undefined)[]> => {
  const tried = new Map<string, Promise<string | undefined>>();
  return Promise.all(
    places.map((place) =>
      tried.getOrInsertComputed(machineKey(place.address, place.ports), () => whySilent(place, connectMs)),
    ),
  );
};

/** At a position something is expected; in a range most addresses may be empty. */
const position = ({ address, origin, ports }: Place, reason: string | undefined): readonly Result[] =>
  reason === undefined || origin === 'range'
    ? []
    : [warn(`${address} (ports ${ports.cgminer}, ${ports.http}): ${reason}`, `assayer probe ${address}`)];

/** At most `count` of a list, evenly from all over it. */
const spread = <T>(list: readonly T[], count: number): readonly T[] =>
  list.length <= count
    ? list
    : Array.from({ length: count }, (_, at) => list[Math.floor((at * list.length) / count)] as T);

const whySilent = async ({ address, ports }: Place, connectMs: number): Promise<string | undefined> => {
  const first = await reach({ host: address, port: ports.cgminer ?? PORTS.cgminer }, connectMs);
  if (first === 'open') return undefined;
  const second = await reach({ host: address, port: ports.http ?? PORTS.http }, connectMs);
  return second === 'open' ? undefined : second;
};
