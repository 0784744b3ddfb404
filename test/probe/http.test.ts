import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { httpGet, PASSWORD, USER } from '../../agent/drivers/driver.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import type { NoReply, Reply } from '../../agent/probe/capture.ts';
import { documentIn } from '../../agent/probe/exchange.ts';
import { HttpSession } from '../../agent/probe/http.ts';
import { Logins } from '../../agent/probe/logins.ts';
import { Surplus } from '../../agent/probe/surplus.ts';
import type { Credential } from '../../agent/probe/target.ts';
import {
  type Behaviour,
  dripping,
  FakeMiner,
  flooding,
  fresh,
  PATIENT,
  page,
  SHORT,
  sending,
  serving,
} from './fake-miner.ts';

const digest = { cadence: 'config', auth: 'digest' } as const;
const INFO = httpGet('/api/system/info');
const CONF = httpGet('/cgi-bin/get_miner_conf.cgi', digest);
const SYSTEM = httpGet('/cgi-bin/get_system_info.cgi', digest);
const BASIC = httpGet('/basic', { cadence: 'config', auth: 'basic' });
const BEARER = httpGet('/bearer', { cadence: 'config', auth: 'bearer' });
const OTHER = httpGet('/api/system/asic');
const FAN = httpGet('/fan', {
  cadence: 'config',
  auth: {
    kind: 'login',
    method: 'POST',
    path: '/token',
    as: 'json',
    members: { command: 'token', user: USER, password: PASSWORD },
    gives: { kind: 'token', pointer: '/Token/0/Token', header: 'Token' },
  },
});
const ALLOW = compileAllowList([], [INFO, OTHER, CONF, SYSTEM, BASIC, BEARER, FAN]);
const BOUND = { timeout: 10_000 };
const BODY = '{"version":"v2.10.1"}';

const sessionWith = (
  miner: FakeMiner,
  credential?: Credential,
  limits = PATIENT,
  { logins } = fresh(),
  surplus = new Surplus(),
): HttpSession => new HttpSession(miner.endpoint, credential, { limits: () => limits, allow: ALLOW, logins, surplus });

const get = async (session: HttpSession, query: typeof INFO): Promise<Reply | NoReply> => {
  const answer = await session.page(query);
  return answer.kind === 'page' ? documentIn(answer) : answer;
};

/** Asks a fake web server once; in any case nothing may stay open and only listed requests may have been sent. */
const askOnce = async (behave: Behaviour, limits = PATIENT): Promise<Reply | NoReply> => {
  await using miner = await FakeMiner.start(behave);
  const session = sessionWith(miner, undefined, limits);
  const reply = await get(session, INFO);
  await session.close();
  await miner.allClosed();
  assert.deepEqual(miner.strangers(ALLOW), []);
  assert.equal(miner.mostAtOnce, 1);
  return reply;
};

const reasonOf = (reply: Reply | NoReply): string => (reply.kind === 'no-reply' ? reply.reason : 'a reply');

test('a document is read in every framing that miners use', BOUND, async () => {
  const gzipped = gzipSync(BODY).toString('latin1');
  const framings = [
    page(BODY),
    page(BODY, { headers: ['Connection: close'] }),
    `HTTP/1.0 200 OK\r\n\r\n${BODY}`,
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n${BODY.slice(0, 5)}\r\n${(BODY.length - 5).toString(16)};x=1\r\n${BODY.slice(5)}\r\n0\r\nTrailer: x\r\n\r\n`,
    `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${gzipped.length}\r\n\r\n${gzipped}`,
    `HTTP/1.1 100 Continue\r\n\r\n${page(BODY)}`,
  ];
  for (const bytes of framings) {
    const reply = await askOnce((_request, socket) => socket.end(bytes, 'latin1'));
    assert.deepEqual(reply.kind === 'reply' && reply.value, JSON.parse(BODY), bytes);
  }
});

test(
  'careless CGI replies are read: blank lines first, bare line feeds, no content type, odd headers',
  BOUND,
  async () => {
    const careless = [
      `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\n\n${BODY}\n`,
      `HTTP/1.1 200 OK\nConnection: close\n\n${BODY}`,
      `\r\n\nHTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
      `HTTP/1.1 200\r\nServer : x\x01\xff\r\nnonsense\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
      `HTTP/1.1 200 OK\r\nStatus: 200\r\n\n${BODY}`,
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${BODY.length.toString(16)}\n${BODY}\n0\n\n`,
      `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}\n\n`,
      `HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 9\r\n\r\n${BODY}`,
    ];
    for (const bytes of careless) {
      const reply = await askOnce((_request, socket) => socket.end(bytes, 'latin1'));
      assert.deepEqual(reply.kind === 'reply' && reply.value, JSON.parse(BODY), bytes);
    }
  },
);

