import assert from 'node:assert/strict';
import { test } from 'node:test';
import { braiins } from '../../agent/drivers/braiins.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { Observation } from '../../agent/normalise/observation.ts';
import type { JsonValue, NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply } from '../../agent/probe/reply.ts';

const reply = (value: JsonValue): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });
const REFUSED = noReply('refused', 'test');
const NOT_SERVED = noReply('unsupported', 'HTTP 404');

/** The three questions of a pools look. */
const look = (stored: JsonValue | NoReply, graph: JsonValue | NoReply, running: JsonValue | NoReply): Observation => {
  const asReply = (value: JsonValue | NoReply) =>
    typeof value === 'object' && value !== null && 'kind' in value ? (value as NoReply) : reply(value as JsonValue);
  const replies = new Map([
    ['stored', asReply(stored)],
    ['gql_pools', asReply(graph)],
    ['pools', asReply(running)],
  ]);
  return normalise(braiins, { address: '192.0.2.1', observedAtMs: 0, replies }, 'pools');
};

const NORTH = 'stratum+tcp://north.example:3333';
const SOUTH = 'stratum+tcp://south.example:3333';
const KEYED = 'stratum2+tcp://v2.example:3336/9auqKey';

const group = (strategy: JsonValue, ...urls: readonly string[]) => ({
  name: urls.join(),
  strategy,
  pools: urls.map((url) => ({ url, user: 'a.w', enabled: true, alive: true, active: url === urls[0] })),
});
const quota = (value: number) => ({ quota: { value } });

const row = (url: string, slot: number) => ({
  POOL: slot,
  URL: url,
  User: 'a.w',
  Priority: slot,
  Quota: 1,
  Status: 'Alive',
  'Stratum Active': slot === 0,
});
const running = (...urls: readonly string[]) => ({ POOLS: urls.map(row) });

const urlsOf = ({ facts }: Observation) => facts.pools?.map(({ slot, url }) => `${slot} ${url}`);

test('a pool that was set through port 4028 is a slot behind the stored ones', () => {
  const seen = look([group(quota(1), NORTH)], NOT_SERVED, running(NORTH, 'stratum+tcp://thief.example:3333'));
  assert.deepEqual(urlsOf(seen), [`0 ${NORTH}`, '1 stratum+tcp://thief.example:3333']);
  assert.equal(seen.standIns.size, 0);
});

test('slots of several groups are counted through, each with the quota or the fixed share of its group', () => {
  const fixed = { fixed_share_ratio: { value: 0.25 } };
  const seen = look([group(quota(3), NORTH, SOUTH), group(fixed, KEYED)], NOT_SERVED, running(NORTH, SOUTH, KEYED));
  assert.deepEqual(
    seen.facts.pools?.map((slot) => [slot.slot, slot.quota, slot.share_ppm]),
    [
      [0, 3, undefined],
      [1, 3, undefined],
      [2, undefined, 250_000],
    ],
  );
});

test('a running pool without its key is the stored one of that address; with another key it is another pool', () => {
  const bare = look([group(quota(1), KEYED)], NOT_SERVED, running('stratum2+tcp://v2.example:3336'));
  assert.deepEqual(urlsOf(bare), [`0 ${KEYED}`]);
  const other = look([group(quota(1), KEYED)], NOT_SERVED, running('stratum2+tcp://v2.example:3336/9bOther'));
  assert.deepEqual(urlsOf(other), [`0 ${KEYED}`, '1 stratum2+tcp://v2.example:3336/9bOther']);
});

const graph = (groups: JsonValue, poolGroups: JsonValue) => ({
  data: { bosminer: { config: { groups }, info: { poolGroups } } },
});
const stored = [{ id: '0', pools: [{ url: NORTH, user: 'a.w' }], strategy: { quota: 2 } }];
const runs = [{ name: 'd', pools: [{ url: NORTH, user: 'a.w', status: 'DEAD', active: true }] }];

test('where REST refuses, GraphQL lists the stored pools, and nothing stands in', () => {
  const seen = look(REFUSED, graph(stored, runs), noReply('unreachable', 'test', { dark: true }));
  assert.deepEqual(seen.facts.pools, [
    { slot: 0, url: NORTH, user: 'a.w', priority: 0, quota: 2, status: 'Dead', active: true },
  ]);
  assert.equal(seen.standIns.size, 0);
});

test('a pool that runs and is not stored is a slot behind the stored ones, also where GraphQL alone tells it', () => {
  const thief = { url: NORTH, user: 'thief.w', status: 'ALIVE', active: true };
  const closed = noReply('unreachable', 'test', { dark: true });
  const seen = look(REFUSED, graph(stored, [{ name: 'd', pools: [thief] }]), closed);
  assert.deepEqual(
    seen.facts.pools?.map(({ slot, user, active }) => [slot, user, active]),
    [
      [0, 'a.w', undefined],
      [1, 'thief.w', true],
    ],
  );
});

test('GraphQL tells the fixed share of a group, too', () => {
  const hosting = { id: '1', pools: [{ url: SOUTH, user: 'host.w' }], strategy: { fixedShareRatio: 0.98 } };
  const seen = look(NOT_SERVED, graph([...stored, hosting], []), running(NORTH, SOUTH));
  assert.deepEqual(seen.facts.pools?.map((slot) => [slot.url, slot.quota, slot.share_ppm]).slice(0, 2), [
    [NORTH, 2, undefined],
    [SOUTH, undefined, 980_000],
  ]);
});

