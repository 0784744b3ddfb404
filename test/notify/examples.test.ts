import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { skippedBody, transitionBody } from '../../agent/notify/body.ts';
import { deliver } from '../../agent/notify/deliver.ts';
import { parseSigningSecret, signatureHeaders } from '../../agent/notify/signature.ts';
import type { Target } from '../../agent/notify/target.ts';
import type { Notification } from '../../shared/notification.ts';
import { freePort } from '../publish/mosquitto.ts';
import { until } from '../publish/observer.ts';
import { stated } from './memory-feed.ts';
import { SECRET } from './receiver.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'docs', 'examples', 'notify');
const PYTHON = '/usr/bin/python3';
const missing = (program: string): string | false =>
  existsSync(program) ? false : `${program} is missing: run scripts/install-test-packages.sh`;

const folder = mkdtempSync(join(tmpdir(), 'assayer-examples-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};
const secretFile = file('secret', `${SECRET}\n`);

const sender = { target: 'pager', gateway: 'gw-1', log: 'example.org/gw-1/1' };
const theft = (seq: number, changes = {}): Notification =>
  transitionBody(
    { seq, iat: 1_795_339_200, finding: stated({ opened_seq: 7, before: 'acme.ü', after: 'thief', ...changes }) },
    sender,
  );
const tell = (target: Partial<Target>, notification: Notification, nowMs = Date.now()) =>
  deliver({ name: 'pager', least: 'low', timeout_s: 10, max_age_s: 60, ...target } as Target, notification, {
    nowMs,
    signal: new AbortController().signal,
  });

/** A receiver of the page as a process. */
class Example implements AsyncDisposable {
  out = '';
  err = '';
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(command: readonly string[], port: number) {
    this.port = port;
    const [program = '', ...words] = command;
    this.#child = spawn(program, [...words, secretFile, String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text) => (this.out += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text) => (this.err += text));
  }

  static async start(command: readonly string[]): Promise<Example> {
    const example = new Example(command, await freePort());
    for (let tries = 0; tries < 500 && !(await example.#listens()); tries += 1) await delay(20);
    return example;
  }

  #listens(): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1');
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    }).finally(() => socket.destroy()) as Promise<boolean>;
  }

  get webhook() {
    return { webhook: { url: `http://127.0.0.1:${this.port}/`, insecure: false, secret_file: secretFile } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }
}

for (const [language, command, skip] of [
  ['Python', [PYTHON, '-B', join(EXAMPLES, 'receiver.py')], missing(PYTHON)],
  ['Node', [process.execPath, join(EXAMPLES, 'receiver.mjs')], false],
] as const) {
  suite(`the receiver of the page in ${language}`, { skip, timeout: 60_000 }, () => {
    test('takes what the gateway sends, once, and nothing else', async () => {
      await using example = await Example.start(command);
      const said = () => example.out.trimEnd().split('\n').filter(Boolean);
      const first = theft(7);
      assert.deepEqual(await tell(example.webhook, first), { kind: 'delivered', detail: 'HTTP 204' }, example.err);
      assert.equal((await tell(example.webhook, first)).kind, 'delivered');
      await until('it is printed', () => said().length > 0);
      const message = async (outcome: ReturnType<typeof tell>) => {
        const found = await outcome;
        return found.kind === 'failed' ? found.message.replace(/^.* answers /, '') : found.kind;
      };
      const other = file('other', `whsec_${Buffer.alloc(32, 9).toString('base64')}`);
      assert.equal(
        await message(tell({ webhook: { ...example.webhook.webhook, secret_file: other } }, theft(8))),
        '401',
      );
      for (const offMs of [-400_000, 400_000])
        assert.equal(
          await message(tell(example.webhook, theft(8), Date.now() + offMs)),
          '401',
          'too old, or of the future',
        );
      const body = JSON.stringify(theft(8));
      const headers = signatureHeaders(
        { id: 'msg_x', atS: Math.floor(Date.now() / 1000), body },
        parseSigningSecret(SECRET),
      );
      const post = async (changes: object, sent = body) =>
        (await fetch(example.webhook.webhook.url, { method: 'POST', body: sent, headers: { ...headers, ...changes } }))
          .status;
      assert.equal(await post({}, body.replace('rig-1', 'rig-2')), 401, 'another body');
      assert.equal(await post({ 'webhook-id': 'msg_y' }), 401, 'another name');
      assert.equal(await post({ 'webhook-signature': '' }), 401);
      assert.equal(await post({ 'webhook-signature': headers['webhook-signature']?.replace('v1,', 'v2,') }), 401);
      assert.equal(
        await post({ 'webhook-signature': `v1,AAAA ${headers['webhook-signature']}` }),
        204,
        'one of several',
      );
      const both = file('both', `whsec_${Buffer.alloc(32, 9).toString('base64')}\n${SECRET}\n`);
      assert.equal(
        (await tell({ webhook: { ...example.webhook.webhook, secret_file: both } }, theft(9))).kind,
        'delivered',
      );
      await until('three are printed', () => said().length >= 3);
      assert.deepEqual(
        said().map((line) => line.split(' ').slice(0, 2).join(' ')),
        Array(3).fill('finding.open example.org/gw-1/1/7'),
        example.err,
      );
      assert.match(said()[0] ?? '', /high pool\.user-changed open, rig-1: "acme\.\\u00fc" -> thief/);
    });
  });
}

/** What came at a server that stands in for a service. */
const service = async () => {
  const taken: { readonly url: string; readonly headers: object; readonly text: string }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    taken.push({ url: request.url ?? '', headers: request.headers, text: Buffer.concat(chunks).toString() });
    response.writeHead(taken.length === 1 ? 202 : status.value).end();
  }).listen(0, '127.0.0.1');
  const status = { value: 202 };
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    taken,
    status,
    url: `http://127.0.0.1:${port}/enqueue`,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
};

