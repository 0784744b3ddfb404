import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HttpQuery, httpGet, httpPost, type Login, PASSWORD, USER } from '../../agent/drivers/driver.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import type { JsonValue, NoReply } from '../../agent/probe/capture.ts';
import { documentIn, type Page } from '../../agent/probe/exchange.ts';
import { HttpSession } from '../../agent/probe/http.ts';
import { Logins } from '../../agent/probe/logins.ts';
import { type Behaviour, FakeMiner, page, SHORT } from './fake-miner.ts';

const token: Login = {
  kind: 'login',
  method: 'POST',
  path: '/token',
  as: 'json',
  members: { command: 'token', user: USER, password: PASSWORD },
  gives: { kind: 'token', pointer: '/Token/0/Token', header: 'Token' },
};
const cookie: Login = {
  kind: 'login',
  method: 'POST',
  path: '/user/loginpost',
  as: 'form',
  members: { post: '6', user: USER, pwd: PASSWORD },
  gives: { kind: 'cookie' },
  over: (document) =>
    typeof document === 'object' && document !== null && 'error' in document && document.error === 1004,
};

const FAN = httpGet('/fan', { cadence: 'config', auth: token });
const MODE = httpGet('/mode', { cadence: 'config', auth: token });
const PANEL = httpPost('/user/userpanel', 'post=4', { cadence: 'config', auth: cookie });
const EITHER = httpPost('/user/ipconfig', 'post=1', { cadence: 'config', auth: { ...cookie, ifAsked: true } });
const KEYED = httpGet('/api/v1/settings', { cadence: 'config', auth: { kind: 'key', header: 'x-api-key' } });
const OPEN = httpGet('/api/system/info', { cadence: 'config', auth: 'basic-if-asked' });
const ALLOW = compileAllowList([], [FAN, MODE, PANEL, EITHER, KEYED, OPEN]);

const CREDENTIAL = { user: 'ad min', password: () => 'p&ss"word' };

/** A device behind a log-in, across looks; it notes the first line and the body of what came. */
class Gate {
  readonly logins: Logins;
  nowMs = 0;
  readonly heard: string[] = [];
  answer: (request: string) => string = () => page('{}');

  constructor() {
    this.logins = new Logins({ monoMs: () => this.nowMs });
  }

  readonly behave: Behaviour = (request, socket) => {
    const [line = '', ...rest] = request.split(/ HTTP\/1\.1\r\n|\r\n\r\n/);
    this.heard.push(`${line} ${rest.at(-1) ?? ''}`.trimEnd());
    socket.write(this.answer(request));
  };

  /** One look: a session of its own, the log-ins those of before. */
  async look(...queries: readonly HttpQuery[]): Promise<readonly (JsonValue | string)[]> {
    await using miner = await FakeMiner.start(this.behave);
    await using session = new HttpSession(miner.endpoint, CREDENTIAL, {
      limits: () => SHORT,
      allow: ALLOW,
      logins: this.logins,
    });
    const said: (JsonValue | string)[] = [];
    for (const query of queries) said.push(meaningOf(await session.page(query)));
    return said;
  }
}

const meaningOf = (answer: Page | NoReply): JsonValue | string => {
  const document = answer.kind === 'page' ? documentIn(answer) : answer;
  return document.kind === 'reply' ? document.value : document.reason;
};

const refused = (): string => page('', { status: '401 Unauthorized' });

test('a session is opened once, with the operator’s log-in as data and nothing else, and used for every further request', async () => {
  const gate = new Gate();
  gate.answer = (request) => {
    if (request.startsWith('POST /token ')) return page('{"Token":[{"Token":"t-1"}]}');
    return /\r\nToken: t-1\r\n/.test(request) ? page(`{"ok":"${request.split(' ')[1]}"}`) : refused();
  };
  assert.deepEqual(await gate.look(FAN, MODE, FAN), [{ ok: '/fan' }, { ok: '/mode' }, { ok: '/fan' }]);
  assert.deepEqual(gate.heard, [
    'POST /token {"command":"token","user":"ad min","password":"p&ss\\"word"}',
    'GET /fan',
    'GET /mode',
    'GET /fan',
  ]);
});

test('a session that the device ended is opened anew, once', async () => {
  const gate = new Gate();
  let valid = 0;
  gate.answer = (request) => {
    if (request.startsWith('POST /user/loginpost')) {
      valid += 1;
      return page('{"login":1}', { headers: [`Set-Cookie: sid=${valid}; Path=/; HttpOnly`, 'Set-Cookie: lang=en'] });
    }
    return request.includes(`\r\nCookie: sid=${valid}; lang=en\r\n`) ? page('{"error":0}') : page('{"error":1004}');
  };
  assert.deepEqual(await gate.look(PANEL), [{ error: 0 }]);
  assert.deepEqual(gate.heard, [
    'POST /user/loginpost post=6&user=ad%20min&pwd=p%26ss%22word',
    'POST /user/userpanel post=4',
  ]);
  valid += 1;
  gate.heard.length = 0;
  await using miner = await FakeMiner.start(gate.behave);
  await using session = new HttpSession(miner.endpoint, CREDENTIAL, {
    limits: () => SHORT,
    allow: ALLOW,
    logins: gate.logins,
  });
  assert.deepEqual(meaningOf(await session.page(PANEL)), { error: 0 });
  valid += 1;
  assert.deepEqual(meaningOf(await session.page(PANEL)), { error: 0 });
  assert.equal(gate.heard.filter((line) => line.includes('loginpost')).length, 2);
});

