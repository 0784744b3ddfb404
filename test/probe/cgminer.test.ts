import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { cgminer } from '../../agent/drivers/driver.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import type { NoReply, Reply } from '../../agent/probe/capture.ts';
import { askCgminer } from '../../agent/probe/cgminer.ts';
import { MOST_VALUES } from '../../agent/probe/json-reader.ts';
import {
  answering,
  BETWEEN,
  type Behaviour,
  dripping,
  FakeMiner,
  flooding,
  keepingOpen,
  PATIENT,
  SHORT,
  sending,
} from './fake-miner.ts';

const VERSION = cgminer('version');
const ALLOW = compileAllowList([], [VERSION]);
const DOCUMENT = '{"STATUS":[{"STATUS":"S","Code":22}],"VERSION":[{"CGMiner":"4.9.0"}],"id":1}';
const BOUND = { timeout: 10_000 };

/** Asks a fake miner once; in any case every connection must be closed and only listed bytes may have been sent. */
const askOnce = async (behave: Behaviour, limits = PATIENT): Promise<Reply | NoReply> => {
  await using miner = await FakeMiner.start(behave);
  const reply = await askCgminer(miner.endpoint, VERSION, limits, ALLOW);
  await miner.allClosed();
  assert.equal(miner.connections, 1);
  assert.deepEqual(miner.strangers(ALLOW), []);
  return reply;
};

const answerOf = (reply: Reply | NoReply): unknown => {
  assert.equal(reply.kind, 'reply', JSON.stringify(reply));
  return (reply as Reply).value;
};

const reasonOf = (reply: Reply | NoReply): string => {
  assert.equal(reply.kind, 'no-reply');
  return (reply as NoReply).reason;
};

test('the request is one JSON object in one piece, without a terminator', BOUND, async () => {
  await using miner = await FakeMiner.start(answering(DOCUMENT));
  await askCgminer(miner.endpoint, VERSION, PATIENT, ALLOW);
  assert.deepEqual(miner.requests, ['{"command":"version"}']);
});

test('a reply is read whatever stands after it: NUL, none, several, a new line', BOUND, async () => {
  for (const tail of ['\0', '', '\0\0\n', '\n', ' \r\n\0']) {
    assert.deepEqual(answerOf(await askOnce(sending(DOCUMENT + tail))), JSON.parse(DOCUMENT), JSON.stringify(tail));
  }
});

test('a complete reply is accepted from a miner that never closes', BOUND, async () => {
  for (const tail of ['\0', '', '\n']) {
    assert.deepEqual(answerOf(await askOnce(keepingOpen(DOCUMENT + tail))), JSON.parse(DOCUMENT));
  }
});

test('a complete reply is accepted at the deadline when more keeps dripping in behind it', BOUND, async () => {
  const reply = await askOnce((request, socket) => {
    socket.write(DOCUMENT);
    dripping(' ', 20)(request, socket);
  }, BETWEEN);
  assert.deepEqual(answerOf(reply), JSON.parse(DOCUMENT));
});

test('a reply of many segments and more than 64 KB is read whole', BOUND, async () => {
  const long = JSON.stringify({
    STATS: Array.from({ length: 2500 }, (_, index) => ({ STATS: index, text: 'x'.repeat(100) })),
  });
  assert.ok(long.length > 300_000);
  assert.deepEqual(answerOf(await askOnce(answering(long))), JSON.parse(long));
});

test('a miner that never answers is a timeout', BOUND, async () => {
  assert.equal(reasonOf(await askOnce(() => {}, SHORT)), 'timeout');
});

test('a miner that drips bytes does not move the deadline', BOUND, async () => {
  assert.equal(reasonOf(await askOnce(dripping(DOCUMENT, 30), SHORT)), 'timeout');
});

