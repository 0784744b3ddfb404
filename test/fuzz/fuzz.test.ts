import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { fuzzGuarded } from '../../scripts/fuzz/guarded.ts';
import { DRAWS } from '../../scripts/fuzz/mutations.ts';
import type { FuzzReport } from '../../scripts/fuzz/run.ts';
import { hasCaptures } from '../drivers/captured.ts';

/** Short runs of `npm run fuzz`: over the specimens, and over these and the captures. */
const RUNS = [
  { of: 'specimens', options: { count: 4000, seed: 20_261, captures: false } },
  { of: 'specimens and captures', options: { count: 6000, seed: 20_262, captures: true } },
];

for (const { of, options } of RUNS) {
  const skip = options.captures && !hasCaptures() ? 'no captures (ASSAYER_CAPTURES names their folder)' : false;
  describe(`damaged replies of ${of}`, { skip }, () => {
    let report: FuzzReport;
    before(async () => {
      report = await fuzzGuarded(options);
    });

    test('as many as were asked for, in every way, of every driver and every question', () => {
      assert.equal(report.mutations, options.count);
      assert.deepEqual(Object.keys(report.by_kind), ['truncate', ...Object.keys(DRAWS)].sort());
      assert.deepEqual(Object.keys(report.by_driver), DRIVERS.map(({ family }) => family).sort());
      assert.deepEqual(report.unanswered, []);
    });

    test('never give another pool, user or firmware, nor throw, hang, leak or fill the memory', () => {
      assert.deepEqual(report.failures, []);
    });

    test('are read where they can be, and unknown where not', () => {
      assert.ok((report.outcomes.same ?? 0) > options.count / 2);
      assert.ok((report.outcomes['not present: truncated'] ?? 0) > 0);
      assert.ok((report.outcomes['not present: unreadable'] ?? 0) > 0);
    });
  });
}

test('the same seed gives the same run, another one another', async () => {
  const given = async (seed: number) => {
    const { by_kind, outcomes, failures } = await fuzzGuarded({ count: 3000, seed, captures: false });
    return { by_kind, outcomes, failures };
  };
  assert.deepEqual(await given(1), await given(1));
  assert.notDeepEqual(await given(1), await given(2));
});

test('npm run fuzz prints one object with --json, and fails where nothing was damaged', () => {
  const fuzz = (...words: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, '../../scripts/fuzz.ts'), '--no-captures', ...words], {
      encoding: 'utf8',
    });
  const one = fuzz('--json', '--only', 'cgminer/cgminer pools truncate:100');
  assert.equal(one.status, 0, one.stderr);
  assert.equal((JSON.parse(one.stdout) as FuzzReport).mutations, 1);
  assert.equal(fuzz('--json', '--only', 'nobody/nothing').status, 1);
});
