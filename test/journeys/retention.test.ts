import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Gateway } from './agent.ts';
import { fleetOf, rangeOf } from './fleets.ts';

const DAY_S = 86_400;
const AHEAD_MS = 405 * DAY_S * 1000;
/** What is old goes for the first time ten seconds after a start. */
const FIRST_PASS_MS = 12_000;

const seqsOf = (messages: readonly string[]): readonly number[] =>
  messages.map((message) => (JSON.parse(message) as { readonly seq: number }).seq);

test('an agent that never runs for an hour removes what is older than the retention, too, and says so', {
  timeout: 90_000,
}, async () => {
  await using gateway = Gateway.create({
    devices: [{ host: '127.0.0.1', ports: { cgminer: 1, http: 2 } }],
    retention_days: 35,
  });
  await gateway.up();
  await gateway.periodEnds();
  await gateway.stop();
  const last = gateway.log.length - 1;
  const db = new DatabaseSync(join(gateway.stateDir, 'assayer.db'));
  // As if the agent had run for forty days before its last entry.
  db.prepare('UPDATE entries SET ran_s = ran_s - ? WHERE seq < ?').run(40 * DAY_S, last);
  db.close();
  await gateway.up();
  const removed = await gateway.event('retention.removed', { withinMs: 30_000 });
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  const seqs = seqsOf(await gateway.messages('--all'));
  await gateway.verified();
  const gone = [...Array(last).keys()].filter((seq) => !seqs.includes(seq));
  assert.equal(gone[0], 0);
  assert.deepEqual([removed.level, removed.entries, removed.held_from], ['info', gone.length, (gone.at(-1) ?? 0) + 1]);
  assert.equal(Date.parse(String(removed.newest)), (gateway.log[gone.at(-1) ?? 0]?.iat ?? 0) * 1000);
});

test('issue 2: a clock that is 405 days ahead when what is old goes, and is corrected, removes nothing', {
  timeout: 90_000,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.72.2.1');
  await using gateway = Gateway.create({ devices: [rangeOf(fleet)] });
  await gateway.up();
  await gateway.knows(1);
  await gateway.stop();
  process.env.STEPS_MS = `${AHEAD_MS},${-AHEAD_MS}`;
  gateway.nodeOptions = ['--import', join(import.meta.dirname, 'stepped-clock.ts')];
  await gateway.up();
  gateway.signal('SIGUSR2');
  await gateway.says('it writes by the wrong clock', () => gateway.findings('evidence.clock-untrusted').length > 0);
  await delay(FIRST_PASS_MS);
  gateway.signal('SIGUSR2');
  await gateway.says('it writes by the right clock', () => gateway.findings('evidence.clock-untrusted').length > 1);
  await gateway.stop();
  const seqs = seqsOf(await gateway.messages('--all'));
  assert.ok(seqs.length > 5);
  assert.deepEqual(seqs, [...seqs.keys()]);
  assert.deepEqual(gateway.eventsOf('retention.removed'), []);
});
