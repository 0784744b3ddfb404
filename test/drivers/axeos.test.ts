import assert from 'node:assert/strict';
import test from 'node:test';
import { axeos } from '../../agent/drivers/axeos.ts';
import type { JsonObject, NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply } from '../../agent/probe/reply.ts';
import type { PoolSlot } from '../../shared/facts.ts';

const replied = (value: JsonObject): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

const read = (fact: keyof typeof axeos.facts, replies: { [query: string]: Reply | NoReply }) =>
  axeos.facts[fact]?.read(new Map(Object.entries(replies)));

const INFO = { ASICModel: 'BM1370', stratumURL: 'north.pool.example', stratumPort: 3333, stratumUser: 'acme.a' };

const ELSEWHERE = noReply('unreadable', 'redirected to "/"', { elsewhere: true });
const MISSING = noReply('unsupported', 'HTTP 404');

/** The questions of a full look at a device that gives these answers and serves nothing else. */
const askedOf = (documents: { readonly [query: string]: Reply | NoReply }, others: NoReply): readonly string[] => {
  const replies = new Map<string, Reply | NoReply>();
  const asked: string[] = [];
  for (const [name, query] of Object.entries(axeos.queries)) {
    assert.ok(query.kind === 'http');
    if (query.unless?.(replies) === true) continue;
    asked.push(name);
    replies.set(name, documents[name] ?? others);
  }
  return asked;
};

test('one question at each pools round, and only GETs of fixed paths', () => {
  const queries = Object.values(axeos.queries);
  assert.equal(queries.filter(({ cadence }) => cadence === 'pools').length, 1);
  assert.ok(queries.every((query) => query.kind === 'http' && !query.path.includes('scan')));
});

test('2.1 tells fan speed from fan percentage by the case of one letter', () => {
  const fans = read('telemetry.fans_rpm', { info: replied({ ...INFO, fanSpeed: 4210, fanspeed: 60 }) });
  assert.deepEqual(fans, { kind: 'present', value: [4210] });
});

test('an info without any pool member is unreadable, never a miner without pools', () => {
  const pools = read('pools', { info: replied({ ASICModel: 'BM1370', version: 'v2.8.0' }) });
  assert.deepEqual(pools, { kind: 'unknown', reason: 'unreadable' });
});

test('a landing page in place of a document means that the firmware does not serve it', () => {
  const model = read('identity.model', {
    info: replied({ ...INFO, boardVersion: '601' }),
    asic: ELSEWHERE,
    v2_system: MISSING,
    v2_settings: noReply('unreadable', 'HTML instead of JSON', { elsewhere: true }),
  });
  assert.deepEqual(model, { kind: 'present', value: '601' });
});

test('a document that was late leaves the model unknown, so that board and model do not take turns', () => {
  const model = read('identity.model', {
    info: replied({ ...INFO, boardVersion: '601' }),
    asic: noReply('timeout', 'test'),
    v2_system: noReply('unsupported', 'HTTP 404'),
    v2_settings: noReply('unsupported', 'HTTP 404'),
  });
  assert.deepEqual(model, { kind: 'unknown', reason: 'timeout' });
});

test('a document that came damaged, or an error of the server, leaves the model unknown as well', () => {
  for (const detail of ['not JSON', 'HTTP 500']) {
    const asic = noReply('unreadable', detail);
    const model = read('identity.model', {
      info: replied({ ...INFO, boardVersion: '601' }),
      asic,
      v2_system: MISSING,
      v2_settings: MISSING,
    });
    assert.deepEqual(model, { kind: 'unknown', reason: 'unreadable' }, detail);
  }
});

test('a full look asks a Bitaxe for two documents, whatever it does about the others', () => {
  for (const others of [ELSEWHERE, MISSING]) {
    assert.deepEqual(askedOf({ info: replied(INFO), asic: replied({ deviceModel: 'Gamma' }) }, others), [
      'info',
      'asic',
    ]);
    assert.deepEqual(askedOf({ info: replied(INFO) }, others), ['info', 'asic']);
  }
});

