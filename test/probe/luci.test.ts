import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { luciOf } from '../../agent/drivers/whatsminer-luci.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import type { JsonObject, NoReply, Reply } from '../../agent/probe/capture.ts';
import type { Limits } from '../../agent/probe/limits.ts';
import { Line } from '../../agent/probe/line.ts';
import { Logins } from '../../agent/probe/logins.ts';
import { selfSigned, type TlsIdentity } from '../simulator/tls-server.ts';
import { PATIENT, page, SHORT } from './fake-miner.ts';
import { HttpsStation, Station } from './stations.ts';

/** The web interface of a WhatsMiner: TLS with a certificate of its own, a form that one logs in with, a page behind it. */

const BOUND = { timeout: 30_000 };
const { query: OVERVIEW } = luciOf(() => true);
const ALLOW = compileAllowList([], [OVERVIEW]);

const specimen = (file: string): string =>
  readFileSync(new URL(`../specimens/whatsminer/m21x-luci/${file}`, import.meta.url), 'utf8');
const PAGE = page(specimen('overview.html'));
const FORM = specimen('login.html');
const KERNEL = '#21 SMP PREEMPT Fri May 31 21:21:21 CST 2019';

const LOGGED_IN = page('', {
  status: '302 Found',
  headers: ['Location: /cgi-bin/luci', 'Set-Cookie: sysauth=5e5510; path=/cgi-bin/luci'],
});
const FORBIDDEN = page(FORM, { status: '403 Forbidden' });

/** A gateway that looks at such a device, look after look. */
class Gateway {
  nowMs = 0;
  readonly logins = new Logins({ monoMs: () => this.nowMs });
  password = 'p&ss word';

  /** The kernel line, or why it is not known. */
  async look(port: number, { limits = PATIENT, tlsKey }: { limits?: Limits; tlsKey?: string } = {}): Promise<string> {
    const reply = await this.ask(port, { limits, tlsKey });
    if (reply.kind === 'no-reply') return `${reply.reason}: ${reply.detail}`;
    return String((reply.value as JsonObject)['Kernel Version']);
  }

  async ask(
    port: number,
    { limits, tlsKey }: { limits: Limits; tlsKey: string | undefined },
  ): Promise<Reply | NoReply> {
    const credential = { user: 'keeper', password: () => this.password };
    const clock = { monoMs: () => performance.now(), wallMs: Date.now };
    const target = { address: '127.0.0.1', ports: { https: port }, credential, tlsKey };
    await using line = new Line(target, { limits, allow: ALLOW, clock, logins: this.logins });
    return await line.ask(OVERVIEW);
  }
}

const luci = (identity: TlsIdentity = selfSigned('miner')): Promise<HttpsStation> =>
  Station.at(new HttpsStation(identity));

/** Lets in who shows the log-in, and nobody else. */
const honest = (request: string, socket: Socket): void => {
  if (request.startsWith('POST '))
    socket.write(request.endsWith('luci_password=p%26ss%20word') ? LOGGED_IN : FORBIDDEN);
  else socket.write(request.includes('\r\nCookie: sysauth=5e5510\r\n') ? PAGE : FORBIDDEN);
};

const firstLines = ({ requests }: HttpsStation): readonly string[] =>
  requests.map((request) => request.split(' HTTP/1.1', 1)[0] ?? '');

const LOG_IN = 'POST /cgi-bin/luci';
const READ = 'GET /cgi-bin/luci/admin/status/overview';

test(
  'the log-in is sent as the form, its cookie opens the page, and the next look needs no log-in',
  BOUND,
  async () => {
    await using device = await luci();
    device.answer = honest;
    const gateway = new Gateway();
    assert.equal(await gateway.look(device.port), KERNEL);
    assert.deepEqual(firstLines(device), [LOG_IN, READ]);
    const [login = ''] = device.requests;
    assert.match(login, /\r\nContent-Type: application\/x-www-form-urlencoded\r\n/);
    assert.ok(login.endsWith('\r\n\r\nluci_username=keeper&luci_password=p%26ss%20word'));
    assert.equal(await gateway.look(device.port), KERNEL);
    assert.deepEqual(firstLines(device), [LOG_IN, READ, READ]);
  },
);