test('a response is read whatever pieces it comes in', BOUND, async () => {
  const bytes = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;
  const reply = await askOnce(
    (_request, socket) => {
      let at = 0;
      const timer = setInterval(
        () => (at < bytes.length ? socket.write(bytes[at++] as string) : clearInterval(timer)),
        1,
      );
    },
    { ...PATIENT, exchangeMs: 5000 },
  );
  assert.deepEqual(reply.kind === 'reply' && reply.value, JSON.parse(BODY));
});

test('what cannot be trusted to be whole is truncated', BOUND, async () => {
  const cut = [
    `HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n${BODY}`,
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n`,
    `HTTP/1.1 200 OK\r\n\r\n${BODY.slice(0, 9)}`,
    '',
  ];
  for (const bytes of cut) assert.equal(reasonOf(await askOnce(sending(bytes))), 'truncated', bytes);
});

test('a silent and a dripping web server run into the deadline, a flooding one into the limit', BOUND, async () => {
  assert.equal(reasonOf(await askOnce(() => {}, SHORT)), 'timeout');
  assert.equal(reasonOf(await askOnce(dripping('HTTP/1.1 200 OK\r\nX: y\r\n', 30), SHORT)), 'timeout');
  const sent = { bytes: 0 };
  const flood: Behaviour = (request, socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    flooding(50_000_000, sent)(request, socket);
  };
  assert.equal(reasonOf(await askOnce(flood, { ...PATIENT, exchangeMs: 5000 })), 'truncated');
  assert.ok(sent.bytes < 25_000_000);
});

test('headers without end, other protocols and packed bombs are unreadable', BOUND, async () => {
  const bomb = gzipSync(Buffer.alloc(20_000_000));
  const unreadable: readonly (string | Buffer)[] = [
    `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(10_000)}`,
    'SSH-2.0-dropbear\r\n',
    Buffer.concat([
      Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`),
      bomb,
    ]),
    page('<html><body>Overview</body></html>'),
    page(BODY, { status: '500 Internal Server Error' }),
  ];
  for (const bytes of unreadable) assert.equal(reasonOf(await askOnce(sending(bytes))), 'unreadable');
});

test(
  'a reply that breaks off within its headers is truncated, as one that breaks off in its body is',
  BOUND,
  async () => {
    const whole = page(BODY);
    const head = whole.indexOf('\r\n\r\n');
    for (const cut of [1, 7, 12, head, head + 3, head + 5])
      assert.equal(reasonOf(await askOnce(sending(whole.slice(0, cut)))), 'truncated', `cut at ${cut}`);
  },
);

test('the CGMiner API at the port means that there is no web interface there', BOUND, async () => {
  for (const bytes of ['{"STATUS":[{"STATUS":"E","Code":14}]}\0', 'STATUS=E,Code=14,Msg=Invalid command|\0'])
    assert.equal(reasonOf(await askOnce(sending(bytes))), 'unreachable');
});

