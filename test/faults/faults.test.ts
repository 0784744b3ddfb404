import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { FAULTS } from '../../scripts/faults/kinds.ts';
import type { Report } from '../../scripts/faults/report.ts';
import { WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { until } from '../publish/observer.ts';

const SCRIPT = join(import.meta.dirname, '..', '..', 'scripts', 'faults.ts');

/** A short run: as many faults as there are kinds, and a bounded time to catch up with them. */
const RUN = ['--seconds', '26', '--seed', '4', '--every', '1', '--devices', '20', '--patience', '180'];

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  out: string;
  err: string;
}

const faults = (words: readonly string[]): Running => {
  const child = spawn(process.execPath, [SCRIPT, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: home },
  });
  const running: Running = { child, ended: once(child, 'close').then(([code]) => code), out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    running.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    running.err += chunk;
  });
  return running;
};

/** Where the runs of these tests make their folders. */
const home = mkdtempSync(join(tmpdir(), 'assayer-test-faults-'));
after(() => rmdirSync(home));

const folders = (): readonly string[] => readdirSync(home);

/** What killed processes leave in the memory that they share. */
const leftByFaketime = (): readonly string[] => globSync('/dev/shm/*faketime*').sort();

/** Processes that are there now, with the words that started them and their process group. */
const processes = (): readonly { readonly words: string; readonly group: string }[] =>
  globSync('/proc/[0-9]*/stat').flatMap((file) => {
    try {
      // Behind the name in brackets: state, parent, group.
      const group = /.*\) \S+ \S+ (\d+)/s.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
      return [{ words: readFileSync(join(file, '../cmdline'), 'utf8'), group }];
    } catch {
      return [];
    }
  });

const counted = ({ faults: made }: Report): number => Object.values(made).reduce((sum, count) => sum + count, 0);

suite('npm run faults', { skip: WITHOUT_MOSQUITTO, timeout: 420_000 }, () => {
  test('whatever fails at whichever side, everything that was written is stored, byte for byte', async (t) => {
    const before = leftByFaketime();
    const run = faults([...RUN, '--json']);
    const code = await run.ended;
    assert.notEqual(run.out, '', run.err);
    const report = JSON.parse(run.out) as Report;
    const { ours, plain } = report;
    assert.deepEqual(report.problems, [], run.err);
    assert.equal(code, 0);
    assert.deepEqual([ours.lost, ours.differing, ours.foreign, ours.refused], [0, 0, 0, 0]);
    assert.equal(ours.stored, ours.written);
    assert.equal(report.restored, 2, run.err);
    assert.ok(ours.written > 100, `${ours.written} entries`);
    assert.ok(plain.written > 0 && plain.stored + plain.lost === plain.written);
    const skipped = report.skipped.map(({ kind }) => kind);
    const expected = FAULTS.map(({ kind }) => kind).filter((kind) => !skipped.includes(kind));
    assert.ok(counted(report) >= 15, `${counted(report)} faults`);
    assert.ok(Object.keys(report.faults).every((kind) => expected.some((one) => one === kind)));
    t.diagnostic(`${counted(report)} faults, ${ours.written} entries, ${ours.duplicates} duplicates dropped`);
    t.diagnostic(
      `longest catch-up ${ours.longest_catch_up_s} s; the plain client lost ${plain.lost} of ${plain.written}`,
    );
    assert.deepEqual(leftByFaketime(), before);
    assert.deepEqual(folders(), [], 'it removed what it had made');
    for (const { kind, reason } of report.skipped) await t.test(kind, { skip: reason }, () => {});
  });

  test('without namespaces it says what it leaves out, and makes the rest on the loopback', async () => {
    const before = leftByFaketime();
    const run = faults(['--seconds', '6', '--every', '0.8', '--devices', '5', '--loopback', '--seed', '2', '--json']);
    const code = await run.ended;
    assert.notEqual(run.out, '', run.err);
    const report = JSON.parse(run.out) as Report;
    assert.deepEqual([code, report.problems, report.isolated, report.ours.lost], [0, [], false, 0]);
    assert.deepEqual(leftByFaketime(), before);
    const skipped = report.skipped.map(({ kind }) => kind);
    for (const kind of ['agent-cut', 'collector-cut', 'packets-disturbed', 'broker-disk-full'] as const)
      assert.ok(skipped.includes(kind), kind);
    assert.ok(!skipped.includes('agent-killed') && !skipped.includes('agent-stalled') && counted(report) > 2);
  });

  test('an agent that trusts PUBACK loses entries, and the run says so', async () => {
    const words = [
      '--seconds',
      '16',
      '--every',
      '0.8',
      '--devices',
      '5',
      '--seed',
      '6',
      '--patience',
      '3',
      '--unconfirmed',
    ];
    const run = faults([...words, '--json']);
    const code = await run.ended;
    assert.notEqual(run.out, '', run.err);
    const { ours, problems } = JSON.parse(run.out) as Report;
    assert.ok(ours.lost > 0 && ours.stored + ours.lost === ours.written, run.out);
    assert.equal(code, 1);
    assert.match(problems.join(), /lost or not as they were written: \d/);
  });

  for (const words of [[], ['--loopback']]) {
    test(`Ctrl-C ends it in order and leaves nothing behind${words.map((word) => `, ${word}`).join('')}`, async () => {
      const run = faults(['--seconds', '60', '--devices', '5', ...words]);
      await until('a fault is made', () => /^ +\d+\.\d s /m.test(run.err), 60_000);
      const group = processes().find(({ words: each }) => each.includes(home))?.group;
      const own = () => processes().filter((each) => each.group === group);
      assert.ok(group !== undefined && own().length >= 5, `${own().length} processes`);
      run.child.kill('SIGINT');
      assert.equal(await run.ended, 130);
      await until('all have ended', () => own().length === 0);
      assert.deepEqual([folders(), run.out], [[], '']);
      assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(home));
    });
  }

  test('wrong words are refused', () => {
    for (const words of [
      ['--seconds', '0'],
      ['--seed', 'x'],
      ['--every', '0'],
      ['--only', 'agent-kiled'],
      ['--nothing'],
    ])
      assert.throws(() => execFileSync(process.execPath, [SCRIPT, ...words], { stdio: 'pipe' }), /error: /);
  });
});
