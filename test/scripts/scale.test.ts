import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import type { Phase, Scale } from '../../scripts/scale/run.ts';
import { WITHOUT_POSTGRES } from '../collect/postgres-server.ts';
import { WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';

const SCRIPT = join(import.meta.dirname, '..', '..', 'scripts', 'scale.ts');
const FEW = ['--gateways', '4', '--devices', '5', '--entries', '400', '--spread', '0'];

/** Everything that is made while it runs is made here, and gone afterwards. */
const place = mkdtempSync(join(tmpdir(), 'assayer-scale-test-'));
// A PostgreSQL that root starts belongs to nobody.
chmodSync(place, 0o755);
after(() => rmSync(place, { recursive: true, force: true }));

const start = (words: readonly string[]) => {
  const env = { ...process.env, TMPDIR: place };
  const child = spawn(process.execPath, [SCRIPT, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env });
  return { child, out: text(child.stdout), err: text(child.stderr), ended: once(child, 'close') };
};

const scale = async (words: readonly string[]): Promise<Scale> => {
  const { out, err, ended } = start([...words, '--json']);
  const [code] = await ended;
  assert.equal(code, 0, `${await out}${await err}`);
  return JSON.parse(await out) as Scale;
};

/** Entries of a gateway before the outage: a start, a first look at five miners, what was learned. */
const BEGUN = 4 * (1 + 5 + 1);

const requireWhole = ({ phases, written, lost, alarms, verdicts, resent, store }: Scale): void => {
  const by = new Map(phases.map((phase): [string, Phase] => [phase.phase, phase]));
  assert.deepEqual([...by.keys()], ['first', 'outage', 'catch-up']);
  assert.deepEqual([lost, alarms, resent], [0, [], 0], store);
  assert.equal(by.get('first')?.entries, BEGUN);
  const backlog = by.get('outage')?.entries ?? 0;
  assert.ok(backlog >= 400, `${backlog} written`);
  assert.equal(by.get('catch-up')?.entries, backlog);
  assert.equal(verdicts.chained, backlog);
  assert.equal(written, BEGUN + backlog);
};

describe('npm run scale', { skip: WITHOUT_MOSQUITTO, timeout: 300_000 }, () => {
  test('few gateways and entries: all are stored, and what it cost is said', async () => {
    const result = await scale([...FEW, '--seconds', '0']);
    requireWhole(result);
    assert.equal(result.store, 'sqlite');
    const last = result.phases.at(-1);
    assert.ok(result.verify_alone_us > 0 && result.entry_bytes > 1_000);
    assert.ok((last?.ratio ?? 0) > 0 && (last?.collector_us ?? 0) > 0);
    for (const name of ['collector', 'broker', 'gateways']) {
      const memory = last?.memory_mb[name];
      assert.ok(memory !== undefined && memory.highest >= memory.median && memory.beginning > 0, name);
    }
    assert.deepEqual(readdirSync(place), []);
  });

  test('the same in PostgreSQL', { skip: WITHOUT_POSTGRES }, async () => {
    const result = await scale([...FEW, '--seconds', '0', '--postgres']);
    requireWhole(result);
    assert.equal(result.store, 'postgresql');
  });

  test('a fleet that lives and changes is told in a table', async () => {
    const { out, ended } = start([...FEW, '--seconds', '2', '--times', '1000', '--processes', '1']);
    assert.deepEqual(await ended, [0, null]);
    const said = await out;
    for (const phase of ['first', 'live', 'rollout', 'outage', 'catch-up'])
      assert.match(said, new RegExp(`│ ${phase} +│`));
    assert.match(said, /lost 0\n/);
  });

  test('Ctrl-C ends it with 130 and leaves nothing behind', async () => {
    const { child, out, err, ended } = start([...FEW, '--seconds', '0', '--entries', '1000000']);
    child.stderr?.on('data', (chunk) => {
      if (`${chunk}`.includes('outage')) child.kill('SIGINT');
    });
    assert.deepEqual(await ended, [130, null], await err);
    assert.equal(await out, '');
    assert.doesNotMatch(await err, /Error/);
    assert.deepEqual(readdirSync(place), []);
  });

  test('what makes no sense is refused with 2, and says why; help is no failure', async () => {
    const refused: readonly (readonly [words: readonly string[], why: RegExp])[] = [
      [['--gateways', '0'], /a whole number, 1 to 2000/],
      [['--gateway', '4'], /unknown option '--gateway'/],
      [['--entries'], /argument missing/],
      [['--binary', 'assayer', '--profile', place], /--profile is for sources/],
    ];
    for (const [words, why] of refused) {
      const { err, ended } = start(words);
      assert.deepEqual(await ended, [2, null], words.join(' '));
      assert.match(await err, why);
    }
    const { out, ended } = start(['--help']);
    assert.deepEqual(await ended, [0, null]);
    assert.match(await out, /--gateways <n>/);
  });
});
