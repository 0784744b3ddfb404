import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asicseer } from '../../agent/drivers/asicseer.ts';
import { blissz } from '../../agent/drivers/blissz.ts';
import type { Driver } from '../../agent/drivers/driver.ts';
import { fdminer } from '../../agent/drivers/fdminer.ts';
import { hiveon } from '../../agent/drivers/hiveon.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { mskminer } from '../../agent/drivers/mskminer.ts';
import type { JsonObject, JsonValue, NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply } from '../../agent/probe/reply.ts';
import type { PoolSlot } from '../../shared/facts.ts';

const replied = (value: JsonValue): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

const looked = (driver: Driver, given: { readonly [query: string]: JsonValue }): ReadonlyMap<string, Reply | NoReply> =>
  new Map(
    Object.keys(driver.queries).map((name) => {
      const value = given[name];
      return [name, value === undefined ? noReply('refused', 'no credentials') : replied(value)];
    }),
  );

const read = (driver: Driver, fact: keyof Driver['facts'], given: { readonly [query: string]: JsonValue }) =>
  driver.facts[fact]?.read(looked(driver, given));

const said = (Description: string) => ({ STATUS: [{ STATUS: 'S', When: 1_763_901_103, Description }], id: 1 });

const version = (row: JsonObject, description = 'bmminer 1.0.0') => ({ ...said(description), VERSION: [row] });

const surest = (reply: JsonValue): readonly string[] => {
  const clues = { cgminer: new Map([['version', reply]]), http: new Map<string, JsonValue>() };
  return DRIVERS.filter(({ recognise }) => recognise(clues) > 0).map(({ family }) => family);
};

const row = (POOL: number, URL: string, Priority: number, more: JsonObject = {}): JsonObject => ({
  POOL,
  URL,
  User: `worker.${POOL}`,
  Priority,
  Status: 'Alive',
  'Stratum Active': false,
  ...more,
});

const pools = (...POOLS: readonly JsonValue[]) => ({ pools: { ...said('bmminer 1.0.0'), POOLS } });

const UNREADABLE = { kind: 'unknown', reason: 'unreadable' };

describe('firmware of other makers on Antminers', () => {
  test('is told from that of Bitmain, and one from another, by what `version` says', () => {
    for (const [family, reply] of [
      ['antminer-stock', version({ BMMiner: '2.0.0', Type: 'Antminer S9', CompileTime: 'Fri Nov 17' })],
      ['hiveon', version({ BMMiner: '2.0.0 rwglr', Type: 'Antminer S9 Hiveon' })],
      ['mskminer', version({ CGMiner: '4.11.1 rwglr', Type: 'Antminer S19 v.2.6.1' })],
      ['blissz', version({ CGMiner: '4.10.0', Type: 'Antminer D3 Blissz v2.06 beta' })],
      ['chipless', version({ CGMiner: '4.9.0', Type: 'Antminer Z11', CompileTime: 'Chipless Thu Jun 20' })],
      ['asicseer', version({ BMMiner: '2.4.0-asicseer-1.1.9', Type: 'Antminer S9' })],
      ['fdminer', version({ BCFMiner: '2.4.2', Type: 'Antminer S19 XP' }, '')],
      ['fdminer', version({ BMMiner: '2503', Type: 'Antminer S19 XP' }, 'FDMiner 2503')],
    ] as const) {
      assert.deepEqual(surest(reply), [family]);
    }
  });

  test('is identified anew where the device goes back to that of Bitmain', () => {
    const stock = version({ BMMiner: '2.0.0', Type: 'Antminer S9' });
    for (const driver of [asicseer, blissz, fdminer, hiveon, mskminer]) {
      assert.equal(driver.stillSpeaks?.(looked(driver, { version: stock })), false, driver.family);
    }
    assert.equal(hiveon.stillSpeaks?.(looked(hiveon, pools(row(0, 'stratum+tcp://pool.example:1', 0)))), true);
    assert.equal(fdminer.stillSpeaks?.(looked(fdminer, pools(row(0, 'stratum+tcp://pool.example:1', 0)))), false);
  });

  test('is stayed with where only `stats` names it', () => {
    const stats = { ...said(''), STATS: [{ CGMiner: '4.10.0', Type: 'Antminer D3 Blissz v2.06 beta' }, { STATS: 0 }] };
    assert.equal(blissz.stillSpeaks?.(looked(blissz, { stats })), true);
  });
});