test('a refused log-in is `refused`, and is not tried again before its rest is over', BOUND, async () => {
  for (const refusal of [FORBIDDEN, page(FORM), page('', { status: '401 Unauthorized' })]) {
    await using device = await luci();
    device.answer = (_, socket) => void socket.write(refusal);
    const gateway = new Gateway();
    assert.match(await gateway.look(device.port), /^refused: the device refused the log-in/);
    for (const _ of [1, 2, 3]) assert.match(await gateway.look(device.port), /^refused: .*rests for 5 min/);
    assert.deepEqual(firstLines(device), [LOG_IN]);
    gateway.nowMs += 300_001;
    await gateway.look(device.port);
    gateway.nowMs += 300_001;
    assert.match(await gateway.look(device.port), /^refused: .*rests for 5 min/, 'the second rest is twice as long');
    assert.deepEqual(firstLines(device), [LOG_IN, LOG_IN]);
    gateway.password = 'another';
    await gateway.look(device.port);
    assert.deepEqual(firstLines(device), [LOG_IN, LOG_IN, LOG_IN], 'another password is tried at once');
  }
});

test('a session that ended is opened anew, once, however the device says so', BOUND, async () => {
  for (const end of [FORBIDDEN, page(FORM), page('', { status: '302 Found', headers: ['Location: /cgi-bin/luci'] })]) {
    await using device = await luci();
    device.answer = honest;
    const gateway = new Gateway();
    await gateway.look(device.port);
    let over = true;
    device.answer = (request, socket) => {
      if (request.startsWith('POST ')) over = false;
      if (over) socket.write(end);
      else honest(request, socket);
    };
    assert.equal(await gateway.look(device.port), KERNEL);
    assert.deepEqual(firstLines(device).slice(2), [READ, LOG_IN, READ]);
  }
});

test('a session that opens nothing is a refused log-in, not a reason to log in for ever', BOUND, async () => {
  await using device = await luci();
  device.answer = (request, socket) => void socket.write(request.startsWith('POST ') ? LOGGED_IN : FORBIDDEN);
  const gateway = new Gateway();
  for (const _ of [1, 2]) assert.match(await gateway.look(device.port), /^refused: /);
  assert.deepEqual(firstLines(device), [LOG_IN, READ]);
});

test('a redirect is not followed, wherever it leads', BOUND, async () => {
  await using elsewhere = await luci();
  await using device = await luci();
  device.answer = (request, socket) => {
    const headers = [`Location: https://127.0.0.1:${elsewhere.port}/cgi-bin/luci`];
    if (request.startsWith('POST ')) socket.write(LOGGED_IN);
    else socket.write(page('', { status: '307 Temporary Redirect', headers }));
  };
  assert.match(await new Gateway().look(device.port), /^refused: /);
  assert.equal(elsewhere.connections, 0);
});

test('a page that is another, cut off, too long, or in bytes that are no UTF-8 gives nothing', BOUND, async () => {
  const whole = specimen('overview.html');
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      page('<!DOCTYPE html><html><body>Welcome to another device</body></html>'),
      /^unreadable: a page without the known/,
    ],
    [page('{"Kernel Version":"#1"}'), /^unreadable: no page of HTML/],
    [page(whole.slice(0, 900)), /^(truncated|unreadable): /],
    [page(whole.replace('CST', '\u202eCST')), /^unreadable: /],
    [page('', { status: '404 Not Found' }), /^unsupported: /],
    [page('', { status: '500 Internal Server Error' }), /^unreadable: /],
    [page(whole.replace('wm-21', 'x'.repeat(2_000_000))), /^truncated: longer than/],
  ];
  for (const [answer, meaning] of cases) {
    await using device = await luci();
    device.answer = (request, socket) => void socket.write(request.startsWith('POST ') ? LOGGED_IN : answer);
    assert.match(await new Gateway().look(device.port), meaning);
  }
  const latin = PAGE.replace('#21 SMP', '\xfc\xfe1 SMP');
  await using device = await luci();
  device.answer = (request, socket) => {
    if (request.startsWith('POST ')) socket.write(LOGGED_IN);
    else socket.write(latin, 'latin1');
  };
  assert.match(await new Gateway().look(device.port), /^unreadable: a page that is no UTF-8/);
});

