import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import manifest from '../../package.json' with { type: 'json' };
import type { Arch } from '../../scripts/base-node.ts';
import { binaryFile, buildBinaries, isFresh } from '../../scripts/build.ts';
import type { Statement } from '../../shared/statement.ts';
import { ACME } from '../outside/example.ts';
import { hostKey, SshStation, Station } from '../probe/stations.ts';
import type { Fleet } from '../simulator/fleet.ts';
import { assertPolite, FAMILIES, fleetOf } from './fleets.ts';
import { Installed, type Outcome } from './installed.ts';

const EMULATOR = '/usr/bin/qemu-aarch64-static';
const ARM64_LIBRARIES = '/usr/aarch64-linux-gnu';
const canRun: { readonly [arch in Arch]: boolean } = {
  x64: process.arch === 'x64',
  arm64: process.arch === 'arm64' || (existsSync(EMULATOR) && existsSync(ARM64_LIBRARIES)),
};

/** Why an architecture is not tested here; filled by the build. */
const missing = new Map<Arch, string>();

before(
  async () => {
    const stale = (['x64', 'arm64'] as const).filter((arch) => canRun[arch]);
    if (stale.every(isFresh)) return;
    for (const product of await buildBinaries(stale)) {
      if (product.kind === 'missing') missing.set(product.arch, product.reason);
    }
  },
  { timeout: 300_000 },
);

const good = ({ code, out, err }: Outcome): string => {
  assert.equal(code, 0, err);
  return out;
};

/** Every device of the fleet as a position, looked at every two seconds, with the state that `init` made. */
const configFor = (fleet: Fleet): string =>
  stringify({
    gateway: 'gw-1',
    operator: 'example.org',
    state_dir: 'state',
    devices: fleet.devices.map(({ id, address }) => ({ host: address, name: id, ports: fleet.ports })),
    schedule: { pools: '*/2 * * * * *', config: '*/2 * * * * *', web: 'off', tls: 'off', ssh: 'off' },
    coverage_s: 10,
  });

const entriesOf = (raw: string): readonly Statement[] =>
  raw
    .split('\n')
    .filter((line) => line !== '')
    // The payload of an envelope this test has just seen verified, or is about to.
    .map((line) => JSON.parse(line) as Statement);

/** Runs the agent until it has attested every device, then ends it in good order. */
const attestAll = async (binary: Installed, fleet: Fleet): Promise<readonly Statement[]> => {
  const agent = binary.start('run', '-c', 'fleet.yaml');
  let events = '';
  agent.stderr?.on('data', (chunk) => {
    events += chunk;
  });
  let seen: readonly Statement[] = [];
  const attested = () => new Set(seen.flatMap((entry) => (entry.kind === 'attestation' ? [entry.subject.device] : [])));
  for (let tries = 0; tries < 40 && attested().size < fleet.devices.length; tries += 1) {
    await pause(500);
    assert.equal(agent.exitCode, null, events);
    const { code, out } = await binary.run('log', '--raw', '-c', 'fleet.yaml');
    if (code === 0) seen = entriesOf(out);
  }
  assert.deepEqual([...attested()].sort(), fleet.devices.map(({ id }) => id).sort(), events);
  agent.kill('SIGTERM');
  const [code] = await once(agent, 'exit');
  assert.equal(code, 0, events);
  return entriesOf(good(await binary.run('log', '--raw', '-c', 'fleet.yaml')));
};

