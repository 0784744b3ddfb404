import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LivePool } from '../../shared/facts.ts';
import { HOUR, MINUTE, pools, showing, Watch } from './watch.ts';

const SV2 = 'stratum2+tcp://v2.pool.example:3336/u95GEReVMjK6k5YqiSFNqqTnKU4ypU2Wm8awa6tmbmDmk1bWt';

/** A device that was learned with this first slot, and shows another one. */
const moved = (before: object, after: object, forMs = 3 * MINUTE): Watch => {
  const watch = new Watch();
  watch.live(2 * MINUTE, showing(pools(before)));
  watch.clear();
  return watch.live(forMs, showing(pools(after)));
};

test('pool.transport-downgraded: the TLS flag of a slot went from 1 to 0', () => {
  const watch = moved({ tls: true }, { tls: false });
  assert.deepEqual(watch.said(), ['pool.transport-downgraded open']);
  const [finding] = watch.statements;
  assert.equal(finding?.severity, 'medium');
  assert.equal(finding?.part, 'slot 0');
  const url = 'stratum+tcp://eu.pool.example:3333';
  assert.deepEqual(
    [finding?.before, finding?.after],
    [
      { url, transport: 'tls' },
      { url, transport: 'plaintext' },
    ],
  );
});

test('pool.transport-downgraded: a weaker scheme is this and another URL; a lost key of Stratum V2 too', () => {
  const scheme = moved({ url: 'stratum+ssl://eu.pool.example:3334' }, { url: 'stratum+tcp://eu.pool.example:3334' });
  assert.deepEqual([...scheme.said()].sort(), ['pool.transport-downgraded open', 'pool.url-changed open']);
  const key = moved({ url: SV2 }, { url: 'stratum2+tcp://v2.pool.example:3336' });
  assert.deepEqual([...key.said()].sort(), ['pool.transport-downgraded open', 'pool.url-changed open']);
});

test('pool.transport-downgraded: a stronger transport, a moved slot and an unknown one are none', () => {
  assert.deepEqual(moved({ tls: false }, { tls: true }, HOUR).said(), []);
  const stronger = moved({ url: 'stratum+tcp://eu.pool.example:3333' }, { url: SV2 });
  assert.deepEqual(stronger.said(), ['pool.url-changed open']);
  assert.deepEqual(moved({ tls: true }, {}, HOUR).opened('pool.transport-downgraded').length, 1);
  const bare = moved({ url: 'eu.pool.example:3333', tls: true }, { url: 'eu.pool.example:3333' }, HOUR);
  assert.deepEqual(bare.opened('pool.transport-downgraded'), []);
  const order = new Watch();
  const [safe, plain] = [{ tls: true }, { tls: false }];
  order.live(2 * MINUTE, showing(pools(safe, plain)));
  order.clear();
  const swapped = pools(
    { url: 'stratum+tcp://us.pool.example:3333', ...plain, active: false },
    { url: 'stratum+tcp://eu.pool.example:3333', ...safe, active: true },
  );
  order.live(3 * MINUTE, showing(swapped));
  assert.deepEqual(order.said(), ['pool.priority-changed open']);
});

const live = (host: string, active = true): { live_pools: readonly LivePool[] } => ({
  live_pools: [{ url: 'stratum+tcp://eu.pool.example:3333', user: 'acme.rig0417', active, host }],
});

test('pool.reconnect-redirect: a two-label pool domain that leads to another one is critical within 120 s', () => {
  const watch = new Watch();
  const at = (host: string) => showing({ ...pools({ url: 'stratum+tcp://pool.com:3333' }), ...live(host) });
  watch.live(20 * MINUTE, at('pool.com'));
  watch.clear();
  const changedMs = watch.nowMs;
  watch.live(3 * MINUTE, at('evil.com'));
  assert.deepEqual(watch.said(), ['pool.reconnect-redirect open']);
  const [finding] = watch.statements;
  assert.equal(finding?.severity, 'critical');
  assert.deepEqual([finding?.part, finding?.before, finding?.after], ['live 0', 'eu.pool.example', 'evil.com']);
  assert.ok((finding?.confirmedAt ?? 0) * 1000 - changedMs <= 120_000);
  watch.live(10 * MINUTE, at('pool.com'));
  assert.deepEqual(watch.said(), ['pool.reconnect-redirect open', 'pool.reconnect-redirect resolved']);
});

test('pool.reconnect-redirect: another host of the same domain, of a fail-over pool, a port, an idle row, a listed host: none', () => {
  for (const host of ['asia.pool.example', 'backup.example', 'EU.pool.example:3333', '']) {
    const watch = Watch.known();
    watch.live(20 * MINUTE, showing(live(host)));
    assert.deepEqual(watch.said(), [], host);
  }
  const idle = Watch.known();
  idle.live(20 * MINUTE, showing(live('evil.com', false)));
  assert.deepEqual(idle.said(), []);
  const allow = [{ url: '*.pool.example' }, { url: 'backup.example' }, { url: '*.brand.example' }];
  const listed = Watch.known({ allow });
  listed.live(20 * MINUTE, showing(live('eu.brand.example')));
  assert.deepEqual(listed.said(), []);
});

test('pool.reconnect-redirect: an address that ends like the domain of the pool, or like a listed host, is critical', () => {
  for (const host of ['203.0.113.66 .pool.example', 'evil.example\\.pool.example', '203.0.113.66;.brand.example']) {
    const watch = Watch.known({
      allow: [{ url: '*.pool.example' }, { url: 'backup.example' }, { url: '*.brand.example' }],
    });
    watch.live(20 * MINUTE, showing(live(host)));
    assert.deepEqual(watch.said(), ['pool.reconnect-redirect open'], host);
    assert.deepEqual(watch.statements[0]?.reasons, ['malformed-host'], host);
  }
});

test('pool.reconnect-redirect: an address in place of the name, and another private host, are critical', () => {
  const address = Watch.known();
  address.live(20 * MINUTE, showing(live('203.0.113.9')));
  assert.deepEqual(address.said(), ['pool.reconnect-redirect open']);
  const proxy = new Watch();
  const through = (host: string) =>
    showing({
      pools: [{ slot: 0, url: 'stratum+tcp://10.20.0.9:3333', user: 'acme.rig0417', priority: 0 }],
      live_pools: [{ url: 'stratum+tcp://10.20.0.9:3333', active: true, host }],
    });
  proxy.live(20 * MINUTE, through('10.20.0.9'));
  assert.deepEqual(proxy.said(), []);
  proxy.live(20 * MINUTE, through('10.20.0.66'));
  assert.deepEqual(proxy.said(), ['pool.reconnect-redirect open']);
});
