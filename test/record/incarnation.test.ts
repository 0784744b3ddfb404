import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createKey } from '../../agent/platform/keys.ts';
import { lastBegun, markBegun, nextOrigin } from '../../agent/record/incarnation.ts';
import { Log } from '../../agent/record/log.ts';
import { Store } from '../../agent/record/store.ts';
import { logOptions, TestClock, tempDir } from './gateway.ts';

test('an emptied store begins another log, never the same one again and never an older one (attestation.md §3)', (t) => {
  const dir = tempDir(t);
  createKey(dir);
  const begin = (clock: TestClock): string => {
    using store = Store.open(dir);
    const log = Log.open(logOptions(store, dir, clock, { former: lastBegun(dir)?.origin }));
    markBegun(dir, log.origin);
    return log.origin;
  };
  const empty = (): void => {
    for (const end of ['', '-wal', '-shm']) rmSync(join(dir, `assayer.db${end}`), { force: true });
  };
  const clock = new TestClock(1_795_000_000_000);
  assert.equal(begin(clock), 'example.org/tx1-gw3/1795000000');
  assert.equal(begin(clock), 'example.org/tx1-gw3/1795000000', 'a store that is there goes on');
  empty();
  clock.pass(500);
  assert.equal(begin(clock), 'example.org/tx1-gw3/1795000001');
  empty();
  assert.equal(begin(new TestClock(1_600_000_000_000)), 'example.org/tx1-gw3/1795000002', 'the clock was set back');
  empty();
  assert.equal(begin(new TestClock(1_800_000_000_000)), 'example.org/tx1-gw3/1800000000');
});

test('the origin of another gateway says nothing about this one', () => {
  assert.equal(nextOrigin('example.org/b', 1_000, 'example.org/a/99'), 'example.org/b/1');
  assert.equal(nextOrigin('example.org/b', 1_000, 'example.org/b/later'), 'example.org/b/1');
  assert.equal(nextOrigin('example.org/b', 1_000, undefined), 'example.org/b/1');
});

test('an origin is a safe integer: a mark that has none above it says nothing', () => {
  const most = Number.MAX_SAFE_INTEGER;
  assert.equal(nextOrigin('example.org/b', 1_000, `example.org/b/${most - 1}`), `example.org/b/${most}`);
  for (const mark of [`${most}`, '9007199254740992', '9999999999999999'])
    assert.equal(nextOrigin('example.org/b', 1_000, `example.org/b/${mark}`), 'example.org/b/1');
});

test('a mark that cannot be read still tells that a log was begun', (t) => {
  const dir = tempDir(t);
  assert.equal(lastBegun(dir), undefined);
  writeFileSync(join(dir, 'log.json'), '{"log":"examp');
  assert.deepEqual(lastBegun(dir), {});
  markBegun(dir, 'example.org/gw/5');
  assert.deepEqual(lastBegun(dir), { origin: 'example.org/gw/5' });
});
