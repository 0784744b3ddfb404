import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgminer, defineDriver, httpGet } from '../../agent/drivers/driver.ts';
import { whatsminer } from '../../agent/drivers/whatsminer.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import type { NoReply, Reply } from '../../agent/probe/capture.ts';
import { probeDevice } from '../../agent/probe/probe.ts';
import { BETWEEN, FakeMiner, fresh, PATIENT, page } from './fake-miner.ts';

const BOUND = { timeout: 10_000 };
const either = { cadence: 'config', key: 'either' } as const;

/** A family some of whose questions have two keys. */
const dialect = defineDriver({
  family: 'dialect',
  title: 'Dialect',
  source: 'this test',
  recognise: () => 0,
  queries: {
    pools: cgminer('pools', { cadence: 'pools' }),
    one: cgminer('get_one', either),
    two: cgminer('get_two', either),
  },
  facts: {},
});

const error = (code: number): string =>
  JSON.stringify({ STATUS: 'E', When: 1, Code: code, Msg: 'invalid cmd', Description: '' });
const ANSWER = JSON.stringify({ STATUS: 'S', When: 1, Code: 131, Msg: { a: 1 }, Description: '' });

/** Looks at a device that answers by request; what is not named is code 14. */
const look = async (
  answers: { readonly [request: string]: string | null },
  { driver = dialect, kind = 'full' as 'full' | 'pools', limits = PATIENT } = {},
): Promise<{ asked: readonly string[]; replies: ReadonlyMap<string, Reply | NoReply> }> => {
  await using miner = await FakeMiner.start((request, socket) => {
    const answer = request in answers ? answers[request] : error(14);
    if (answer !== null) socket.end(`${answer}\0`);
  });
  const allow = compileAllowList([driver]);
  const target = { address: '127.0.0.1', ports: { cgminer: miner.port, http: null } };
  const capture = await probeDevice(target, driver, kind, { limits, allow, ...fresh() });
  await miner.allClosed();
  assert.deepEqual(miner.strangers(allow), []);
  assert.equal(miner.mostAtOnce, 1);
  assert.equal(miner.connections, miner.requests.length);
  return { asked: miner.requests, replies: capture.replies };
};

const outcome = (reply: Reply | NoReply | undefined): unknown =>
  reply?.kind === 'reply' ? JSON.parse(Buffer.from(reply.bytes).toString().replace('\0', '')) : reply?.reason;

test('both keys of a question are on the allow-list, and nothing else', () => {
  assert.deepEqual(compileAllowList([dialect]).listed, [
    '{"cmd":"get_one"}',
    '{"cmd":"get_two"}',
    '{"command":"get_one"}',
    '{"command":"get_two"}',
    '{"command":"pools"}',
  ]);
});

test('a question is asked by its other key where the device does not know it by the first', BOUND, async () => {
  for (const code of [14, 24]) {
    const { asked, replies } = await look({
      '{"command":"get_one"}': error(code),
      '{"cmd":"get_one"}': ANSWER,
      '{"command":"get_two"}': ANSWER,
    });
    assert.deepEqual(asked, [
      '{"command":"pools"}',
      '{"command":"get_one"}',
      '{"cmd":"get_one"}',
      '{"command":"get_two"}',
    ]);
    assert.deepEqual(outcome(replies.get('one')), JSON.parse(ANSWER));
    assert.deepEqual([...replies.keys()], ['pools', 'one', 'two']);
  }
});

test('a refusal or another error is an answer, and is not asked for again by another key', BOUND, async () => {
  for (const code of [45, 23, 10]) {
    const { asked } = await look({ '{"command":"get_one"}': error(code), '{"command":"get_two"}': ANSWER });
    assert.deepEqual(asked, ['{"command":"pools"}', '{"command":"get_one"}', '{"command":"get_two"}'], String(code));
  }
});

test('where neither key is known, the first answer stands', BOUND, async () => {
  const { asked, replies } = await look({ '{"cmd":"get_one"}': error(14), '{"cmd":"get_two"}': error(14) });
  assert.equal(asked.length, 5);
  assert.deepEqual(outcome(replies.get('one')), JSON.parse(error(14)));
});

test('a device that looks for no command under the other key is asked by it once in a look', BOUND, async () => {
  const { asked, replies } = await look({ '{"cmd":"get_one"}': error(24) });
  assert.deepEqual(asked, [
    '{"command":"pools"}',
    '{"command":"get_one"}',
    '{"cmd":"get_one"}',
    '{"command":"get_two"}',
  ]);
  assert.deepEqual(outcome(replies.get('two')), JSON.parse(error(14)));
});

