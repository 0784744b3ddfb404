import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { queryObjects } from 'node:v8';
import { DETAILS } from '../../agent/drivers/braiins-messages.ts';
import { type GrpcLogin, type GrpcQuery, grpc, PASSWORD, USER } from '../../agent/drivers/driver.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import type { NoReply, Reply } from '../../agent/probe/capture.ts';
import { askGrpc } from '../../agent/probe/grpc.ts';
import { Logins } from '../../agent/probe/logins.ts';
import { type Behaviour, FakeMiner, fresh, keepingOpen, PATIENT, SHORT, sending } from './fake-miner.ts';
import {
  ACK,
  answer,
  CONTINUATION,
  data,
  END_HEADERS,
  END_STREAM,
  fields,
  frame,
  GOAWAY,
  HEADERS,
  head,
  number,
  PING,
  PREFACE,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  statusOnly,
} from './http2-frames.ts';

const LOGIN: GrpcLogin = {
  kind: 'grpc-login',
  method: 'braiins.bos.v1.AuthenticationService/Login',
  fields: { 1: USER, 2: PASSWORD },
  metadata: 'authorization',
  field: 1,
};
const OPEN = grpc('braiins.bos.v1.MinerService/GetMinerDetails', DETAILS, { cadence: 'config', auth: 'none' });
const LOCKED = grpc('braiins.bos.v1.MinerService/GetMinerDetails', DETAILS, { cadence: 'config', auth: LOGIN });
const ALLOW = compileAllowList([], [OPEN, LOCKED]);

/** `kernel_version` is field 13: a text, tag 0x6a. */
const KERNEL = Buffer.concat([Buffer.from([0x6a, 7]), Buffer.from('4.9.113')]);
const CREDENTIAL = { user: 'root', password: () => 'a secret' };

const reasonOf = (reply: Reply | NoReply): string => (reply.kind === 'no-reply' ? reply.reason : 'a reply');

/** Answers each connection once, whatever else comes in. */
const once = (behave: Behaviour): Behaviour => {
  const seen = new WeakSet<Socket>();
  return (request, socket) => {
    if (seen.has(socket)) return;
    seen.add(socket);
    behave(request, socket);
  };
};

const ask = async (
  behave: Behaviour,
  { limits = PATIENT, query = OPEN as GrpcQuery } = {},
): Promise<Reply | NoReply> => {
  await using miner = await FakeMiner.start(once(behave));
  const deps = { limits: () => limits, allow: ALLOW, logins: fresh().logins };
  const reply = await askGrpc(miner.endpoint, query, CREDENTIAL, deps);
  await miner.allClosed();
  assert.equal(miner.connections, 1);
  return reply;
};

