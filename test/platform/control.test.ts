import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { askAgent, type ControlRequest, serveControl } from '../../agent/platform/control.ts';
import { AgentError } from '../../agent/platform/errors.ts';

const folder = (t: TestContext): string => {
  const dir = mkdtempSync(join(tmpdir(), 'assayer-control-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
};

/** An open door that notes what it was asked. */
const opened = async (t: TestContext, answer: (request: ControlRequest) => unknown = () => 'fine') => {
  const dir = folder(t);
  const asked: ControlRequest[] = [];
  const door = await serveControl(dir, async (request) => {
    asked.push(request);
    return answer(request);
  });
  t.after(() => door.close());
  return { dir, asked, door };
};

/** What comes back for these bytes; empty when the door hangs up. */
const exchange = async (dir: string, bytes: string | Uint8Array): Promise<string> => {
  const socket = connect(join(dir, 'control.sock'));
  socket.on('error', () => {});
  socket.end(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const code =
  (wanted: string) =>
  (error: AgentError): boolean => {
    assert.equal(error.code, wanted, error.message);
    assert.notEqual(error.remedy, '');
    return true;
  };

test('an agent answers a request, with data or with what is wrong and its remedy', async (t) => {
  const { dir, asked } = await opened(t, (request) => {
    if (request.do === 'status') return { size: 7 };
    throw new AgentError({ code: 'baseline.no-device', message: 'no device "x"', remedy: 'assayer status' });
  });
  assert.deepEqual(await askAgent(dir, { do: 'status' }), { size: 7 });
  await assert.rejects(askAgent(dir, { do: 'preview-accept', devices: ['x'] }), code('baseline.no-device'));
  assert.deepEqual(asked, [{ do: 'status' }, { do: 'preview-accept', devices: ['x'] }]);
});

test('only the user of the agent may open the door', async (t) => {
  const { dir } = await opened(t);
  assert.equal(statSync(join(dir, 'control.sock')).mode & 0o777, 0o600);
});

test('garbage, half a request and a request of another version get an error, and reach nobody', async (t) => {
  const { dir, asked } = await opened(t);
  for (const text of [
    '',
    'GET / HTTP/1.1\r\n\r\n',
    '{"do":"status"',
    'null',
    '[]',
    '{"do":"reboot"}',
    '{"do":"status","since":7}',
    '{"do":"accept","devices":["a"]}',
    '{"do":"preview-accept","devices":[7]}',
    Buffer.from([0xff, 0xfe, 0x00]),
  ]) {
    const reply = JSON.parse(await exchange(dir, text));
    assert.deepEqual([reply.ok, reply.code], [false, 'control.unknown'], String(text));
  }
  assert.deepEqual(asked, []);
  assert.equal(await askAgent(dir, { do: 'status' }), 'fine');
});

test('a huge request is refused by its size, and the agent goes on', async (t) => {
  const { dir, asked } = await opened(t);
  const reply = JSON.parse(await exchange(dir, `{"do":"status","x":"${'y'.repeat(9_000_000)}"}`));
  assert.deepEqual([reply.ok, reply.code], [false, 'control.too-large']);
  assert.deepEqual(asked, []);
  assert.equal(await askAgent(dir, { do: 'status' }), 'fine');
});

test('our own mistake is an error for whoever asked, not the end of the agent', async (t) => {
  const { dir } = await opened(t, () => {
    throw new TypeError('undefined is not a device');
  });
  await assert.rejects(askAgent(dir, { do: 'status' }), code('control.failed'));
});

test('a closed door puts out whoever is inside', async (t) => {
  const { dir, door } = await opened(t);
  const socket = connect(join(dir, 'control.sock'));
  await once(socket, 'connect');
  socket.write('{"do":');
  socket.on('error', () => {});
  const put = new Promise((resolve) => socket.on('close', resolve));
  door.close();
  await put;
  await assert.rejects(askAgent(dir, { do: 'status' }), code('agent.not-running'));
});

test('many ask at the same time', async (t) => {
  const { dir } = await opened(t, (request) => request);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, at) => askAgent(dir, { do: 'preview-accept', devices: [`rig-${at}`] })),
  );
  assert.deepEqual(answers[49], { do: 'preview-accept', devices: ['rig-49'] });
});

test('the socket of an agent that was killed is replaced', async (t) => {
  const dir = folder(t);
  const program = `require('node:net').createServer().listen(${JSON.stringify(join(dir, 'control.sock'))}, () => console.log('up'))`;
  const killed = spawn(process.execPath, ['-e', program]);
  await once(killed.stdout, 'data');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  assert.ok(statSync(join(dir, 'control.sock')).isSocket());
  await assert.rejects(askAgent(dir, { do: 'status' }), code('agent.not-running'));
  const door = await serveControl(dir, async () => 'new');
  assert.equal(await askAgent(dir, { do: 'status' }), 'new');
  door.close();
});

test('no agent, an agent that hangs up and one that answers nonsense are told apart', async (t) => {
  const dir = folder(t);
  await assert.rejects(askAgent(dir, { do: 'status' }), code('agent.not-running'));
  writeFileSync(join(dir, 'control.sock'), '');
  await assert.rejects(askAgent(dir, { do: 'status' }), code('agent.not-running'));
  rmSync(join(dir, 'control.sock'));
  for (const reply of ['', 'hello', '{"ok":"perhaps"}']) {
    const server = createServer((socket) => socket.resume().end(reply)).listen(join(dir, 'control.sock'));
    await once(server, 'listening');
    await assert.rejects(askAgent(dir, { do: 'status' }), code('agent.no-answer'));
    server.close();
    await once(server, 'close');
  }
});

test('a state folder whose path is too long for a socket, or that is not there, is an error with a remedy', async (t) => {
  const dir = folder(t);
  const long = join(dir, 'x'.repeat(120));
  mkdirSync(long);
  await assert.rejects(
    serveControl(long, async () => 'never'),
    code('config.state-dir'),
  );
  await assert.rejects(
    serveControl(join(dir, 'none'), async () => 'never'),
    code('config.state-dir'),
  );
});
