import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Gateway } from './agent.ts';
import { assertPolite, fleetOf, rangeOf } from './fleets.ts';

const HOUR_MS = 3_600_000;

/** Back first: a log of the future is refused by whoever verifies it now. */
const STEPS_MS = [-2 * HOUR_MS, HOUR_MS, HOUR_MS];

test('a wall clock that is set back and forth is stated each time, and stops neither rounds nor findings nor the log', {
  timeout: 90_000,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2', 'avalon/a1246'], '127.72.0.1');
  await using gateway = Gateway.create({ devices: [rangeOf(fleet)] });
  process.env.STEPS_MS = STEPS_MS.join(',');
  gateway.nodeOptions = ['--import', join(import.meta.dirname, 'stepped-clock.ts')];
  await gateway.up();
  await gateway.knows(3);
  for (const [index] of STEPS_MS.entries()) {
    gateway.signal('SIGUSR2');
    fleet.device(index).changePoolUser(0, `thief.${index}`);
    await gateway.says(`theft ${index}`, () => gateway.findings('pool.user-changed').length > index);
    if (index === 0) await gateway.says('a period that ended before it began', () => periods(gateway).length === 1);
  }
  await gateway.says('a period after all steps', () => periods(gateway).length === 2);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });

  const stated = gateway.log.flatMap((one) =>
    one.kind === 'session' && one.session.event === 'clock-step' ? [one.session.delta_ms] : [],
  );
  assert.equal(stated.length, STEPS_MS.length);
  for (const [index, step] of STEPS_MS.entries())
    assert.ok(Math.abs((stated[index] ?? 0) - step) < 1000, `stated ${stated[index]}, was ${step}`);
  assert.deepEqual(
    gateway.findings('pool.user-changed').map(({ finding }) => [finding.state, finding.after]),
    STEPS_MS.map((_, index) => ['open', `thief.${index}`]),
  );
  const found = new Set(gateway.log.flatMap((one) => (one.kind === 'finding' ? [one.finding.id] : [])));
  assert.deepEqual([...found], ['pool.user-changed']);
  for (const { observed, missed, expected } of periods(gateway))
    assert.deepEqual([observed, missed, expected], [3, 0, 3]);
  assert.deepEqual(
    gateway.events.filter(({ level }) => level === 'error'),
    [],
  );
  assertPolite(fleet);
  await gateway.verified();
});

const periods = (gateway: Gateway) => gateway.log.flatMap((one) => (one.kind === 'coverage' ? [one.coverage] : []));
