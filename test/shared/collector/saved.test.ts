import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readState, saveDevice, saveState } from '../../../shared/collector/saved.ts';
import { applyContent } from '../../../shared/content.ts';
import { newHeartbeats } from '../../../shared/heartbeats.ts';
import { type DeviceState, type LogState, newState } from '../../../shared/log-state.ts';
import { verifyMessage } from '../../../shared/verify.ts';
import { start, Writing } from '../writing.ts';
import { keys, LOG } from './bench.ts';

/** A list of its own each time. */
const usual = () => ['firmware.version', 'pools', 'network.dhcp'];

const factsOf = ({ devices }: LogState, name: string) => devices.get(name)?.items.map(({ facts }) => facts);

test('devices with the same facts keep one list of them after a start, others their own', () => {
  const device = (...lists: (readonly string[] | undefined)[]): DeviceState => ({
    attested: 'A'.repeat(43),
    items: lists.map((facts, index) => ({ seq: index + 1, approval: 'none', facts })),
  });
  const devices = new Map([
    ['rig-1', device(usual())],
    ['rig-2', device(['pools'], usual())],
    ['rig-3', device(['firmware.version pools', 'network.dhcp'], undefined, [])],
  ]);
  const texts = [...devices].map(([name, each]) => [name, saveDevice(each)] as const);
  const { log } = readState(saveState(newState(LOG, 0, 64), newHeartbeats(), undefined), texts, 64);
  assert.deepEqual(log.devices, devices);
  assert.ok(factsOf(log, 'rig-1')?.[0] === factsOf(log, 'rig-2')?.[1]);
});

test('so do devices of one baseline whose attestations are no longer in the window', () => {
  const names = ['rig-1', 'rig-2', 'rig-3'];
  const writing = new Writing();
  writing.write(start());
  const message = writing.write({
    kind: 'baseline',
    baseline: { action: 'learned', approval: 'none', devices: names.map((device) => ({ device, seq: 0 })) },
  });
  const state = newState(LOG, 0, 64);
  applyContent(state, verifyMessage(message, { keys }), {
    keys,
    entry: () => ({ leaf: Buffer.alloc(32), kind: 'attestation', about: '', facts: usual() }),
    quarantined: false,
  });
  const [one, ...others] = names.map((name) => factsOf(state, name)?.[0]);
  assert.deepEqual(one, usual());
  for (const other of others) assert.ok(other === one);
});
