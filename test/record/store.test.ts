import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { readDevice } from '../../agent/appraise/device.ts';
import type { Finding } from '../../agent/appraise/finding.ts';
import type { AgentError } from '../../agent/platform/errors.ts';
import { buildReload } from '../../agent/record/session.ts';
import { Store } from '../../agent/record/store.ts';
import { stormsIn } from '../../agent/record/storms.ts';
import { anyStatement, attestation, openGateway, restart, tempDir, VERSION_6 } from './gateway.ts';
import { remount, smallDisk, WITHOUT_MOUNT } from './small-disk.ts';

const code = (expected: string) => (error: AgentError) => {
  assert.equal(error.code, expected, error.message);
  assert.notEqual(error.remedy, '');
  return true;
};

test('store and write-ahead log can be read by the owner only', (t) => {
  const { dir } = openGateway(t);
  for (const file of ['assayer.db', 'assayer.db-wal', 'assayer.lock']) {
    assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600, file);
  }
});

test('store.locked: a second agent on the same state_dir is refused, in this process and in another', (t) => {
  const { dir, store } = openGateway(t);
  assert.throws(() => Store.open(dir), code('store.locked'));
  const script = `import { Store } from ${JSON.stringify(join(import.meta.dirname, '../../agent/record/store.ts'))};
    try { Store.open(process.argv[1]); console.log('opened'); } catch (error) { console.log(error.code); }`;
  const second = () => spawnSync(process.execPath, ['--input-type=module', '-e', script, dir], { encoding: 'utf8' });
  assert.equal(second().stdout, 'store.locked\n', second().stderr);
  store[Symbol.dispose]();
  assert.equal(second().stdout, 'opened\n');
});

test('whether a process writes is asked without writing: on a read-only file system nobody does', {
  skip: WITHOUT_MOUNT,
}, (t) => {
  const { dir, store } = openGateway(t);
  assert.equal(Store.isHeld(dir), true);
  store[Symbol.dispose]();
  assert.equal(Store.isHeld(dir), false);
  const disk = smallDisk(t, '4m');
  for (const name of readdirSync(dir)) copyFileSync(join(dir, name), join(disk, name));
  remount(disk, 'ro');
  assert.equal(Store.isHeld(disk), false);
});

test('verbs that only look see what a running agent commits, and cannot write', (t) => {
  const { dir, log } = openGateway(t);
  const looking = Store.openReadOnly(dir);
  t.after(() => looking[Symbol.dispose]());
  assert.equal(looking.size(), 1);
  log.transaction((tx) => tx.append(anyStatement()));
  assert.equal(looking.size(), 2);
  assert.throws(() => looking.transaction(() => looking.saveMeta('a', 'b')), code('store.read-only'));
});

test('a store can be looked at when no agent runs', (t) => {
  const { dir, store } = openGateway(t);
  store[Symbol.dispose]();
  using looking = Store.openReadOnly(dir);
  assert.equal(looking.size(), 1);
});

test('store.absent: looking before the first start says what to do', (t) => {
  assert.throws(() => Store.openReadOnly(tempDir(t)), code('store.absent'));
});

test('store.version: a store of a newer release is left alone', (t) => {
  const { dir, store } = openGateway(t);
  store[Symbol.dispose]();
  const db = new DatabaseSync(join(dir, 'assayer.db'));
  db.exec('PRAGMA user_version = 99');
  db.close();
  assert.throws(() => Store.open(dir), code('store.version'));
  assert.throws(() => Store.openReadOnly(dir), code('store.version'));
});

test('a store of version 2 learns which tenant its newest attestations name', (t) => {
  const { dir, store, log } = openGateway(t);
  const attest = (device: string, labels: { readonly [name: string]: string }) =>
    log.transaction((tx) => void tx.append(attestation(device, labels)));
  attest('rig-1', { site: 'tx1', tenant: 'acme' });
  attest('rig-2', { site: 'tx1' });
  store[Symbol.dispose]();
  const db = new DatabaseSync(join(dir, 'assayer.db'));
  for (const table of ['orders', 'stale_mirrors', 'notify_places', 'notify_told']) db.exec(`DROP TABLE ${table}`);
  db.exec(VERSION_6);
  db.exec('ALTER TABLE newest DROP COLUMN tenant; PRAGMA user_version = 2');
  db.close();
  using again = Store.open(dir);
  assert.deepEqual(
    again.newestAttestations().map(({ device, tenant }) => [device, tenant]),
    [
      ['rig-1', 'acme'],
      ['rig-2', undefined],
    ],
  );
  assert.deepEqual(again.staleMirrors(9), []);
});

