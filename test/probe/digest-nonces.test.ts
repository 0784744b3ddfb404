import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { antminerStock } from '../../agent/drivers/antminer-stock.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import { Logins } from '../../agent/probe/logins.ts';
import { probeDevice } from '../../agent/probe/probe.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { type Behaviour, FakeMiner, fresh, PATIENT, page } from './fake-miner.ts';

/** Devices that ask by Digest, whose nonces end within a look, and that say of none that it is stale. */

const MINUTE_MS = 60_000;
const CREDENTIAL = { user: 'root', password: () => 'specimen' };
const LIMITS = { ...PATIENT, deviceMs: 30_000 };
const ALLOW = compileAllowList([antminerStock]);
const SPECIMEN = loadSpecimens().find(({ name }) => name === 'antminer-stock/s21');

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** How long a nonce is good, and how long a page takes by the clock of the device, ms. */
interface Nonces {
  readonly uses?: number;
  readonly lastMs?: number;
  readonly pageMs?: number;
}

const HANG_UPS = ['hangs up', 'hangs up where a connection is kept', 'hangs up in turn'] as const;
type ToWrong = 'asks again' | 'forbids' | (typeof HANG_UPS)[number];

/** An S21 that counts what it refuses. */
class Device {
  /** Answers with a nonce that is good, and a wrong password. */
  wrong = 0;
  /** Answers with a nonce that ended. */
  late = 0;
  right = CREDENTIAL.password();
  /** Before which answer that it would take, from now on, the password is changed. */
  changesBefore = Number.POSITIVE_INFINITY;
  readonly #nonces: Nonces;
  #nonce = 0;
  #uses = 0;
  #nowMs = 0;
  #madeMs = 0;

  constructor(nonces: Nonces) {
    this.#nonces = nonces;
  }

  /** What it does about a wrong password. */
  toWrong: ToWrong = 'asks again';
  readonly #spokenTo = new WeakSet<Socket>();

  readonly behave: Behaviour = (request, socket) => {
    const path = request.split(' ')[1] ?? '';
    const before = this.wrong;
    const mayRead = this.#mayRead(request, path);
    const isWrong = this.wrong > before;
    if (isWrong && this.#hangsUp(socket)) socket.destroy();
    else if (isWrong && this.toWrong === 'forbids') socket.write(page('', { status: '403 Forbidden' }));
    else socket.write(mayRead ? this.#page(path) : this.#challenge());
    this.#spokenTo.add(socket);
  };

  #hangsUp(socket: Socket): boolean {
    if (this.toWrong === 'hangs up where a connection is kept') return this.#spokenTo.has(socket);
    if (this.toWrong === 'hangs up in turn') return this.wrong % 2 === 1;
    return this.toWrong === 'hangs up';
  }

  #mayRead(request: string, path: string): boolean {
    if (!request.includes('Authorization: Digest')) return false;
    const { uses = Number.POSITIVE_INFINITY, lastMs = Number.POSITIVE_INFINITY } = this.#nonces;
    const member = (name: string): string => new RegExp(`[ ,]${name}="?([^",\\s]*)`).exec(request)?.[1] ?? '';
    this.#uses += 1;
    const isGood = member('nonce') === `n${this.#nonce}` && this.#uses <= uses && this.#nowMs - this.#madeMs <= lastMs;
    if (!isGood) {
      this.late += 1;
      return false;
    }
    this.changesBefore -= 1;
    if (this.changesBefore === 0) this.right = 'changed';
    const secret = md5(`root:antMiner Configuration:${this.right}`);
    const parts = [secret, member('nonce'), member('nc'), member('cnonce'), 'auth', md5(`GET:${path}`)];
    if (member('response') === md5(parts.join(':'))) return true;
    this.wrong += 1;
    return false;
  }

  #challenge(): string {
    this.#nonce += 1;
    this.#uses = 0;
    this.#madeMs = this.#nowMs;
    const header = `WWW-Authenticate: Digest realm="antMiner Configuration", nonce="n${this.#nonce}", qop="auth"`;
    return page('<html>401</html>', { status: '401 Unauthorized', headers: [header] });
  }

  #page(path: string): string {
    this.#nowMs += this.#nonces.pageMs ?? 0;
    const reply = SPECIMEN?.device.replies[`http:${path}`];
    const body = reply?.file === undefined ? undefined : SPECIMEN?.files.get(reply.file);
    return body === undefined ? page('', { status: '404 Not Found' }) : page(Buffer.from(body).toString());
  }
}

