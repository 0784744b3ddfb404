import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startFleet } from '../simulator/fleet.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { Hall } from './hall.ts';

const ADDRESS = '127.53.1.1';
const DARK = 'visibility.device-dark';

/** A device of that specimen, to which no log-in, or this one, is shown. Its ports are those of the place: they can be closed. */
const hallOf = async (t: TestContext, name: string, address: string, credential?: Hall['credential']) => {
  const specimens = loadSpecimens().filter((specimen) => specimen.name === name);
  const fleet = await startFleet({ specimens, base: address, exact: true });
  t.after(() => fleet.stop());
  const ports = { ...fleet.ports };
  const hall = new Hall(t, [{ address, ports, labels: {}, origin: 'host', entry: address }]);
  hall.credential = credential;
  for (const look of ['full', 'pools', 'full'] as const) await hall.look(0, look);
  assert.ok(hall.attestations().length > 0);
  /** What the findings about that say, and which reasons the checks of the newest attestation have. */
  const told = () => ({
    findings: hall
      .findings()
      .filter(({ id }) => id.startsWith('visibility.'))
      .map(({ id, part, state, reasons }) => [id, part, state, reasons]),
    notRun: [
      ...new Set(
        hall
          .attestations()
          .at(-1)
          ?.appraisal.not_run.map(({ reason }) => reason),
      ),
    ],
  });
  return { hall, fleet, ports, told };
};

const WRONG = { user: 'root', password: () => 'another' };

for (const [at, name, looks, credential] of [
  [2, 'antminer-stock/s21', ['pools', 'full', 'pools', 'pools', 'pools'], undefined],
  [3, 'antminer-stock/s21', ['pools', 'pools', 'pools', 'pools', 'pools', 'full'], undefined],
  [4, 'antminer-stock/s21', ['pools', 'full', 'pools', 'pools', 'pools'], WRONG],
  [5, 'hammer/d10', ['pools', 'full', 'pools', 'pools', 'pools'], undefined],
] as const)
  test(`visibility.device-dark: a ${name} that is gone is unreachable, whatever of it waits for a log-in (${looks.join(', ')}${credential === undefined ? '' : '; the log-in rests'})`, {
    timeout: 60_000,
  }, async (t) => {
    const { hall, fleet, told } = await hallOf(t, name, `127.53.1.${at}`, credential);
    await fleet.device(0).goDark();
    for (const look of looks) await hall.look(0, look);
    assert.deepEqual(told(), { findings: [[DARK, undefined, 'open', ['unreachable']]], notRun: ['unreachable'] });
  });

test('visibility.coverage-reduced: a device that closes its API, and of whose web interface only pages behind a log-in are left, refuses', {
  timeout: 60_000,
}, async (t) => {
  const { hall, ports, told } = await hallOf(t, 'antminer-stock/s21', '127.53.1.6');
  ports.cgminer = 1;
  for (const look of ['pools', 'full', 'pools', 'pools', 'pools'] as const) await hall.look(0, look);
  const refused = [['visibility.coverage-reduced', 'refused', 'open', ['refused']]];
  assert.deepEqual(told(), { findings: refused, notRun: ['refused'] });
  for (let turn = 0; turn < 3; turn += 1) {
    for (let poll = 0; poll < 8; poll += 1) await hall.look(0, 'pools');
    await hall.look(0);
  }
  assert.deepEqual(told().findings, refused, 'it is there, and comes and goes for nobody');
});

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
