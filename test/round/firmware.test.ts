import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Place } from '../../agent/schedule/places.ts';
import { startFleet } from '../simulator/fleet.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { Hall } from './hall.ts';

/** Firmware that changes, in what a real device answers. */

const MINUTE = 60_000;

test('firmware.fingerprint-changed: another library under a version that itself is not approved yet is told', async (t) => {
  const specimen = loadSpecimens().find(({ name }) => name === 'axeos/gamma-2.15');
  assert.ok(specimen !== undefined);
  await using fleet = await startFleet({ specimens: [specimen], base: '127.148.1.1' });
  const place: Place = {
    address: '127.148.1.1',
    ports: fleet.ports,
    labels: {},
    origin: 'host',
    id: 'axe',
    entry: 'axe',
  };
  const hall = new Hall(t, [place]);
  const device = fleet.device(0);
  const looks = async (count: number): Promise<readonly string[]> => {
    const before = hall.findings().length;
    for (let made = 0; made < count; made += 1) {
      hall.passedMs += 6 * MINUTE;
      device.set('uptimeSeconds', 90_000 + hall.passedMs / 1000);
      await hall.look(0);
    }
    return (
      hall
        .findings()
        .slice(before)
        // Its counters do not run on between these looks.
        .filter(({ id }) => id.startsWith('firmware.'))
        .map(({ id, state, severity }) => `${id} ${state} ${severity}`)
    );
  };
  await looks(3);
  device.setFirmware({ version: 'v2.16.0' });
  assert.deepEqual(await looks(6), ['firmware.version-changed open medium']);
  device.set('idfVersion', 'v5.5-evil2');
  assert.deepEqual(await looks(6), ['firmware.fingerprint-changed open high']);
  const [finding] = hall.findings().slice(-1);
  assert.deepEqual(finding?.after, [{ key: 'idf', value: 'v5.5-evil2' }]);
});
