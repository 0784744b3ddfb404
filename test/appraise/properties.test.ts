import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FactName, Facts } from '../../shared/facts.ts';
import { type Answer, HOUR, honest, MINUTE, numbers, pools, T0, Watch } from './watch.ts';

/** The same answer with its members in another order, boards turned, and slots numbered past blank ones. */
const shuffled = (facts: Facts, order: readonly number[]): Facts => {
  const entries = Object.entries(facts)
    .map((entry, index) => ({ entry, at: order[index % order.length] ?? 0 }))
    .sort((a, b) => a.at - b.at)
    .map(({ entry }) => entry);
  const turned = Object.fromEntries(entries) as { -readonly [Name in FactName]?: Facts[Name] };
  const gap = (order[0] ?? 0) % 3;
  turned.pools = (facts.pools ?? []).map(({ slot, priority, user = '', url, active = false }, index) => ({
    active,
    priority,
    user,
    url,
    slot: index === 0 ? slot : slot + gap,
  }));
  turned['identity.hashboards'] = [...(facts['identity.hashboards'] ?? [])].sort((a, b) =>
    (order[1] ?? 0) % 2 === 0 ? a.localeCompare(b) : b.localeCompare(a),
  );
  return turned as Facts;
};

test('the order of reply members and boards, and blank slots, never change a finding (§6.3)', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { minLength: 3, maxLength: 30 }), fc.boolean(), (order, evil) => {
      const world = (nowMs: number): Facts =>
        honest(
          nowMs,
          evil && nowMs > T0 + 20 * MINUTE ? pools({ user: 'mallory.x' }, { url: 'stratum+tcp://x.example:1' }) : {},
        );
      const plain = new Watch().live(HOUR, (nowMs) => ({ facts: world(nowMs) }));
      const turned = new Watch().live(HOUR, (nowMs) => ({
        facts: shuffled(
          world(nowMs),
          order.map((n) => n + nowMs),
        ),
      }));
      assert.deepEqual(turned.said(), plain.said());
      assert.equal(plain.said().length, evil ? 2 : 0);
    }),
    { numRuns: 25 },
  );
});

/** A life with faults: some replies are late, cut or empty, some looks fail. */
const faulty =
  (seed: number, share: number, facts: (nowMs: number) => Facts) => (): ((nowMs: number) => Answer | undefined) => {
    const random = numbers(seed);
    return (nowMs) => {
      const answer = facts(nowMs);
      if (random() < share / 3) return undefined;
      const gaps: { [name: string]: 'timeout' | 'truncated' } = {};
      const emptied: { [name: string]: readonly never[] } = {};
      for (const name of Object.keys(answer)) {
        const fate = random();
        if (fate < share / 2) gaps[name] = 'timeout';
        else if (fate < share) gaps[name] = 'truncated';
        else if (fate < share * 1.2 && Array.isArray(answer[name as FactName])) emptied[name] = [];
      }
      return { facts: { ...answer, ...emptied }, gaps };
    };
  };

test('replaying the same answers with the same clock makes the same statements (§6.3)', () => {
  const world = (nowMs: number): Facts => honest(nowMs, (nowMs / MINUTE) % 40 > 25 ? pools({ user: 'mallory.x' }) : {});
  const life = faulty(11, 0.05, world);
  const one = new Watch().live(6 * HOUR, life());
  const two = new Watch().live(6 * HOUR, life());
  assert.ok(one.statements.length > 0);
  assert.deepEqual(two.statements, one.statements);
  assert.deepEqual(two.attestations, one.attestations);
});

test('twenty-four hours of benign life with 5 % timeouts, truncations and empty lists: nothing above info (§6.1)', () => {
  for (const seed of [1, 2, 3, 4]) {
    const watch = new Watch().live(24 * HOUR, faulty(seed, 0.05, (nowMs) => honest(nowMs))());
    assert.ok(watch.looks > 1440, `${watch.looks} looks`);
    assert.deepEqual(
      watch.statements.filter(({ severity }) => severity !== 'info'),
      [],
    );
    assert.ok(watch.attestations.length < 40, `${watch.attestations.length} attestations`);
  }
});

test('a theft in the middle of such a life is found within 120 s plus the looks that failed', () => {
  for (const seed of [5, 6, 7, 8]) {
    const changeMs = T0 + 3 * HOUR + 17_000;
    const world = (nowMs: number): Facts => honest(nowMs, nowMs >= changeMs ? pools({ user: 'mallory.x' }) : {});
    const watch = new Watch().live(4 * HOUR, faulty(seed, 0.05, world)());
    const [finding] = watch.opened('pool.user-changed');
    const seconds = (finding?.confirmedAt ?? Number.POSITIVE_INFINITY) - changeMs / 1000;
    assert.ok(seconds <= 180, `${seconds} s`);
  }
});
