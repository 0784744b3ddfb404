import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import mqtt from 'mqtt';
import { publint } from 'publint';
import { EmbeddedBroker } from '../scripts/demo/broker.ts';
import { packageCollector } from '../scripts/package-collector.ts';
import { knownAnswers } from './shared/vectors.ts';
import { start, stop, Writing } from './shared/writing.ts';

/** The package as others get it: packed, installed into an empty folder, used there. */

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);
const work = mkdtempSync(join(tmpdir(), 'assayer-collector-'));
const project = join(work, 'project');
let tarball = '';

const pack = (folder: string): string => {
  const words = ['pack', folder, '--json', '--ignore-scripts', '--offline', '--pack-destination', work];
  const [packed] = JSON.parse(
    execFileSync('npm', words, { cwd: work, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  return join(work, packed.filename);
};

before(() => {
  packageCollector(join(work, 'package'));
  tarball = pack(join(work, 'package'));
  const others = ['zod', '@types/node', 'undici-types'].map((name) => pack(join(root, 'node_modules', name)));
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  const words = ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', ...others, tarball];
  execFileSync('npm', words, { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] });
});

after(() => rmSync(work, { recursive: true, force: true }));

test('publint has nothing to say of the package', async () => {
  const { messages } = await publint({ pkgDir: join(work, 'package'), strict: true });
  assert.deepEqual(messages, []);
  const broken = join(work, 'broken');
  execFileSync('cp', ['-r', join(work, 'package'), broken]);
  rmSync(join(broken, 'index.js'));
  assert.notDeepEqual((await publint({ pkgDir: broken, strict: true })).messages, [], 'it looks');
});

test('the declarations are those of the code, for everyone who imports ES modules', () => {
  const { status, stdout } = spawnSync(bin('attw'), [tarball, '--profile', 'esm-only', '--format', 'json'], {
    encoding: 'utf8',
  });
  const { analysis } = JSON.parse(stdout);
  assert.equal(status, 0, stdout.slice(0, 2_000));
  assert.deepEqual(Object.keys(analysis.entrypoints), ['.', './store-contract', './package.json']);
});

test('a package without its declarations is found', () => {
  const bare = join(work, 'bare');
  execFileSync('cp', ['-r', join(work, 'package'), bare]);
  rmSync(join(bare, 'index.d.ts'));
  mkdirSync(join(work, 'other'));
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', bare, '--json', '--offline', '--pack-destination', join(work, 'other')], {
      encoding: 'utf8',
    }),
  );
  const words = [join(work, 'other', packed.filename), '--profile', 'esm-only', '--format', 'json'];
  assert.notEqual(spawnSync(bin('attw'), words).status, 0);
});

test('the package holds what was compiled, its page and its licence, and needs zod alone', () => {
  const folder = join(project, 'node_modules', 'assayer-collector');
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  assert.deepEqual(Object.keys(manifest.dependencies), ['zod']);
  for (const file of ['README.md', 'LICENSE', 'index.js', 'index.d.ts', 'collector/store-contract.js']) {
    assert.ok(readFileSync(join(folder, file), 'utf8').length > 0, file);
  }
  const [files] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--offline'], { cwd: join(work, 'package'), encoding: 'utf8' }),
  );
  assert.deepEqual(
    files.files
      .map(({ path }: { path: string }) => path)
      .filter((path: string) => !/\.js$|\.d\.ts$|^README\.md$|^LICENSE$|^package\.json$/.test(path)),
    [],
  );
});

test('a store contract runs from the package', () => {
  const program = `
    import { MemoryStore } from 'assayer-collector';
    import { storeContract } from 'assayer-collector/store-contract';
    for (const { check } of storeContract) {
      const store = new MemoryStore();
      await check(async () => ({ store, reopen: async () => store }));
    }
    console.log(storeContract.length);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: project,
    encoding: 'utf8',
  });
  assert.ok(Number(stdout) >= 6, stderr);
});

/** The first program of the page, as it stands there. */
const example = (): string => {
  const [, program] =
    /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs', 'collector-library.md'), 'utf8')) ?? [];
  assert.ok(program !== undefined);
  return program;
};

test('the program of the page compiles under strict rules, and verifies, orders and acknowledges', {
  timeout: 60_000,
}, async () => {
  symlinkSync(join(root, 'node_modules', 'mqtt'), join(project, 'node_modules', 'mqtt'));
  writeFileSync(join(project, 'collector.ts'), example());
  writeFileSync(join(project, 'gateway.jwk.json'), JSON.stringify(knownAnswers.jwk));
  const compilerOptions = { module: 'NodeNext', target: 'ES2023', strict: true, noEmit: true, types: ['node'] };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['collector.ts'] }));
  const compiled = spawnSync(bin('tsc'), ['-p', project], { encoding: 'utf8' });
  assert.equal(compiled.stdout, '');
  assert.equal(compiled.status, 0);

  const broker = await EmbeddedBroker.start();
  const gateway = await mqtt.connectAsync(broker.url, { protocolVersion: 4, clientId: 'gw-test' });
  const collector = spawn(process.execPath, ['collector.ts'], {
    cwd: project,
    env: { ...process.env, BROKER: broker.url },
  });
  try {
    await gateway.subscribeAsync(['attest/v1/gw-test/ack/+', 'attest/v1/_fleet/rollcall/+'], { qos: 1 });
    const linesSaid = lines(collector);
    const acks = acknowledgements(gateway);
    await acks.rollcall;
    const log = new Writing();
    for (const content of [start(), stop, stop]) log.write(content);
    const [zero, one, two] = log.messages;
    for (const message of [zero, two, two, Buffer.from('{}'), one]) {
      await gateway.publishAsync('attest/v1/gw-test/log', message ?? '', { qos: 1 });
    }
    assert.deepEqual(await acks.next(3), { log: log.next.log, next: 3, leaf: log.leaf(2) });
    const statuses = (await linesSaid(7))
      .filter((line) => !line.startsWith('notice'))
      .map((line) => line.replace(/ session \S+/, '').trimEnd());
    assert.deepEqual(statuses, [
      'chained 0',
      'held 2',
      'duplicate 2 I_DUPLICATE',
      'refused    E_ENVELOPE',
      'chained 1',
      'chained 2',
    ]);
  } finally {
    collector.kill();
    await once(collector, 'exit');
    await gateway.endAsync(true);
    await broker.stop();
  }
});

/** The lines that a program prints, once there are so many. */
const lines = (child: ChildProcess) => {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  child.stderr?.pipe(process.stderr);
  return async (count: number): Promise<readonly string[]> => {
    while (text.split('\n').length <= count) await once(child.stdout ?? child, 'data');
    return text.split('\n').slice(0, -1);
  };
};

const acknowledgements = (client: mqtt.MqttClient) => {
  const rollcall = Promise.withResolvers<void>();
  const acks = new Map<number, PromiseWithResolvers<object>>();
  const ackOf = (count: number) => acks.get(count) ?? acks.set(count, Promise.withResolvers()).get(count);
  client.on('message', (topic, payload) => {
    if (topic.includes('/rollcall/')) return rollcall.resolve();
    const { stored_at: _at, ...ack } = JSON.parse(payload.toString());
    ackOf(ack.next)?.resolve(ack);
  });
  return { rollcall: rollcall.promise, next: async (count: number) => ackOf(count)?.promise };
};