test('a full look asks a Nerd board for API v2 once, and further only where it has one', () => {
  const info = replied({ ...INFO, deviceModel: 'NerdQAxe+' });
  for (const others of [ELSEWHERE, MISSING]) assert.deepEqual(askedOf({ info }, others), ['info', 'v2_system']);
  const served = replied({ deviceModel: 'NerdQAxe+' });
  const all = ['info', 'v2_system', 'v2_settings', 'v2_dashboard'];
  assert.deepEqual(askedOf({ info, v2_system: served, v2_settings: served, v2_dashboard: served }, MISSING), all);
  assert.deepEqual(askedOf({ info, v2_system: noReply('timeout', 'test') }, MISSING), all);
});

test('an info that is missing or was lost leaves every question open', () => {
  const v2_system = replied({ deviceModel: 'NerdQAxe+' });
  for (const info of [MISSING, noReply('timeout', 'test')]) {
    assert.deepEqual(askedOf({ info, v2_system }, MISSING), Object.keys(axeos.queries));
  }
});

test('settings of API v2 stand in for an info that is gone, never for one that was late', () => {
  const v2_settings = replied({ pools: [{ url: 'north.pool.example', port: 3333, user: 'acme.a', tls: false }, {}] });
  const gone = read('pools', { info: noReply('unsupported', 'HTTP 404'), v2_settings });
  assert.deepEqual(gone, {
    kind: 'present',
    value: [{ slot: 0, url: 'north.pool.example:3333', user: 'acme.a', priority: 0, tls: false }],
  });
  const late = read('pools', { info: noReply('timeout', 'test'), v2_settings });
  assert.deepEqual(late, { kind: 'unknown', reason: 'timeout' });
});

test('TLS with a certificate of its own is TLS', () => {
  const pools = read('pools', { info: replied({ ...INFO, stratumTLS: 2 }) });
  assert.deepEqual(pools, {
    kind: 'present',
    value: [
      { slot: 0, url: 'stratum+ssl://north.pool.example:3333', user: 'acme.a', priority: 0, tls: true, active: true },
    ],
  });
});

const SECOND = { ...INFO, stratumProtocol: 'SV2', stratumPort: 34254 };

const urlsOf = (info: JsonObject) => {
  const pools = read('pools', { info: replied(info) });
  return pools?.kind === 'present' ? (pools.value as readonly PoolSlot[]).map(({ url }) => url) : pools;
};

const UNREADABLE = { kind: 'unknown', reason: 'unreadable' };

test('the key of a Stratum V2 pool is the path of its URL, in every generation', () => {
  const keyed = { ...SECOND, stratumV2AuthorityPubkey: '9ownerKey' };
  assert.deepEqual(urlsOf(keyed), ['stratum2+tcp://north.pool.example:34254/9ownerKey']);
  assert.deepEqual(urlsOf({ ...INFO, pools: [{ id: 0, ...keyed }], primaryPoolIndex: 0, secondaryPoolIndex: 0 }), [
    'stratum2+tcp://north.pool.example:34254/9ownerKey',
  ]);
  assert.deepEqual(
    urlsOf({
      ...INFO,
      fallbackStratumURL: '2001:db8::7',
      fallbackStratumPort: 34254,
      fallbackStratumProtocol: 'SV2',
      fallbackStratumV2AuthorityPubkey: '9otherKey',
    }),
    ['north.pool.example:3333', 'stratum2+tcp://[2001:db8::7]:34254/9otherKey'],
  );
  const pool = { url: 'north.pool.example', port: 34254, protocol: 1, sv2AuthorityPubkey: '9ownerKey' };
  const settings = read('pools', { info: MISSING, v2_settings: replied({ pools: [pool] }) });
  assert.ok(settings?.kind === 'present');
  assert.equal((settings.value as readonly PoolSlot[])[0]?.url, 'stratum2+tcp://north.pool.example:34254/9ownerKey');
});

