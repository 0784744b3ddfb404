import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { type Identified, measureIdentifications } from '../simulator/identifications.ts';
import { loadSpecimens } from '../specimens/specimen.ts';

/** One device is identified in at most three connections. */
const MOST_CONNECTIONS = 3;

/** A plain cgminer is asked all three questions that could tell another maker's and a fourth, as its looks are; and its closed web interface. */
const LEFT_OVER: ReadonlySet<string> = new Set(['cgminer']);

/** Nothing that is open tells which of two families these are. */
const NEED_LOGIN: ReadonlySet<string> = new Set(['volcminer/d1-web']);

describe('identification', () => {
  let measured: readonly Identified[];
  before(async () => {
    measured = await measureIdentifications(loadSpecimens());
  });

  for (const { family } of DRIVERS) {
    const most = MOST_CONNECTIONS + (LEFT_OVER.has(family) ? 1 : 0);
    test(`of ${family} takes at most ${most} connections`, () => {
      const own = measured.filter((one) => one.family === family);
      assert.ok(own.length > 0);
      for (const { specimen, found, connections, refused } of own) {
        const said = NEED_LOGIN.has(specimen) ? 'ambiguous' : family;
        assert.equal(found.kind === 'identified' ? found.driver.family : found.kind, said, specimen);
        assert.ok(connections >= 1 && connections <= most, `${specimen}: ${connections} connections`);
        const attempts = connections + refused - (LEFT_OVER.has(family) ? 1 : 0);
        assert.ok(attempts <= most, `${specimen}: ${connections} connections, ${refused} refused`);
      }
    });
  }
});
