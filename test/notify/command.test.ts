import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { runCommand } from '../../agent/notify/command.ts';
import type { Outcome, Parcel } from '../../agent/notify/outcome.ts';
import { until } from '../publish/observer.ts';

const folder = mkdtempSync(join(tmpdir(), 'assayer-command-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let scripts = 0;
const script = (text: string): string => {
  const path = join(folder, `script-${scripts++}`);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
};

const parcel: Parcel = {
  delivery: 'msg_1',
  type: 'finding.open',
  body: '{"a":"b"}',
  environment: { ASSAYER_TEXT: 'high $(touch x); `id` "\'', ASSAYER_SEVERITY: 'high' },
};
const run = (
  command: readonly string[],
  { timeoutMs = 5000, signal = new AbortController().signal, body = parcel.body } = {},
): Promise<Outcome> => runCommand(command, { ...parcel, body }, { timeoutMs, signal });

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const failure = (outcome: Outcome) => {
  assert.equal(outcome.kind, 'failed', JSON.stringify(outcome));
  return outcome as Extract<Outcome, { kind: 'failed' }>;
};
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

suite('one command', () => {
  test('reads the notification from stdin, gets its words as they are, and no password of our environment', async () => {
    process.env.ASSAYER_TEST_PASSWORD = 'correct horse';
    const path = script(
      `cat > ${folder}/in; printf '%s|' "$@" > ${folder}/words; env > ${folder}/env; pwd >> ${folder}/env`,
    );
    const outcome = await run([path, 'a b', '$HOME', '; touch x']);
    delete process.env.ASSAYER_TEST_PASSWORD;
    assert.deepEqual(outcome, { kind: 'delivered', detail: 'exit code 0' });
    assert.equal(read('in'), '{"a":"b"}');
    assert.equal(read('words'), 'a b|$HOME|; touch x|');
    const names = read('env').split('\n');
    assert.ok(names.includes(`ASSAYER_TEXT=${parcel.environment.ASSAYER_TEXT}`) && names.includes('/'));
    assert.ok(names.some((line) => line.startsWith('PATH=')));
    assert.ok(!read('env').includes('correct horse'));
    assert.deepEqual([existsSync('/x'), existsSync(join(folder, 'x'))], [false, false]);
  });

  test('that does not read what it is given has not failed for that', async () => {
    assert.equal((await run([script('exit 0')], { body: 'x'.repeat(4_000_000) })).kind, 'delivered');
  });

  test('that ends with another code, by a signal, or cannot start, fails; what it wrote is kept for whoever tries it', async () => {
    const bad = failure(await run([script('echo to out; echo to err >&2; exit 3')]));
    assert.match(bad.message, /script-\d+ ended with exit code 3$/);
    assert.deepEqual((bad.output ?? '').trim().split('\n').sort(), ['to err', 'to out']);
    assert.match(failure(await run([script('kill -9 $$')])).message, /was ended by SIGKILL/);
    assert.match(failure(await run([join(folder, 'absent')])).message, /could not be started: ENOENT/);
  });

  test('that writes without end is read and its words are forgotten', async () => {
    const { output = '' } = failure(await run([script('head -c 3000000 /dev/zero | tr "\\0" y; exit 1')]));
    assert.equal(output.length, 4096);
  });

  test('that takes too long ends at the deadline, with all that it started', async () => {
    const path = script(
      `sleep 300 & echo $! > ${folder}/child; trap '' TERM; echo $$ > ${folder}/pid; while :; do sleep 300; done`,
    );
    const began = performance.now();
    const { message } = failure(await run([path], { timeoutMs: 400 }));
    assert.match(message, /ran longer than 0\.4 s and was ended/);
    assert.ok(performance.now() - began < 8000);
    const pids = [Number(read('pid')), Number(read('child'))];
    assert.ok(pids.every((pid) => pid > 1));
    await until('both are gone', () => !pids.some(isAlive));
  });

  test('that ends well and leaves something behind is done, and what it left ends, too', async () => {
    const began = performance.now();
    assert.equal((await run([script(`sleep 300 & echo $! > ${folder}/left`)])).kind, 'delivered');
    assert.ok(performance.now() - began < 4000, 'it was not waited for');
    await until('it is gone', () => !isAlive(Number(read('left'))));
  });

  test('is broken off when the agent ends', async () => {
    const leaving = new AbortController();
    const outcome = run([script('sleep 300')], { signal: leaving.signal });
    setTimeout(() => leaving.abort(), 200);
    assert.deepEqual(await outcome, { kind: 'stopped' });
    assert.deepEqual(await run([script('exit 0')], { signal: leaving.signal }), { kind: 'stopped' });
  });
});