test('a call is one POST with an empty message, and its answer a JSON document', async () => {
  await using miner = await FakeMiner.start(once(sending(answer(KERNEL))));
  const reply = await askGrpc(miner.endpoint, OPEN, undefined, {
    limits: () => PATIENT,
    allow: ALLOW,
    logins: fresh().logins,
  });
  assert.deepEqual(reply.kind === 'reply' && reply.value, { kernel_version: '4.9.113' });
  assert.equal(reply.kind === 'reply' && Buffer.from(reply.bytes).toString(), '{"kernel_version":"4.9.113"}');
  await miner.allClosed();
  const sent = miner.requests.join('');
  assert.ok(sent.startsWith('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
  // One frame of DATA, and in it one message of no bytes.
  assert.equal(sent.split(frame(0, END_STREAM, 1, Buffer.alloc(5)).toString('latin1')).length, 2);
});

test('an answer reads the same however its bytes arrive, and whether the device closes or not', async () => {
  const bytes = answer(KERNEL);
  const pieces: Behaviour = async (_, socket) => {
    for (const byte of bytes) {
      if (socket.destroyed) return;
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  for (const behave of [pieces, holding(bytes)]) {
    const reply = await ask(behave);
    assert.deepEqual(reply.kind === 'reply' && reply.value, { kernel_version: '4.9.113' });
  }
});

const holding =
  (bytes: Buffer): Behaviour =>
  (_, socket) => {
    socket.write(bytes);
  };

test('what the device says by its status is the reading', async () => {
  for (const [status, reason] of [
    ['16', 'refused'],
    ['7', 'refused'],
    ['12', 'unsupported'],
    ['13', 'unreadable'],
    ['999', 'unreadable'],
    ['0x0', 'unreadable'],
  ] as const) {
    assert.equal(reasonOf(await ask(sending(statusOnly(status)))), reason, `status ${status}`);
    assert.equal(reasonOf(await ask(sending(answer(KERNEL, { status })))), reason, `status ${status} behind a message`);
  }
  for (const [status, reason] of [
    ['401', 'refused'],
    ['403', 'refused'],
    ['404', 'unsupported'],
    ['500', 'unreadable'],
    ['204', 'unreadable'],
  ] as const) {
    const page = Buffer.concat([PREFACE, head(END_STREAM, [':status', status], ['content-type', 'application/grpc'])]);
    assert.equal(reasonOf(await ask(sending(page))), reason, `HTTP ${status}`);
  }
});

test('an answer that is not one plain message of gRPC is unreadable', async () => {
  const GRPC = [
    [':status', '200'],
    ['content-type', 'application/grpc'],
  ] as const;
  const withBody = (body: Buffer, headers: readonly (readonly [string, string])[] = GRPC): Buffer =>
    Buffer.concat([PREFACE, head(0, ...headers), data(body), head(END_STREAM, ['grpc-status', '0'])]);
  const message = Buffer.concat([Buffer.from([0]), number(KERNEL.length), KERNEL]);
  const [, ...rest] = message;
  const bad: { readonly [what: string]: Buffer } = {
    compressed: withBody(Buffer.from([1, ...rest])),
    'two messages': withBody(Buffer.concat([message, message])),
    'a message that says it is longer': withBody(Buffer.concat([Buffer.from([0]), number(4096), KERNEL])),
    'a message that says it is endless': withBody(Buffer.concat([Buffer.from([0]), number(0xffffffff), KERNEL])),
    'no message': withBody(Buffer.alloc(0)),
    'half a head': withBody(Buffer.from([0, 0, 0])),
    'another message': withBody(Buffer.concat([Buffer.from([0]), number(2), Buffer.from([0x68, 1])])),
    'no status': Buffer.concat([PREFACE, head(0, ...GRPC), data(message, END_STREAM)]),
    'a web page': withBody(message, [
      [':status', '200'],
      ['content-type', 'text/html'],
    ]),
    'JSON over gRPC': withBody(message, [
      [':status', '200'],
      ['content-type', 'application/grpc+json'],
    ]),
  };
  for (const [what, bytes] of Object.entries(bad))
    assert.equal(reasonOf(await ask(sending(bytes))), 'unreadable', what);
});

test('what does not speak HTTP/2 is nobody here', async () => {
  for (const bytes of [
    'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n',
    '{"STATUS":[{"STATUS":"E","Code":14}],"id":1}\0',
    'SSH-2.0-dropbear_2019.78\r\n',
    Buffer.alloc(3000, 0xff),
    Buffer.alloc(3000),
  ]) {
    const reply = await ask(sending(bytes));
    assert.equal(reasonOf(reply), 'unreachable', JSON.stringify(bytes.toString().slice(0, 20)));
    assert.ok(reply.kind === 'no-reply' && reply.dark);
  }
});

test('a device that closes early is truncated; one that never ends, a timeout', async () => {
  const bytes = answer(KERNEL);
  assert.equal(reasonOf(await ask(sending(''))), 'truncated');
  for (let length = PREFACE.length; length < bytes.length; length += 1)
    assert.equal(reasonOf(await ask(sending(bytes.subarray(0, length)))), 'truncated', `${length} bytes`);
  const push = frame(PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([number(2), fields([':method', 'GET'])]));
  const reset = Buffer.concat([PREFACE, frame(RST_STREAM, 0, 1, number(0))]);
  assert.equal(reasonOf(await ask(sending(reset))), 'truncated', 'ended without an error, and without an answer');
  for (const [what, behave] of [
    ['silent', () => {}],
    ['nothing but settings', holding(PREFACE)],
    ['a push, which nobody asked for', holding(Buffer.concat([PREFACE, push]))],
    ['half an answer', holding(bytes.subarray(0, 40))],
    ['no room to write', holding(frame(SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])))],
    ['a byte at a time', slowly(bytes)],
  ] as const) {
    const startedMs = performance.now();
    assert.equal(reasonOf(await ask(behave, { limits: SHORT })), 'timeout', what);
    assert.ok(performance.now() - startedMs < 2000, what);
  }
});

const slowly =
  (bytes: Buffer): Behaviour =>
  (_, socket) => {
    let at = 0;
    const timer = setInterval(() => socket.write(bytes.subarray(at, ++at)), 50);
    socket.on('close', () => clearInterval(timer));
  };

test('frames that break the protocol off, or break it, are unreadable', async () => {
  const huge = frame(HEADERS, END_HEADERS, 1, Buffer.alloc(100), 0xffffff);
  const bad: { readonly [what: string]: Buffer } = {
    GOAWAY: frame(GOAWAY, 0, 0, Buffer.concat([number(0), number(11)])),
    'GOAWAY without an error': frame(GOAWAY, 0, 0, Buffer.concat([number(0), number(0)])),
    RST_STREAM: frame(RST_STREAM, 0, 1, number(7)),
    'a frame of 16 MB': huge,
    'an answer to another call': frame(HEADERS, END_HEADERS, 3, fields([':status', '200'])),
    'a head that no table holds': frame(HEADERS, END_HEADERS, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f])),
    'data before the head': data(KERNEL),
    'an answer before the answer': head(0, [':status', '103']),
    'a frame of settings that is none': frame(SETTINGS, 0, 0, Buffer.alloc(5)),
  };
  for (const [what, bytes] of Object.entries(bad)) {
    const reply = await ask(holding(Buffer.concat([PREFACE, bytes])), { limits: { ...SHORT, exchangeMs: 1500 } });
    assert.equal(reasonOf(reply), 'unreadable', `${what}: ${reply.kind === 'no-reply' ? reply.detail : ''}`);
  }
});

