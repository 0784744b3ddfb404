/**
 * The miners of the demo, in a process of their own. Says in one line of JSON where they are, carries out the attack
 * whose name comes on a line of stdin and answers with the time at which it was done. Ends when stdin closes.
 */
import { createInterface } from 'node:readline';
import { addressAfter, type Fleet, startFleet } from '../../test/simulator/fleet.ts';
import { loadSpecimens } from '../../test/specimens/specimen.ts';
import { ATTACKS } from './attack.ts';
import { MINERS, type Place } from './miners.ts';

const specimens = loadSpecimens();
const fleets = new Map<string, Fleet>();

/** A miner has an address of its own; on systems whose loopback is one address, only ports of its own. */
const startMiner = async (at: number, base: string): Promise<Place> => {
  const { name, specimen } = MINERS[at] as (typeof MINERS)[number];
  const played = specimens.filter((each) => each.name === specimen);
  const fleet = await startFleet({ specimens: played, base, first: at + 1 });
  fleets.set(name, fleet);
  return { name, address: base, ports: fleet.ports };
};

const startAll = async (): Promise<readonly Place[]> => {
  const places: Place[] = [];
  for (const at of MINERS.keys()) places.push(await startMiner(at, oneAddress ? ALONE : addressAfter(FIRST, at)));
  return places;
};

const FIRST = '127.41.0.1';
const ALONE = '127.0.0.1';
let oneAddress = process.argv.includes('--one-address');

/** Only Linux answers on all of 127.0.0.0/8 without being told to. */
const isMissingAddress = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EADDRNOTAVAIL';

const places = await startAll().catch((error: unknown) => {
  if (oneAddress || !isMissingAddress(error)) throw error;
  oneAddress = true;
  return startAll();
});

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

say({ places });
for await (const name of createInterface({ input: process.stdin })) {
  const attack = ATTACKS.find((each) => each.name === name);
  const device = attack === undefined ? undefined : fleets.get(attack.miner)?.device(0);
  if (attack === undefined || device === undefined) throw new Error(`no attack ${name}`);
  await attack.carryOut(device);
  say({ done: name, at_ms: Date.now() });
}
await Promise.all([...fleets.values()].map((fleet) => fleet.stop()));
