import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { firstHeld, pruneBatch } from '../../agent/record/retention.ts';
import { pools } from '../appraise/watch.ts';
import { anyStatement, openGateway } from '../record/gateway.ts';
import { Recording } from '../record/recording.ts';
import { assayer, assertHarmless, configured, folder, lines } from './assayer.ts';

/** A gateway with two devices, of which one lost its pool to somebody with a taste for colours. */
const robbed = async (t: TestContext) => {
  const recording = new Recording(t, ['rig-1', 'rig-2']);
  await recording.learnAll();
  await recording.looks('rig-1', 2, pools({ user: 'thief\u001b[31m.x' }));
  recording.recorder.closePeriod();
  return { recording, cwd: recording.dir, file: configured(recording.dir, {}) };
};

test('log shows the newest entries, one line each: seq, time, kind, what', async (t) => {
  const { cwd } = await robbed(t);
  const said = await assayer(['log'], { cwd });
  assert.deepEqual([said.code, said.err], [0, '']);
  const [heading, ...rows] = lines(said.out);
  assert.match(heading ?? '', /^ +seq {2}time \(UTC\) +kind +what$/);
  assert.deepEqual(
    rows.map((row) =>
      row
        .trim()
        .replace(/ {2,}/g, ' | ')
        .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, 'time'),
    ),
    [
      '0 | time | session | start',
      '1 | time | attestation | rig-1: unbaselined (first)',
      '2 | time | attestation | rig-2: unbaselined (first)',
      '3 | time | baseline | learned: 2 devices',
      '4 | time | attestation | rig-1: deviation (change)',
      '5 | time | finding | rig-1: pool.user-changed slot 0 open, critical',
      '6 | time | coverage | 2 of 2 observed, 0 unreachable, 0 missed',
    ],
  );
  assertHarmless(said);
});

test('while a driver or firmware file is wrong the verbs that look at the store, or ask the agent, go on', async (t) => {
  const { recording, cwd } = await robbed(t);
  configured(cwd, { drivers: ['own.yaml'], firmware: { file: 'firmware.yaml' } });
  writeFileSync(join(cwd, 'own.yaml'), 'famly: own\n');
  const raw = await assayer(['log', '--raw'], { cwd });
  assert.deepEqual([raw.code, raw.err, lines(raw.out)], [0, '', recording.rawLog()]);
  const codeOf = async (words: string): Promise<number | null> => (await assayer(words.split(' '), { cwd })).code;
  for (const words of ['findings', 'findings show 5']) assert.equal(await codeOf(words), 1, words);
  const looking = [
    'status',
    'keys list',
    'plan list',
    'waiver list',
    'baseline show',
    'baseline export rig-2 --name r',
  ];
  for (const words of looking) assert.equal(await codeOf(words), 0, words);
  // No agent runs: what they would have asked it is another matter.
  for (const words of ['baseline diff', 'baseline show rig-1', 'baseline accept rig-1 --yes', 'findings ack 5'])
    assert.equal(await codeOf(words), 3, words);
  for (const words of ['check-config', 'doctor', 'run', 'lint', 'requests -c assayer.yaml'])
    assert.equal(await codeOf(words), 2, words);
});

test('log narrows by device, kind, number and seq', async (t) => {
  const { cwd } = await robbed(t);
  const shown = async (...words: readonly string[]): Promise<readonly number[]> => {
    const { code, out } = await assayer(['log', '--json', ...words], { cwd });
    assert.equal(code, 0);
    return out === '' ? [] : lines(out).map((line) => JSON.parse(line).seq);
  };
  assert.deepEqual(await shown(), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(await shown('-n', '2'), [5, 6]);
  assert.deepEqual(await shown('--from', '4'), [4, 5, 6]);
  assert.deepEqual(await shown('--from', '2', '-n', '2'), [2, 3]);
  assert.deepEqual(await shown('--device', 'rig-1'), [1, 4, 5]);
  assert.deepEqual(await shown('--kind', 'attestation'), [1, 2, 4]);
  assert.deepEqual(await shown('--kind', 'attestation', '--device', 'rig-1', '-n', '1'), [4]);
  assert.deepEqual(await shown('--device', 'rig-2', '--kind', 'finding'), []);
  assert.deepEqual(await shown('--all', '--from', '6'), [6]);
});

test('log --raw is the input of verify, byte for byte', async (t) => {
  const { cwd, recording } = await robbed(t);
  const raw = await assayer(['log', '--raw'], { cwd });
  assert.equal(raw.code, 0);
  assert.deepEqual(
    lines(raw.out).map((line) => JSON.parse(line)),
    recording.wholeLog(),
  );
  const verified = await assayer(['verify', '-', '--key', 'gateway.jwk.json'], { cwd, input: raw.out });
  assert.deepEqual([verified.code, verified.err], [0, '']);
  assert.match(verified.out, /^example\.org\/tx1-gw3\/\d+: verified up to 7 entries/m);
  assert.match(verified.out, /^7 messages: 7 chained/m);
  assert.match(verified.out, /\nOK\n$/);
  assert.doesNotMatch(verified.out, /begins at/);
  const rest = raw.out.split('\n').slice(3).join('\n');
  const middle = await assayer(['verify', '-', '--key', 'gateway.jwk.json'], { cwd, input: rest });
  assert.match(middle.out, /^example\.org\/tx1-gw3\/\d+: .*, begins at seq 3: nothing before it was given$/m);
  const json = await assayer(['verify', '-', '--key', 'gateway.jwk.json', '--json'], { cwd, input: rest });
  assert.equal(JSON.parse(json.out).logs[0].begins_at, 3);
});

test('issue 2: what log --raw prints of a log that retention went over verifies; --all has what was left alone, too', async (t) => {
  const { cwd, recording } = await robbed(t);
  const { store } = recording;
  const ranS = Math.floor(Date.now() / 1000) + 500 * 86_400;
  const keep = new Set([3]);
  pruneBatch(store, { ranS, days: 400, below: 5, keep, after: -1 });
  assert.equal(firstHeld(store), 5);
  const seqs = (out: string) => lines(out).map((line) => (JSON.parse(line) as { readonly seq: number }).seq);
  const raw = await assayer(['log', '--raw'], { cwd });
  assert.deepEqual([raw.code, seqs(raw.out)], [0, [5, 6]]);
  assert.match(raw.err, /^retention removed entries before 5; .*: --all has them\n$/);
  const verified = await assayer(['verify', '-', '--key', 'gateway.jwk.json'], { cwd, input: raw.out });
  assert.deepEqual([verified.code, verified.err], [0, '']);
  assert.match(verified.out, /, begins at seq 5: nothing before it was given$/m);
  const all = await assayer(['log', '--raw', '--all'], { cwd });
  assert.deepEqual([all.err, seqs(all.out)], ['', [3, 5, 6]]);
  const device = await assayer(['log', '--raw', '--kind', 'baseline'], { cwd });
  assert.deepEqual([device.err, seqs(device.out)], ['', [3]]);
});

test('a device that nobody knows is told, one without an entry is not', async (t) => {
  const { dir, store } = openGateway(t);
  configured(dir, {});
  store.saveDevice('rig-1', '{}');
  const { code, out, err } = await assayer(['log', '--device', 'rig-9'], { cwd: dir });
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /there is no device "rig-9"\n {2}remedy: assayer status lists the devices \[usage\.device\]/);
  assert.equal((await assayer(['log', '--device', 'rig-1'], { cwd: dir })).code, 0);
});

