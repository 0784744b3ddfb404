import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineDriver, type HttpQuery, httpGet, PASSWORD, USER } from '../../agent/drivers/driver.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import { documentIn } from '../../agent/probe/exchange.ts';
import { HttpSession } from '../../agent/probe/http.ts';
import { Logins, refusedDoors } from '../../agent/probe/logins.ts';
import { probeDevice } from '../../agent/probe/probe.ts';
import { type Behaviour, FakeMiner, fresh, PATIENT, page, SHORT } from './fake-miner.ts';

/** Devices that say nothing, or nothing whole, to a log-in: whether it was the wrong one nobody knows. */

const digest = { cadence: 'config', auth: 'digest' } as const;
const PAGES = ['/a', '/b', '/c', '/d', '/e'].map((path) => httpGet(path, digest));
const FIRST = PAGES.slice(0, 1);
const SESSION = ['/stats', '/fans'].map((path) =>
  httpGet(path, {
    cadence: 'config',
    auth: {
      kind: 'login',
      method: 'POST',
      path: '/token',
      as: 'json',
      members: { command: 'token', user: USER, password: PASSWORD },
      gives: { kind: 'token', pointer: '/token', header: 'Token' },
    },
  }),
);
const KEYED = ['/k', '/l'].map((path) =>
  httpGet(path, { cadence: 'config', auth: { kind: 'key', header: 'x-api-key' } }),
);
const BASIC = [httpGet('/basic', { cadence: 'config', auth: 'basic' })];
const ALLOW = compileAllowList([], [...PAGES, ...SESSION, ...KEYED, ...BASIC]);

const MINUTE_MS = 60_000;
const CREDENTIAL = { user: 'root', password: () => 'guess' };

const asking = (challenge = 'Digest realm="antMiner Configuration", nonce="n", qop="auth"'): string =>
  page('401', { status: '401 Unauthorized', headers: [`WWW-Authenticate: ${challenge}`] });

const isShown = (request: string): boolean => /^(?:authorization|x-api-key):|"password"/im.test(request);

/** A device across looks that asks for a log-in; `said` is what it does about one. */
class Gate implements AsyncDisposable {
  nowMs = 0;
  readonly logins: Logins;
  shown = 0;
  readonly told: string[] = [];
  asks = asking();
  said: Behaviour;
  readonly #miner: Promise<FakeMiner>;

  constructor(said: Behaviour, noteTries?: (text: string) => boolean) {
    this.said = said;
    this.logins = new Logins({ monoMs: () => this.nowMs }, undefined, (_, became) => this.told.push(became), noteTries);
    this.#miner = FakeMiner.start((request, socket) => {
      if (isShown(request)) {
        this.shown += 1;
        this.said(request, socket);
      } else if (/^token:/im.test(request)) this.said(request, socket);
      else socket.write(this.asks);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#miner)[Symbol.asyncDispose]();
  }

  /** One look: why each page gave no document, or `read`, and what is said of that. */
  async look(queries: readonly HttpQuery[], limits = PATIENT): Promise<readonly (readonly [string, string])[]> {
    const { endpoint } = await this.#miner;
    const { logins } = this;
    await using session = new HttpSession(endpoint, CREDENTIAL, { limits: () => limits, allow: ALLOW, logins });
    const outcomes: (readonly [string, string])[] = [];
    for (const query of queries) {
      const answer = await session.page(query);
      const reply = answer.kind === 'page' ? documentIn(answer) : answer;
      outcomes.push(reply.kind === 'reply' ? ['read', ''] : [reply.reason, reply.detail]);
    }
    return outcomes;
  }

  async reasons(queries: readonly HttpQuery[], limits = PATIENT): Promise<readonly string[]> {
    return (await this.look(queries, limits)).map(([reason]) => reason);
  }
}

