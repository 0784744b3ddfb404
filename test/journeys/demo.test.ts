import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import mqtt from 'mqtt';
import { Ledger, type SeenFinding } from '../../scripts/demo/ledger.ts';
import { view } from '../../scripts/demo/view.ts';

const root = join(import.meta.dirname, '..', '..');

/** A line of `--json`, as anyone would read it. */
type Line = { readonly event: string } & { readonly [member: string]: unknown };

const startDemo = (words: readonly string[]): ChildProcess =>
  spawn(process.execPath, [join(root, 'scripts', 'demo.ts'), '--json', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });

const linesOf = (child: ChildProcess): AsyncIterable<string> => {
  if (child.stdout === null) throw new Error('no stdout');
  return createInterface({ input: child.stdout });
};

/** The processes of the demo that still run. */
const survivors = (lines: readonly Line[]): readonly number[] => {
  const pids = lines.find(({ event }) => event === 'begin')?.pids as readonly number[];
  assert.equal(pids.length, 2);
  return pids.filter(isAlive);
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Everything under the prefix, as `mosquitto_sub -v` prints it. */
const listen = async (broker: string): Promise<{ readonly heard: string[]; readonly client: mqtt.MqttClient }> => {
  const client = await mqtt.connectAsync(broker, { protocolVersion: 4, reconnectPeriod: 0 });
  const heard: string[] = [];
  client.on('error', () => {});
  client.on('message', (topic, payload) => heard.push(`${topic} ${payload.toString()}\n`));
  await client.subscribeAsync('attest/v1/#');
  return { heard, client };
};

const verify = async (
  messages: readonly string[],
  key: string,
): Promise<{ readonly code: number; readonly said: string }> => {
  const words = ['verify', '-', '--json', '--key', key];
  const child = spawn(process.execPath, [join(root, 'agent', 'main.ts'), ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  child.stdin.end(messages.join(''));
  return { said: await text(child.stdout), code: (await ended)[0] };
};

describe('npm start -- --once --json', { timeout: 150_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-demo-test-'));
  const key = join(folder, 'gateway.jwk.json');
  const lines: Line[] = [];
  let heard: readonly string[] = [];
  let code: number | null = null;

  before(async () => {
    const demo = startDemo(['--once']);
    const ended = once(demo, 'exit');
    for await (const line of linesOf(demo)) {
      const said = JSON.parse(line) as Line;
      lines.push(said);
      if (said.event !== 'begin') continue;
      writeFileSync(key, readFileSync(String(said.public_key)));
      ({ heard } = await listen(String(said.broker)));
    }
    [code] = await ended;
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const the = (event: string): Line => {
    const found = lines.find((line) => line.event === event);
    assert.ok(found, `no line ${event} among ${lines.length}`);
    return found;
  };

  test('it ends by itself with exit code 0, every message verified and the agent stopped in order', () => {
    const { ok, reason, devices, entries, refused, waiting, problems } = the('summary');
    assert.deepEqual([reason, ok, devices, refused, waiting, problems], [undefined, true, 12, 0, 0, []]);
    assert.equal(code, 0);
    const seen = lines.filter(({ event }) => event === 'entry' || event === 'finding').map(({ seq }) => seq);
    assert.deepEqual(
      seen,
      seen.map((_, at) => at),
    );
    assert.equal(seen.length, entries);
    assert.equal(lines.findLast(({ event }) => event === 'entry')?.says, 'stop');
  });

  test('both attacks are found with before, after and the seconds from the change', () => {
    const caught = the('summary').caught as readonly Line[];
    assert.deepEqual(
      caught.map(({ id, device, before, after }) => ({ id, device, before, after })),
      [
        { id: 'pool.user-changed', device: 'r1-02', before: 'acme.s19-3-00002', after: 'thief.payout' },
        {
          id: 'firmware.version-changed',
          device: 'r2-03',
          before: [{ key: 'version', value: 'v2.15.0' }],
          after: [{ key: 'version', value: 'v2.15.1-tuned' }],
        },
      ],
    );
    for (const { since_change_s } of caught) assert.ok(Number(since_change_s) > 0);
  });

  test('a second terminal that hears everything verifies it with the public key alone', async () => {
    assert.ok(heard.length > 20);
    const { code: exit, said } = await verify(heard, key);
    const { ok, status } = JSON.parse(said);
    assert.deepEqual([ok, exit], [true, 0]);
    assert.ok(status.chained > 20 && status.unsigned > 0);
  });

  test('nothing of it is left: no process, no folder, no listener', async () => {
    const { config, broker } = the('begin');
    assert.deepEqual(survivors(lines), []);
    assert.equal(existsSync(dirname(String(config))), false);
    await assert.rejects(mqtt.connectAsync(String(broker), { protocolVersion: 4, reconnectPeriod: 0 }), /ECONNREFUSED/);
  });
});

test('an agent that ends by itself ends the demo, with its last words and exit code 1', {
  timeout: 60_000,
}, async () => {
  const demo = startDemo([]);
  const ended = once(demo, 'exit');
  const lines: Line[] = [];
  for await (const line of linesOf(demo)) {
    const said = JSON.parse(line) as Line;
    lines.push(said);
    const agent = (said.pids as readonly number[] | undefined)?.[1];
    if (agent !== undefined) process.kill(agent, 'SIGKILL');
  }
  assert.deepEqual(await ended, [1, null]);
  assert.match(String(lines.at(-1)?.reason), /^the agent ended by itself \(SIGKILL\)/);
  assert.deepEqual(survivors(lines), []);
});

test('Ctrl-C ends the demo in order, pressed once or handed on twice', { timeout: 60_000 }, async () => {
  const demo = startDemo([]);
  const ended = once(demo, 'exit');
  const lines: Line[] = [];
  for await (const line of linesOf(demo)) {
    const said = JSON.parse(line) as Line;
    lines.push(said);
    if (said.event !== 'entry' || said.seq !== 1) continue;
    demo.kill('SIGINT');
    demo.kill('SIGINT');
  }
  assert.deepEqual(await ended, [0, null]);
  assert.equal(lines.at(-1)?.ok, true);
  assert.equal(lines.findLast(({ event }) => event === 'entry')?.says, 'stop');
  assert.deepEqual(survivors(lines), []);
});

describe('the screen of npm start', () => {
  const hostile = 'wörker\x1b[2J\n\u202e漢字'.repeat(9);
  const ledger = new Ledger();
  for (let at = 10; at < 22; at += 1) {
    const name = `r1-${at}`;
    ledger.devices.set(name, {
      name,
      family: hostile,
      model: hostile,
      firmware: hostile,
      account: hostile,
      conformance: 'deviation',
    });
  }
  const finding = {
    id: 'pool.user-changed',
    opened_seq: 1,
    state: 'open',
    severity: 'critical',
    severity_base: 'critical',
    basis: 'self-reported',
    rule_version: 1,
    device: 'r1-10',
    before: 'acme.1',
    after: hostile,
    first_observed_at: 1,
    evidence: [],
    surfaces: [],
  } satisfies SeenFinding['finding'];
  for (const seq of [1, 2]) ledger.findings.set(seq, { finding: { ...finding, opened_seq: seq }, verifiedAtMs: 0 });
  const scene = {
    broker: 'mqtt://127.0.0.1:41883',
    publicKey: '/tmp/assayer-demo-a1b2c3/state/gateway.jwk.json',
    sinceStartS: 40,
    nowMs: 0,
    miners: 12,
    ledger,
    presence: hostile,
    root: undefined,
    struck: [],
    caught: [],
  };

  for (const [columns, rows] of [
    [80, 24],
    [100, 30],
    [200, 60],
    [20, 6],
  ] as const) {
    test(`it fits ${columns}×${rows}, and no text of a miner moves the cursor`, () => {
      const lines = view(scene, { columns, rows, colour: false });
      assert.ok(lines.length > 4 && lines.length < rows);
      for (const line of lines) {
        assert.ok([...line].length < columns, line);
        assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
      }
    });
  }

  test('at 80×24 all twelve miners and two findings with their values are there, and where to attach', () => {
    const lines = view(scene, { columns: 80, rows: 24, colour: false });
    assert.ok(lines.includes(`${scene.broker}  key ${scene.publicKey}`));
    assert.equal(lines.filter((line) => line.startsWith('r1-')).length, 12);
    assert.equal(lines.filter((line) => line.startsWith('critical pool.user-changed')).length, 2);
    assert.equal(lines.filter((line) => line.includes('acme.1 → ')).length, 2);
  });
});