test(
  '401, 403 and a log-in page are refused; 404 is the word of the device; a dead miner program is unreachable',
  BOUND,
  async () => {
    assert.equal(reasonOf(await askOnce(sending(page('', { status: '401 Unauthorized' })))), 'refused');
    assert.equal(reasonOf(await askOnce(sending(page('', { status: '403 Forbidden' })))), 'refused');
    assert.equal(reasonOf(await askOnce(sending(page('<html><h1>401 - Unauthorized</h1></html>')))), 'refused');
    assert.equal(reasonOf(await askOnce(serving({}))), 'unsupported');
    assert.equal(reasonOf(await askOnce(sending(page('Socket connect failed: Connection refused\n')))), 'unreachable');
  },
);

test('a redirect is reported, not followed', BOUND, async () => {
  await using miner = await FakeMiner.start(
    serving({ '/api/system/info': page('', { status: '302 Found', headers: ['Location: /reboot'] }) }),
  );
  await using session = sessionWith(miner);
  const reply = await get(session, INFO);
  assert.deepEqual(reply.kind === 'no-reply' && [reply.reason, reply.detail], [
    'unreadable',
    'redirected to "/reboot"',
  ]);
  assert.equal(miner.requests.length, 1);
});

test('questions of one look share one kept-alive connection', BOUND, async () => {
  await using miner = await FakeMiner.start(serving({ '/api/system/info': page(BODY) }));
  await using session = sessionWith(miner);
  for (let look = 0; look < 3; look += 1) assert.equal((await get(session, INFO)).kind, 'reply');
  assert.deepEqual([miner.connections, miner.requests.length], [1, 3]);
});

test(
  'a server that closes after each reply, said or unsaid, is asked over one connection after the other',
  BOUND,
  async () => {
    for (const headers of [['Connection: close'], []]) {
      await using miner = await FakeMiner.start((_request, socket) => socket.end(page(BODY, { headers })));
      await using session = sessionWith(miner);
      for (let look = 0; look < 3; look += 1) assert.equal((await get(session, INFO)).kind, 'reply');
      assert.deepEqual([miner.connections, miner.mostAtOnce], [3, 1]);
    }
  },
);

test('a kept-alive connection that dies as the next question is written is opened anew, once', BOUND, async () => {
  await using miner = await FakeMiner.start((_request, socket) => {
    if (miner.requests.length % 2 === 1) socket.write(page(BODY));
    else socket.destroy();
  });
  await using session = sessionWith(miner);
  assert.equal((await get(session, INFO)).kind, 'reply');
  assert.equal((await get(session, INFO)).kind, 'reply');
  assert.equal(miner.requests.length, 3);
});

test('bytes behind a reply are not taken for the next one', BOUND, async () => {
  const forged = page('{"version":"forged"}');
  await using miner = await FakeMiner.start((_request, socket) => socket.write(page(BODY) + forged));
  await using session = sessionWith(miner);
  for (let look = 0; look < 2; look += 1) {
    const reply = await get(session, INFO);
    assert.deepEqual(reply.kind === 'reply' && reply.value, JSON.parse(BODY));
  }
  assert.equal(miner.connections, 2);
});

/** Answers each question twice, the second time in the same piece or so many milliseconds later, and only then reads on. */
const answeringTwice = (answer: (request: string) => string, afterMs: number | 'same-piece'): Behaviour => {
  const busy = new WeakMap<Socket, Promise<void>>();
  const serve = async (request: string, socket: Socket): Promise<void> => {
    await busy.get(socket);
    const reply = answer(request);
    if (afterMs === 'same-piece') {
      socket.write(reply + reply);
      return;
    }
    socket.write(reply);
    await wait(afterMs);
    if (!socket.destroyed) socket.write(reply);
  };
  return (request, socket) => void busy.set(socket, serve(request, socket));
};

const naming = (request: string): string => page(JSON.stringify({ path: request.split(' ')[1] }));

