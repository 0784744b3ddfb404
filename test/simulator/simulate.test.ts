import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { converse } from './asking.ts';

const script = join(import.meta.dirname, '..', '..', 'scripts', 'simulate.ts');

const simulate = (words: readonly string[]) => {
  const child = spawn(process.execPath, [script, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => JSON.parse((await lines.next()).value ?? 'null');
  const order = (line: object) => {
    child.stdin.write(`${JSON.stringify(line)}\n`);
    return nextLine();
  };
  return { child, nextLine, order };
};

const words = [
  '--devices',
  '3',
  '--families',
  'cgminer/cgminer',
  '--base',
  '127.28.0.1',
  '--cgminer-port',
  '0',
  '--http-port',
  '0',
  '--json',
];

test('a fleet in its own process says where it is, takes orders and ends when stdin closes', async () => {
  const { child, nextLine, order } = simulate(words);
  const { ports, devices } = await nextLine();
  assert.deepEqual(
    devices.map(({ id, address }: Record<string, string>) => [id, address]),
    [
      ['sim-00001', '127.28.0.1'],
      ['sim-00002', '127.28.0.2'],
      ['sim-00003', '127.28.0.3'],
    ],
  );
  const done = await order({ do: 'changePoolUser', device: 'sim-00002', slot: 0, user: 'thief.x' });
  assert.deepEqual([done.done, done.device], ['changePoolUser', 'sim-00002']);
  const { text } = await converse('127.28.0.2', ports.cgminer, '{"command":"pools"}');
  assert.match(text, /"User":"thief\.x"/);
  const { report } = await order({ do: 'report' });
  assert.ok(report.first_request_ms <= Date.now() + 1);
  const { first_request_ms, ...counted } = report;
  assert.deepEqual(counted, { requests: { '{"command":"pools"}': 1 }, violations: [], max_connections: 1 });
  assert.match((await order({ do: 'changePoolUser', device: 'sim-00009', slot: 0, user: 'x' })).failed, /no device/);
  assert.match((await order({ do: 'explode' })).failed, /Invalid/);
  await order({ do: 'follow', devices: ['sim-00003'] });
  await converse('127.28.0.2', ports.cgminer, 'version');
  await converse('127.28.0.3', ports.cgminer, 'version');
  const { asked, request } = await nextLine();
  assert.deepEqual([asked, request], ['sim-00003', 'version']);
  child.stdin.end();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('a fleet in its own process ends on SIGTERM', async () => {
  const { child, nextLine } = simulate(words);
  await nextLine();
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});