test('where only some firmware wants a session, none is opened before the device says so', async () => {
  const gate = new Gate();
  gate.answer = () => page('{"error":0}');
  assert.deepEqual(await gate.look(EITHER), [{ error: 0 }]);
  assert.deepEqual(gate.heard, ['POST /user/ipconfig post=1']);
  gate.heard.length = 0;
  gate.answer = (request) => {
    if (request.startsWith('POST /user/loginpost')) return page('{"login":1}', { headers: ['Set-Cookie: sid=1'] });
    return page(request.includes('\r\nCookie: sid=1\r\n') ? '{"error":0}' : '{"error":1004}');
  };
  assert.deepEqual(await gate.look(EITHER, EITHER), [{ error: 0 }, { error: 0 }]);
  assert.deepEqual(gate.heard, [
    'POST /user/ipconfig post=1',
    'POST /user/loginpost post=6&user=ad%20min&pwd=p%26ss%22word',
    'POST /user/ipconfig post=1',
    'POST /user/ipconfig post=1',
  ]);
  await using miner = await FakeMiner.start(gate.behave);
  const logins = new Logins({ monoMs: () => 0 });
  await using session = new HttpSession(miner.endpoint, undefined, { limits: () => SHORT, allow: ALLOW, logins });
  assert.equal(meaningOf(await session.page(EITHER)), 'refused');
});

test('a session is over where the device sends the browser to its log-in page', async () => {
  const gate = new Gate();
  let valid = 0;
  gate.answer = (request) => {
    if (request.startsWith('POST /user/loginpost')) {
      valid += 1;
      return page('{"error":0}', { headers: [`Set-Cookie: sid=${valid}`] });
    }
    return request.includes(`\r\nCookie: sid=${valid}\r\n`)
      ? page('{"error":0}')
      : page('', { status: '302 Found', headers: ['Location: /user/login'] });
  };
  await using miner = await FakeMiner.start(gate.behave);
  const { logins } = gate;
  await using session = new HttpSession(miner.endpoint, CREDENTIAL, { limits: () => SHORT, allow: ALLOW, logins });
  assert.deepEqual(meaningOf(await session.page(PANEL)), { error: 0 });
  valid += 1;
  assert.deepEqual(meaningOf(await session.page(PANEL)), { error: 0 });
  assert.equal(gate.heard.filter((line) => line.includes('loginpost')).length, 2);
});

test('a log-in that is refused is refused to every question, and is not offered again before its time', async () => {
  const gate = new Gate();
  gate.answer = refused;
  await using miner = await FakeMiner.start(gate.behave);
  const look = async (): Promise<readonly (JsonValue | string)[]> => {
    await using session = new HttpSession(miner.endpoint, CREDENTIAL, {
      limits: () => SHORT,
      allow: ALLOW,
      logins: gate.logins,
    });
    return [
      meaningOf(await session.page(FAN)),
      meaningOf(await session.page(MODE)),
      meaningOf(await session.page(KEYED)),
    ];
  };
  const logIns = () => gate.heard.length;
  assert.deepEqual(await look(), ['refused', 'refused', 'refused']);
  assert.equal(logIns(), 1);
  gate.nowMs += 299_000;
  await look();
  assert.equal(logIns(), 1);
  gate.nowMs += 1_000;
  await look();
  assert.equal(logIns(), 2);
});

test('a cookie that a device gives whatever the password opens nothing, and each try waits longer than the one before', async () => {
  const gate = new Gate();
  gate.answer = (request) =>
    request.startsWith('POST /user/loginpost')
      ? page('{"error":0}', { headers: ['Set-Cookie: sid=1'] })
      : page('', { status: '302 Found', headers: ['Location: /login.html'] });
  await using miner = await FakeMiner.start(gate.behave);
  const logIns = async (afterMs: number): Promise<number> => {
    gate.nowMs += afterMs;
    await using session = new HttpSession(miner.endpoint, CREDENTIAL, {
      limits: () => SHORT,
      allow: ALLOW,
      logins: gate.logins,
    });
    assert.equal(meaningOf(await session.page(PANEL)), 'refused');
    return gate.heard.filter((line) => line.includes('loginpost')).length;
  };
  assert.equal(await logIns(0), 1);
  assert.equal(await logIns(299_000), 1);
  assert.equal(await logIns(1_000), 2);
  assert.equal(await logIns(599_000), 2);
  assert.equal(await logIns(1_000), 3);
});

test('a key goes into the header that the device wants, and a refusal of it is one of the log-in', async () => {
  const gate = new Gate();
  gate.answer = (request) => (/\r\nx-api-key: p&ss"word\r\n/.test(request) ? page('{"miner":{}}') : refused());
  assert.deepEqual(await gate.look(KEYED), [{ miner: {} }]);
  gate.answer = () => page('', { status: '403 Forbidden' });
  assert.deepEqual(await gate.look(KEYED), ['refused']);
});

test('where the log-in is the owner’s choice it is shown only to a device that asks for it', async () => {
  const gate = new Gate();
  const carried: boolean[] = [];
  const basic = `Authorization: Basic ${Buffer.from('ad min:p&ss"word').toString('base64')}`;
  gate.answer = (request) => {
    carried.push(request.includes(basic));
    return page('{"version":"v2"}');
  };
  assert.deepEqual(await gate.look(OPEN), [{ version: 'v2' }]);
  assert.deepEqual(carried, [false]);
  gate.answer = (request) => {
    carried.push(request.includes(basic));
    return request.includes(basic)
      ? page('{"version":"v2"}')
      : page('', { status: '401 Unauthorized', headers: ['WWW-Authenticate: Basic realm="Bitaxe"'] });
  };
  assert.deepEqual(await gate.look(OPEN, OPEN), [{ version: 'v2' }, { version: 'v2' }]);
  assert.deepEqual(carried, [false, false, true, true]);
});