test('a half reply on an open connection is a timeout, and closed early it is truncated', BOUND, async () => {
  const half = DOCUMENT.slice(0, 40);
  assert.equal(reasonOf(await askOnce(keepingOpen(half), SHORT)), 'timeout');
  assert.equal(reasonOf(await askOnce(sending(half))), 'truncated');
  assert.equal(reasonOf(await askOnce(sending(`${half}\0`))), 'truncated');
  assert.equal(reasonOf(await askOnce(sending(''))), 'truncated');
});

test('a connection that is reset before the reply is complete is truncated', BOUND, async () => {
  const reply = await askOnce((_request, socket) => {
    socket.write(DOCUMENT.slice(0, 20), () => socket.resetAndDestroy());
  });
  assert.equal(reasonOf(reply), 'truncated');
});

test('of a reply of 50 MB no more is read than the limit', BOUND, async () => {
  const sent = { bytes: 0 };
  assert.equal(reasonOf(await askOnce(flooding(50_000_000, sent), { ...PATIENT, exchangeMs: 5000 })), 'truncated');
  assert.ok(sent.bytes < 25_000_000, `${sent.bytes} bytes were taken`);
});

test(
  'a reply of more values than are read of one is truncated, as one of too many bytes is, and nothing of it is kept',
  BOUND,
  async () => {
    const huge = `{${Array.from({ length: 90_000 }, (_, index) => `"k${index}":1`).join(',')}}`;
    for (const behave of [answering(huge), keepingOpen(huge)])
      assert.deepEqual(await askOnce(behave), {
        kind: 'no-reply',
        reason: 'truncated',
        detail: `more than ${MOST_VALUES} values`,
      });
  },
);

test('a device that pauses behind every bracket has its reply read a few times, and not at each', BOUND, async (t) => {
  const { mock } = t.mock.method(JSON, 'parse');
  const pausing: Behaviour = (_request, socket) => {
    socket.write('{"POOLS":[{"POOL":0}');
    const timer = setInterval(() => socket.write(',{"POOL":0}'), 170);
    socket.once('close', () => clearInterval(timer));
  };
  assert.equal(reasonOf(await askOnce(pausing)), 'timeout');
  assert.ok(mock.callCount() <= 5, `read ${mock.callCount()} times`);
  const late: Behaviour = (_request, socket) => {
    const pieces = ['{"POOLS":[{"POOL":0}', ...Array.from({ length: 6 }, () => ',{"POOL":0}'), ']}'];
    const timer = setInterval(() => socket.write(pieces.shift() ?? ''), 170);
    socket.once('close', () => clearInterval(timer));
  };
  assert.deepEqual(answerOf(await askOnce(late)), { POOLS: Array.from({ length: 7 }, () => ({ POOL: 0 })) });
});

test('garbage, HTML and a scalar are unreadable', BOUND, async () => {
  for (const garbage of ['\x01\x02\x03\xff', 'hello', '<html><body>hi</body></html>', '42', '"text"']) {
    assert.equal(reasonOf(await askOnce(sending(Buffer.from(garbage, 'latin1')))), 'unreadable', garbage);
  }
});

test('a web server at the port means that there is no such interface there', BOUND, async () => {
  const reply = (await askOnce(sending('HTTP/1.1 400 Bad Request\r\n\r\n'))) as NoReply;
  assert.deepEqual([reply.reason, reply.dark], ['unreachable', true]);
});

test('a wrapper that says its miner program is down is unreachable, but its port is not dark', BOUND, async () => {
  const reply = (await askOnce(sending('Socket connect failed: Connection refused\n'))) as NoReply;
  assert.deepEqual([reply.reason, reply.detail, reply.dark], ['unreachable', 'miner process down', undefined]);
});

