import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOTHING_STANDING } from '../../agent/baseline/standing.ts';
import { acceptSeen, previewAcceptance } from '../../agent/desk/acceptance.ts';
import { pools } from '../appraise/watch.ts';
import { Recording } from './recording.ts';

/** The devices of a recording, as an acceptance knows them. */
const fleetOf = ({ states }: Recording) => ({
  state: (id: string) => states.get(id),
  states: () => [...states.values()],
});

const depsOf = ({ recorder }: Recording) => ({ recorder, people: 0, standing: NOTHING_STANDING, nowMs: 0 });

test('a device that is named twice is shown, accepted and stated once', async (t) => {
  const recording = new Recording(t);
  await recording.learnAll();
  await recording.looks('rig-1', 2, pools({ user: 'acme.moved' }));
  const twice = ['rig-1', 'rig-1'];
  const previews = previewAcceptance(fleetOf(recording), twice);
  assert.deepEqual(
    previews.map(({ device, openFindings }) => [device, openFindings]),
    [['rig-1', ['pool.user-changed']]],
  );
  const seq = previews[0]?.seq ?? -1;
  const request = { devices: twice, seen: [seq, seq], by: 'alice' };
  const result = acceptSeen(fleetOf(recording), request, depsOf(recording));
  assert.deepEqual(result, { accepted: ['rig-1'], refused: [] });
  const said = recording.said().filter((one) => one.seq > seq + 1);
  assert.deepEqual(
    said.map((one) => (one.kind === 'baseline' && 'devices' in one.baseline ? one.baseline.devices : one.kind)),
    [[{ device: 'rig-1', seq }], 'finding'],
  );
  assert.deepEqual(recording.objections(), []);
});

test('what may not be accepted, or is not what was shown, is refused by device and nothing is written', async (t) => {
  const recording = new Recording(t, ['rig-1', 'rig-2']);
  await recording.learnAll();
  await recording.looks('rig-2', 6, undefined);
  const before = recording.said().length;
  const devices = ['rig-1', 'rig-2', 'rig-9'];
  const { accepted, refused } = acceptSeen(
    fleetOf(recording),
    { devices, seen: [0, 0, 0], by: 'alice' },
    depsOf(recording),
  );
  assert.deepEqual(accepted, []);
  assert.deepEqual(
    refused.map(({ device }) => device),
    devices,
  );
  assert.equal(recording.said().length, before);
});