test('what never ends is cut at the byte limit or sooner, and keeps no more than that', async () => {
  const limits = { ...PATIENT, maxReplyBytes: 262_144 };
  const field = fields(['x-filler', 'y'.repeat(100)]);
  const start = frame(HEADERS, 0, 1, fields([':status', '200']));
  const endless: { readonly [what: string]: readonly [first: Buffer, block: Buffer] } = {
    headers: [start, frame(CONTINUATION, 0, 1, Buffer.concat(Array(60).fill(field)))],
    'empty headers': [start, Buffer.concat(Array(1000).fill(frame(CONTINUATION, 0, 1, Buffer.alloc(0))))],
    answers: [head(0, [':status', '103']), Buffer.concat(Array(100).fill(head(0, [':status', '103'])))],
    data: [head(0, [':status', '200'], ['content-type', 'application/grpc']), data(Buffer.alloc(16_384))],
    pings: [Buffer.alloc(0), Buffer.concat(Array(500).fill(frame(PING, 0, 0, Buffer.alloc(8))))],
    'acknowledged pings': [Buffer.alloc(0), Buffer.concat(Array(500).fill(frame(PING, ACK, 0, Buffer.alloc(8))))],
    settings: [Buffer.alloc(0), Buffer.concat(Array(500).fill(PREFACE))],
    'unknown frames': [Buffer.alloc(0), frame(0x77, 0, 0, Buffer.alloc(1000))],
  };
  for (const [what, [first, block]] of Object.entries(endless)) {
    const heapBefore = process.memoryUsage().arrayBuffers;
    const reply = await ask(pouring(Buffer.concat([PREFACE, first]), block), { limits });
    assert.match(reasonOf(reply), /^(?:truncated|unreadable)$/, what);
    assert.ok(process.memoryUsage().arrayBuffers - heapBefore < 32_000_000, what);
  }
});

