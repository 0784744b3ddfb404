import assert from 'node:assert/strict';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import { IDENTIFICATION } from '../../agent/probe/identify.ts';
import { addressAfter, type Fleet, startFleet } from '../simulator/fleet.ts';
import { loadSpecimens, type Specimen } from '../specimens/specimen.ts';

const ALL = loadSpecimens();

/** The specimen of that name. */
export const specimen = (name: string): Specimen => {
  const found = ALL.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no specimen ${name}`);
  return found;
};

/** One of each of the five families. */
export const FAMILIES = [
  'antminer-stock/s19-4028',
  'whatsminer/m50s-api2',
  'avalon/a741-modules',
  'axeos/gamma-2.15',
  'cgminer/cgminer',
];

/** Every request that the compiled allow-list has. */
export const ALLOWED: readonly string[] = compileAllowList(DRIVERS, IDENTIFICATION).listed;

/** A fleet that notes every request that is not on the compiled allow-list. */
export const fleetOf = (
  names: readonly string[],
  base: string,
  { devices = names.length, first = 1 } = {},
): Promise<Fleet> =>
  startFleet({
    specimens: names.map(specimen),
    devices,
    base,
    first,
    allowed: ALLOWED,
  });

/** The `range` entry that covers a fleet, and so many free addresses after it. */
export const rangeOf = ({ devices, ports }: Fleet, free = 0) => {
  const first = devices[0]?.address ?? '';
  return { range: `${first}-${addressAfter(first, devices.length - 1 + free)}`, ports };
};

/** Nothing was asked that may not be asked, and nobody was asked twice at once. */
export const assertPolite = (fleet: Fleet): void => {
  assert.ok(fleet.requests().size > 0, 'the fleet was never asked');
  assert.deepEqual(fleet.violations(), []);
  assert.equal(fleet.maxConnections(), 1);
};

/** How many questions a fleet was asked up to now. */
export const questionsTo = (fleet: Fleet): number =>
  fleet
    .requests()
    .values()
    .reduce((sum, count) => sum + count, 0);