/** Full looks a minute apart at one device. */
class Watch {
  nowMs = 0;
  readonly told: string[] = [];
  readonly logins: Logins;
  readonly #miner: FakeMiner;

  constructor(miner: FakeMiner) {
    this.#miner = miner;
    this.logins = new Logins({ monoMs: () => this.nowMs }, undefined, (_, became) => this.told.push(became));
  }

  /** One look; the pages that gave no document, and why. */
  async look(): Promise<readonly string[]> {
    const { port } = this.#miner;
    const target = { address: '127.0.0.1', ports: { cgminer: null, http: port }, credential: CREDENTIAL };
    const deps = { ...fresh(), limits: LIMITS, allow: ALLOW, logins: this.logins };
    const { replies } = await probeDevice(target, antminerStock, 'full', deps);
    this.nowMs += MINUTE_MS;
    const web = [...replies].filter(([name]) => antminerStock.queries[name]?.kind === 'http');
    assert.ok(web.length >= 5, 'its pages were asked for');
    return web.flatMap(([name, reply]) => (reply.kind === 'reply' ? [] : [`${name}: ${reply.reason}`]));
  }
}

const KINDS: readonly (readonly [which: string, nonces: Nonces])[] = [
  ['that are good for one request', { uses: 1 }],
  ['that are good for three requests', { uses: 3 }],
  ['that last 5 s, at pages that take 1.5 s,', { lastMs: 5000, pageMs: 1500 }],
];

for (const [which, nonces] of KINDS) {
  test(`a device with nonces ${which} and end without a word is read completely, and its password is not called refused`, async () => {
    const device = new Device(nonces);
    await using miner = await FakeMiner.start(device.behave);
    const watch = new Watch(miner);
    for (let looks = 0; looks < 8; looks += 1) assert.deepEqual(await watch.look(), [], `look ${looks}`);
    assert.deepEqual([watch.told, watch.logins.isRefused, device.wrong], [[], false, 0]);
    // Once that was seen, each page is asked for without the log-in first: no answer is shown in vain.
    assert.equal(device.late, 1);
    assert.deepEqual(miner.strangers(ALLOW), []);
  });
}

/** The minutes of the wrong answers at a device whose password is changed in the middle of a look: before so many answers in it. */
const wrongMinutes = async (
  nonces: Nonces,
  changes: { readonly look: number; readonly answer: number },
  toWrong: ToWrong,
) => {
  const device = new Device(nonces);
  device.toWrong = toWrong;
  await using miner = await FakeMiner.start(device.behave);
  const watch = new Watch(miner);
  const wrong: number[] = [];
  for (let minute = 0; minute < 24 * 60; minute += 1) {
    if (minute === changes.look) device.changesBefore = changes.answer;
    const before: number = device.wrong;
    await watch.look();
    for (let times = before; times < device.wrong; times += 1) wrong.push(minute - changes.look);
  }
  assert.deepEqual(watch.told, ['refused']);
  return wrong;
};

test('a password that is changed in the middle of a look costs as many wrong answers as docs/decisions/0015 says', async () => {
  const counted = async (nonces: Nonces, look: number, toWrong: ToWrong = 'asks again'): Promise<readonly number[]> => {
    const wrong = await wrongMinutes(nonces, { look, answer: 3 }, toWrong);
    for (const from of wrong) assert.ok(wrong.filter((at) => at >= from && at < from + 20).length <= 4, `${wrong}`);
    return [15, 60, 24 * 60].map((minutes) => wrong.filter((minute) => minute < minutes).length);
  };
  // Known to end without a word: each answer is one to a nonce of its own.
  for (const uses of [1, 3, 8]) assert.deepEqual(await counted({ uses }, 2), [2, 4, 9]);
  // Not known to: the nonce may have been the reason.
  assert.deepEqual(await counted({}, 2), [3, 5, 10]);
  // Nor had the page ever taken the log-in: it may be a matter of the page, and the next one is asked, too.
  assert.deepEqual(await counted({}, 0), [4, 6, 11]);
  // A 403 is an answer that was lost, where the page took the log-in before; else the page may be for somebody else.
  assert.deepEqual(await counted({}, 2, 'forbids'), [4, 6, 29]);
  assert.deepEqual(await counted({}, 0, 'forbids'), [4, 9, 32]);
});

