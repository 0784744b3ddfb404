import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMPARISONS } from '../../agent/appraise/index.ts';
import { FACTS, type FactName, type Facts } from '../../shared/facts.ts';
import type { ExpectedValue } from '../../shared/terms.ts';
import { reference, under } from './standing.ts';
import { type Answer, HOUR, honest, MINUTE, POOLS, pools, SECOND, showing, T0, Watch } from './watch.ts';

/** Key classes of approved documents (catalogue §3), each seen through the engine. */

const watching = (values: readonly ExpectedValue[], scope?: object): Watch => {
  const watch = Watch.commissioned();
  watch.context = under(() => watch.nowMs, { references: [reference(7, values, scope)] });
  return watch;
};

const after = (values: readonly ExpectedValue[], changes: Facts, forMs = 40 * MINUTE): readonly string[] => {
  const watch = watching(values);
  watch.live(20 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), [], 'what is allowed raises nothing');
  watch.live(forMs, showing(changes));
  return watch.said();
};

test('exact: another value than the signed one is found, and the signed one is the before-value', () => {
  const watch = watching([{ fact: 'config.power_limit_w', class: 'exact', value: 3300 }]);
  watch.live(20 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), ['config.performance-changed open']);
  assert.deepEqual(watch.statements[0]?.before, [{ key: 'power_limit_w', value: 3300 }]);
  assert.equal(watch.attestations.at(-1)?.verdict.reference?.seqs.includes(7), true);
  assert.equal(watch.attestations.at(-1)?.verdict.reference?.approval, 'local');
});

test('set: any listed value will do, in any slot of a column', () => {
  const urls: ExpectedValue = {
    fact: 'pools.url',
    class: 'set',
    value: [...POOLS.map(({ url }) => url), 'stratum+tcp://ASIA.pool.example:3333/'],
  };
  assert.deepEqual(after([urls], pools({ url: 'stratum+tcp://asia.pool.example:3333' })), []);
  assert.deepEqual(after([urls], pools({ url: 'stratum+tcp://evil.example:3333' })), ['pool.url-changed open']);
});

test('band: a number wanders inside it without a finding; outside it is found after three looks over ten minutes', () => {
  const band: ExpectedValue = { fact: 'config.freq_mhz', class: 'band', value: { min: 500, max: 600 } };
  const watch = watching([band]);
  watch.live(2 * HOUR, (nowMs) => showing({ 'config.freq_mhz': 500 + (Math.floor(nowMs / MINUTE) % 100) })(nowMs));
  assert.deepEqual(watch.said(), []);
  const leftMs = watch.nowMs;
  watch.live(HOUR, showing({ 'config.freq_mhz': 650 }));
  assert.deepEqual(watch.said(), ['config.drift open']);
  const [finding] = watch.statements;
  assert.deepEqual(
    [finding?.before, finding?.after],
    [[{ key: 'freq_mhz', value: 600 }], [{ key: 'freq_mhz', value: 650 }]],
  );
  assert.ok((finding?.confirmedAt ?? 0) * 1000 - leftMs >= 10 * MINUTE);
});

test('schedule: the night profile is the reference at night, by local time; by day it is a change', () => {
  const night: ExpectedValue = {
    fact: 'config.power_limit_w',
    class: 'schedule',
    value: {
      zone: 'America/Chicago',
      slots: [{ from: '22:00', to: '06:00', value: 2500 }],
      otherwise: 3500,
    },
  };
  const atChicago = (nowMs: number): number =>
    Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO('America/Chicago').hour;
  const watch = watching([night]);
  watch.live(30 * HOUR, (nowMs) => {
    const hour = atChicago(nowMs);
    return showing({ 'config.power_limit_w': hour >= 22 || hour < 6 ? 2500 : 3500 })(nowMs);
  });
  assert.deepEqual(watch.said(), []);
  watch.live(HOUR, showing({ 'config.power_limit_w': 2500 }));
  assert.deepEqual(watch.said().at(-1), 'config.performance-changed open');
});

