import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '../simulator/fleet.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { Hall } from './hall.ts';

const ADDRESS = '127.53.1.1';

test('visibility.coverage-reduced: a device of which only the web password was changed refuses, and is dark once nobody answers', {
  timeout: 60_000,
}, async (t) => {
  const specimens = loadSpecimens().filter(({ name }) => name === 'elphapex/dg1');
  const fleet = await startFleet({ specimens, base: ADDRESS, exact: true });
  t.after(() => fleet.stop());
  const hall = new Hall(t, [{ address: ADDRESS, ports: fleet.ports, labels: {}, origin: 'host', entry: ADDRESS }]);
  const { auth } = specimens[0]?.device ?? {};
  assert.ok(auth !== undefined);
  hall.credential = { user: auth.user, password: () => auth.password };
  for (const look of ['full', 'pools', 'full'] as const) await hall.look(0, look);
  assert.equal(hall.attestations().length, 1);

  hall.credential = { user: auth.user, password: () => 'another' };
  for (const look of ['pools', 'pools', 'full', 'pools', 'pools', 'pools'] as const) await hall.look(0, look);
  const told = () => hall.findings().map(({ id, part, state, reasons }) => [id, part, state, reasons]);
  const refused = ['visibility.coverage-reduced', 'refused', 'open', ['refused']];
  assert.deepEqual(told(), [refused]);
  const { evidence, appraisal } = hall.attestations().at(-1) ?? {};
  assert.deepEqual([evidence?.trigger, appraisal?.conformance], ['unreachable', 'unreachable']);

  await fleet.device(0).goDark();
  for (let look = 0; look < 5; look += 1) await hall.look(0, look % 2 === 0 ? 'full' : 'pools');
  assert.deepEqual(told(), [refused], 'looks at the pools sent nothing: the log-in rests');
  for (let look = 0; look < 2; look += 1) await hall.look(0);
  assert.deepEqual(told().slice(1), [['visibility.device-dark', undefined, 'open', ['unreachable']]]);

  await fleet.device(0).comeBack();
  hall.credential = { user: auth.user, password: () => auth.password };
  for (let look = 0; look < 4; look += 1) await hall.look(0);
  assert.deepEqual(
    told()
      .slice(2)
      .map(([id, , state]) => `${id} ${state}`)
      .sort(),
    ['visibility.coverage-reduced resolved', 'visibility.device-dark resolved'],
  );
});
