import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Gateway } from './agent.ts';
import { assertPolite, fleetOf, rangeOf } from './fleets.ts';

const HOUR_MS = 3_600_000;

/** Back first: a log of the future is refused by whoever verifies it now. */
const STEPS_MS = [-2 * HOUR_MS, HOUR_MS, HOUR_MS];

/** No miner is slow here: a look that the machine holds up is no look that the clock cost. */
const PROBE = { connect_timeout_ms: 5000, exchange_timeout_ms: 5000, device_timeout_ms: 8000 };

test('a wall clock that is set back and forth is stated each time, and stops neither rounds nor findings nor the log', {
  timeout: 90_000,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2', 'avalon/a741-modules'], '127.72.0.1');
  await using gateway = Gateway.create({ devices: [rangeOf(fleet)], probe: PROBE });
  process.env.STEPS_MS = STEPS_MS.join(',');
  gateway.nodeOptions = ['--import', join(import.meta.dirname, 'stepped-clock.ts')];
  await gateway.up();
  await gateway.knows(3);
  for (const [index] of STEPS_MS.entries()) {
    gateway.signal('SIGUSR2');
    fleet.device(index).changePoolUser(0, `thief.${index}`);
    await gateway.says(`theft ${index}`, () => gateway.findings('pool.user-changed').length > index);
    await gateway.says(`step ${index}`, () => gateway.findings('evidence.clock-untrusted').length > index);
    if (index === 0) await gateway.says('the period before the step', () => periodsSince(gateway, index).length > 0);
  }
  await gateway.says('a period after all steps', () => periodsSince(gateway, STEPS_MS.length - 1).length > 0);
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
  assert.deepEqual([...found].sort(), ['evidence.clock-untrusted', 'pool.user-changed']);
  assert.deepEqual(
    gateway
      .findings('evidence.clock-untrusted')
      .map(({ finding: { state, reasons, severity } }) => [state, reasons, severity]),
    STEPS_MS.map(() => ['open', ['stepped'], 'medium']),
  );
  const told = gateway.eventsOf('clock.stepped');
  assert.deepEqual(
    told.map(({ level, direction }) => [level, direction]),
    STEPS_MS.map((step) => ['warn', step > 0 ? 'forward' : 'back']),
  );
  for (const [index, step] of STEPS_MS.entries())
    assert.ok(Math.abs(Number(told[index]?.step_s) - step / 1000) <= 1, JSON.stringify(told[index]));
  assert.deepEqual(gateway.eventsOf('schedule.late'), []);
  const { out } = await gateway.assayer('log', '--kind', 'session');
  assert.match(out, /clock-step: back by (2 h|1 h 59 min)\n.*clock-step: forward by (1 h|59 min 59 s)\n/s);
  for (const { observed, missed, expected } of gateway.periods)
    assert.deepEqual([observed, missed, expected], [3, 0, 3]);
  assertRan(gateway);
  assert.deepEqual(
    gateway.events.filter(({ level }) => level === 'error'),
    [],
  );
  assertPolite(fleet);
  await gateway.verified();
});

/**
 * No period speaks of more time than the agent had run by the clock that is never set; each begins where the one before ended, or a step
 * lies between them.
 */
const assertRan = ({ log }: Gateway): void => {
  let [ranMs, endedAt]: [number, number | undefined] = [0, undefined];
  for (const one of log) {
    if (one.kind === 'session' && one.session.event === 'clock-step') endedAt = undefined;
    if (one.kind !== 'coverage') continue;
    const { from_at, to_at } = one.coverage;
    const lastedMs = (to_at - from_at) * 1000;
    assert.ok(lastedMs > 0 && lastedMs <= one.mono_ms - ranMs + 2000, `${from_at} to ${to_at} at ${one.mono_ms} ms`);
    if (endedAt !== undefined) assert.equal(from_at, endedAt);
    [ranMs, endedAt] = [one.mono_ms, to_at];
  }
  assert.ok(ranMs > 0, 'there are periods');
};

/** The periods that ended after the step of that index was stated, in the order of the log. */
const periodsSince = ({ log }: Gateway, index: number) => {
  const steps = log.filter((one) => one.kind === 'session' && one.session.event === 'clock-step');
  const since = steps[index]?.seq ?? log.length;
  return log.slice(since).flatMap((one) => (one.kind === 'coverage' ? [one.coverage] : []));
};