test('schedule: a device that follows it up to five minutes early or late is as approved; one that does not is found then', () => {
  const evening: ExpectedValue = {
    fact: 'config.power_limit_w',
    class: 'schedule',
    value: { zone: 'UTC', slots: [{ from: '14:00', to: '16:00', value: 2500 }], otherwise: 3500 },
  };
  const [from, to] = [T0 + 2 * HOUR, T0 + 4 * HOUR];
  const following = (earlyMs: number, lateMs: number) => (nowMs: number) =>
    showing({ 'config.power_limit_w': nowMs >= from - earlyMs && nowMs < to + lateMs ? 2500 : 3500 })(nowMs);
  const each = (answer: ReturnType<typeof following>) => {
    const watch = watching([evening]);
    watch.live(6 * HOUR, answer);
    return watch.statements.map(({ ruleId, state, firstObservedAt }) => [ruleId, state, firstObservedAt * 1000]);
  };
  assert.deepEqual(each(following(0, 0)), []);
  assert.deepEqual(each(following(-4 * MINUTE, 4 * MINUTE)), []);
  assert.deepEqual(each(following(4 * MINUTE, -4 * MINUTE)), []);
  const [[id, state, atMs] = []] = each(following(0, 2 * HOUR));
  assert.deepEqual([id, state], ['config.performance-changed', 'open']);
  assert.ok(Number(atMs) >= to + 5 * MINUTE && Number(atMs) <= to + 15 * MINUTE, 'at the first full look after that');
  const [[, , earlyMs] = []] = each(following(30 * MINUTE, 0));
  assert.ok(Number(earlyMs) <= from - 15 * MINUTE);
});

test('volatile: the fact is recorded and never compared; of a list by key only the named keys', () => {
  assert.deepEqual(after([{ fact: 'network.hostname', class: 'volatile' }], { 'network.hostname': 'other' }), []);
  const keys: ExpectedValue = { fact: 'config.other', class: 'volatile', value: ['log_level'] };
  const other = (led: string, level: string): Facts => ({
    'config.other': [
      { key: 'led', value: led },
      { key: 'log_level', value: level },
    ],
  });
  assert.deepEqual(after([keys], other('on', '7')), []);
  assert.deepEqual(after([keys], other('off', '7')), ['config.drift open']);
});

test('volatile on a column of the pools: whoever a slot works for is no finding, whichever place the pool moves to; the URL is', () => {
  const user: ExpectedValue = { fact: 'pools.user', class: 'volatile' };
  const others = pools({ user: 'mallory.a' }, { user: 'acme.other' }, { user: 'acme.rig0417' });
  assert.deepEqual(after([user], others), []);
  const [first, second, third] = POOLS;
  const swapped = [
    { ...first, url: second.url, user: 'x.1' },
    { ...second, url: first.url, user: 'x.2' },
    { ...third, user: 'x.3' },
  ];
  const moved = after([user], { pools: swapped });
  assert.deepEqual(
    moved.filter((said) => !said.startsWith('pool.failover-active')),
    ['pool.priority-changed open'],
  );
  assert.deepEqual(
    after([user], { pools: [...POOLS, { ...third, slot: 3, priority: 3, url: 'stratum+tcp://n.example:1' }] }),
    ['pool.slot-added open'],
  );
  assert.deepEqual(after([user], pools({ user: 'mallory.a', url: 'stratum+tcp://evil.example:3333' })), [
    'pool.url-changed open',
  ]);
  const order: ExpectedValue = { fact: 'pools.priority', class: 'volatile' };
  assert.deepEqual(after([order], pools({ priority: 1, active: false }, { priority: 0, active: true })), []);
  assert.deepEqual(
    after([{ fact: 'pools.url', class: 'volatile' }], pools({ url: 'stratum+tcp://evil.example:1' })),
    [],
  );
});

test('volatile on a column of the pools: the attestation cites what the pools were held against, not the document', () => {
  const watch = watching([{ fact: 'pools.user', class: 'volatile' }]);
  watch.live(20 * MINUTE, showing({}));
  watch.live(40 * MINUTE, showing(pools({ user: 'acme.other' })));
  assert.equal(watch.attestations.length > 0, true);
  for (const { verdict } of watch.attestations) assert.deepEqual(verdict.reference, { approval: 'local', seqs: [1] });
});