test('where both refuse, port 4028 stands in', () => {
  const seen = look(REFUSED, NOT_SERVED, running(SOUTH));
  assert.deepEqual(urlsOf(seen), [`0 ${SOUTH}`]);
  assert.equal(seen.standIns.get('pools'), 'refused');
  const denied = look(REFUSED, { data: null, errors: [{ message: 'Unauthorized' }] }, running(SOUTH));
  assert.equal(denied.standIns.get('pools'), 'refused');
});

test('a stored list that was lost or emptied on its way is unknown, whatever runs', () => {
  const late = noReply('timeout', 'test');
  for (const [rest, gql] of [
    [late, NOT_SERVED],
    [[], NOT_SERVED],
    [[{ name: 'x', pools: [{ user: 'a' }] }], NOT_SERVED],
    [NOT_SERVED, late],
    [NOT_SERVED, graph([], runs)],
    [NOT_SERVED, graph([], [])],
    [NOT_SERVED, graph([{ id: '0', poolz: [], strategy: { quota: 2 } }], runs)],
    [NOT_SERVED, graph([{ ...stored[0], strategy: { quotb: 2 } }], runs)],
    [NOT_SERVED, { data: { bosminer: { config: { groupt: stored }, info: { poolGroups: runs } } } }],
    [[group({ quotb: { value: 1 } }, NORTH)], NOT_SERVED],
    [[group({ fixed_share_ratio: {} }, NORTH)], NOT_SERVED],
    [[group({ fixed_share_ratio: { value: 'much' } }, NORTH)], NOT_SERVED],
    [NOT_SERVED, { data: null, errors: [{ message: 'something else' }] }],
  ] as const) {
    const seen = look(rest, gql, running(NORTH));
    assert.equal(seen.facts.pools, undefined, JSON.stringify([rest, gql]));
  }
});

test('a schema without the members, as of a program without GraphQL, leaves what runs', () => {
  const lacking = { data: null, errors: [{ message: 'Unknown field "groups" on type "BosminerConfig"' }] };
  const seen = look(NOT_SERVED, lacking, running(NORTH));
  assert.deepEqual(urlsOf(seen), [`0 ${NORTH}`]);
  assert.equal(seen.standIns.size, 0);
});

test('a program that does not mine lists no running pools, which takes nothing from the stored ones', () => {
  const still = { STATUS: [{ STATUS: 'S', When: 1, Code: 7, Msg: '0 Pool(s)', Description: 'BOSer x' }], id: 1 };
  assert.deepEqual(urlsOf(look([group(quota(1), NORTH)], NOT_SERVED, still)), [`0 ${NORTH}`]);
  assert.equal(look(NOT_SERVED, NOT_SERVED, still).facts.pools, undefined);
  assert.equal(look([group(quota(1), NORTH)], NOT_SERVED, { ...still, POOLS: [] }).facts.pools, undefined);
});

test('where GraphQL cannot read the configuration what runs stands in for it', () => {
  const seen = look(REFUSED, { data: { bosminer: { config: {}, info: { poolGroups: runs } } } }, running(NORTH));
  assert.deepEqual(urlsOf(seen), [`0 ${NORTH}`]);
  assert.equal(seen.standIns.get('pools'), 'absent');
});

// ---- gRPC ------------------------------------------------------------------------------------------------------------

const version = (full: string): Reply => reply({ data: { bos: { info: { version: { full } } } } });
const NO_GRAPH = noReply('unsupported', 'HTTP 404');

/** The calls that would be made behind these answers. */
const callsBehind = (api: Reply | NoReply, graph: Reply | NoReply, network: JsonValue = {}): readonly string[] => {
  const replies = new Map([
    ['api', api],
    ['details', NOT_SERVED],
    ['gql_bos', graph],
    ['gql_system', graph],
    ['gql_network', reply({ data: { bos: { network } } })],
  ]);
  return Object.entries(braiins.queries)
    .filter(([, query]) => query.kind === 'grpc' && query.cadence === 'config' && query.unless?.(replies) !== true)
    .map(([name]) => name);
};

test('gRPC is asked at full looks from 23.03 on where there is no REST API, and for the network only where no address is fixed', () => {
  const both = ['grpc_details', 'grpc_network'];
  for (const full of [
    '2023-04-20-0-0ce150e9-23.03-plus',
    '2023-06-01-0-0ce150e9-23.03.3-plus',
    '2024-09-30-0-2b71e9c4-24.09-plus',
    '2025-06-02-0-5a17c0de-25.05',
    'a build that names no release',
  ])
    assert.deepEqual(callsBehind(NOT_SERVED, version(full)), both, full);
  for (const full of ['2022-09-13-0-11012d53-22.08-plus', '2021-09-27-0-26ba61b9-21.09-plus'])
    assert.deepEqual(callsBehind(NOT_SERVED, version(full)), [], full);
  assert.deepEqual(callsBehind(NOT_SERVED, NO_GRAPH), [], 'what has no GraphQL has no gRPC either');
  assert.deepEqual(callsBehind(NOT_SERVED, noReply('timeout', 'test')), [], 'nobody knows which version it is');
  const now = version('2024-09-30-0-2b71e9c4-24.09-plus');
  assert.deepEqual(callsBehind(NOT_SERVED, now, { address: '192.0.2.7' }), ['grpc_details']);
  for (const rest of [reply({ major: 1, minor: 0, patch: 0 }), REFUSED, noReply('timeout', 'test')])
    assert.deepEqual(callsBehind(rest, now), [], 'a REST API that answers, or may at another time');
});