suite('the commands of the page', { timeout: 60_000 }, () => {
  test('PagerDuty: opens, acknowledges and resolves one incident by its key, also what ended while it was away; a refusal is an exit code', {
    skip: missing(PYTHON),
  }, async () => {
    await using pagerduty = await service();
    const command = [PYTHON, '-B', join(EXAMPLES, 'pagerduty.py'), file('routing-key', 'r0uting\n'), pagerduty.url];
    const skipped = { count: 3, bySeverity: { high: 3 }, fromAt: 1, toAt: 2, ended: [7, 8] };
    for (const notification of [
      theft(7),
      theft(8, { state: 'acknowledged', severity: 'critical' }),
      theft(9, { state: 'resolved' }),
      skippedBody(skipped, { next: 12, sender }),
    ]) {
      const outcome = await tell({ command }, notification);
      assert.equal(outcome.kind, 'delivered', JSON.stringify(outcome));
    }
    const key = 'example.org/gw-1/1/7';
    const events = pagerduty.taken.map(({ text }) => JSON.parse(text));
    assert.deepEqual(
      events.map(({ event_action, dedup_key, payload }) => [event_action, dedup_key, payload?.severity]),
      [
        ['trigger', key, 'error'],
        ['acknowledge', key, 'critical'],
        ['resolve', key, undefined],
        ['resolve', key, undefined],
        ['resolve', 'example.org/gw-1/1/8', undefined],
        ['trigger', events[5].dedup_key, 'info'],
      ],
    );
    assert.ok(events.every(({ routing_key }) => routing_key === 'r0uting'));
    assert.equal(events[0].payload.source, 'rig-1');
    pagerduty.status.value = 429;
    assert.match(JSON.stringify(await tell({ command }, theft(10))), /ended with exit code 1/);
  });

  const curl = spawnSync('curl', ['--version']).status === 0 ? false : 'curl is missing: apt-get install curl';
  test('ntfy: the text, with a priority; a refusal is an exit code', { skip: curl }, async () => {
    await using ntfy = await service();
    const command = [join(EXAMPLES, 'ntfy.sh'), ntfy.url];
    const outcome = await tell({ command }, theft(7, { severity: 'critical' }));
    assert.equal(outcome.kind, 'delivered', JSON.stringify(outcome));
    assert.equal((await tell({ command }, theft(9, { state: 'resolved' }))).kind, 'delivered');
    assert.deepEqual(
      ntfy.taken.map(({ headers, text }) => [(headers as { priority?: string }).priority, text.split(',')[0]]),
      [
        ['urgent', 'critical pool.user-changed open'],
        ['low', 'high pool.user-changed resolved'],
      ],
    );
    ntfy.status.value = 500;
    assert.equal((await tell({ command }, theft(10))).kind, 'failed');
  });
});