test('no reply that is sent twice answers another question, whenever the second comes', BOUND, async () => {
  for (const afterMs of ['same-piece', 0, 2, 20] as const) {
    await using miner = await FakeMiner.start(answeringTwice(naming, afterMs));
    const told: number[] = [];
    const surplus = new Surplus(({ port }) => told.push(port));
    for (let look = 0; look < 2; look += 1) {
      await using session = sessionWith(miner, undefined, PATIENT, fresh(), surplus);
      for (const query of [INFO, OTHER, INFO, OTHER]) {
        const reply = await get(session, query);
        assert.deepEqual(reply.kind === 'reply' && reply.value, { path: query.path }, `${afterMs}`);
      }
    }
    assert.deepEqual(told, [miner.port], `${afterMs}`);
    assert.deepEqual(miner.strangers(ALLOW), []);
  }
});

test(
  'a device that once sent bytes between two questions is asked one question per connection from then on',
  BOUND,
  async () => {
    let isQuiet = false;
    await using miner = await FakeMiner.start((request, socket) => {
      socket.write(naming(request));
      if (!isQuiet) setTimeout(() => socket.destroyed || socket.write(page('{"version":"forged"}')), 20);
    });
    const surplus = new Surplus();
    {
      await using session = sessionWith(miner, undefined, PATIENT, fresh(), surplus);
      assert.equal((await get(session, INFO)).kind, 'reply');
      await wait(100);
      const reply = await get(session, OTHER);
      assert.deepEqual(reply.kind === 'reply' && reply.value, { path: OTHER.path });
    }
    assert.ok(surplus.isOf(miner.endpoint));
    isQuiet = true;
    const before = miner.connections;
    await using session = sessionWith(miner, undefined, PATIENT, fresh(), surplus);
    for (const query of [INFO, OTHER, INFO]) assert.equal((await get(session, query)).kind, 'reply');
    assert.equal(miner.connections, before + 3);
  },
);

test(
  'pages that are alike are asked for once more, and the device is not blamed; nor for line ends behind a body',
  BOUND,
  async () => {
    await using miner = await FakeMiner.start((_request, socket) => socket.write(`${page(BODY)}\r\n`));
    const surplus = new Surplus();
    await using session = sessionWith(miner, undefined, PATIENT, fresh(), surplus);
    for (const query of [INFO, OTHER, OTHER]) assert.equal((await get(session, query)).kind, 'reply');
    await session.close();
    assert.ok(!surplus.isOf(miner.endpoint));
    await using plain = await FakeMiner.start(serving({ [INFO.path]: page(BODY), [OTHER.path]: page(BODY) }));
    await using other = sessionWith(plain, undefined, PATIENT, fresh(), surplus);
    for (const query of [INFO, OTHER, OTHER]) assert.equal((await get(other, query)).kind, 'reply');
    assert.deepEqual([plain.requests.length, plain.connections, surplus.isOf(plain.endpoint)], [4, 2, false]);
  },
);

test('a log-in is shown once, over a connection of its own', BOUND, async () => {
  const heard: string[] = [];
  const twice = answeringTwice(
    (request) => (request.startsWith('POST /token') ? page('{"Token":[{"Token":"t"}]}') : naming(request)),
    2,
  );
  await using miner = await FakeMiner.start((request, socket) => {
    heard.push(request.split(' ')[1] ?? '');
    twice(request, socket);
  });
  await using session = sessionWith(miner, { user: 'root', password: () => 'secret' });
  assert.equal((await get(session, INFO)).kind, 'reply');
  const reply = await get(session, FAN);
  assert.deepEqual(reply.kind === 'reply' && reply.value, { path: FAN.path });
  assert.equal(heard.filter((path) => path === '/token').length, 1);
});