/** Sends a block again and again, as fast as the other side takes it. */
const pouring =
  (first: Buffer, block: Buffer): Behaviour =>
  (_, socket) => {
    socket.write(first);
    const pour = () => {
      while (!socket.destroyed) {
        if (socket.write(block)) continue;
        socket.once('drain', pour);
        return;
      }
    };
    pour();
  };

test('an answer with a flipped bit is another answer or none, and never ends the agent', async () => {
  const bytes = answer(KERNEL);
  for (let bit = 0; bit < bytes.length * 8; bit += 5) {
    const damaged = Buffer.from(bytes);
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
    const reply = await ask(sending(damaged));
    if (reply.kind === 'no-reply')
      assert.match(reply.reason, /^(?:truncated|unreadable|unreachable|unsupported|refused)$/);
  }
});

test('nothing is kept of a call that was broken off', async () => {
  const broken = Buffer.concat([PREFACE, frame(RST_STREAM, 0, 1, number(1)), frame(SETTINGS, 0, 1, Buffer.alloc(0))]);
  await using miner = await FakeMiner.start(once(sending(broken)));
  const deps = { limits: () => PATIENT, allow: ALLOW, logins: fresh().logins };
  const each = () => askGrpc(miner.endpoint, OPEN, undefined, deps);
  for (let turn = 0; turn < 5; turn += 1)
    for (const reply of await Promise.all(Array.from({ length: 20 }, each)))
      assert.equal(reasonOf(reply), 'unreadable');
  const other = connect(`http://127.0.0.1:${miner.port}`);
  other.on('error', () => {});
  const Session = other.constructor;
  other.destroy();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const kept = queryObjects(Session, { format: 'count' });
  assert.ok(kept <= 5, `${kept} sessions`);
});

// ---- log-in ----------------------------------------------------------------------------------------------------------

/** Which call it is, by the path, which stands in the head of a request as it is or in the short code of HPACK. */
const isLogin = (request: string): boolean => request.includes('a secret');

const token = (text: string): Buffer => Buffer.concat([Buffer.from([0x0a, text.length]), Buffer.from(text)]);

/** Lets in whoever carries one of the tokens; a log-in is answered with what `gives` says. */
const guarded = (gives: (nth: number) => Buffer, isIn: (nth: number) => boolean) => {
  const counts = { logins: 0, calls: 0 };
  const behave: Behaviour = (request, socket) => {
    if (isLogin(request)) {
      counts.logins += 1;
      socket.end(gives(counts.logins));
    } else {
      counts.calls += 1;
      socket.end(isIn(counts.calls) ? answer(KERNEL) : statusOnly('16'));
    }
  };
  return { counts, behave };
};

const asker = (miner: FakeMiner, logins: Logins) => () =>
  askGrpc(miner.endpoint, LOCKED, CREDENTIAL, { limits: () => PATIENT, allow: ALLOW, logins });

test('a session is opened once and kept, whether its token comes in the metadata or in the message', async () => {
  const inMetadata = answer(Buffer.alloc(0), { metadata: [['authorization', 'Tok-1']] });
  for (const given of [inMetadata, answer(token('Tok-1'))]) {
    const { counts, behave } = guarded(
      () => given,
      () => true,
    );
    await using miner = await FakeMiner.start(once(behave));
    const again = asker(miner, fresh().logins);
    assert.equal(reasonOf(await again()), 'a reply');
    assert.equal(reasonOf(await again()), 'a reply');
    assert.deepEqual(counts, { logins: 1, calls: 2 });
  }
});