test('an answer that is refused with the nonce that it answered is the password, at once', async () => {
  let right = true;
  let shown = 0;
  const header = 'WWW-Authenticate: Digest realm="antMiner Configuration", nonce="n", qop="auth"';
  await using miner = await FakeMiner.start((request, socket) => {
    const isShown = request.includes('Authorization: Digest');
    if (isShown) shown += 1;
    // The third one finds the password changed.
    if (shown === 3) right = false;
    const path = request.split(' ')[1] ?? '';
    socket.write(
      isShown && right ? page(`{"path":"${path}"}`) : page('', { status: '401 Unauthorized', headers: [header] }),
    );
  });
  const watch = new Watch(miner);
  for (let looks = 0; looks < 3; looks += 1) await watch.look();
  // Two that were taken, one of a page that never took it, and one of the next page.
  assert.deepEqual([shown, watch.told], [4, ['refused']]);
});

for (const [which, nonces] of [...KINDS, ['that do not end', {}] as const])
  for (const toWrong of [...HANG_UPS, 'forbids'] as const)
    test(`a device with nonces ${which} that ${toWrong} when it is shown a password that changed is shown it four times in twenty minutes at most`, async () => {
      for (const changesIn of [0, 5])
        for (const changesBefore of [2, 3, 4]) {
          const device = new Device(nonces);
          device.toWrong = toWrong;
          await using miner = await FakeMiner.start(device.behave);
          const watch = new Watch(miner);
          const counts: number[] = [];
          for (let minute = 0; minute < 45; minute += 1) {
            if (minute === changesIn) device.changesBefore = changesBefore;
            const before = device.wrong;
            await watch.look();
            counts.push(device.wrong - before);
          }
          assert.ok(device.wrong > 2, 'it is tried again');
          const within = counts.map((_, at) => counts.slice(at, at + 20).reduce((sum, count) => sum + count, 0));
          assert.ok(Math.max(...within) <= 4, `${changesIn} ${changesBefore}: ${counts.join(' ')}`);
        }
    });

for (const others of [0, 2, 3, 4])
  test(`a device that closes each connection after one answer is read completely, also where its account refused ${others} other passwords lately`, async () => {
    const device = new Device({});
    const spokenTo = new WeakSet<Socket>();
    await using miner = await FakeMiner.start((request, socket) => {
      if (spokenTo.has(socket)) socket.destroy();
      else device.behave(request, socket);
      spokenTo.add(socket);
    });
    const watch = new Watch(miner);
    assert.deepEqual(await watch.look(), []);
    const door = `127.0.0.1 ${miner.port} root`;
    for (let at = 0; at < others; at += 1) {
      const other = { user: 'root', password: () => `other ${at}` };
      await watch.logins.mayShow(door, other);
      watch.logins.refused(door, other);
    }
    for (let looks = 0; looks < 4; looks += 1) assert.deepEqual(await watch.look(), [], `look ${looks}`);
    assert.equal(device.wrong, 0);
  });

test('a password that was taken last and is wrong now is the last one that is shown in twenty minutes, where others were wrong before', async () => {
  for (const toWrong of ['asks again', ...HANG_UPS] as const) {
    const device = new Device({});
    await using miner = await FakeMiner.start(device.behave);
    const watch = new Watch(miner);
    await watch.look();
    const door = `127.0.0.1 ${miner.port} root`;
    for (const word of ['one', 'two', 'three']) {
      const other = { user: 'root', password: () => word };
      await watch.logins.mayShow(door, other);
      watch.logins.refused(door, other);
    }
    device.toWrong = toWrong;
    device.right = 'changed';
    for (let looks = 0; looks < 19; looks += 1) await watch.look();
    assert.equal(device.wrong, 1, toWrong);
  }
});
