import assert from 'node:assert/strict';
import { test } from 'node:test';
import { luxos } from '../../agent/drivers/luxos.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { JsonValue, Reply } from '../../agent/probe/capture.ts';
import type { Facts } from '../../shared/facts.ts';

const reply = (value: JsonValue): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

const STATUS = [
  { STATUS: 'S', When: 1_700_000_000, Code: 22, Msg: 'versions', Description: 'LUXminer 2024.1.2.3-abc' },
];

const factsOf = (values: { readonly [query: string]: JsonValue }): Facts => {
  const replies = new Map(Object.entries(values).map(([query, value]) => [query, reply(value)]));
  return normalise(luxos, { address: '192.0.2.1', observedAtMs: 0, replies }, 'full').facts;
};

test('a version that imitates another program is read from the description, and known by it', () => {
  const version = {
    STATUS,
    VERSION: [{ API: '3.7', BMMiner: '1.0.0', Miner: 'uart_trans.1.3', Type: 'Antminer S21' }],
  };
  assert.equal(luxos.recognise({ cgminer: new Map([['version', version]]), http: new Map() }), 3);
  const stats = { STATUS, STATS: [{ Type: 'Antminer S21' }, {}] };
  assert.equal(factsOf({ version, stats })['firmware.version'], '2024.1.2.3-abc');
});

test('of the open session nothing is read but that there is one', () => {
  for (const id of ['AbCdSpec', ' Qz7 ', '']) {
    const facts = factsOf({ session: { STATUS, SESSION: [{ SessionID: id }] } });
    assert.equal(facts['access.write_session'], id.trim() !== '');
    assert.ok(id.trim() === '' || !JSON.stringify(facts).includes(id.trim()));
  }
});

test('a share of a pool that never took one is not younger than the others', () => {
  const row = { URL: 'stratum+tcp://a.example:3333', User: 'a', 'Last Share Time': '00:00:05' };
  const rows = [
    { ...row, POOL: 0, Accepted: 3, 'Last Share Time': '00:01:00' },
    { ...row, POOL: 1, Accepted: 0 },
  ];
  assert.equal(factsOf({ pools: { STATUS, POOLS: rows } })['telemetry.last_share_age_s'], 60);
});

test('a preset is a setting only while ATM does not move it', () => {
  const config = (on: boolean) => ({ STATUS, CONFIG: [{ OS: 'LuxOS', IsAtmEnabled: on, Profile: '465MHz' }] });
  assert.equal(factsOf({ config: config(false) })['config.preset'], '465MHz');
  assert.equal(factsOf({ config: config(true) })['config.preset'], undefined);
});

test('whole quotas of groups are those of their slots; with a fraction among them slots have their parts of all work', () => {
  const partsOf = (...rows: readonly (readonly [group: JsonValue, quota: JsonValue])[]) => {
    const POOLS = rows.map(([GROUP, Quota], POOL) => ({
      URL: `stratum+tcp://p${POOL}.example:3333`,
      User: 'a',
      POOL,
      GROUP,
      Quota,
    }));
    return factsOf({ pools: { STATUS, POOLS } }).pools?.map(({ quota, share_ppm: share }) => [quota, share]);
  };
  const none = undefined;
  assert.deepEqual(partsOf([0, 2], [0, 2], [1, 1]), [
    [2, none],
    [2, none],
    [1, none],
  ]);
  assert.deepEqual(partsOf([0, 0.95], [0, 0.95], [1, 0.05]), [
    [none, 950_000],
    [none, 950_000],
    [none, 50_000],
  ]);
  assert.deepEqual(partsOf([0, 1], [1, 0.5]), [
    [none, 666_667],
    [none, 333_333],
  ]);
  // A row that tells no group, another quota than its group, or less than nothing: the parts of all would be others.
  assert.equal(partsOf([0, 0.95], [null, 0.05]), none);
  assert.equal(partsOf([0, 0.95], [0, 0.05]), none);
  assert.equal(partsOf([0, 1.5], [1, -0.5]), none);
});