test('where a document tells the users only, the attestation cites what holds the URLs beside it', () => {
  const watch = watching([{ fact: 'pools.user', class: 'template', value: 'acme.*' }]);
  watch.live(20 * MINUTE, showing(pools({ url: 'stratum+tcp://evil.example:3333' })));
  const cited = watch.attestations.at(-1)?.verdict.reference;
  assert.deepEqual(cited, { approval: 'local', seqs: [1, 7] });
});

test('volatile: a change that nobody saw, in the dark, is none either', () => {
  const dark = (values: readonly ExpectedValue[]): readonly string[] => {
    const watch = watching(values);
    watch.live(20 * MINUTE, showing({}));
    watch.live(30 * MINUTE, () => undefined);
    watch.clear();
    watch.live(40 * MINUTE, showing(pools({ user: 'mallory.a' })));
    return watch.said().filter((said) => said.endsWith(' open'));
  };
  assert.deepEqual(dark([{ fact: 'pools.user', class: 'volatile' }]), []);
  assert.deepEqual(
    new Set(dark([{ fact: 'network.hostname', class: 'volatile' }])),
    new Set(['visibility.changed-while-dark open', 'pool.user-changed open']),
  );
});

test('template: a star in a URL stands for labels of its host, and never for a host before them', () => {
  const url: ExpectedValue = { fact: 'pools.url', class: 'template', value: 'stratum+tcp://*.example:3333' };
  const found = (changed: string): readonly string[] => {
    const watch = watching([url]);
    watch.live(3 * MINUTE, showing(pools({ url: changed })));
    return watch.said();
  };
  assert.deepEqual(found('stratum+tcp://asia.pool.example:3333'), []);
  for (const changed of [
    'stratum+tcp://203.0.113.66 .pool.example:3333',
    'stratum+tcp://203.0.113.66/.pool.example:3333',
    'stratum+tcp://203.0.113.66#.pool.example:3333',
    'stratum+tcp://203.0.113.66@eu.pool.example:3333',
    'stratum+tcp://203.0.113.66:25/.pool.example:3333',
  ])
    assert.deepEqual(found(changed), ['pool.url-changed open'], changed);
});

test('template: the worker follows the device; another account, or another worker, leaves it', () => {
  const values: ExpectedValue[] = [
    { fact: 'pools.user', class: 'set', value: ['acme.rig0417'], until_at: T0 / 1000 + 60 * 60 },
    { fact: 'pools.user', class: 'template', value: 'acme.{serial}' },
  ];
  const named = (user: string): Facts => pools({ user }, { user }, { user });
  assert.deepEqual(after(values, named('acme.JYZZ12345678')), []);
  assert.deepEqual([...new Set(after(values, named('mallory.JYZZ12345678')))], ['pool.user-changed open']);
  assert.deepEqual([...new Set(after(values, named('acme.other')))], ['pool.user-changed open']);
});

test('template: a field that the look does not tell is what was last known of it; only what was never read may be any text', () => {
  const fields: [FactName, string, string][] = [
    ['identity.mac', '{mac}.*', '021a2b3c4d5e.rig'],
    ['identity.serial', '{serial}.*', 'JYZZ12345678.rig'],
    ['network.hostname', 'acme.{hostname}', 'acme.miner-417'],
    ['identity.model', 'acme.{model}', 'acme.Antminer S21'],
  ];
  const named = (user: string): Facts => pools({ user }, { user }, { user });
  const telling =
    (facts: Facts, gap: FactName, reason?: 'absent' | 'timeout') =>
    (nowMs: number): Answer => ({ ...showing(facts)(nowMs), gaps: reason === undefined ? {} : { [gap]: reason } });
  for (const [fact, template, user] of fields)
    for (const reason of ['absent', 'timeout'] as const) {
      const watch = new Watch();
      watch.context = under(() => watch.nowMs, {
        references: [reference(7, [{ fact: 'pools.user', class: 'template', value: template }])],
      });
      watch.live(20 * MINUTE, telling(named(user), fact));
      watch.live(HOUR, telling(named(user), fact, reason));
      assert.deepEqual(watch.opened('pool.user-changed'), [], `${fact} ${reason}: what the template means`);
      watch.live(HOUR, telling(named('mallory.rig'), fact, reason));
      const slots = watch.opened('pool.user-changed').map(({ part, before }) => [part, before]);
      assert.equal(slots.length, 3, `${fact} ${reason}: ${JSON.stringify(watch.said())}`);
      const stranger = new Watch(watch.context);
      stranger.live(HOUR, telling(named(user.replace(/^(?:021a|JYZZ)\w+|[^.]+$/, 'any')), fact, reason));
      assert.deepEqual(stranger.opened('pool.user-changed'), [], `${fact} ${reason}: it was never read`);
    }
});

