import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gateway, NO_ENDPOINT } from './agent.ts';
import { assertPolite, FAMILIES, fleetOf, rangeOf } from './fleets.ts';

const DEVICES = 2000;

test('when 2000 devices go dark at once there is one parent finding, one attestation each, and the others are asked on time', {
  timeout: 240_000,
}, async () => {
  await using site = await fleetOf(['axeos/gamma-2.15'], '127.64.0.1', { devices: DEVICES });
  await using beside = await fleetOf(FAMILIES, '127.65.0.1', { first: DEVICES + 1 });
  await using gateway = await Gateway.start({
    devices: [rangeOf(site), rangeOf(beside)],
    schedule: { pools: '*/3 * * * * *', config: '0 0 0 1 1 *', ...NO_ENDPOINT },
    probe: {},
  });
  await gateway.knows(DEVICES + 5, 60_000);

  await Promise.all(site.devices.map((device) => device.goDark()));
  await gateway.periodEnds();
  // All of this one was dark. What fell due is the ruler: how long that took says nothing about the devices.
  const { due, ok } = (await gateway.periodEnds()).polls.pools ?? { due: 0, ok: 0 };
  const rounds = due / (DEVICES + 5);
  assert.ok(rounds > 1, `${due} looks fell due`);
  // Looks are under way at either end, and a machine that can hardly sign 2000 statements makes them long.
  assert.ok(Math.abs(ok / 5 - rounds) <= 2, `${ok} good looks at five devices in ${rounds} rounds`);
  await gateway.says('all of them are dark', () => unreachable(gateway) >= DEVICES, 90_000);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });

  const triggers = new Map<string, string[]>();
  for (const { subject, evidence } of gateway.attestations())
    triggers.set(subject.device, [...(triggers.get(subject.device) ?? []), evidence.trigger]);
  const lives = [...triggers.values()].map((of) => of.join(' ')).sort();
  assert.equal(lives.filter((life) => life === 'first unreachable').length, DEVICES);
  assert.equal(lives.filter((life) => life === 'first').length, 5);

  const statements = gateway.findings('visibility.device-dark').map(({ finding }) => finding);
  const parents = statements.filter(({ devices }) => devices !== undefined);
  assert.equal(new Set(parents.map(({ opened_seq }) => opened_seq)).size, 1);
  assert.ok(statements.length - parents.length < 5, 'a child has a statement of its own only before there is a parent');
  const said = gateway.log.flatMap((one) => (one.kind === 'finding' ? [one.finding.id] : []));
  assert.deepEqual([...new Set(said)], ['visibility.device-dark']);
  assert.deepEqual(
    gateway.events.filter(({ level }) => level === 'error'),
    [],
  );
  assertPolite(site);
  assertPolite(beside);
  await gateway.verified();
});

const unreachable = (gateway: Gateway): number =>
  gateway.attestations().filter(({ evidence }) => evidence.trigger === 'unreachable').length;