// ---- log-in ----------------------------------------------------------------------------------------------------------

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** A web server that checks Digest as RFC 7616 says, and gives out a new nonce after `usesPerNonce` uses. */
const digestServer = (
  password: string | (() => string),
  log: { failed: number; challenged: number },
  usesPerNonce = 1000,
  saysStale = true,
): Behaviour => {
  let nonce = 0;
  let uses = 0;
  const challenge = (socket: Socket, stale: boolean) => {
    log.challenged += 1;
    nonce += 1;
    uses = 0;
    const header = `WWW-Authenticate: Digest realm="antMiner Configuration", nonce="n${nonce}", qop="auth"${stale ? ', stale=true' : ''}`;
    socket.write(page('<html>401</html>', { status: '401 Unauthorized', headers: [header] }));
  };
  return (request, socket) => {
    const field = (name: string) =>
      new RegExp(`[ ,]${name}=(?:"([^"]*)"|([^,\\s]*))`).exec(request)?.slice(1).find(Boolean) ?? '';
    if (!request.includes('Authorization: Digest')) return challenge(socket, false);
    uses += 1;
    const path = request.split(' ')[1] ?? '';
    const expected = md5(
      [
        md5(`root:antMiner Configuration:${typeof password === 'string' ? password : password()}`),
        `n${nonce}`,
        uses.toString(16).padStart(8, '0'),
        field('cnonce'),
        'auth',
        md5(`GET:${path}`),
      ].join(':'),
    );
    if (field('nonce') !== `n${nonce}` || uses > usesPerNonce) return challenge(socket, saysStale);
    if (field('response') !== expected || field('uri') !== path) {
      log.failed += 1;
      return challenge(socket, false);
    }
    socket.write(page(`{"path":"${path}"}`));
  };
};

test('a Digest log-in is answered once and its nonce used on, also with a colon in the password', BOUND, async () => {
  const log = { failed: 0, challenged: 0 };
  await using miner = await FakeMiner.start(digestServer('a:b:ö', log));
  await using session = sessionWith(miner, { user: 'root', password: () => 'a:b:ö' });
  for (const query of [CONF, SYSTEM, CONF]) {
    const reply = await get(session, query);
    assert.deepEqual(reply.kind === 'reply' && reply.value, { path: query.path });
  }
  // The first answer, which may be a wrong one, is shown over a connection of its own: there it is not sent twice.
  assert.deepEqual([log, miner.connections, miner.requests.length], [{ failed: 0, challenged: 1 }, 2, 4]);
  assert.deepEqual(miner.strangers(ALLOW), []);
});

test('the next look answers the challenge of the one before, and a new one where that nonce ended', BOUND, async () => {
  const log = { failed: 0, challenged: 0 };
  await using miner = await FakeMiner.start(digestServer('secret', log, 3));
  const memory = fresh();
  const look = async (): Promise<void> => {
    await using session = sessionWith(miner, { user: 'root', password: () => 'secret' }, PATIENT, memory);
    assert.equal((await get(session, CONF)).kind, 'reply');
  };
  for (let looks = 0; looks < 3; looks += 1) await look();
  assert.deepEqual([log.challenged, miner.requests.length], [1, 4]);
  await look();
  assert.deepEqual([log.challenged, miner.requests.length, log.failed], [2, 6, 0]);
});

for (const [which, usesPerNonce] of [
  ['that never said of one that it is stale', 1000],
  ['that says so, and was started anew,', 1],
] as const)
  test(`a device ${which} refuses an old nonce without a word, and is answered anew`, BOUND, async () => {
    const log = { failed: 0, challenged: 0 };
    const memory = fresh();
    const credential: Credential = { user: 'root', password: () => 'secret' };
    let behave = digestServer('secret', log, usesPerNonce);
    await using miner = await FakeMiner.start((request, socket) => behave(request, socket));
    {
      await using session = sessionWith(miner, credential, PATIENT, memory);
      for (const query of [CONF, SYSTEM]) assert.equal((await get(session, query)).kind, 'reply');
    }
    // It restarted: the nonces it gave are unknown to it, and it says just 401.
    const restarted = digestServer('secret', log);
    let asked = 0;
    behave = (request, socket) =>
      restarted((asked++ === 0 ? request.split('Authorization')[0] : request) ?? '', socket);
    await using session = sessionWith(miner, credential, PATIENT, memory);
    for (const query of [CONF, SYSTEM]) assert.equal((await get(session, query)).kind, 'reply');
    assert.equal(log.failed, 0);
  });

