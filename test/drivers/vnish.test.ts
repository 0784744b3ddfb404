import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { vnish } from '../../agent/drivers/vnish.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { JsonValue, NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply } from '../../agent/probe/reply.ts';

const reply = (value: JsonValue): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

type Answers = { readonly [query: string]: Reply | NoReply };

/** What a device is still asked that answered so. */
const askedAfter = (answers: Answers): readonly string[] => {
  const replies = new Map(Object.entries(answers));
  return Object.entries(vnish.queries)
    .filter(([name, { unless }]) => !replies.has(name) && unless?.(replies) !== true)
    .map(([name]) => name);
};

const SUMMARY = reply({ miner: null });
const info = (version: string): Reply =>
  reply({ fw_name: 'Vnish', fw_version: version, miner: 'Antminer S21', model: 's21', install_type: 'nand' });

const OLDER = ['conf', 'system', 'network', 'pools', 'version', 'stats', 'summary', 'privileged'];

describe('a unit is asked in the words of its generation', () => {
  test('the older one is shown no key, whether it has no such path, shows a page or asks for its own log-in', () => {
    const page = noReply('unreadable', 'HTML', { elsewhere: true });
    for (const answer of [noReply('unsupported', 'HTTP 404'), noReply('refused', 'HTTP 401'), page]) {
      assert.deepEqual(askedAfter({ v1_summary: answer }), OLDER);
    }
  });

  test('the newer one is asked for boards or chains by its release, and nothing of the older', () => {
    const always = ['v1_settings', 'v1_status', 'v1_perf', 'v1_factory'];
    const after = (version: string) => askedAfter({ v1_summary: SUMMARY, v1_info: info(version) });
    assert.deepEqual(after('1.2.7'), [...always, 'v1_chains', 'v1_apikeys', 'privileged']);
    assert.deepEqual(after('1.3.4'), [...always, 'v1_boards', 'v1_apikeys', 'privileged']);
    assert.deepEqual(after('2.0.0'), [...always, 'v1_boards', 'v1_apikeys', 'privileged']);
    assert.deepEqual(after('new'), [...always, 'v1_chains', 'v1_boards', 'v1_apikeys', 'privileged']);
  });

  test('whose summary was late is shown no key', () => {
    assert.ok(!askedAfter({ v1_summary: noReply('timeout', 'late') }).includes('v1_settings'));
  });
});

describe('pools', () => {
  const gapOf = (answers: Answers) => {
    const { facts, gaps } = normalise(
      vnish,
      { address: '192.0.2.1', observedAtMs: 0, replies: new Map(Object.entries(answers)) },
      'pools',
    );
    return facts.pools ?? gaps.get('pools');
  };
  const without = { conf: noReply('unsupported', 'HTTP 404'), v1_settings: noReply('refused', 'no credentials') };
  const port4028 = reply({
    STATUS: [{ STATUS: 'S' }],
    POOLS: [{ POOL: 0, URL: 'stratum+tcp://a.example:1', User: 'a' }],
  });
  const running = (...pools: readonly JsonValue[]) => reply({ miner: { pools } });
  const fee = { id: 0, url: 'DevFee', user: 'DevFee', pool_type: 'DevFee' };

  test('of a unit whose REST interface was late are not read in the words of port 4028', () => {
    assert.equal(gapOf({ ...without, v1_summary: noReply('timeout', 'late'), pools: port4028 }), 'timeout');
  });

  test('that are all of the maker are unknown, not removed, and said to be refused where the settings are', () => {
    const gap = (v1_settings: NoReply, v1_summary = running(fee)) =>
      gapOf({ ...without, v1_settings, v1_summary, v1_info: info('1.2.6'), pools: port4028 });
    assert.equal(gap(noReply('refused', 'HTTP 401')), 'refused');
    assert.equal(gap(noReply('refused', 'HTTP 401'), SUMMARY), 'refused');
    assert.equal(gap(noReply('unsupported', 'HTTP 404')), 'unreadable');
  });

  test('are numbered without those of the maker, wherever these stand', () => {
    const own = { id: 1, url: 'stratum+tcp://a.example:1', user: 'a', pool_type: 'UserPool', status: 'working' };
    assert.deepEqual(gapOf({ ...without, v1_summary: running(fee, own), pools: port4028 }), [
      { slot: 0, url: 'stratum+tcp://a.example:1', priority: 0, user: 'a', status: 'working', active: false },
    ]);
  });

  const row = (id: JsonValue, host: string) => ({ id, url: `stratum+tcp://${host}.example:1`, pool_type: 'UserPool' });
  const hosts = (...rows: readonly JsonValue[]): unknown => {
    const pools = gapOf({ ...without, v1_summary: running(...rows), pools: port4028 });
    return typeof pools === 'string' ? pools : pools?.map(({ url }) => url.slice('stratum+tcp://'.length, -10));
  };

  test('are in the order of their ids, wherever a row stands; without ids in that of the list', () => {
    assert.deepEqual(hosts(row(0, 'a'), row(1, 'b'), { ...fee, id: 2 }), ['a', 'b']);
    assert.deepEqual(hosts({ ...fee, id: 2 }, row(1, 'b'), row(0, 'a')), ['a', 'b']);
    assert.deepEqual(hosts(row(null, 'b'), row(null, 'a')), ['b', 'a']);
  });

  test('are unknown where a row lost its id, or has that of another', () => {
    assert.equal(hosts(row(0, 'a'), row(null, 'b')), 'unreadable');
    assert.equal(hosts(row(0, 'a'), row('x', 'b')), 'unreadable');
    assert.equal(hosts(row(1, 'a'), row(1, 'b')), 'unreadable');
  });
});

