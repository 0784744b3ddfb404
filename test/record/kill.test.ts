import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKey } from '../../agent/platform/keys.ts';
import { Store } from '../../agent/record/store.ts';
import { parseTrustedKeys } from '../../shared/keys.ts';
import { LogVerifier } from '../../shared/log-verifier.ts';
import { checkByHand } from './by-hand.ts';
import { restart, TestClock, tempDir } from './gateway.ts';

const APPENDER = join(import.meta.dirname, 'appender.ts');
const KILLS = 12;

/** Runs the appender, kills it some time after its first commit, gives the last `seq` it said was durable. */
const appendUntilKilled = async (dir: string, afterMs: number): Promise<number> => {
  const child = spawn(process.execPath, [APPENDER, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await once(child.stdout, 'data');
  await sleep(afterMs);
  child.kill('SIGKILL');
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL', 'it was still appending');
  return Number(said.trimEnd().split('\n').at(-1));
};

test('after kill -9 at any moment the log verifies and nothing that was committed is missing', {
  timeout: 60_000,
}, async (t) => {
  const dir = tempDir(t);
  const { jwk } = createKey(dir);
  let durable = -1;
  for (let kill = 0; kill < KILLS; kill += 1) {
    durable = await appendUntilKilled(dir, 5 + kill * 11);
    assert.equal(Store.lostFrom(dir), undefined, `kill ${kill}: nothing is damaged`);
    const store = Store.openReadOnly(dir);
    assert.ok(store.size() > durable, `kill ${kill}: entry ${durable} was committed, ${store.size()} are there`);
    store[Symbol.dispose]();
  }
  const { store } = restart(t, dir, new TestClock(Date.now()));
  const statements = checkByHand(
    store.entriesFrom(0, 1_000_000).map(({ message }) => message),
    jwk,
  );
  assert.ok(statements.length > durable + 1);
  const starts = statements.filter(({ session }) => session?.event === 'start');
  assert.deepEqual(
    starts.map(({ bootcount }) => bootcount),
    Array.from({ length: KILLS + 1 }, (_none, run) => run + 1),
  );
  const verifier = new LogVerifier({ keys: parseTrustedKeys(jwk), start: 'zero' });
  for (const { message, seq } of store.entriesFrom(0, 1_000_000)) {
    const [verdict] = verifier.accept(message);
    assert.equal(verdict?.status, 'chained', `entry ${seq}: ${verdict?.remarks[0]?.code}`);
  }
  t.diagnostic(`${KILLS} kills, ${statements.length} entries, none missing`);
});