test(
  'a password that became wrong is shown twice, with an old nonce and with a new one, before the log-in rests; a new one once',
  BOUND,
  async () => {
    const log = { failed: 0, challenged: 0 };
    const memory = fresh();
    let right = 'secret';
    await using miner = await FakeMiner.start(digestServer(() => right, log));
    const ask = async (password: string): Promise<string> => {
      await using session = sessionWith(miner, { user: 'root', password: () => password }, PATIENT, memory);
      return reasonOf(await get(session, CONF));
    };
    assert.equal(await ask('secret'), 'a reply');
    assert.equal(await ask('mistyped'), 'refused');
    assert.equal(await ask('mistyped'), 'refused');
    assert.equal(log.failed, 1);
    assert.equal(await ask('secret'), 'a reply');
    right = 'changed';
    assert.equal(await ask('secret'), 'refused');
    assert.equal(await ask('secret'), 'refused');
    // The old nonce may have been the reason: that is found out with one new one.
    assert.equal(log.failed, 1 + 2);
  },
);

/** Looks once a minute, with each of these log-ins, at a device whose password is changed once; the minutes of its wrong answers. */
const wrongAnswers = async (
  entries: readonly Credential[],
  { changesAt = Number.POSITIVE_INFINITY, usesPerNonce = 1000, saysStale = true, order = [CONF, SYSTEM] },
): Promise<readonly number[]> => {
  let nowMs = 0;
  const logins = new Logins({ monoMs: () => nowMs });
  const log = { failed: 0, challenged: 0 };
  let right = 'secret';
  await using miner = await FakeMiner.start(digestServer(() => right, log, usesPerNonce, saysStale));
  const wrong: number[] = [];
  for (let minute = 0; minute <= 60; minute += 1, nowMs += 60_000) {
    if (minute === changesAt) right = 'changed';
    for (const credential of entries) {
      await using session = sessionWith(miner, credential, PATIENT, { ...fresh(), logins });
      for (const query of order) await get(session, query);
    }
    while (wrong.length < log.failed) wrong.push(minute);
  }
  return wrong;
};

const entryWith = (password: string): Credential => ({ user: 'root', password: () => password });

test(
  'a password that is changed at the device costs two wrong answers at once, one where nonces end without a word, and few later',
  BOUND,
  async () => {
    const entries = [entryWith('secret')];
    assert.deepEqual(await wrongAnswers(entries, { changesAt: 3 }), [3, 3, 8, 18, 38]);
    // It may have been started anew, so that it knows none of its nonces.
    assert.deepEqual(await wrongAnswers(entries, { changesAt: 9, usesPerNonce: 5 }), [9, 9, 14, 24, 44]);
    // The nonce of before ends without a word: from then on the device is asked for one first.
    assert.deepEqual(await wrongAnswers(entries, { changesAt: 9, usesPerNonce: 5, saysStale: false }), [9, 14, 24, 44]);
  },
);

test('of two log-ins for one account the wrong one rests by itself, whatever becomes of the other', BOUND, async () => {
  for (const order of [
    ['old', 'secret'],
    ['secret', 'old'],
  ])
    assert.deepEqual(await wrongAnswers(order.map(entryWith), {}), [0, 5, 15, 35]);
  assert.deepEqual(await wrongAnswers(['old', 'older'].map(entryWith), {}), [0, 0, 5, 5, 20, 20, 40, 40]);
});

test('a stale nonce is renewed', BOUND, async () => {
  const log = { failed: 0, challenged: 0 };
  await using miner = await FakeMiner.start(digestServer('secret', log, 1));
  await using session = sessionWith(miner, { user: 'root', password: () => 'secret' });
  for (const query of [CONF, SYSTEM, CONF]) assert.equal((await get(session, query)).kind, 'reply');
  assert.equal(log.failed, 0);
});