test('a session that is over is opened anew, once', async () => {
  const { counts, behave } = guarded(
    (nth) => answer(token(`Tok-${nth}`)),
    (nth) => nth !== 2,
  );
  await using miner = await FakeMiner.start(once(behave));
  const again = asker(miner, fresh().logins);
  assert.equal(reasonOf(await again()), 'a reply');
  assert.equal(reasonOf(await again()), 'a reply');
  assert.deepEqual(counts, { logins: 2, calls: 3 });
});

test('a refused log-in rests, and so does one whose session opens nothing or whose token is none', async () => {
  const given: { readonly [what: string]: Buffer } = {
    refused: statusOnly('16'),
    denied: statusOnly('7'),
    'opens nothing': answer(token('Tok-1')),
    'no token': answer(Buffer.alloc(0)),
    'a token that ends a line': answer(token('a\r\nb: c')),
    'an empty token': answer(token('')),
    'a token that is no message': answer(Buffer.from([0x0a, 100, 1])),
  };
  for (const [what, bytes] of Object.entries(given)) {
    const { counts, behave } = guarded(
      () => bytes,
      () => false,
    );
    await using miner = await FakeMiner.start(once(behave));
    let nowMs = 0;
    const again = asker(miner, new Logins({ monoMs: () => nowMs }));
    assert.equal(reasonOf(await again()), 'refused', what);
    assert.equal(reasonOf(await again()), 'refused', what);
    assert.equal(counts.logins, 1, what);
    nowMs = 300_001;
    assert.equal(reasonOf(await again()), 'refused', what);
    assert.equal(counts.logins, 2, what);
    nowMs = 600_002;
    assert.equal(reasonOf(await again()), 'refused', what);
    assert.equal(counts.logins, 2, `${what}: the second pause is twice as long`);
  }
});

test('a log-in that stays without an answer is no refusal, and rests as one', async () => {
  await using miner = await FakeMiner.start(once(sending('')));
  const logins = new Logins({ monoMs: () => 0 });
  for (let calls = 0; calls < 3; calls += 1) assert.equal(reasonOf(await asker(miner, logins)()), 'truncated');
  assert.equal(miner.connections, 1);
  assert.equal(logins.restsMs(`127.0.0.1 ${miner.port} root`, CREDENTIAL), 300_000);
  assert.equal(logins.isRefused, false);
});

test('without credentials nothing is sent', async () => {
  await using miner = await FakeMiner.start(keepingOpen(''));
  const deps = { limits: () => PATIENT, allow: ALLOW, logins: fresh().logins };
  assert.equal(reasonOf(await askGrpc(miner.endpoint, LOCKED, undefined, deps)), 'refused');
  assert.equal(miner.connections, 0);
});

test('an aborted look rejects with its reason, and leaves no connection', async () => {
  await using miner = await FakeMiner.start(() => {});
  const controller = new AbortController();
  const deps = { limits: () => PATIENT, allow: ALLOW, logins: fresh().logins, signal: controller.signal };
  const asked = askGrpc(miner.endpoint, OPEN, undefined, deps);
  setTimeout(() => controller.abort(new Error('stopping')), 50);
  await assert.rejects(asked, /stopping/);
  await miner.allClosed();
});

test('where nothing listens the interface is dark', async () => {
  const miner = await FakeMiner.start(() => {});
  const { endpoint } = miner;
  await miner[Symbol.asyncDispose]();
  const reply = await askGrpc(endpoint, OPEN, undefined, {
    limits: () => PATIENT,
    allow: ALLOW,
    logins: fresh().logins,
  });
  assert.ok(reply.kind === 'no-reply' && reply.reason === 'unreachable' && reply.dark);
});