describe('the pools of a maker', () => {
  const own = row(0, 'stratum+tcp://pool.example:3333', 0);
  const fee = row(3, 'stratum+tcp://fee.example:3333', 9998);

  test('are no pools of the operator, even without one of those', () => {
    assert.deepEqual(read(blissz, 'pools', pools(fee)), UNREADABLE);
    assert.deepEqual(read(blissz, 'fee_pools', pools(own)), { kind: 'present', value: [] });
    assert.deepEqual(read(blissz, 'fee_pools', pools(own, fee)), {
      kind: 'present',
      value: [{ url: 'stratum+tcp://fee.example:3333', user: 'worker.3' }],
    });
  });

  test('are unknown where the list has a row that is none, or one that may be theirs', () => {
    for (const odd of ['row', { ...fee, Priority: 'last' }]) {
      for (const fact of ['pools', 'fee_pools'] as const) {
        const reading = read(blissz, fact, pools(own, fee, odd));
        assert.equal(reading?.kind === 'unknown' && reading.reason, 'unreadable', fact);
      }
    }
  });

  test('are masked by MSKMiner, whatever priority the row has', () => {
    for (const Priority of [998, 3]) {
      const masked = row(3, '*', Priority, { User: '*', 'Stratum Active': true });
      assert.deepEqual(read(mskminer, 'fee_pools', pools(own, masked)), {
        kind: 'present',
        value: [{ url: '*', user: '*' }],
      });
      const reading = read(mskminer, 'pools', pools(own, masked));
      assert.equal(reading?.kind === 'present' && Array.isArray(reading.value) && reading.value.length, 1);
    }
  });

  test("are not MSKMiner's where the row names its pool: whatever its priority, that is a slot", () => {
    const named = row(3, 'stratum+tcp://thief.example:3333', 998, { 'Stratum Active': true });
    const reading = read(mskminer, 'pools', pools(own, named));
    assert.equal(reading?.kind === 'present' && Array.isArray(reading.value) && reading.value.length, 2);
    assert.deepEqual(read(mskminer, 'fee_pools', pools(own, named)), { kind: 'present', value: [] });
  });

  test('have shares of their own: only those of the operator are counted, and the last of them is the last', () => {
    const idle = { Accepted: 4100, Rejected: 3, 'Last Share Time': '5:00:00', Diff: '65.5K' };
    const busy = { Accepted: 60, Rejected: 1, 'Last Share Time': '0:00:02', Diff: '131K', 'Stratum Active': true };
    const summary = { ...said('bmminer 1.0.0'), SUMMARY: [{ Elapsed: 72_000, Accepted: 4160, Rejected: 4 }] };
    const masked = row(3, '*', 998, { User: '*', ...busy });
    for (const [driver, its] of [
      [mskminer, masked],
      [blissz, { ...fee, ...busy }],
    ] as const) {
      const facts = [
        ['telemetry.accepted', { kind: 'present', value: 4100 }],
        ['telemetry.rejected', { kind: 'present', value: 3 }],
        ['telemetry.last_share_age_s', { kind: 'present', value: 18_000 }],
        ['telemetry.share_difficulty', { kind: 'absent' }],
      ] as const;
      for (const [fact, expected] of facts)
        assert.deepEqual(read(driver, fact, { ...pools({ ...own, ...idle }, its), summary }), expected, driver.family);
    }
  });
});

describe('the stored pools of MSKMiner', () => {
  const [own, other, thief] = ['pool', 'other', 'thief'].map((name) => `stratum+tcp://${name}.example:3333`);
  const running = pools(row(0, own ?? '', 0), row(3, '*', 998, { User: '*', 'Stratum Active': true }));
  const stored = (...list: readonly (string | undefined)[]) => ({
    miner_conf: { pools: list.map((url) => ({ url: url ?? '', user: url === '*' ? '*' : 'worker.0', pass: 'x' })) },
  });
  const urls = (info: JsonValue) => {
    const reading = read(mskminer, 'pools', { ...running, info });
    return reading?.kind === 'present' ? (reading.value as readonly PoolSlot[]).map(({ url }) => url) : reading;
  };

  test('are its slots, with what runs beside them and without the row of its maker', () => {
    assert.deepEqual(urls(stored(own, other)), [own, other]);
    assert.deepEqual(urls(stored(own, '', '*')), [own]);
    assert.deepEqual(urls(stored(thief, other)), [thief, other, own]);
  });

  test('are no list where one of them cannot be read; of firmware that does not tell them what runs stands in', () => {
    for (const miner_conf of ['x', { pools: 'x' }, { pools: [{ url: 7 }] }, { pools: [] }]) {
      const reading = read(mskminer, 'pools', { ...running, info: { miner_conf } });
      assert.ok(reading?.kind === 'unknown' && reading.reason === 'unreadable', JSON.stringify(miner_conf));
      assert.deepEqual(reading.toldPools?.length, 1);
    }
    for (const info of [{}, { miner_conf: null }, { miner_conf: {} }]) {
      assert.deepEqual(urls(info), [own]);
      const reading = read(mskminer, 'pools', { ...running, info });
      assert.equal(reading?.kind === 'present' && reading.standsIn, 'absent');
    }
  });
});

describe('asicseer', () => {
  test('shows where the machine mines only where one of its rows is active', () => {
    const hidden = row(0, 'stratum+tcp://pool.example:3333', 3);
    assert.deepEqual(read(asicseer, 'live_pools', pools(hidden)), UNREADABLE);
    const shown = { ...hidden, 'Stratum Active': true };
    assert.equal(read(asicseer, 'live_pools', pools(shown))?.kind, 'present');
  });
});

describe('FDMiner', () => {
  test('has rows of `devs` as an object or as a list', () => {
    for (const DEVS of [{ '': { 'MHS 5s': 92_000_000 } }, [{ 'MHS 5s': 92_000_000 }]]) {
      assert.deepEqual(read(fdminer, 'telemetry.hashrate_hs', { devs: { ...said('BCFMiner 2.4.2'), DEVS } }), {
        kind: 'present',
        value: 92_000_000_000_000,
      });
    }
  });

  test('the MAC address of MSKMiner is that of one place of its web document, and no other text', () => {
    const macIn = (info: JsonValue) => read(mskminer, 'identity.mac', { info });
    const found = { kind: 'present', value: '02:4d:53:00:00:19' };
    assert.deepEqual(macIn({ network_info: { result: { macaddr: '02:4D:53:00:00:19' } } }), found);
    assert.deepEqual(macIn({ network_info: { result: {} } }), { kind: 'absent' });
    assert.deepEqual(macIn({ macaddr: '02:4D:53:00:00:19' }), UNREADABLE);
    assert.deepEqual(macIn({ network_info: { result: { macaddr: 'eth0' } } }), UNREADABLE);
  });
});