test('two storms of one rule that begin in the same second are two findings, also in a store of version 5', (t) => {
  const { dir, store, log } = openGateway(t);
  const storm = (openedSeq: number, state: Finding['state'] = 'open'): Finding => ({
    ruleId: 'pool.url-changed',
    state,
    severity: 'high',
    severityBase: 'high',
    basis: 'self-reported',
    ruleVersion: 1,
    firstObservedAt: 1_795_339_200,
    surfaces: [],
    openedSeq,
  });
  log.transaction((tx) => {
    for (const one of [storm(7), storm(9)]) tx.saveFinding(one);
    tx.saveFinding(storm(7, 'resolved'));
  });
  const open = (from: Store) => from.findings({ open: true }).map(({ finding }) => finding.openedSeq);
  assert.deepEqual(open(store), [9]);
  store[Symbol.dispose]();
  const db = new DatabaseSync(join(dir, 'assayer.db'));
  db.exec(VERSION_6);
  db.exec("DELETE FROM findings WHERE open = 0; UPDATE findings SET part = ''; PRAGMA user_version = 5");
  db.close();
  using again = Store.open(dir);
  again.transaction(() => again.saveFinding(storm(9, 'resolved'), undefined, 0));
  assert.deepEqual(open(again), []);
});

test('a store of version 8 learns from its log where devices left', (t) => {
  const { dir, store, log } = openGateway(t);
  const leave = (...removed: readonly string[]) =>
    log.transaction((tx) => {
      for (const built of buildReload({ configSha256: 'A'.repeat(43), removed })) tx.append(built);
      return tx.next();
    });
  leave('rig-1', 'rig-2');
  const seq = log.size();
  leave('rig-1');
  store[Symbol.dispose]();
  const db = new DatabaseSync(join(dir, 'assayer.db'));
  db.exec('DROP TABLE departures; PRAGMA user_version = 8');
  db.close();
  using again = Store.open(dir);
  assert.deepEqual(
    ['rig-1', 'rig-2', 'rig-3'].map((device) => again.leftBefore(device)),
    [seq, seq - 1, 0],
  );
});

test('the storms of a store of version 7, which kept them as one value, go on as they were', (t) => {
  const { dir, store } = openGateway(t);
  store[Symbol.dispose]();
  const finding = {
    ruleId: 'pool.user-changed',
    after: { account: 'it\'s "mallory"' },
    firstObservedAt: 1_795_339_200,
    openedSeq: 7,
  };
  const member = (device: string, more: object = {}) => ({ device, atMs: 5, ...more });
  const storms = {
    'pool.user-changed {"after":"it\'s \\"mallory\\""}': {
      members: {
        'rig-9 slot 0': member('rig-9', { untold: true }),
        'rig-1 slot 0': member('rig-1', { plan: 4 }),
        'rig-2 slot 0': member('rig-2', { plan: 4, times: { firstObservedAt: 3 } }),
      },
      latestMs: 6,
      parent: { finding, statedMs: 4, stated: { devices: ['rig-1', 'rig-2'], count: 2 }, stale: true },
    },
    'runtime.reboot-unexpected': { members: { 'rig-3': member('rig-3') }, latestMs: 7 },
  };
  const db = new DatabaseSync(join(dir, 'assayer.db'));
  db.exec('DROP TABLE storms; DROP TABLE storm_members; DROP TABLE departures; PRAGMA user_version = 7');
  db.prepare('INSERT INTO meta (name, value) VALUES (?, ?)').run('storms', JSON.stringify({ storms }));
  db.close();
  using again = Store.open(dir);
  const [[key, large] = [], [, small] = []] = Object.entries(stormsIn(again).storms);
  assert.equal(key, Object.keys(storms)[0]);
  assert.deepEqual(
    [...(large?.members.entries() ?? [])],
    [
      ['rig-1 slot 0', { device: 'rig-1', atMs: 5, plan: 4, joined: 1 }],
      ['rig-2 slot 0', { device: 'rig-2', atMs: 5, plan: 4, times: { firstObservedAt: 3 }, joined: 2 }],
      ['rig-9 slot 0', { device: 'rig-9', atMs: 5, joined: 3 }],
    ],
  );
  assert.deepEqual(
    [large?.parent, large?.latestMs, large?.joined, large?.covers],
    [
      { finding, statedMs: 4, stated: { devices: ['rig-1', 'rig-2'], count: 2 }, stale: true, told: 2 },
      6,
      3,
      [{ plan: 4, count: 2 }, { count: 1 }],
    ],
  );
  assert.deepEqual([small?.parent, small?.latestMs, small?.members.size], [undefined, 7, 1]);
  assert.equal(again.meta('storms', String), undefined);
});