/** From nothing to a log that verifies, with the binary only. */
const wholeJob = async (binary: Installed, fleet: Fleet, file: string): Promise<void> => {
  assert.equal(good(await binary.run('--version')), `${manifest.version}\n`);
  good(await binary.run('init', '--gateway', 'gw-1', '--state-dir', 'state', '--range', '127.29.0.0/24'));
  assert.match(good(await binary.run('check-config')), /Gateway gw-1, 254 addresses/);

  const device = fleet.device(0);
  const { cgminer, http } = fleet.ports;
  const key = hostKey('ed25519');
  await using ssh = await Station.at(new SshStation([key]), device.address);
  const ports = `cgminer=${cgminer},http=${http},https=1,ssh=${ssh.port}`;
  const observation = JSON.parse(good(await binary.run('probe', device.address, '--ports', ports, '--json')));
  const components: readonly { name: string; value: string }[] = observation.firmware.components;
  assert.equal(components.find(({ name }) => name === 'ssh.host-key')?.value, key.text);
  assert.equal(observation.family, device.family);
  assert.ok(observation.pools.length > 0);

  good(await binary.run('record', device.address, '--ports', ports, '--out', 'recorded'));
  assert.match(good(await binary.run('driver', 'test', 'recorded')), /\nOK\n$/);
  binary.write('acme.yaml', ACME);
  assert.match(good(await binary.run('requests', '--driver', 'acme.yaml', '--family', 'acme')), /^GET \/api\/info /m);

  binary.write('fleet.yaml', configFor(fleet));
  const entries = await attestAll(binary, fleet);
  const digest = createHash('sha256').update(readFileSync(file)).digest('base64url');
  const starts = entries.flatMap((entry) =>
    entry.kind === 'session' && entry.session.event === 'start' ? [entry.session.agent] : [],
  );
  assert.deepEqual(starts, [{ name: 'assayer', version: manifest.version, sha256: digest }]);

  const raw = good(await binary.run('log', '--raw', '-c', 'fleet.yaml'));
  binary.write('log.jsonl', raw);
  good(await binary.run('verify', 'log.jsonl', '--key', 'state/gateway.jwk.json'));
  const family = device.family ?? '';
  binary.write('forged.jsonl', raw.replace(`"${family}"`, `"${family}x"`));
  const forged = await binary.run('verify', 'forged.jsonl', '--key', 'state/gateway.jwk.json');
  assert.equal(forged.code, 1, forged.out);

  // The library for PostgreSQL is loaded when it is asked for: it has to be in there.
  const away = await binary.run('collect', 'devices', '--postgres', 'postgresql://127.0.0.1:1/fleet');
  assert.match(away.err, /ECONNREFUSED[\s\S]*\[store\.unreachable\]/);
};

test('the x64 file, alone in a folder and with an empty environment, does the whole job', async (t) => {
  if (!canRun.x64) return t.skip('this host is not x64');
  await using fleet = await fleetOf(FAMILIES, '127.29.0.1');
  using binary = Installed.alone(binaryFile('x64'));
  await wholeJob(binary, fleet, binaryFile('x64'));
  assertPolite(fleet);
});

test('the x64 file needs nothing of a system but the libraries it names: no shell, no accounts, no /proc', async (t) => {
  if (!canRun.x64) return t.skip('this host is not x64');
  if (process.getuid?.() !== 0) return t.skip('only root may change the root folder: sudo npm test');
  await using fleet = await fleetOf(FAMILIES, '127.29.1.1');
  using binary = Installed.inChroot(binaryFile('x64'));
  await wholeJob(binary, fleet, binaryFile('x64'));
  assertPolite(fleet);
});

test('the x64 file starts with the code compiled into it, and NODE_OPTIONS does not reach it', (t) => {
  if (!canRun.x64) return t.skip('this host is not x64');
  const env = { PATH: '/usr/bin:/bin', NODE_OPTIONS: '--require=/nonexistent.cjs' };
  const { status, stdout, stderr } = spawnSync(binaryFile('x64'), ['--version'], { env, encoding: 'utf8' });
  // Compiled with other options than it runs with, V8 would warn that it compiles all of it anew.
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${manifest.version}\n`, stderr: '' });
});

test('the arm64 file starts and checks a configuration', async (t) => {
  if (!canRun.arm64) {
    return t.skip(
      'sudo apt-get install qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross libatomic1-arm64-cross',
    );
  }
  const reason = missing.get('arm64');
  if (reason !== undefined) return t.skip(`no Node for arm64 could be fetched: ${reason}`);
  using binary = Installed.alone(
    binaryFile('arm64'),
    process.arch === 'arm64' ? [] : [EMULATOR, '-L', ARM64_LIBRARIES],
  );
  assert.equal(good(await binary.run('--version')), `${manifest.version}\n`);
  good(await binary.run('init', '--gateway', 'gw-1', '--state-dir', 'state', '--range', '10.0.0.0/24'));
  assert.match(good(await binary.run('check-config')), /Gateway gw-1, 254 addresses/);
});

test('SHA256SUMS names every product with its digest', () => {
  const lines = readFileSync(binaryFile('x64').replace(/[^/]+$/, 'SHA256SUMS'), 'utf8')
    .trim()
    .split('\n');
  assert.ok(lines.length >= 2);
  for (const line of lines) {
    const [digest, name = ''] = line.split('  ');
    const file = binaryFile('x64').replace(/[^/]+$/, name);
    assert.equal(createHash('sha256').update(readFileSync(file)).digest('hex'), digest);
  }
});