test('a key that is blank, or of a pool that does not speak Stratum V2, says nothing; one that is no text leaves the pools unknown', () => {
  assert.deepEqual(urlsOf({ ...SECOND, stratumV2AuthorityPubkey: '' }), ['stratum2+tcp://north.pool.example:34254']);
  assert.deepEqual(urlsOf({ ...INFO, stratumV2AuthorityPubkey: '9ownerKey' }), ['north.pool.example:3333']);
  assert.deepEqual(urlsOf({ ...SECOND, stratumV2AuthorityPubkey: 9 }), UNREADABLE);
});

test('a fallback that is blank is no slot, also while the device still mines on what was in it', () => {
  for (const isUsingFallbackStratum of [0, 1])
    assert.deepEqual(
      urlsOf({ ...INFO, fallbackStratumURL: '', fallbackStratumUser: 'acme.a', isUsingFallbackStratum }),
      ['north.pool.example:3333'],
    );
});

test('TLS and protocol are the same quoted or not, and any other word leaves the pools unknown', () => {
  for (const [stratumTLS, url] of [
    [1, 'stratum+ssl://north.pool.example:3333'],
    ['1', 'stratum+ssl://north.pool.example:3333'],
    [true, 'stratum+ssl://north.pool.example:3333'],
    ['true', 'stratum+ssl://north.pool.example:3333'],
    ['2', 'stratum+ssl://north.pool.example:3333'],
    ['0', 'north.pool.example:3333'],
    ['false', 'north.pool.example:3333'],
  ] as const)
    assert.deepEqual(urlsOf({ ...INFO, stratumTLS }), [url], String(stratumTLS));
  for (const stratumTLS of [null, '', 3, -1, 0.5, 'yes', 'TLS'])
    assert.deepEqual(urlsOf({ ...INFO, stratumTLS }), UNREADABLE, String(stratumTLS));
  for (const stratumProtocol of ['SV2', 1, '1'])
    assert.deepEqual(urlsOf({ ...SECOND, stratumProtocol }), ['stratum2+tcp://north.pool.example:34254']);
  for (const stratumProtocol of ['SV1', 0, '0'])
    assert.deepEqual(urlsOf({ ...SECOND, stratumProtocol }), ['north.pool.example:34254']);
  for (const stratumProtocol of [null, '', 'sv2', 'SV3', 2, true])
    assert.deepEqual(urlsOf({ ...SECOND, stratumProtocol }), UNREADABLE, String(stratumProtocol));
});

test('a host that is no text leaves the pools unknown, and a slot without a host says nothing of its transport', () => {
  assert.deepEqual(urlsOf({ ...INFO, fallbackStratumURL: 7 }), UNREADABLE);
  assert.deepEqual(urlsOf({ ...INFO, fallbackStratumURL: '', fallbackStratumTLS: null }), ['north.pool.example:3333']);
});

test('the certificate that a pool is held to is a setting, `none` where it is not in force', () => {
  const settingsOf = (info: JsonObject) => read('config.other', { info: replied(info) });
  const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
  const held = { ...INFO, stratumTLS: 2, stratumCert: certificate, fallbackStratumTLS: 0, fallbackStratumCert: '' };
  assert.deepEqual(settingsOf(held), {
    kind: 'present',
    value: [
      { key: 'fallbackStratumCert', value: 'none' },
      { key: 'stratumCert', value: certificate },
    ],
  });
  for (const info of [
    { ...INFO, stratumTLS: 1, stratumCert: certificate },
    { ...INFO, stratumTLS: '2', stratumCert: '' },
    { ...INFO, stratumCert: certificate },
    { ...INFO, stratumTLS: 1 },
    { ...INFO, stratumTLS: 2 },
  ])
    assert.deepEqual(settingsOf(info), { kind: 'present', value: [{ key: 'stratumCert', value: 'none' }] });
  assert.deepEqual(settingsOf({ ...INFO, pools: [{ id: 4, ...held }] }), {
    kind: 'present',
    value: [{ key: 'pool.4.stratumCert', value: certificate }],
  });
  for (const info of [INFO, { ...INFO, stratumTLS: true }]) assert.deepEqual(settingsOf(info), { kind: 'absent' });
  for (const damage of [
    { stratumTLS: 'x' },
    { stratumCert: 5 },
    { stratumCert: null },
    { pools: [{ ...held, id: 'x' }] },
  ])
    assert.deepEqual(settingsOf({ ...held, ...damage }), UNREADABLE, JSON.stringify(damage));
});

