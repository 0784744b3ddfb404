import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../publish/observer.ts';
import { fill } from '../record/fill.ts';
import { mountSmall, remount, WITHOUT_MOUNT } from '../record/small-disk.ts';
import { Gateway } from './agent.ts';
import { assertPolite, FAMILIES, fleetOf, rangeOf } from './fleets.ts';

test('on a full disk the agent goes on, says so, and records what it sees and the gap when space returns', {
  timeout: 90_000,
  skip: WITHOUT_MOUNT,
}, async () => {
  await using fleet = await fleetOf(FAMILIES, '127.67.0.1');
  await using gateway = Gateway.create({ devices: [rangeOf(fleet)] }, mountSmall);
  await gateway.up();
  await gateway.knows(5);
  const free = fill(gateway.stateDir);
  fleet.device(0).changePoolUser(0, 'thief.a');
  fleet.device(1).changePoolUser(0, 'thief.b');
  const full = await gateway.event('store.full', { withinMs: 30_000 });
  assert.equal(full.level, 'error');
  assert.match(String(full.remedy), /free space/);
  assert.match((await gateway.assayer('status')).out, /store: refuses writes/);
  gateway.configure({ confirm_s: 2 });
  gateway.signal('SIGHUP');
  assert.equal((await gateway.event('config.rejected')).code, 'store.full');
  const size = gateway.log.length;
  const asked = fleet.requests().get('{"command":"pools"}') ?? 0;
  await until('rounds go on', () => (fleet.requests().get('{"command":"pools"}') ?? 0) > asked + 4);
  assert.equal(gateway.log.length, size);
  assert.equal(gateway.findings('pool.user-changed').length, 0);

  free();
  await gateway.event('store.recovered');
  await gateway.says('both thefts', () => gateway.findings('pool.user-changed').length >= 2);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  const [next] = gateway.log.slice(size);
  assert.equal(next?.kind, 'session');
  assert.equal(next.session.event, 'storage');
  assert.match(String(next.session.reason), /^store\.full: \d+ not recorded since \d+$/);
  assert.ok(gateway.findings('pool.user-changed').every(({ finding }) => String(finding.after).startsWith('thief.')));
  assertPolite(fleet);
  await gateway.verified();
});

test('a theft that came and went while the disk was full is in no entry, and no coverage says that nothing was', {
  timeout: 90_000,
  skip: WITHOUT_MOUNT,
}, async () => {
  await using fleet = await fleetOf(['whatsminer/m50s-api2', 'axeos/gamma-2.15'], '127.67.5.1');
  await using gateway = Gateway.create({ devices: [rangeOf(fleet)], coverage_s: 10 }, mountSmall);
  await gateway.up();
  await gateway.knows(2);
  const free = fill(gateway.stateDir);
  const [before = ''] = gateway.log.flatMap((one) => {
    const claims = one.kind === 'attestation' ? (one.evidence.claims as Claimed | undefined) : undefined;
    return claims?.family === 'whatsminer' ? [claims.pools[0]?.user] : [];
  });
  fleet.device(0).changePoolUser(0, 'thief.a');
  await gateway.event('store.full', { withinMs: 30_000 });
  const sinceMs = Date.now();
  await until('the store refuses for longer than three rounds', () => Date.now() - sinceMs > 9000);
  fleet.device(0).changePoolUser(0, before);
  const asked = fleet.requests().get('{"command":"pools"}') ?? 0;
  await until('it is as it was', () => (fleet.requests().get('{"command":"pools"}') ?? 0) > asked + 2);
  free();
  await gateway.event('store.recovered');
  await gateway.says('the gap', () => gateway.findings('evidence.agent-gap').length > 0);
  await gateway.says('the period of it, and one after', () => gateway.periods.length > 1);
  const [gap] = gateway.findings('evidence.agent-gap');
  assert.deepEqual([gap?.finding.state, gap?.finding.reasons], ['resolved', ['not-recorded']]);
  assert.ok(Number((gap?.finding.after as { gap_s: number }).gap_s) >= 9);
  const blind = gateway.periods.find(({ to_at: to }) => to * 1000 > sinceMs + 9000);
  assert.deepEqual([blind?.expected, blind?.observed, blind?.missed], [2, 0, 2]);
  await gateway.stop();
  await gateway.verified();
});

test('an agent that was frozen says how long, and no coverage says that it looked', { timeout: 60_000 }, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.67.6.1');
  await using gateway = await Gateway.start({ devices: [rangeOf(fleet)], coverage_s: 10 });
  await gateway.knows(1);
  gateway.signal('SIGSTOP');
  await delay(9000);
  gateway.signal('SIGCONT');
  await gateway.says('the gap', () => gateway.findings('evidence.agent-gap').length > 0);
  await gateway.says('two periods', () => gateway.periods.length > 1);
  assert.deepEqual(gateway.findings('evidence.agent-gap')[0]?.finding.reasons, ['stood-still']);
  const [blind, seen] = gateway.periods;
  assert.deepEqual([blind?.observed, blind?.missed_devices?.length], [0, 1]);
  assert.deepEqual([seen?.observed, seen?.missed], [1, 0]);
  await gateway.stop();
  await gateway.verified();
});