test('the preset in use is no setting while the firmware switches between them', () => {
  const perf = (enabled: boolean) => reply({ preset_switcher: { enabled }, current_preset: { name: '3050' } });
  const presetOf = (enabled: boolean): unknown => {
    const replies = new Map<string, Reply | NoReply>(
      Object.keys(vnish.queries).map((name) => [name, noReply('refused', 'no credentials')]),
    );
    replies.set('v1_summary', SUMMARY).set('v1_perf', perf(enabled));
    return normalise(vnish, { address: '192.0.2.1', observedAtMs: 0, replies }, 'full').facts['config.preset'];
  };
  assert.equal(presetOf(false), '3050');
  assert.equal(presetOf(true), undefined);
});

test('settings are told without a document that the firmware does not have; one that got lost leaves them unknown', () => {
  const settings = reply({ miner: { overclock: { modded_psu: true }, misc: { quiet_mode: false } } });
  const other = (perf: Reply | NoReply) =>
    vnish.facts['config.other']?.read(
      new Map<string, Reply | NoReply>([
        ['v1_summary', SUMMARY],
        ['v1_info', info('1.2.7')],
        ['v1_settings', settings],
        ['v1_apikeys', reply([{ key: 'k' }])],
        ['v1_perf', perf],
      ]),
    );
  const kept = [
    { key: 'api-keys', value: '1' },
    { key: 'misc.quiet_mode', value: 'false' },
    { key: 'overclock.modded_psu', value: 'true' },
  ];
  assert.deepEqual(other(noReply('unsupported', 'HTTP 404')), { kind: 'present', value: kept });
  assert.deepEqual(other(reply({ preset_switcher: { enabled: true } })), {
    kind: 'present',
    value: [...kept, { key: 'switcher.enabled', value: 'true' }],
  });
  assert.deepEqual(other(noReply('truncated', 'half')), { kind: 'unknown', reason: 'truncated' });
});

test('a failure is a fault with its code and words; a machine that was stopped names none', () => {
  const faults = (status: JsonValue) =>
    vnish.facts['telemetry.faults']?.read(
      new Map([
        ['v1_summary', SUMMARY],
        ['v1_info', info('1.2.7')],
        ['v1_status', reply(status)],
      ]),
    );
  assert.deepEqual(faults({ miner_state: 'failure', failure_code: 1004, description: 'overheat' }), {
    kind: 'present',
    value: ['failure 1004 overheat'],
  });
  assert.deepEqual(faults({ miner_state: 'stopped' }), { kind: 'absent' });
});
