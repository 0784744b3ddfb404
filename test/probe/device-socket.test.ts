import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DeviceSocket, type SocketOwner } from '../../agent/probe/device-socket.ts';
import { FakeMiner } from './fake-miner.ts';

test('a closed socket lets go of its owner, though the socket itself may stay for long', {
  timeout: 10_000,
}, async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  await using miner = await FakeMiner.start((_, socket) => socket.end('{}'));
  const told: string[] = [];
  let owner: SocketOwner | undefined = {
    connected: () => {
      told.push('connected');
      socket.write('x');
    },
    heard: (piece) => told.push(piece.toString()),
    failed: () => told.push('failed'),
    closed: () => told.push('closed'),
  };
  const kept = new WeakRef(owner);
  const socket: DeviceSocket = new DeviceSocket(miner.endpoint, owner);
  collect();
  assert.notEqual(kept.deref(), undefined);

  await once(socket, 'close');
  owner = undefined;
  await turn();
  collect();

  assert.deepEqual(told, ['connected', '{}', 'closed']);
  assert.equal(kept.deref(), undefined);
  assert.equal(socket.destroyed, true);
});