test('stored pools that wait have the order of their ids, in whatever order the list has them', () => {
  const stored = [5, 3, 9, 0].map((id) => ({ id, stratumURL: `p${id}.pool.example`, stratumPort: 3333 }));
  const ranks = (pools: readonly JsonObject[]) => {
    const reading = read('pools', { info: replied({ ...INFO, pools, primaryPoolIndex: 3, secondaryPoolIndex: 9 }) });
    assert.ok(reading?.kind === 'present');
    return (reading.value as readonly PoolSlot[]).map(({ slot, priority }) => [slot, priority]);
  };
  assert.deepEqual(ranks(stored), [
    [0, 2],
    [3, 0],
    [5, 4],
    [9, 1],
  ]);
  assert.deepEqual(ranks(stored.toReversed()), ranks(stored));
});

test('writes count as closed only while a one-time code is asked for', () => {
  const settings = (otp: boolean) => ({ info: replied(INFO), v2_settings: replied({ otp }) });
  assert.deepEqual(read('access.api_write', settings(true)), { kind: 'present', value: false });
  assert.deepEqual(read('access.api_write', settings(false)), { kind: 'present', value: true });
});

test('faults are named while there are any: overheat mode, and the texts of the two faults', () => {
  assert.deepEqual(read('telemetry.faults', { info: replied({ ...INFO, overheat_mode: 0 }) }), { kind: 'absent' });
  assert.deepEqual(
    read('telemetry.faults', { info: replied({ ...INFO, overheat_mode: 1, power_fault: 'TPS546 input low' }) }),
    { kind: 'present', value: ['overheat', 'TPS546 input low'] },
  );
  assert.deepEqual(read('telemetry.faults', { info: replied({ ...INFO, overheat_mode: 'x' }) }), {
    kind: 'unknown',
    reason: 'unreadable',
  });
});

const sharesOf = (replies: { [query: string]: Reply }) => {
  const pools = read('pools', replies);
  return pools?.kind === 'present' ? (pools.value as readonly PoolSlot[]).map(({ share_ppm }) => share_ppm) : pools;
};

test('two pools that are mined on at once carry the split, wherever it stands', () => {
  const both = { ...INFO, fallbackStratumURL: 'south.pool.example', fallbackStratumPort: 3333 };
  const split = (stratum: JsonObject) => sharesOf({ info: replied({ ...both, stratum }) });
  for (const [stratum, shares] of [
    [{ poolMode: 1, activePoolMode: 1, poolBalance: 60 }, [600_000, 400_000]],
    [{ poolMode: 1, poolBalance: 0 }, [0, 1_000_000]],
    [{ poolMode: 0, activePoolMode: 1, poolBalance: 1 }, [10_000, 990_000]],
    // So the firmware takes it.
    [{ poolMode: 1, poolBalance: 250 }, [1_000_000, 0]],
    [{ poolMode: 0, activePoolMode: 0, poolBalance: 60 }, [undefined, undefined]],
    [{ poolMode: 1 }, [undefined, undefined]],
    [{}, [undefined, undefined]],
  ] as const)
    assert.deepEqual(split(stratum), shares, JSON.stringify(stratum));
  const pools = [{ url: 'north.pool.example' }, { url: 'south.pool.example' }];
  const v2_settings = replied({ poolMode: 1, poolBalance: 60, pools });
  assert.deepEqual(read('pools', { info: MISSING, v2_settings }), {
    kind: 'present',
    value: [
      { slot: 0, url: 'north.pool.example', priority: 0, share_ppm: 600_000 },
      { slot: 1, url: 'south.pool.example', priority: 1, share_ppm: 400_000 },
    ],
  });
});

