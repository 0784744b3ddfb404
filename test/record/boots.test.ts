import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { earlierBoots, FORMER_BOOTS } from '../../agent/record/boots.ts';
import { openGateway, restart } from './gateway.ts';

test('the seeds of all starts are known, and a damaged start takes nothing from the others', (t) => {
  const { dir, store, log } = openGateway(t);
  store[Symbol.dispose]();
  const second = restart(t, dir);
  assert.deepEqual(earlierBoots(second.store), new Set([log.bootseed, second.log.bootseed]));
  {
    using db = new DatabaseSync(join(dir, 'assayer.db'));
    db.exec(
      "UPDATE entries SET message = CAST(replace(CAST(message AS TEXT), 'session', 'sessiom') AS BLOB) WHERE seq = 0",
    );
  }
  assert.deepEqual(earlierBoots(second.store), new Set([second.log.bootseed]));
});

test('a log that replaces another one still knows the starts of that', (t) => {
  const { store, log } = openGateway(t);
  store.saveMeta(FORMER_BOOTS, JSON.stringify(['Zm9ybWVy']));
  assert.deepEqual(earlierBoots(store), new Set(['Zm9ybWVy', log.bootseed]));
});