test('what a template expects and what was last seen are told as two things; what nobody saw has no time', () => {
  const watch = watching([{ fact: 'pools.user', class: 'template', value: 'acme.r2-*' }]);
  const seen = (user: string): Facts => pools({ user }, { user: 'acme.r2-b' }, { user: 'acme.r2-c' });
  watch.live(20 * MINUTE, showing(seen('acme.r2-7')));
  watch.clear();
  const leftS = watch.nowMs / 1000;
  watch.live(20 * MINUTE, showing(seen('thief.x')));
  const [theft] = watch.opened('pool.user-changed');
  assert.deepEqual([theft?.before, theft?.lastSeen, theft?.after], ['acme.r2-*', 'acme.r2-7', 'thief.x']);
  assert.ok((theft?.beforeAt ?? 0) < leftS && (theft?.beforeAt ?? 0) >= leftS - 60);
  const unlike = watching([{ fact: 'config.power_limit_w', class: 'exact', value: 3300 }]);
  unlike.live(20 * MINUTE, showing({}));
  const [never] = unlike.opened('config.performance-changed');
  assert.deepEqual(never?.before, [{ key: 'power_limit_w', value: 3300 }]);
  assert.deepEqual([never?.lastSeen, never?.beforeAt], [undefined, undefined], 'the device never showed it');
});

test('an item that ends while a firmware runs leaves it to what was accepted: another firmware is found', () => {
  const ending: ExpectedValue = { fact: 'firmware.version', class: 'exact', value: '2026.03.1' };
  const watch = watching([{ ...ending, until_at: T0 / 1000 + 5 * 60 + 35 }]);
  watch.live(5 * MINUTE, showing({}));
  watch.live(30 * MINUTE, showing({ 'firmware.version': '2026.09.9-rogue' }));
  assert.deepEqual(watch.said(), ['firmware.version-changed open']);
  assert.deepEqual(watch.statements[0]?.before, [{ key: 'version', value: '2026.03.1' }]);
  assert.equal(watch.statements[0]?.severity, 'high');
});

test('an old value beside the new one ends at its time', () => {
  const values: ExpectedValue[] = [
    { fact: 'config.power_limit_w', class: 'exact', value: 3500, until_at: T0 / 1000 + 60 * 60 },
    { fact: 'config.power_limit_w', class: 'exact', value: 3300 },
  ];
  const watch = watching(values);
  watch.live(50 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), []);
  watch.live(30 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), ['config.performance-changed open']);
  assert.ok((watch.statements[0]?.firstObservedAt ?? 0) >= T0 / 1000 + 3600);
});