test('a quiet agent that is killed was down since it last noted that it runs, and not since its last entry', {
  timeout: 60_000,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.67.7.1');
  await using gateway = await Gateway.start({ devices: [rangeOf(fleet)], coverage_s: 3600 });
  await gateway.knows(1);
  await gateway.says('what was learned', (log) => log.some(({ kind }) => kind === 'baseline'));
  await delay(8000);
  const last = gateway.log.at(-1);
  await gateway.stop('SIGKILL');
  await delay(7000);
  await gateway.up();
  await gateway.says('the gap', () => gateway.findings('evidence.agent-gap').length > 0);
  const [gap] = gateway.findings('evidence.agent-gap');
  assert.deepEqual(gap?.finding.reasons, ['agent-down']);
  assert.ok(Number(gap?.finding.before_at) > Number(last?.iat), JSON.stringify([last?.kind, last?.iat, gap?.finding]));
  await gateway.stop();
  await gateway.verified();
});

test('a store that may not be written keeps the agent from starting, with exit 3 and a remedy', {
  timeout: 60_000,
  skip: WITHOUT_MOUNT,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.67.1.1');
  await using gateway = Gateway.create({ devices: [rangeOf(fleet)] }, mountSmall);
  await gateway.up();
  await gateway.knows(1);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  remount(gateway.stateDir, 'ro');
  const { code, err } = await gateway.assayer('run');
  assert.equal(code, 3);
  assert.match(err, /^assayer: the store .* is read-only .*\n {2}remedy: make the file .*\[store\.read-only\]\n$/);
  await gateway.verified();
  remount(gateway.stateDir, 'rw');
  await gateway.up();
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  await gateway.verified();
});

test('a second agent on the same store ends at once with exit 3, and the first does not notice', {
  timeout: 60_000,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.67.3.1');
  await using gateway = await Gateway.start({ devices: [rangeOf(fleet)] });
  await gateway.knows(1);
  const { code, err } = await gateway.assayer('run');
  assert.equal(code, 3);
  assert.match(
    err,
    /^assayer: the store .* is held by another process .*\n {2}remedy: stop the other agent .*\[store\.locked\]\n$/,
  );
  assert.match((await gateway.assayer('status')).out, /^agent: running/);
  fleet.device(0).changePoolUser(0, 'thief.x');
  await gateway.says('the theft', () => gateway.findings('pool.user-changed').length > 0);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assertPolite(fleet);
  await gateway.verified();
});

test('an agent does not write on top of a log whose end does not verify, nor of a file that is damaged', {
  timeout: 60_000,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.67.2.1');
  const settings = { devices: [rangeOf(fleet)] };
  for (const { what, damage, says } of DAMAGES) {
    await using gateway = await Gateway.start(settings);
    await gateway.knows(2);
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    const file = join(gateway.stateDir, 'assayer.db');
    damage(file);
    const before = readFileSync(file);
    const { code, err } = await gateway.assayer('run');
    assert.equal(code, 3, what);
    assert.match(err, says, what);
    assert.match(err, /\n {2}remedy: keep the file for analysis and restore a backup.*\[store\.corrupt\]\n$/, what);
    assert.ok(before.equals(readFileSync(file)), `${what}: the file is left as it was`);
  }
  assertPolite(fleet);
});

const inStore = (sql: string) => (file: string) => {
  using db = new DatabaseSync(file);
  db.exec(sql);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
};

const overwrite = (file: string, at: number, bytes: string): void => {
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, at);
  closeSync(handle);
};

const LAST = '(SELECT max(seq) FROM entries)';

const DAMAGES = [
  {
    what: 'a byte of the last entry was changed',
    damage: inStore(
      `UPDATE entries SET message = CAST(replace(CAST(message AS TEXT), 'SIGTERM', 'SIGTERN') AS BLOB) WHERE seq = ${LAST}`,
    ),
    says: /the store .* is damaged \(entry \d+ in it is not what was written\)/,
  },
  {
    what: 'the message of the last entry is gone',
    damage: inStore(`UPDATE entries SET message = NULL WHERE seq = ${LAST}`),
    says: /the log in .* does not verify: /,
  },
  {
    what: 'the last entry but one is gone',
    damage: inStore(`DELETE FROM entries WHERE seq = ${LAST} - 1`),
    says: /the log in .* does not verify: /,
  },
  {
    what: 'the end of the file is missing',
    damage: (file: string) => truncateSync(file, Math.floor(readFileSync(file).length / 8192) * 4096),
    says: /the store .* is damaged/,
  },
  {
    what: 'the file begins with noise',
    damage: (file: string) => overwrite(file, 0, 'x'.repeat(100)),
    says: /the store .* is not a store/,
  },
];

interface Claimed {
  readonly family: string;
  readonly pools: readonly { readonly user: string }[];
}