test('an answer by the other key that was lost is lost, never "no such question"', BOUND, async () => {
  const lost = { '{"cmd":"get_one"}': null, '{"cmd":"get_two"}': '{"STATUS":"S","Msg' };
  const { replies } = await look(lost, { limits: BETWEEN });
  assert.deepEqual([outcome(replies.get('one')), outcome(replies.get('two'))], ['timeout', 'truncated']);
});

test('a pools look at a WhatsMiner is two questions, whatever it knows', BOUND, async () => {
  const { asked } = await look({}, { driver: whatsminer, kind: 'pools' });
  assert.deepEqual(asked, ['{"command":"summary"}', '{"command":"pools"}']);
});

test('a path that another answer rules out is not asked, and stands as unsupported', BOUND, async () => {
  const modes = defineDriver({
    family: 'modes',
    title: 'Modes',
    source: 'this test',
    recognise: () => 0,
    queries: {
      info: httpGet('/info', { cadence: 'pools' }),
      more: httpGet('/more', { cadence: 'config', unless: (replies) => replies.get('info')?.kind === 'reply' }),
    },
    facts: {},
  });
  const allow = compileAllowList([modes]);
  let answer = page('{"a":1}');
  await using miner = await FakeMiner.start((_request, socket) => socket.write(answer));
  const target = { address: '127.0.0.1', ports: { cgminer: null, http: miner.port } };
  const deps = { limits: PATIENT, allow, ...fresh() };
  const first = await probeDevice(target, modes, 'full', deps);
  assert.equal(miner.requests.length, 1);
  assert.equal(outcome(first.replies.get('more')), 'unsupported');
  answer = page('', { status: '404 Not Found' });
  const second = await probeDevice(target, modes, 'full', deps);
  assert.equal(miner.requests.length, 3);
  assert.equal(second.replies.size, 2);
  assert.deepEqual(miner.strangers(allow), []);
});

/** A family that wants to be left alone between two connections. */
const slow = defineDriver({ ...dialect, family: 'slow', pauseMs: 250 });

test(
  'between two connections a device is left alone for as long as its family wants, and not before the first',
  BOUND,
  async () => {
    const allow = compileAllowList([slow]);
    const startedMs: number[] = [];
    await using miner = await FakeMiner.start((_request, socket) => {
      startedMs.push(performance.now());
      socket.end(`${ANSWER}\0`);
    });
    const target = { address: '127.0.0.1', ports: { cgminer: miner.port, http: null } };
    const beginMs = performance.now();
    await probeDevice(target, slow, 'full', { limits: PATIENT, allow, ...fresh() });
    const gaps = startedMs.slice(1).map((ms, at) => ms - (startedMs[at] as number));
    assert.equal(gaps.length, 2);
    // The timer may run a little ahead of the clock.
    for (const gap of gaps) assert.ok(gap >= 245, `${gap} ms`);
    const waits: number[] = [];
    const wait = (ms: number): Promise<void> => {
      waits.push(ms);
      return Promise.resolve();
    };
    await probeDevice(target, slow, 'pools', { limits: PATIENT, allow, wait, ...fresh() });
    assert.deepEqual(waits, []);
    await probeDevice(target, slow, 'full', { limits: PATIENT, allow, wait, ...fresh() });
    assert.deepEqual(waits, [250, 250]);
    assert.ok(performance.now() > beginMs);
  },
);

test('a pause ends with the look: at its deadline, and when it is called off', BOUND, async () => {
  const patient = defineDriver({ ...dialect, family: 'patient', pauseMs: 60_000 });
  const allow = compileAllowList([patient]);
  await using miner = await FakeMiner.start((_request, socket) => socket.end(`${ANSWER}\0`));
  const target = { address: '127.0.0.1', ports: { cgminer: miner.port, http: null } };
  const limits = { ...PATIENT, deviceMs: 600 };
  const { replies } = await probeDevice(target, patient, 'full', { limits, allow, ...fresh() });
  assert.deepEqual([...replies.values()].map(({ kind }) => kind).slice(0, 1), ['reply']);
  assert.equal(outcome(replies.get('two')), 'timeout');
  const stop = new AbortController();
  const look = probeDevice(target, patient, 'full', { limits: PATIENT, allow, signal: stop.signal, ...fresh() });
  setTimeout(() => stop.abort(new Error('called off')), 200);
  await assert.rejects(look, /called off/);
});
