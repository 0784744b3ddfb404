import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { testBody } from '../../agent/notify/body.ts';
import { deliver } from '../../agent/notify/deliver.ts';
import type { Outcome } from '../../agent/notify/outcome.ts';
import type { Target } from '../../agent/notify/target.ts';
import { Authority } from '../publish/certificates.ts';
import { freePort } from '../publish/mosquitto.ts';
import { Receiver, refuse, SECRET } from './receiver.ts';

const folder = mkdtempSync(join(tmpdir(), 'assayer-webhook-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};

type Webhook = Extract<Target, { webhook: unknown }>['webhook'];
const target = (url: string, webhook: Partial<Webhook> = {}, timeout_s = 5): Target => ({
  name: 'pager',
  least: 'medium',
  timeout_s,
  max_age_s: 3600,
  webhook: { url, insecure: false, secret_file: file('secret', `${SECRET}\n`), ...webhook },
});

const NOW_S = 1_795_339_200;
const body = testBody({ target: 'pager', gateway: 'gw-1' }, { atS: NOW_S, nonce: 'n' });
const send = (to: Target, signal = new AbortController().signal): Promise<Outcome> =>
  deliver(to, body, { nowMs: NOW_S * 1000, signal });
const failure = (outcome: Outcome) => {
  assert.equal(outcome.kind, 'failed', JSON.stringify(outcome));
  return outcome as Extract<Outcome, { kind: 'failed' }>;
};

suite('one webhook', () => {
  test('is a POST of the JSON, signed so that a receiver can check it from the specification alone', async () => {
    await using receiver = await Receiver.start();
    const webhook = { headers: { 'X-Site': 'tx1' }, authorization_file: file('authorization', 'Bearer t0ken\n') };
    const outcome = await send(target(receiver.url, webhook));
    assert.deepEqual(outcome, { kind: 'delivered', detail: 'HTTP 204' });
    const [{ headers, body: text, path }] = receiver.received as [(typeof receiver.received)[0]];
    assert.equal(path, '/hooks/s3cret-path?token=s3cret-query');
    assert.deepEqual(JSON.parse(text), body);
    assert.deepEqual(
      [headers['content-type'], headers['x-site'], headers.authorization, headers['webhook-timestamp']],
      ['application/json', 'tx1', 'Bearer t0ken', String(NOW_S)],
    );
    assert.match(headers['user-agent'] ?? '', /^assayer\/\d/);
    assert.equal(headers['webhook-id'], body.data.delivery);
    const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
    assert.equal(headers['webhook-signature'], `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  });

  test('fails for anything but 2xx, and follows no redirect; no path, query or secret is in what is said of it', async () => {
    await using elsewhere = await Receiver.start();
    await using receiver = await Receiver.start();
    for (const [status, remedy] of [
      [301, /redirect is not followed/],
      [400, /does not take/],
      [401, /compare the secret/],
      [404, /path in url/],
      [410, /remove the target/],
      [500, /overloaded or broken/],
    ] as const) {
      receiver.answer = refuse(status, { location: elsewhere.url });
      const { message, remedy: found } = failure(await send(target(receiver.url)));
      assert.equal(message, `http://127.0.0.1:${receiver.port} answers ${status}`);
      assert.match(found, remedy);
      assert.doesNotMatch(message + found, /s3cret|whsec/);
    }
    assert.deepEqual(elsewhere.received, []);
  });

  test('heeds Retry-After in seconds', async () => {
    await using receiver = await Receiver.start();
    const after = async (value: string) => {
      receiver.answer = refuse(429, { 'retry-after': value });
      return failure(await send(target(receiver.url))).afterMs;
    };
    assert.deepEqual([await after('120'), await after('soon'), await after('-5')], [120_000, undefined, undefined]);
  });

  test('that is not answered in time fails; so does one that nobody listens to; an endless answer is cut off', async () => {
    await using receiver = await Receiver.start();
    receiver.answer = () => {};
    assert.match(failure(await send(target(receiver.url, {}, 1))).message, /did not answer within 1 s/);
    const { message } = failure(await send(target(`http://127.0.0.1:${await freePort()}/s3cret`)));
    assert.match(message, /ECONNREFUSED/);
    assert.doesNotMatch(message, /s3cret/);
    receiver.answer = (response) => {
      const pour = (): void =>
        void (!response.destroyed && response.write('x'.repeat(60_000), () => setImmediate(pour)));
      response.writeHead(200);
      pour();
    };
    assert.equal((await send(target(receiver.url))).kind, 'delivered');
  });

  test('to something that does not speak HTTP fails', async () => {
    const server = createServer((socket) => socket.end('SSH-2.0-x\r\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    assert.match(failure(await send(target(`http://127.0.0.1:${port}/`))).message, /127\.0\.0\.1/);
    server.close();
  });

  test('is broken off when the agent ends', async () => {
    await using receiver = await Receiver.start();
    receiver.answer = () => leaving.abort();
    const leaving = new AbortController();
    assert.deepEqual(await send(target(receiver.url), leaving.signal), { kind: 'stopped' });
  });

  test('goes only to a certificate of a trusted authority, with the name in the url', async () => {
    const [ours, theirs] = ['ours', 'theirs'].map((name) => {
      mkdirSync(join(folder, name));
      return new Authority(join(folder, name));
    }) as [Authority, Authority];
    const pair = (issued: { cert: string; key: string }) => ({
      cert: readFileSync(issued.cert),
      key: readFileSync(issued.key),
    });
    await using good = await Receiver.start({ tls: pair(ours.issue('good', 'IP:127.0.0.1')) });
    await using misnamed = await Receiver.start({ tls: pair(ours.issue('misnamed', 'DNS:other.example')) });
    assert.equal((await send(target(good.url, { ca: ours.ca }))).kind, 'delivered');
    for (const [receiver, webhook] of [
      [good, {}],
      [good, { ca: theirs.ca }],
      [good, { insecure: true }],
      [misnamed, { ca: ours.ca }],
    ] as const)
      assert.match(failure(await send(target(receiver.url, webhook))).remedy, /authority of the receiver/);
    assert.equal(good.received.length + misnamed.received.length, 1);
  });

  test('is signed with the secret as it is now; one that is gone is a failure with a remedy', async () => {
    await using receiver = await Receiver.start();
    const to = target(receiver.url);
    await send(to);
    file('secret', `whsec_${Buffer.alloc(32, 8).toString('base64')}\n`);
    await send(to);
    const [first, second] = receiver.received.map(({ headers }) => headers['webhook-signature']);
    assert.notEqual(first, second);
    rmSync(join(folder, 'secret'));
    assert.match(failure(await send(to)).message, /cannot read the secret file/);
    assert.equal(receiver.received.length, 2);
  });
});