test('an output that takes nothing more ends the log with 3 and one problem', {
  skip: !existsSync('/dev/full'),
}, async (t) => {
  const { log, dir } = openGateway(t);
  const file = configured(dir, {});
  log.transaction((tx) => {
    for (let row = 0; row < 1000; row += 1) tx.append(anyStatement());
  });
  const main = join(import.meta.dirname, '..', '..', 'agent', 'main.ts');
  const full = openSync('/dev/full', 'w');
  t.after(() => closeSync(full));
  const { status, stderr } = spawnSync(process.execPath, [main, 'log', '--all', '-c', file], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.equal(status, 3, stderr);
  assert.match(stderr, /^assayer: cannot write the output: ENOSPC\n {2}remedy: .* \[output\.failed\]\n$/);
});

test('a kind and a number that are none are told', async (t) => {
  const { cwd } = await robbed(t);
  const kind = await assayer(['log', '--kind', 'atestation'], { cwd });
  assert.equal(kind.code, 2);
  assert.match(kind.err, /Allowed choices are .*attestation/);
  const number = await assayer(['log', '-n', '-3'], { cwd });
  assert.deepEqual([number.code, number.out], [2, '']);
  assert.match(number.err, /a whole number is needed/);
});

test('a log of several pages comes whole and in order', async (t) => {
  const { log, dir } = openGateway(t);
  configured(dir, {});
  for (let made = 0; made < 3; made += 1)
    log.transaction((tx) => {
      for (let row = 0; row < 400; row += 1) tx.append(anyStatement());
    });
  const { code, out } = await assayer(['log', '--json', '--all'], { cwd: dir });
  assert.equal(code, 0);
  assert.deepEqual(
    lines(out).map((line) => JSON.parse(line).seq),
    Array.from({ length: 1201 }, (_, at) => at),
  );
});

test('a reader that goes away, as head does, ends the log quietly', async (t) => {
  const { log, dir } = openGateway(t);
  const file = configured(dir, {});
  log.transaction((tx) => {
    for (let row = 0; row < 3000; row += 1) tx.append(anyStatement());
  });
  const main = join(import.meta.dirname, '..', '..', 'agent', 'main.ts');
  const script = `set -o pipefail; "${process.execPath}" "${main}" log --all -c "${file}" | head -n 2; echo "ended with $?"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', timeout: 30_000 });
  assert.equal(stderr, '');
  assert.match(stdout, /seq .*\n +0 .*\nended with 0\n$/);
});

test('where no agent ever ran there is nothing to show: 3, and what to do', async (t) => {
  const cwd = folder(t);
  configured(cwd, {});
  for (const verb of ['log', 'status', 'findings']) {
    const { code, out, err } = await assayer([verb], { cwd });
    assert.deepEqual([code, out], [3, ''], verb);
    assert.match(err, /there is no store at .*\n {2}remedy: start the agent first: assayer run \[store\.absent\]/);
  }
});

test('a store that is none is told, and not touched', async (t) => {
  const cwd = folder(t);
  configured(cwd, {});
  writeFileSync(join(cwd, 'assayer.db'), 'this is not a database, it only has the name of one\n'.repeat(100));
  const { code, err } = await assayer(['log'], { cwd });
  assert.equal(code, 3);
  assert.match(err, /is not a store .*\n {2}remedy: keep the file .*\[store\.corrupt\]/);
});
