import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExpectedValue } from '../../shared/terms.ts';
import { reference, under } from './standing.ts';
import { MINUTE, POOLS, pools, showing, Watch } from './watch.ts';

const OURS = 'socks5://proxy.site.example:1080';
const THIEF = 'socks5://thief.example:1080';
const LIST = [{ url: '*.pool.example' }, { url: 'backup.example' }, { url: 'proxy.site.example:1080' }];

const found = (watch: Watch, id: string) =>
  watch
    .opened(id)
    .map(({ part, before, after, severity, reasons = [] }) => ({ part, before, after, severity, reasons }));

test('pool.url-changed: a proxy that comes in front of a pool is a change of where its work goes', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing(pools({}, { proxy: THIEF })));
  assert.deepEqual(watch.said(), ['pool.url-changed open']);
  assert.deepEqual(found(watch, 'pool.url-changed'), [
    { part: 'slot 1 proxy', before: undefined, after: THIEF, severity: 'high', reasons: [] },
  ]);
});

test('pool.url-changed: a proxy that goes, or is another one, is found, and its return ends that', () => {
  const watch = new Watch();
  const proxied = showing(pools({ proxy: OURS }));
  watch.live(10 * MINUTE, proxied);
  watch.clear();
  watch.live(3 * MINUTE, showing(pools({})));
  assert.deepEqual(found(watch, 'pool.url-changed'), [
    { part: 'slot 0 proxy', before: OURS, after: undefined, severity: 'high', reasons: [] },
  ]);
  watch.live(20 * MINUTE, proxied);
  assert.equal(watch.said().at(-1), 'pool.url-changed resolved');
  watch.clear();
  watch.live(3 * MINUTE, showing(pools({ proxy: 'socks5://two.site.example:1080' })));
  assert.deepEqual(found(watch, 'pool.url-changed'), [
    {
      part: 'slot 0 proxy',
      before: OURS,
      after: 'socks5://two.site.example:1080',
      severity: 'medium',
      reasons: ['same-domain'],
    },
  ]);
});

test('pool.url-changed: pools that change places keep their proxies', () => {
  const watch = new Watch();
  const [first, second, third] = pools({ proxy: OURS }).pools ?? [];
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  watch.live(10 * MINUTE, showing({ pools: [first, second, third] }));
  watch.clear();
  watch.live(
    3 * MINUTE,
    showing({ pools: [{ ...second, slot: 0, priority: 0 }, { ...first, slot: 1, priority: 1 }, third] }),
  );
  assert.deepEqual(watch.said(), ['pool.priority-changed open']);
});

test('pool.slot-added: the proxy of the added pool is told with it', () => {
  const watch = Watch.known();
  const more = { slot: 3, url: 'stratum+tcp://us.pool.example:443', priority: 3, proxy: THIEF };
  watch.live(3 * MINUTE, showing({ pools: [...POOLS, more] }));
  assert.deepEqual(watch.opened('pool.slot-added')[0]?.after, { url: more.url, proxy: THIEF });
});

test('pool.outside-allowlist: a proxy that is on no line is found at first sight, one that is on the list is not', () => {
  const watch = new Watch({ allow: LIST });
  watch.live(3 * MINUTE, showing(pools({ proxy: OURS }, { proxy: THIEF })));
  assert.deepEqual(found(watch, 'pool.outside-allowlist'), [
    {
      part: 'slot 1 proxy',
      before: undefined,
      after: { url: THIEF, nearest: LIST[2] },
      severity: 'high',
      reasons: ['not-listed', 'proxy'],
    },
  ]);
});

test('pool.outside-allowlist: a proxy in front of a pool that only runs is judged, too', () => {
  const watch = new Watch({ allow: LIST });
  watch.live(
    3 * MINUTE,
    showing({ live_pools: [{ url: 'stratum+tcp://eu.pool.example:3333', active: true, proxy: THIEF }] }),
  );
  assert.deepEqual(
    watch.opened('pool.outside-allowlist').map(({ part }) => part),
    ['live 0 proxy'],
  );
});

test('tenant.hash-destination-breach: the tenant works through a proxy that is none of its list', () => {
  const allow = LIST.slice(0, 2);
  const watch = new Watch({ tenancy: { tenant: 'acme', allow }, allow });
  watch.state = { ...watch.state, labels: { tenant: 'acme' } };
  watch.live(3 * MINUTE, showing(pools({ proxy: THIEF }, { proxy: THIEF })));
  assert.deepEqual(
    watch.opened('tenant.hash-destination-breach').map(({ part, severity, reasons }) => ({ part, severity, reasons })),
    [{ part: 'acme slot 0 proxy', severity: 'critical', reasons: ['proxy'] }],
  );
});

test('a document holds the proxies: the column pools.proxy, and the slots as a whole', () => {
  const { pools: proxied = [] } = pools({ proxy: OURS }, { proxy: OURS }, { proxy: OURS });
  const whole = proxied.map(({ slot, url, user, proxy }) => ({ slot, url, user, proxy }));
  const documents: readonly (readonly [ExpectedValue, string[]])[] = [
    [{ fact: 'pools.proxy', class: 'exact', value: 'SOCKS5://Proxy.Site.Example:1080' }, []],
    [{ fact: 'pools.proxy', class: 'set', value: ['', OURS] }, []],
    [{ fact: 'pools.proxy', class: 'template', value: 'socks5://*.site.example:1080' }, []],
    [{ fact: 'pools.proxy', class: 'volatile' }, []],
    [{ fact: 'pools.proxy', class: 'exact', value: '' }, ['slot 0 proxy', 'slot 1 proxy', 'slot 2 proxy']],
    [{ fact: 'pools', class: 'exact', value: whole }, []],
    [
      { fact: 'pools', class: 'exact', value: whole.map(({ proxy: _, ...slot }) => slot) },
      ['slot 0 proxy', 'slot 1 proxy', 'slot 2 proxy'],
    ],
  ];
  for (const [value, parts] of documents) {
    const watch = Watch.commissioned();
    watch.context = under(() => watch.nowMs, { references: [reference(7, [value])] });
    watch.live(3 * MINUTE, showing(pools({ proxy: OURS }, { proxy: OURS }, { proxy: OURS })));
    assert.deepEqual(
      watch.opened('pool.url-changed').map(({ part }) => part),
      parts,
      JSON.stringify(value),
    );
  }
});