test('store.corrupt: a file that is no database is not touched', (t) => {
  const dir = tempDir(t);
  const file = join(dir, 'assayer.db');
  writeFileSync(file, 'no database, but long enough to be read as one. '.repeat(200));
  const { size } = statSync(file);
  assert.throws(() => Store.open(dir), code('store.corrupt'));
  assert.equal(statSync(file).size, size);
  assert.throws(() => Store.openReadOnly(dir), code('store.corrupt'));
});

test('store.corrupt: a file that lost its end is not continued', (t) => {
  const { dir, store, log } = openGateway(t);
  log.transaction((tx) => {
    for (let count = 0; count < 200; count += 1) tx.append(anyStatement());
  });
  store[Symbol.dispose]();
  const file = join(dir, 'assayer.db');
  truncateSync(file, Math.floor(statSync(file).size / 8192) * 4096);
  assert.throws(() => restart(t, dir), code('store.corrupt'));
});

test('store.corrupt: a row that is not what was written is told, and its bytes are not', (t) => {
  const { dir, store, log } = openGateway(t);
  log.transaction((tx) => {
    tx.append(anyStatement());
    tx.saveDevice('rig-1', '{"id":"rig-1"');
    tx.saveMeta('gone', 'secret bytes');
  });
  const spoil = new DatabaseSync(join(dir, 'assayer.db'));
  spoil.exec(`UPDATE entries SET message = CAST('secret bytes' AS BLOB) WHERE seq = 1;
    INSERT INTO cursors (reader, next) VALUES ('mqtt', 9223372036854775807);
    INSERT INTO storms (id, key, storm) VALUES (1, 'pool.url-changed', 'secret bytes');
    INSERT INTO findings VALUES ('rig-1', 'pool.url-changed', '', 1, 1, 'secret bytes', 1);`);
  spoil.close();
  for (const look of [
    () => store.entry(1),
    () => store.find({ newest: 5 }),
    () => store.device('rig-1', readDevice),
    () => [...store.devices(readDevice)],
    () => store.meta('gone', JSON.parse),
    () => stormsIn(store),
    () => store.findings({ open: true }),
    () => store.cursor('mqtt'),
  ]) {
    assert.throws(look, (error: AgentError) => {
      assert.doesNotMatch(error.message, /secret|922337|JSON/);
      return code('store.corrupt')(error);
    });
  }
});

test('store.corrupt: JSON that is not the state of a device is none', (t) => {
  const { store } = openGateway(t);
  for (const state of ['null', '[]', '{}', '7', '{"id":"rig-1","tracks":[]}']) {
    store.saveDevice('rig-1', state);
    assert.throws(() => [...store.devices(readDevice)], code('store.corrupt'), state);
  }
});

test('store.unreadable: a folder in the place of the store is named, to who looks and to a start, and nothing of a disk', (t) => {
  const { dir, store } = openGateway(t);
  store[Symbol.dispose]();
  rmSync(join(dir, 'assayer.db'));
  mkdirSync(join(dir, 'assayer.db'));
  for (const opens of [() => Store.openReadOnly(dir), () => Store.open(dir)])
    assert.throws(opens, {
      code: 'store.unreadable',
      message: `${join(dir, 'assayer.db')} is a folder, where a file of the store has to be`,
      remedy: /move the folder away: the next start begins another log/,
    });
});