test('a wrong password is offered once in a look', BOUND, async () => {
  const log = { failed: 0, challenged: 0 };
  await using miner = await FakeMiner.start(digestServer('secret', log));
  await using session = sessionWith(miner, { user: 'root', password: () => 'guess' });
  for (const query of [CONF, SYSTEM, CONF]) assert.equal(reasonOf(await get(session, query)), 'refused');
  assert.equal(log.failed, 1);
  assert.equal((await get(session, INFO)).kind, 'no-reply');
});

test('without a credential a page behind a log-in is refused without asking', BOUND, async () => {
  await using miner = await FakeMiner.start(digestServer('secret', { failed: 0, challenged: 0 }));
  await using session = sessionWith(miner);
  assert.equal(reasonOf(await get(session, CONF)), 'refused');
  assert.equal(miner.connections, 0);
});

test(
  'a page that refuses the log-in is unknown by itself, whichever page is asked first: the others are read',
  BOUND,
  async () => {
    for (const order of [
      [CONF, SYSTEM],
      [SYSTEM, CONF],
    ]) {
      let nowMs = 0;
      const logins = new Logins({ monoMs: () => nowMs });
      const log = { failed: 0, challenged: 0 };
      const serve = digestServer('secret', log);
      let forbidden = 0;
      await using miner = await FakeMiner.start((request, socket) => {
        if (!request.includes(SYSTEM.path)) return serve(request, socket);
        if (request.includes('Authorization')) forbidden += 1;
        const headers = ['WWW-Authenticate: Digest realm="admins", nonce="n", qop="auth"'];
        socket.write(page('', { status: '401 Unauthorized', headers }));
      });
      const credential: Credential = { user: 'root', password: () => 'secret' };
      const unread: number[] = [];
      for (; nowMs <= 30 * 60_000; nowMs += 60_000) {
        await using session = sessionWith(miner, credential, PATIENT, { ...fresh(), logins });
        for (const query of order) {
          const reason = reasonOf(await get(session, query));
          if (query === SYSTEM) assert.equal(reason, 'refused');
          else if (reason !== 'a reply') unread.push(nowMs / 60_000);
        }
      }
      assert.deepEqual(unread, order[0] === CONF ? [] : [0, 1, 2, 3, 4]);
      assert.deepEqual([log.failed, forbidden <= 6], [0, true], `${forbidden} tries`);
    }
  },
);

test('a password is never sent in clear to a device that should ask for Digest', BOUND, async () => {
  const asksForBasic = page('', { status: '401 Unauthorized', headers: ['WWW-Authenticate: Basic realm="x"'] });
  await using miner = await FakeMiner.start(serving({ [CONF.path]: asksForBasic }));
  await using session = sessionWith(miner, { user: 'root', password: () => 'secret' });
  assert.equal(reasonOf(await get(session, CONF)), 'refused');
  assert.ok(miner.requests.every((request) => !request.includes('Authorization')));
});

test('Basic and Bearer are sent where the driver says so', BOUND, async () => {
  await using miner = await FakeMiner.start(serving({ '/basic': page('{}'), '/bearer': page('{}') }));
  await using session = sessionWith(miner, { user: 'root', password: () => 'secret' });
  assert.equal((await get(session, BASIC)).kind, 'reply');
  assert.equal((await get(session, BEARER)).kind, 'reply');
  assert.match(miner.requests[0] ?? '', /\r\nAuthorization: Basic cm9vdDpzZWNyZXQ=\r\n/);
  assert.match(miner.requests[1] ?? '', /\r\nAuthorization: Bearer secret\r\n/);
});

test('a path that is not on the allow-list throws before any socket is opened', BOUND, async () => {
  await using miner = await FakeMiner.start(serving({}));
  await using session = sessionWith(miner);
  await assert.rejects(session.page({ ...INFO }), /not on the allow-list/);
  await assert.rejects(session.page(httpGet('/cgi-bin/reboot.cgi')), /not on the allow-list/);
  assert.equal(miner.connections, 0);
});