test(
  'a page without a length counts where the device said goodbye within TLS, and not where the line went dead',
  BOUND,
  async () => {
    const open = `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${specimen('overview.html')}`;
    const looked = async (end: (socket: Socket) => void): Promise<string> => {
      await using device = await luci();
      device.answer = (request, socket) => {
        if (request.startsWith('POST ')) socket.write(LOGGED_IN);
        else end(socket);
      };
      return await new Gateway().look(device.port);
    };
    assert.equal(await looked((socket) => socket.end(open)), KERNEL);
    assert.match(await looked((socket) => void socket.write(open, () => socket.destroy())), /^truncated: /);
    const short = PAGE.slice(0, -300);
    assert.match(await looked((socket) => socket.end(short)), /^truncated: /);
  },
);

test('a reply in many pieces that is followed by a close at once is read to its end', BOUND, async () => {
  const long = page(specimen('overview.html').replace('<h2', `<p>${'x'.repeat(300_000)}</p><h2`));
  for (const _ of Array.from({ length: 20 })) {
    await using device = await luci();
    device.answer = (request, socket) => {
      if (request.startsWith('POST ')) socket.end(LOGGED_IN);
      else socket.end(long);
    };
    assert.equal(await new Gateway().look(device.port), KERNEL);
  }
});

test('who does not speak TLS, says nothing, drips or floods is over in time and gets no password', BOUND, async () => {
  const behaviours: readonly (readonly [(socket: Socket) => void, RegExp])[] = [
    [(socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), /^unreachable: no TLS/],
    [(socket) => socket.resetAndDestroy(), /^unreachable: (no TLS|ECONNRESET)/],
    [() => {}, /^timeout: /],
    [
      (socket) => {
        const timer = setInterval(() => socket.write('\x16'), 20);
        socket.on('close', () => clearInterval(timer));
      },
      /^(timeout|unreachable): /,
    ],
    [(socket) => void socket.write(Buffer.alloc(3_000_000, 0x16)), /^(truncated|unreachable): /],
  ];
  for (const [behave, meaning] of behaviours) {
    await using device = await Station.open(behave);
    const startMs = performance.now();
    assert.match(await new Gateway().look(device.port, { limits: SHORT }), meaning);
    assert.ok(performance.now() - startMs < 3000);
    await device.allClosed();
    assert.ok(!Buffer.concat(device.heard).includes('luci_'));
  }
});

test('inside TLS, too, who drips or never ends is over in time', BOUND, async () => {
  await using device = await luci();
  device.answer = (_, socket) => {
    let at = 0;
    const timer = setInterval(() => socket.write(PAGE[at++] ?? ' '), 20);
    socket.on('close', () => clearInterval(timer));
  };
  const startMs = performance.now();
  assert.match(await new Gateway().look(device.port, { limits: SHORT }), /^timeout: /);
  assert.ok(performance.now() - startMs < 3000);
  await device.allClosed();
});

test(
  'another TLS key than the one that the device is known by is sent nothing, neither password nor session',
  BOUND,
  async () => {
    const own = selfSigned('miner');
    await using device = await luci(own);
    device.answer = honest;
    const gateway = new Gateway();
    assert.equal(await gateway.look(device.port, { tlsKey: own.key }), KERNEL);
    const { spoken } = device;
    device.identity = selfSigned('miner');
    for (const _ of [1, 2]) {
      assert.match(
        await gateway.look(device.port, { tlsKey: own.key }),
        /^unreachable: another TLS key .*nothing was sent$/,
      );
    }
    assert.equal(device.spoken, spoken);
    device.identity = own;
    assert.equal(
      await gateway.look(device.port, { tlsKey: own.key }),
      KERNEL,
      'it is no refused log-in, which would rest',
    );
    assert.deepEqual(firstLines(device), [LOG_IN, READ, READ]);
  },
);

test('without a log-in of the operator nobody connects', BOUND, async () => {
  await using device = await luci();
  const clock = { monoMs: () => performance.now(), wallMs: Date.now };
  const target = { address: '127.0.0.1', ports: { https: device.port } };
  await using line = new Line(target, { limits: PATIENT, allow: ALLOW, clock, logins: new Logins(clock) });
  const reply = await line.ask(OVERVIEW);
  assert.deepEqual([reply.kind, 'reason' in reply && reply.reason, device.connections], ['no-reply', 'refused', 0]);
});
