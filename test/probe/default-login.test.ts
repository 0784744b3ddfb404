import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineDriver, httpGet } from '../../agent/drivers/driver.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import { readEndpoint } from '../../agent/probe/endpoint.ts';
import { Logins } from '../../agent/probe/logins.ts';
import { FakeMiner, fresh, PATIENT, page } from './fake-miner.ts';

const driver = defineDriver({
  family: 'guarded',
  title: 'Guarded',
  source: 'this test',
  recognise: () => 0,
  vendorLogin: { user: 'root', password: 'root' },
  queries: { open: httpGet('/open.cgi'), conf: httpGet('/conf.cgi', { cadence: 'config', auth: 'digest' }) },
  facts: {},
});
const allow = compileAllowList([driver]);

const CHALLENGE = page('', {
  status: '401 Unauthorized',
  headers: ['WWW-Authenticate: Digest realm="miner", nonce="n1", qop="auth"'],
});

/** What the endpoint shows of the log-in at a device that answers so, and what the device was sent. */
const tried = async (answer: (isLoggedIn: boolean) => string) => {
  const locked: string[] = [];
  await using miner = await FakeMiner.start((request, socket) => {
    socket.write(answer(/^Authorization: Digest username="root"/im.test(request)));
  });
  const reading = await readEndpoint({ address: '127.0.0.1', ports: { http: miner.port } }, driver, ['login'], {
    limits: PATIENT,
    allow,
    lockedOut: ({ said }) => void locked.push(said),
    ...fresh(),
  });
  await miner.allClosed();
  assert.deepEqual(miner.strangers(allow), []);
  return {
    shown: reading.get('login')?.map(({ name, value }) => `${name} ${value}`),
    requests: miner.requests.length,
    locked,
  };
};

test('remote-control.default-credentials: the log-in of the maker opens a page: the account and the page are told, the password is not', async () => {
  const { shown, requests, locked } = await tried((isLoggedIn) => (isLoggedIn ? page('{}') : CHALLENGE));
  assert.deepEqual(shown, ['login.default root at http:/conf.cgi']);
  assert.deepEqual([requests, locked], [2, []], 'the question of the device, and one answer to it');
});

test('remote-control.default-credentials: a refusal is told as such after one try, and a page for anybody tells nothing', async () => {
  const refused = await tried(() => CHALLENGE);
  assert.deepEqual([refused.shown, refused.requests], [['login.default refused'], 2]);
  const forbidden = await tried((isLoggedIn) => (isLoggedIn ? page('', { status: '403 Forbidden' }) : CHALLENGE));
  assert.deepEqual([forbidden.shown, forbidden.requests], [['login.default refused'], 2]);
  const open = await tried(() => page('{}'));
  assert.deepEqual([open.shown, open.requests], [[], 1]);
});

test('remote-control.default-credentials: a device that closes its door is told at once', async () => {
  const { shown, locked } = await tried((isLoggedIn) =>
    isLoggedIn ? page('', { status: '429 Too Many Requests' }) : CHALLENGE,
  );
  assert.deepEqual(locked, ['HTTP 429']);
  assert.deepEqual(shown, []);
});

test('remote-control.default-credentials: the log-in of the maker counts among the four that an account is shown within twenty minutes', async () => {
  let nowMs = 0;
  const logins = new Logins({ monoMs: () => nowMs });
  let isRight = false;
  await using miner = await FakeMiner.start((request, socket) => {
    const isShown = /^Authorization: Digest username="root"/im.test(request);
    if (isShown) socket.write(isRight ? page('{}') : page('', { status: '403 Forbidden' }));
    else socket.write(CHALLENGE);
  });
  const door = `127.0.0.1 ${miner.port} root`;
  const shownByOperator = async (passwords: readonly string[]): Promise<readonly string[]> => {
    const shown: string[] = [];
    for (const word of passwords) {
      const credential = { user: 'root', password: () => word };
      if (logins.restsMs(door, credential, '/conf.cgi') > 0) continue;
      await logins.mayShow(door, credential);
      logins.refused(door, credential, '/conf.cgi');
      shown.push(word);
    }
    return shown;
  };
  const tryMakers = async () => {
    const target = { address: '127.0.0.1', ports: { http: miner.port } };
    const reading = await readEndpoint(target, driver, ['login'], { limits: PATIENT, allow, ...fresh(), logins });
    return reading.get('login')?.map(({ value }) => value);
  };
  await shownByOperator(['one', 'two', 'three', 'four']);
  assert.equal(await tryMakers(), undefined, 'its turn waits: it would be the fifth');
  assert.equal(miner.requests.length, 0);
  nowMs = 30 * 60_000;
  assert.deepEqual(await tryMakers(), ['refused']);
  assert.deepEqual(await shownByOperator(['one', 'two', 'three', 'four']), ['one', 'two', 'three']);
  nowMs = 60 * 60_000;
  isRight = true;
  assert.deepEqual(await tryMakers(), ['root at http:/conf.cgi']);
  assert.equal((await shownByOperator(['one', 'two', 'three', 'four'])).length, 4, 'one that was taken is not counted');
});
