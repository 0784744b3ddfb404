import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { earlierBoots, keepBoot } from '../../agent/record/boots.ts';
import { openGateway, restart } from './gateway.ts';

test('the seeds of all starts are known, and a damaged start takes nothing from the others', (t) => {
  const { dir, store, log } = openGateway(t);
  store[Symbol.dispose]();
  const second = restart(t, dir);
  assert.deepEqual(earlierBoots(dir, second.store), new Set([log.bootseed, second.log.bootseed]));
  {
    using db = new DatabaseSync(join(dir, 'assayer.db'));
    db.exec(
      "UPDATE entries SET message = CAST(replace(CAST(message AS TEXT), 'session', 'sessiom') AS BLOB) WHERE seq = 0",
    );
  }
  assert.deepEqual(earlierBoots(dir, second.store), new Set([second.log.bootseed]));
});

test('seeds that stand beside the store are known without it, the newest 64; a damaged file is none', (t) => {
  const { dir, store, log } = openGateway(t);
  store[Symbol.dispose]();
  const seeds = Array.from({ length: 70 }, (_none, at) => `c2VlZA${at}`);
  for (const seed of [...seeds, seeds[69] ?? '']) keepBoot(dir, seed);
  assert.deepEqual([...earlierBoots(dir, undefined)], seeds.slice(6));
  const again = restart(t, dir);
  assert.ok(earlierBoots(dir, again.store).has(log.bootseed));
  for (const damaged of ['', '[1]', '{"a":1}', '["abc"']) {
    writeFileSync(join(dir, 'boots.json'), damaged);
    assert.deepEqual(earlierBoots(dir, undefined), new Set(), damaged);
  }
  keepBoot(dir, 'bmV3');
  assert.deepEqual(earlierBoots(dir, undefined), new Set(['bmV3']));
});