const dropped: Behaviour = (_request, socket) => socket.destroy();
const cut =
  (status: string): Behaviour =>
  (_request, socket) =>
    socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 351\r\n\r\n<html>`);
const silent: Behaviour = () => {};

const KINDS = [
  ['a Digest answer', PAGES],
  ['the log-in of a session', SESSION],
  ['a key', KEYED],
] as const;

for (const [what, queries] of KINDS) {
  const [first = '', ...others] = queries.map(() => 'truncated');

  test(`${what} that the device drops is shown once, rests like one that is refused, and is not said to be refused`, async () => {
    await using gate = new Gate(dropped);
    const outcomes = await gate.look(queries);
    assert.deepEqual(
      outcomes.map(([reason]) => reason),
      [first, ...others],
    );
    assert.equal(gate.shown, 1);
    assert.match(outcomes[1]?.[1] ?? '', /^the device gave no answer to the log-in, which rests for 5 min$/);
    assert.equal(gate.logins.isRefused, false);
    const shown: number[] = [];
    for (; gate.nowMs < 120 * MINUTE_MS; gate.nowMs += MINUTE_MS) {
      const before: number = gate.shown;
      await gate.look(queries);
      if (gate.shown > before) shown.push(gate.nowMs / MINUTE_MS);
      assert.ok(gate.shown - before <= 1, 'once in a look');
    }
    assert.deepEqual(shown, [5, 15, 35, 75]);
  });

  test(`${what} that stays without an answer is shown once`, async () => {
    await using gate = new Gate(silent);
    assert.deepEqual(new Set(await gate.reasons(queries, SHORT)), new Set(['timeout']));
    assert.equal(gate.shown, 1);
  });

  test(`${what} to which a refusal comes whose body is cut off is refused, once`, async () => {
    await using gate = new Gate(cut('401 Unauthorized'));
    assert.deepEqual(new Set(await gate.reasons(queries)), new Set(['refused']));
    assert.equal(gate.shown, 1);
    assert.equal(gate.logins.isRefused, true);
  });
}

for (const status of ['429 Too Many Requests', '423 Locked', '500 Internal Server Error', '503 Service Unavailable'])
  test(`a log-in that was never taken is shown once to a device that says ${status} to it`, async () => {
    await using gate = new Gate((_request, socket) => socket.write(page('', { status })));
    assert.deepEqual(new Set(await gate.reasons(PAGES)), new Set(['unreadable']));
    assert.deepEqual([gate.shown, gate.logins.isRefused], [1, false]);
    gate.nowMs += 5 * MINUTE_MS;
    await gate.look(PAGES);
    assert.equal(gate.shown, 2);
  });

/** Another one for each path: one that is repeated is asked for again. */
const pageOf = (request: string): string => page(JSON.stringify({ path: request.split(' ')[1] }));

const FORBIDDEN = page('', { status: '403 Forbidden' });

test('a log-in that was never taken and is answered with 403 is refused: it is shown once, rests, and that is told', async () => {
  for (const queries of [PAGES, BASIC]) {
    await using gate = new Gate((_request, socket) => socket.write(FORBIDDEN));
    const shown: number[] = [];
    for (; gate.nowMs < 120 * MINUTE_MS; gate.nowMs += MINUTE_MS) {
      const before: number = gate.shown;
      assert.deepEqual(new Set(await gate.reasons(queries)), new Set(['refused']));
      for (let times = before; times < gate.shown; times += 1) shown.push(gate.nowMs / MINUTE_MS);
    }
    assert.deepEqual(shown, [0, 5, 15, 35, 75]);
    assert.deepEqual([gate.told, refusedDoors(gate.logins.unsaved(0) ?? '[]').length], [['refused'], 1]);
    gate.said = (_request, socket) => socket.write(page('{}'));
    gate.nowMs = 160 * MINUTE_MS;
    assert.equal((await gate.reasons(queries))[0], 'read');
    assert.deepEqual([gate.told, gate.logins.isRefused], [['refused', 'taken'], false]);
  }
});

test('pages that are for somebody else do not make a log-in rest that other pages take, and are seldom shown it', async () => {
  const LOOKS = 6 * 60;
  for (const forbidden of [/^GET \/b /, /^GET \/[bcd] /, /^GET \/[bcde] /]) {
    await using gate = new Gate((request, socket) =>
      socket.write(forbidden.test(request) ? FORBIDDEN : pageOf(request)),
    );
    const which = PAGES.map(({ path }) => forbidden.test(`GET ${path} `));
    for (let looks = 0; looks < LOOKS; looks += 1, gate.nowMs += MINUTE_MS) {
      const outcomes = await gate.reasons(PAGES);
      const expected = which.map((isForbidden) => (isForbidden ? 'refused' : 'read'));
      // What was never asked waits one look, so that the page that takes it is asked before.
      if (looks === 0 && forbidden.source.includes('bcd]')) expected[4] = 'refused';
      assert.deepEqual(outcomes, expected, `look ${looks}`);
    }
    const taken = which.filter((isForbidden) => !isForbidden).length * LOOKS;
    assert.ok(gate.shown - taken <= 7 * (5 - taken / LOOKS), `${gate.shown - taken}`);
    assert.deepEqual([gate.told, gate.logins.isRefused], [[], false]);
  }
});

test('pages that took a log-in and are for somebody else from then on cost the others five minutes at most, once', async () => {
  for (const forbidden of [/^GET \/b /, /^GET \/[bc] /, /^GET \/[bcd] /]) {
    await using gate = new Gate((_request, socket) => socket.write(page('{}')));
    assert.deepEqual(new Set(await gate.reasons(PAGES)), new Set(['read']));
    gate.said = (request, socket) => socket.write(forbidden.test(request) ? FORBIDDEN : page('{}'));
    const unread: number[] = [];
    for (let looks = 0; looks < 2 * 60; looks += 1, gate.nowMs += MINUTE_MS) {
      const [first, , , , last] = await gate.reasons(PAGES);
      if (first !== 'read' || last !== 'read') unread.push(looks);
    }
    const isThree = forbidden.source.includes('bcd');
    assert.deepEqual(unread, isThree ? [0, 1, 2, 3, 4] : []);
    assert.deepEqual(gate.told, isThree ? ['refused', 'taken'] : []);
  }
});

test('a log-in that was taken before and is answered with 403 now rests after the third time in a row, and that is told', async () => {
  for (const took of [1, 2, 5]) {
    await using gate = new Gate((_request, socket) => socket.write(page('{}')));
    await gate.look(PAGES.slice(0, took));
    gate.said = (_request, socket) => socket.write(FORBIDDEN);
    const shown: number[] = [];
    for (; gate.nowMs < 24 * 60 * MINUTE_MS; gate.nowMs += MINUTE_MS) {
      const before: number = gate.shown;
      await gate.look(PAGES);
      for (let times = before; times < gate.shown; times += 1) shown.push(gate.nowMs / MINUTE_MS);
      // The first of the pages that took it three times, and the others meanwhile as often as may be.
      if (gate.nowMs >= 45 * MINUTE_MS) assert.deepEqual(gate.told, ['refused'], `${took}`);
    }
    for (const from of shown) assert.ok(shown.filter((at) => at >= from && at < from + 20).length <= 4, `${shown}`);
    assert.ok(shown.length <= 35, `${took}: ${shown}`);
    assert.equal(gate.logins.isRefused, true);
    gate.said = (_request, socket) => socket.write(page('{}'));
    gate.nowMs += 60 * MINUTE_MS;
    await gate.look(PAGES);
    assert.deepEqual(gate.told, ['refused', 'taken']);
  }
});

test('errors of pages do not make a log-in rest that other pages take', async () => {
  await using gate = new Gate((request, socket) => {
    const isFault = /^GET \/[bcde] /.test(request);
    socket.write(page('{}', isFault ? { status: '500 Internal Server Error' } : {}));
  });
  for (let looks = 0; looks < 5; looks += 1, gate.nowMs += MINUTE_MS)
    assert.deepEqual(await gate.reasons(PAGES), ['read', ...PAGES.slice(1).map(() => 'unreadable')]);
});

test('a page that breaks off after it began shows that the log-in was taken: the others are read', async () => {
  await using gate = new Gate((request, socket) => {
    if (request.startsWith('GET /a ')) cut('200 OK')(request, socket);
    else socket.write(page('{}'));
  });
  assert.deepEqual(await gate.reasons(PAGES), ['truncated', 'read', 'read', 'read', 'read']);
});

test('pages that a device always loses do not make a log-in rest that other pages take', async () => {
  for (const lose of [dropped, silent]) {
    await using gate = new Gate((request, socket) => {
      if (/^GET \/[bc] /.test(request)) lose(request, socket);
      else socket.write(page('{}'));
    });
    for (let looks = 0; looks < 10; looks += 1, gate.nowMs += MINUTE_MS) {
      const [a, , , d, e] = await gate.reasons(PAGES, SHORT);
      assert.deepEqual([a, d, e], ['read', 'read', 'read']);
    }
  }
});

test('a page that is lost before any took the log-in lets the others go first after the rest', async () => {
  await using gate = new Gate((request, socket) => {
    if (request.startsWith('GET /a ')) dropped(request, socket);
    else socket.write(page('{}'));
  });
  await gate.look(PAGES);
  gate.nowMs += 5 * MINUTE_MS;
  assert.deepEqual(await gate.reasons(PAGES), ['truncated', 'read', 'read', 'read', 'read']);
});

test('a log-in that was taken before is shown three times to a device that drops it, then rests, an hour at most', async () => {
  await using gate = new Gate((_request, socket) => socket.write(page('{}')));
  assert.deepEqual(await gate.reasons(FIRST), ['read']);
  gate.said = dropped;
  await gate.look(PAGES);
  assert.equal(gate.shown, 1 + 3);
  for (; gate.nowMs < 24 * 60 * MINUTE_MS; gate.nowMs += MINUTE_MS) await gate.look(FIRST);
  assert.ok(gate.shown < 35, `${gate.shown}`);
  gate.said = (_request, socket) => socket.write(page('{}'));
  const healedMs = gate.nowMs;
  while ((await gate.reasons(FIRST))[0] !== 'read') gate.nowMs += MINUTE_MS;
  assert.ok(gate.nowMs - healedMs <= 60 * MINUTE_MS);
  assert.deepEqual(new Set(await gate.reasons(PAGES)), new Set(['read']));
});

test('a device that drops a log-in which it took before is shown it four times in twenty minutes', async () => {
  await using gate = new Gate((_request, socket) => socket.write(page('{}')));
  await gate.look(PAGES);
  gate.said = dropped;
  const shown: number[] = [];
  for (; gate.nowMs <= 60 * MINUTE_MS; gate.nowMs += MINUTE_MS) {
    const before: number = gate.shown;
    await gate.look(PAGES);
    for (let times = before; times < gate.shown; times += 1) shown.push(gate.nowMs / MINUTE_MS);
  }
  assert.deepEqual(shown, [0, 0, 0, 5, 20, 40]);
});

test('what needs no log-in is read of a device that leaves one without an answer, in the same look and while it rests', async () => {
  const queries = Object.fromEntries([
    ...PAGES.map((query) => [query.path, query]),
    ['open', httpGet('/open', { cadence: 'config' })],
  ]);
  const driver = defineDriver({ family: 'f', title: 'F', source: 'this test', recognise: () => 0, queries, facts: {} });
  await using miner = await FakeMiner.start((request, socket) => {
    if (request.startsWith('GET /open ')) socket.write(page('{}'));
    else if (!isShown(request)) socket.write(asking());
  });
  const target = { address: '127.0.0.1', ports: { cgminer: null, http: miner.port }, credential: CREDENTIAL };
  const deps = { limits: { ...SHORT, deviceMs: 5000 }, allow: compileAllowList([driver]), ...fresh() };
  for (let looks = 0; looks < 2; looks += 1) {
    const { replies } = await probeDevice(target, driver, 'full', deps);
    assert.equal(replies.get('open')?.kind, 'reply');
  }
  assert.equal(miner.requests.filter(isShown).length, 1);
});

test('why a log-in rests outlives the process', () => {
  const key = new Uint8Array(32).fill(7);
  const before = new Logins({ monoMs: () => 0 }, key);
  before.unanswered('a', CREDENTIAL, 'truncated');
  const after = new Logins({ monoMs: () => 0 }, key);
  after.takeOver(before.unsaved(0) ?? '', 0);
  assert.deepEqual([after.restsMs('a', CREDENTIAL), after.whyResting('a', CREDENTIAL)], [5 * MINUTE_MS, 'truncated']);
});

test('a log-in of a kind that is not known is never shown: that is said, and nothing rests', async () => {
  for (const [challenge, said] of [
    ['Digest realm="r", nonce="n", qop="auth-int"', 'digest qop="auth-int"'],
    ['Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess', 'digest qop="auth" algorithm="MD5-sess"'],
    ['Basic realm="r"', 'basic'],
  ] as const) {
    await using gate = new Gate((_request, socket) => socket.write(page('{}')));
    gate.asks = asking(challenge);
    const unsupported = `HTTP 401: the device asks for a log-in of a kind that is not supported (${said})`;
    for (const outcome of await gate.look(PAGES)) assert.deepEqual(outcome, ['refused', unsupported]);
    assert.deepEqual([gate.shown, gate.logins.isRefused], [0, false]);
    gate.asks = asking();
    assert.deepEqual(await gate.reasons(FIRST), ['read'], 'at once where the device asks for another one');
  }
});

for (const [way, queries] of [
  ['by Digest', FIRST],
  ['for a session', SESSION.slice(0, 1)],
  ['as a key', KEYED.slice(0, 1)],
] as const) {
  test(`a log-in ${way} is noted when it is shown, and not shown where the store takes no note`, async () => {
    const notes: string[] = [];
    let takesNotes = false;
    const noteTries = (text: string): boolean => {
      if (takesNotes) notes.push(text);
      return takesNotes;
    };
    await using gate = new Gate((request, socket) => {
      assert.ok(notes.length > 0, 'noted before');
      socket.write(/"password"/.test(request) ? page('{"token":"t"}') : page('{}'));
    }, noteTries);
    assert.deepEqual(await gate.look(queries), [
      ['refused', 'the log-in is not shown: the store does not take a note of it'],
    ]);
    assert.equal(gate.shown, 0);
    takesNotes = true;
    assert.deepEqual(await gate.look(queries), [['read', '']]);
    assert.equal(notes.length, 1);
    gate.logins.forgetTries();
    assert.deepEqual(await gate.look(queries), [['read', '']]);
    assert.deepEqual(notes.slice(1), ['[]'], 'one that was taken is not noted again');
  });
}