test('pools whose split cannot be read are unknown, and told all the same', () => {
  for (const stratum of [
    'x',
    { poolMode: 'x' },
    { poolMode: 0, activePoolMode: 'x' },
    { poolMode: 1, poolBalance: 'x' },
    { poolMode: 1, poolBalance: -1 },
  ]) {
    const pools = read('pools', { info: replied({ ...INFO, stratum }) });
    assert.ok(pools?.kind === 'unknown' && pools.reason === 'unreadable', JSON.stringify(stratum));
    assert.deepEqual(
      pools.toldPools?.map(({ url }) => url),
      ['north.pool.example:3333'],
    );
  }
});

test('the key of a Stratum V2 pool is read as a NerdQAxe calls it, too', () => {
  const fallback = { fallbackStratumURL: 'south.pool.example', fallbackStratumPort: 34254, fallbackStratumProtocol: 1 };
  const keys = { sv2AuthorityPubkey: '9ownerKey', fallbackSv2AuthorityPubkey: '9otherKey' };
  assert.deepEqual(urlsOf({ ...SECOND, stratumProtocol: 1, ...fallback, ...keys }), [
    'stratum2+tcp://north.pool.example:34254/9ownerKey',
    'stratum2+tcp://south.pool.example:34254/9otherKey',
  ]);
});

test('settings of API v2 stand beside those of info where info does not tell them, and a lost document leaves all unknown', () => {
  const pool = { url: 'north.pool.example', protocol: 1, sv2AuthorityPubkey: '' };
  const v2_settings = replied({ jobInterval: 9, invertFanPolarity: 1, stratumKeep: 1, pools: [pool, {}] });
  const settingsOf = (info: JsonObject, settings: Reply | NoReply = v2_settings) =>
    read('config.other', { info: replied({ ...INFO, ...info }), v2_settings: settings });
  const ofInfo = { jobInterval: 1200, invertfanpolarity: true, stratum: { poolMode: 0, poolBalance: 60 } };
  const told = [
    { key: 'invertfanpolarity', value: 'true' },
    { key: 'jobInterval', value: '1200' },
  ];
  const [mode, keep] = [
    { key: 'poolMode', value: '0' },
    { key: 'stratumKeep', value: '1' },
  ];
  assert.deepEqual(settingsOf(ofInfo), {
    kind: 'present',
    value: [
      ...told,
      { key: 'pool.0.protocol', value: '1' },
      { key: 'pool.0.sv2AuthorityPubkey', value: 'none' },
      mode,
      keep,
    ],
  });
  const allTold = { ...ofInfo, stratumProtocol: 1, fallbackStratumProtocol: 0, sv2AuthorityPubkey: '' };
  assert.deepEqual(settingsOf(allTold), { kind: 'present', value: [...told, mode, keep] });
  for (const none of [MISSING, ELSEWHERE])
    assert.deepEqual(settingsOf(ofInfo, none), { kind: 'present', value: [...told, mode] });
  assert.deepEqual(settingsOf(ofInfo, noReply('timeout', 'late')), { kind: 'unknown', reason: 'timeout' });
  assert.deepEqual(settingsOf(ofInfo, noReply('refused', 'log-in')), { kind: 'unknown', reason: 'refused' });
  assert.deepEqual(settingsOf(ofInfo, replied({ pools: [{ protocol: {} }] })), UNREADABLE);
});
