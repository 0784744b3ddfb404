import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { poolSlotAdded } from '../../agent/appraise/rules/pool-slot-added.ts';
import { poolUrlChanged } from '../../agent/appraise/rules/pool-url-changed.ts';
import { poolUserChanged } from '../../agent/appraise/rules/pool-user-changed.ts';
import type { PoolSlot } from '../../shared/facts.ts';
import { MINUTE, POOLS, showing, Watch } from './watch.ts';

/** Lists of pools that are longer than the reference, and do not hold it in its order. */

const [A, B, C] = POOLS;
const THIEF = { url: 'stratum+tcp://evil.example:3333', user: 'dieb.x' };

type Pool = Pick<PoolSlot, 'url' | 'user' | 'proxy'>;

const listed = (...slots: readonly Pool[]): readonly PoolSlot[] =>
  slots.map(({ url, user, proxy }, slot) => ({
    slot,
    url,
    ...(user === undefined ? {} : { user }),
    ...(proxy === undefined ? {} : { proxy }),
    priority: slot,
  }));

const saidOf = (pools: readonly PoolSlot[]): readonly string[] => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing({ pools }));
  return watch.statements.map(({ ruleId, part = '', severity }) => `${ruleId} ${part} ${severity}`).sort();
};

test('pools: a theft in the stored list is told as that, also where the approved pool still runs, as a slot behind all others', () => {
  const stolen = ['pool.url-changed slot 0 high', 'pool.user-changed slot 0 critical'];
  assert.deepEqual(saidOf(listed(THIEF, B, C)), stolen);
  assert.deepEqual(saidOf(listed(THIEF, B, C, A)), stolen);
});

test('pools: what stands behind all others beside a changed slot is added where it is no pool of the reference, or one more', () => {
  const added = (...slots: readonly Pool[]) =>
    saidOf(listed(...slots)).filter((said) => said.startsWith('pool.slot-added'));
  assert.deepEqual(added(THIEF, B, C, { ...A, user: 'dieb.y' }), ['pool.slot-added slot 3 high']);
  assert.deepEqual(added(THIEF, B, C, { ...A, proxy: 'socks5://evil.example:1080' }), ['pool.slot-added slot 3 high']);
  assert.deepEqual(added(THIEF, B, C, A, A), ['pool.slot-added slot 4 high']);
  assert.deepEqual(added(THIEF, B, C, B), ['pool.slot-added slot 3 high']);
});

test('pool.priority-changed: is told beside a changed slot where the others are in another order', () => {
  const isTold = (pools: readonly PoolSlot[]) => saidOf(pools).some((said) => said.startsWith('pool.priority-changed'));
  assert.ok(!isTold(listed(THIEF, B, C, A)));
  assert.ok(isTold(listed(THIEF, C, B, A)));
  assert.ok(isTold(listed(THIEF, B, C, A).map((pool) => ({ ...pool, priority: pool.slot === 0 ? 9 : pool.slot }))));
});

test('whatever a list of pools becomes, each slot that is none of the reference is named', () => {
  const pool = fc.record(
    {
      url: fc.constantFrom(
        'stratum+tcp://a.example:3333',
        'stratum+tcp://b.example:3333',
        'stratum+tcp://c.example:3333',
      ),
      user: fc.constantFrom('acme.1', 'acme.2', 'dieb.1'),
      proxy: fc.constantFrom('socks5://p.example:1080', 'socks5://q.example:1080'),
    },
    { requiredKeys: ['url', 'user'] },
  );
  const list = fc.array(pool, { minLength: 1, maxLength: 5 }).map((slots) => listed(...slots));
  const textOf = ({ url, user, proxy }: PoolSlot): string => JSON.stringify([url, user, proxy]);
  let [named, longer] = [0, 0];
  fc.assert(
    fc.property(list, list, (before, after) => {
      const [observed, approved] = [{ pools: after }, { pools: before }];
      const told = [poolUrlChanged, poolUserChanged, poolSlotAdded].flatMap(({ appraise }) => {
        const deviations = appraise(observed as never, approved as never, { address: '10.0.0.1' } as never);
        return deviations === 'unknown' ? [] : deviations;
      });
      const known = new Set(before.map(textOf));
      for (const slot of after.filter((one) => !known.has(textOf(one)))) {
        const { proxy } = slot;
        const isNamed = told.some(
          ({ part = '', after: shown }) =>
            part === `slot ${slot.slot}` || (part.endsWith(' proxy') && (proxy === undefined || shown === proxy)),
        );
        assert.ok(isNamed, `${textOf(slot)} in slot ${slot.slot}`);
        named += 1;
        longer += after.length > before.length ? 1 : 0;
      }
    }),
    { numRuns: 5000 },
  );
  assert.ok(named > 1000 && longer > 300, `${named} ${longer}`);
});