test('store.read-only: a store that may not be written stops the agent with a remedy', (t) => {
  if (process.getuid?.() !== 0) {
    const { dir, store } = openGateway(t);
    store[Symbol.dispose]();
    chmodSync(join(dir, 'assayer.db'), 0o400);
    assert.throws(() => restart(t, dir), code('store.read-only'));
    return;
  }
  // Root may write anything, so somebody else tries.
  const { dir, store } = openGateway(t);
  store[Symbol.dispose]();
  chmodSync(dir, 0o755);
  chmodSync(join(dir, 'assayer.db'), 0o644);
  chownSync(join(dir, 'assayer.lock'), 65534, 65534);
  const script = `process.setgid(65534); process.setuid(65534);
    const { Store } = await import(${JSON.stringify(join(import.meta.dirname, '../../agent/record/store.ts'))});
    try { const store = Store.open(process.argv[1]); store.transaction(() => store.saveMeta('a', 'b')); console.log('wrote'); }
    catch (error) { console.log(error.code); }`;
  const other = spawnSync(process.execPath, ['--input-type=module', '-e', script, dir], { encoding: 'utf8' });
  assert.equal(other.stdout, 'store.read-only\n', other.stderr);
});

test('store.replaced: into a file that another one replaced nothing more is written; what it held is kept, and spoils not the other', (t) => {
  const { dir, log, store } = openGateway(t);
  const file = join(dir, 'assayer.db');
  const older = join(dir, 'backup.db');
  {
    using looking = new DatabaseSync(file, { readOnly: true });
    looking.prepare('VACUUM INTO ?').run(older);
  }
  for (let made = 0; made < 300; made += 1) log.transaction((tx) => tx.append(anyStatement()));
  assert.equal(store.isThere(), true);
  renameSync(older, file);
  assert.equal(store.isThere(), false);
  assert.throws(() => log.transaction((tx) => tx.append(anyStatement())), code('store.replaced'));
  assert.equal(log.size(), 301);
  const kept = store.rescue();
  assert.equal(statSync(kept).mode & 0o777, 0o600);
  store[Symbol.dispose]();
  assert.equal(existsSync(`${file}-wal`), false, 'it would be taken for the end of the other file');
  {
    using next = Store.open(dir);
    assert.deepEqual([next.size(), next.isThere()], [1, true]);
  }
  renameSync(kept, file);
  using all = Store.open(dir);
  assert.equal(all.size(), 301);
});

for (const end of ['-wal', '-shm']) {
  test(`store.replaced: nothing more is written without ${end} either, and what was written is in the file once it is closed`, (t) => {
    const { dir, log, store } = openGateway(t);
    const file = join(dir, 'assayer.db');
    for (let made = 0; made < 10; made += 1) log.transaction((tx) => tx.append(anyStatement()));
    assert.equal(store.isThere(), true);
    rmSync(`${file}${end}`);
    assert.equal(store.isThere(), false);
    assert.throws(() => log.transaction((tx) => tx.append(anyStatement())), code('store.replaced'));
    const kept = store.rescue();
    store[Symbol.dispose]();
    for (const each of [file, kept]) {
      using db = new DatabaseSync(each, { readOnly: true });
      assert.equal(db.prepare('SELECT count(*) AS n FROM entries').get()?.n, 11);
    }
    using next = Store.open(dir);
    assert.deepEqual([next.size(), next.isThere()], [11, true]);
  });
}

test('what stands beside a store that was put back together with it is left as it is', (t) => {
  const { dir, store } = openGateway(t);
  const beside = join(dir, 'assayer.db-wal');
  for (const name of ['other', 'other-wal']) writeFileSync(join(dir, name), name);
  renameSync(join(dir, 'other'), join(dir, 'assayer.db'));
  renameSync(join(dir, 'other-wal'), beside);
  store[Symbol.dispose]();
  assert.equal(readFileSync(beside, 'utf8'), 'other-wal');
});