test('code 45 is refused, never offline; an unknown command is a reply for the driver', BOUND, async () => {
  const denied = '{"STATUS":[{"STATUS":"E","Code":45,"Msg":"Access denied to \'version\' command"}],"id":1}';
  const unknown = '{"STATUS":[{"STATUS":"E","Code":14,"Msg":"Invalid command"}],"id":1}';
  assert.equal(reasonOf(await askOnce(answering(denied))), 'refused');
  assert.equal(
    reasonOf(await askOnce(answering('{"STATUS":"E","When":1,"Code":45,"Msg":"permission denied"}'))),
    'refused',
  );
  assert.deepEqual(answerOf(await askOnce(answering(unknown))), JSON.parse(unknown));
});

test('a status that says two things, or is none of the types it has, is a reply and no accident', BOUND, async () => {
  const hostile = [
    '{"STATUS":"E","Code":45,"Code":14}',
    '{"STATUS":[{"STATUS":"E","Code":{"valueOf":1,"toString":2},"Msg":[]}]}',
    '{"STATUS":[{"STATUS":"E","Code":14,"Msg":"a","Msg":"b"}]}',
    '{"STATUS":"E","STATUS":"S","Code":45}',
  ];
  for (const document of hostile) assert.equal((await askOnce(answering(document))).kind, 'reply', document);
});

test('a closed port is unreachable, and the rest of that port need not be asked', BOUND, async () => {
  const gone = await FakeMiner.start(() => {});
  const { endpoint } = gone;
  await gone[Symbol.asyncDispose]();
  const reply = (await askCgminer(endpoint, VERSION, PATIENT, ALLOW)) as NoReply;
  assert.deepEqual([reply.reason, reply.detail, reply.dark], ['unreachable', 'ECONNREFUSED', true]);
});

test('a name that does not resolve is unreachable', BOUND, async () => {
  const reply = await askCgminer(
    { host: 'no-such-miner.invalid', port: 4028 },
    VERSION,
    { ...PATIENT, connectMs: 5000 },
    ALLOW,
  );
  assert.ok(reply.kind === 'no-reply' && reply.dark === true);
});

test('a host that does not take the connection is a timeout of the connect deadline', BOUND, async () => {
  // A listener that never accepts: its queue of one is filled, the next connection gets no answer.
  const worker = new Worker(
    `const { createServer } = require('node:net'); const { parentPort } = require('node:worker_threads');
     const server = createServer(); server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 8000); });`,
    { eval: true },
  );
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const limits = { ...SHORT, connectMs: 200, exchangeMs: 400 };
  const replies = await Promise.all(
    Array.from({ length: 6 }, () => askCgminer({ host: '127.0.0.1', port }, VERSION, limits, ALLOW)),
  );
  await worker.terminate();
  const dark = replies.filter((reply) => reply.kind === 'no-reply' && reply.dark);
  assert.ok(dark.length > 0, 'no connection was left waiting');
  for (const reply of dark) assert.equal(reasonOf(reply), 'timeout');
});

test('an aborted question rejects with the reason of the signal and leaves no connection behind', BOUND, async () => {
  await using miner = await FakeMiner.start(() => {});
  const controller = new AbortController();
  const limits = { ...PATIENT, exchangeMs: 60_000 };
  const questions = [1, 2].map(() => askCgminer(miner.endpoint, VERSION, limits, ALLOW, controller.signal));
  while (miner.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort(new Error('shutting down'));
  for (const outcome of await Promise.allSettled(questions)) {
    assert.equal(outcome.status === 'rejected' && outcome.reason.message, 'shutting down');
  }
  await miner.allClosed();
});

test('a question that is not on the allow-list throws before any socket is opened', BOUND, async () => {
  await using miner = await FakeMiner.start(answering(DOCUMENT));
  const lookalike = { ...VERSION };
  await assert.rejects(askCgminer(miner.endpoint, lookalike, PATIENT, ALLOW), /not on the allow-list/);
  await assert.rejects(askCgminer(miner.endpoint, cgminer('restart'), PATIENT, ALLOW), /not on the allow-list/);
  assert.equal(miner.connections, 0);
});
