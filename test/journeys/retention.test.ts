import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Store } from '../../agent/record/store.ts';
import { until } from '../publish/observer.ts';
import { Gateway } from './agent.ts';

const DAYS_MS = 40 * 86_400_000;

test('an agent that never runs for an hour removes what is older than the retention, too', {
  timeout: 90_000,
}, async () => {
  await using gateway = Gateway.create({
    devices: [{ host: '127.0.0.1', ports: { cgminer: 1, http: 2 } }],
    retention_days: 35,
  });
  await gateway.up();
  await gateway.periodEnds();
  await gateway.stop();
  assert.equal(gateway.log[0]?.seq, 0);
  process.env.STEPS_MS = `${DAYS_MS}`;
  gateway.nodeOptions = ['--import', join(import.meta.dirname, 'stepped-clock.ts')];
  await gateway.up();
  gateway.signal('SIGUSR2');
  const begins = (): number | undefined => {
    using store = Store.openReadOnly(gateway.stateDir);
    return store.entriesFrom(0, 1)[0]?.seq;
  };
  await until('the first entry is gone', () => begins() !== 0, 30_000);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
});