test('a document whose values have all ended says nothing of the fact: what a wider one says, or was accepted, holds again', () => {
  const ending: ExpectedValue[] = [
    { fact: 'config.power_limit_w', class: 'exact', value: 3300, until_at: T0 / 1000 + 60 * 60 },
  ];
  const alone = watching(ending);
  alone.live(50 * MINUTE, showing({ 'config.power_limit_w': 3300 }));
  assert.deepEqual(alone.said(), []);
  alone.live(30 * MINUTE, showing({ 'config.power_limit_w': 3300 }));
  assert.deepEqual(alone.said(), ['config.performance-changed open']);
  assert.deepEqual(alone.statements[0]?.before, [{ key: 'power_limit_w', value: 3500 }]);
  const layered = Watch.commissioned();
  const wide = reference(8, [{ fact: 'config.power_limit_w', class: 'exact', value: 3000 }]);
  const close = reference(9, ending, { devices: ['rig'] });
  layered.context = under(() => layered.nowMs, { references: [wide, close] });
  layered.live(80 * MINUTE, showing({ 'config.power_limit_w': 3300 }));
  assert.deepEqual(layered.said(), ['config.performance-changed open']);
  assert.deepEqual(layered.statements[0]?.before, [{ key: 'power_limit_w', value: 3000 }]);
});

test('layers: the document that names a device more closely holds; then the newest', () => {
  const limit = (value: number): ExpectedValue[] => [{ fact: 'config.power_limit_w', class: 'exact', value }];
  const watch = Watch.commissioned();
  const site = reference(9, limit(3000));
  const group = reference(8, limit(3500), { labels: { site: 'tx1' } });
  const other = reference(10, limit(2000), { devices: ['another'] });
  watch.context = under(() => watch.nowMs, { references: [group, site, other] });
  watch.live(20 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), []);
  watch.context = under(() => watch.nowMs, {
    references: [group, site, reference(6, limit(2500), { devices: ['rig'] })],
  });
  watch.live(20 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), ['config.performance-changed open']);
});

test('what a document holds and a look could not read is not run, never found', () => {
  const watch = watching([{ fact: 'config.power_limit_w', class: 'exact', value: 3300 }]);
  for (let look = 0; look < 5; look += 1) {
    watch.nowMs += 10 * SECOND;
    watch.see('full', {}, { 'config.power_limit_w': 'timeout', 'config.mode': 'timeout' });
  }
  assert.deepEqual(watch.said(), []);
});

test('a document that comes into force is attested: the reference of the next attestation names it', () => {
  const watch = watching([{ fact: 'config.power_limit_w', class: 'set', value: [3500, 3300] }]);
  watch.live(16 * MINUTE, showing({}));
  assert.deepEqual(
    watch.attestations.map(({ trigger, verdict }) => [trigger, verdict.reference?.seqs.includes(7)]),
    [['change', true]],
  );
});

test('exact: whatever fact a document states, another value of it is found', () => {
  const further: Facts = {
    'firmware.kernel': 'Linux 4.19',
    'firmware.secure_boot': 'enabled',
    'access.default_login': 'refused',
  };
  const shown = showing(further);
  for (const fact of [
    'identity.make',
    'identity.model',
    'firmware.name',
    'firmware.kernel',
    'firmware.secure_boot',
    'access.default_login',
  ] as const) {
    const watch = new Watch();
    const value = honest(T0, further)[fact];
    watch.live(5 * MINUTE, shown);
    watch.clear();
    watch.context = under(() => watch.nowMs, {
      references: [reference(7, [{ fact, class: 'exact', value }])],
    });
    watch.live(HOUR, shown);
    assert.deepEqual(watch.said(), [], fact);
    watch.context = under(() => watch.nowMs, {
      references: [reference(8, [{ fact, class: 'exact', value: 'another' }])],
    });
    watch.live(HOUR, shown);
    assert.deepEqual(
      watch.statements.map(({ ruleId, severity, before, after }) => [ruleId, severity, before, after]),
      [['config.drift', 'medium', [{ key: fact, value: 'another' }], [{ key: fact, value }]]],
    );
  }
});

test('every fact that a document may hold to a value is one that some rule compares', () => {
  const compared = new Set(
    COMPARISONS.filter(({ against }) => against === 'reference').flatMap(({ reads, compares = [] }) => [
      ...reads,
      ...compares,
    ]),
  );
  const facts = (Object.keys(FACTS) as FactName[]).filter((name) => FACTS[name].class !== 'volatile');
  assert.deepEqual(
    facts.filter((name) => !compared.has(name)),
    [],
  );
});
