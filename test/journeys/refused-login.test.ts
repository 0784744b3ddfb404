import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../publish/observer.ts';
import type { Fleet } from '../simulator/fleet.ts';
import { Gateway } from './agent.ts';
import { assertPolite, fleetOf, questionsTo, rangeOf } from './fleets.ts';

test('a refused log-in rests although the configuration is read again or the agent is killed; another password is tried at once', {
  timeout: 60_000,
}, async () => {
  await using fleet = await fleetOf(['antminer-stock/s21'], '127.77.0.1');
  await using gateway = Gateway.create({
    credentials: { stock: { user: 'root', password_file: 'miner-password' } },
    devices: [{ ...rangeOf(fleet), credentials: 'stock' }],
  });
  gateway.write('miner-password', 'wrong\n');
  await gateway.up();
  await gateway.knows(1);
  const shown = pagesOf(fleet);
  assert.ok(shown > 0, 'the wrong password was tried');

  for (let times = 0; times < 3; times += 1) {
    const asked = questionsTo(fleet);
    gateway.signal('SIGHUP');
    await gateway.event('config.reloaded', { after: times });
    await gateway.says('a look after it', () => questionsTo(fleet) > asked + 3);
  }
  assert.equal(pagesOf(fleet), shown, 'the same password was tried again');

  // The second in which what was refused is written.
  await delay(1500);
  await gateway.stop('SIGKILL');
  const asked = questionsTo(fleet);
  await gateway.up();
  await gateway.says('a look after the start', () => questionsTo(fleet) > asked + 3);
  assert.equal(pagesOf(fleet), shown, 'the same password was tried again at a start');

  gateway.write('miner-password', 'specimen\n');
  gateway.signal('SIGHUP');
  await gateway.says('what stands behind the log-in', () => hasMac(gateway));
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assertPolite(fleet);
});

test('an agent that is killed as soon as it has shown a log-in does not show it at the next starts; one that was stopped does at once', {
  timeout: 90_000,
}, async () => {
  await using fleet = await fleetOf(['antminer-stock/s21'], '127.146.77.1');
  await using gateway = Gateway.create({
    credentials: { stock: { user: 'root', password_file: 'miner-password' } },
    devices: [{ ...rangeOf(fleet), credentials: 'stock' }],
  });
  gateway.write('miner-password', 'wrong\n');
  gateway.spawn();
  // The device asks for the log-in, and is shown it.
  await until('the wrong password is tried', () => pagesOf(fleet) >= 2);
  await gateway.stop('SIGKILL');
  const shown = pagesOf(fleet);
  assert.deepEqual(gateway.eventsOf('probe.login-cut-off'), []);

  for (let starts = 0; starts < 3; starts += 1) {
    const asked = questionsTo(fleet);
    await gateway.up();
    await gateway.says('a look after the start', () => questionsTo(fleet) > asked + 3);
    await gateway.stop('SIGKILL');
  }
  assert.equal(pagesOf(fleet), shown, 'the password was tried again at a start');
  const [told] = gateway.eventsOf('probe.login-cut-off');
  assert.deepEqual([told?.level, told?.logins, told?.addresses], ['warn', 1, ['127.146.77.1']]);

  gateway.write('miner-password', 'specimen\n');
  const seen = gateway.eventsOf('probe.login-cut-off').length;
  for (let starts = 0; starts < 2; starts += 1) {
    const before = pagesOf(fleet);
    await gateway.up();
    await gateway.says('what stands behind the log-in', () => pagesOf(fleet) > before + 2 && hasMac(gateway));
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  }
  assert.ok(gateway.eventsOf('probe.login-cut-off').length <= seen + 1, 'a stop in good order leaves nothing behind');
  assertPolite(fleet);
});

/** Whether something was attested that stands behind the log-in. */
const hasMac = (gateway: Gateway): boolean =>
  gateway.attestations().some(({ evidence }) => /"mac":/.test(JSON.stringify(evidence.claims)));

/** How many pages behind the log-in were asked for. */
const pagesOf = (fleet: Fleet): number =>
  [...fleet.requests()].reduce((sum, [request, count]) => (request.startsWith('GET /cgi-bin/') ? sum + count : sum), 0);
