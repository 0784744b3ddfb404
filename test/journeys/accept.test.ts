import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gateway } from './agent.ts';
import { assertPolite, fleetOf } from './fleets.ts';

test('a person is shown the difference, accepts it, and from then on it is the approved value', {
  timeout: 90_000,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.75.0.1');
  const devices = fleet.devices.map(({ address }, index) => ({
    host: address,
    name: `rig-${index}`,
    ports: fleet.ports,
  }));
  await using gateway = await Gateway.start({ devices });
  await gateway.knows(2);
  const moved = fleet.device(0);
  moved.changePoolUser(0, 'newtenant.rig0');
  await gateway.says('the change', () => gateway.findings('pool.user-changed').length > 0);

  const asked = await gateway.assayer('baseline accept', 'rig-0');
  assert.equal(asked.code, 2, 'without a terminal nobody can agree');
  assert.match(
    asked.out,
    /^device +fact +reference +seen\n *rig-0 +pools slot 0 user +acme\.axe15\S* +newtenant\.rig0$/m,
  );
  assert.match(asked.out, /^Closes 1 open finding as approved:\n {2}\d+ critical rig-0: pool\.user-changed slot 0\n/m);
  assert.match(asked.err, /there is no terminal to confirm on/);
  assert.equal((await gateway.assayer('baseline accept', 'rig-7', '--yes')).code, 2);
  assert.deepEqual(accepted(gateway), []);

  const said = await gateway.assayer('baseline accept', 'rig-0', '--yes', '--by', 'alice', '--note', 'ticket 12');
  assert.deepEqual([said.code, said.out.split('\n').at(-2)], [0, 'accepted 1 device, closed 1 finding']);
  await gateway.says('approved', () => gateway.findings('pool.user-changed').length > 1);
  await gateway.says('match', () => lastOf(gateway, 'rig-0')?.appraisal.conformance === 'match');
  const shown = gateway.findings('pool.user-changed')[0]?.finding.evidence[0];
  assert.deepEqual(accepted(gateway), [{ by: 'alice', note: 'ticket 12', devices: [{ device: 'rig-0', seq: shown }] }]);
  assert.equal(gateway.findings('pool.user-changed')[1]?.finding.state, 'approved');
  assert.equal(lastOf(gateway, 'rig-0')?.reference?.approval, 'local');
  assert.equal(lastOf(gateway, 'rig-0')?.evidence.trigger, 'change');
  assert.equal(lastOf(gateway, 'rig-1')?.appraisal.conformance, 'unbaselined', 'nobody accepted this one');
  assert.match((await gateway.assayer('status')).out, /^rig-0 .* match +local /m);

  const all = await gateway.assayer('baseline accept', '--all', '--yes', '--json');
  assert.equal(all.code, 0, all.err);
  await gateway.says('match', () => lastOf(gateway, 'rig-1')?.appraisal.conformance === 'match');

  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assert.match((await gateway.assayer('baseline accept', '--all', '--yes')).err, /\[agent\.not-running\]/s);
  const size = gateway.log.length;
  await gateway.up();
  moved.setFirmware({ version: 'v2.16.0' });
  await gateway.says('a firmware that nobody planned', () => gateway.findings('firmware.version-changed').length > 0);
  const [firmware] = gateway.findings('firmware.version-changed');
  assert.deepEqual([firmware?.finding.severity_base, firmware?.finding.severity], ['medium', 'high']);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  // How long the agent was down depends on the machine: whether that is a gap is not asked here.
  const since = gateway.log
    .slice(size)
    .filter((one) => one.kind !== 'finding' || one.finding.device !== undefined)
    .map(({ kind }) => kind);
  assert.deepEqual(
    since.filter((kind) => kind !== 'coverage'),
    ['session', 'attestation', 'finding', 'session'],
    'what was approved before the restart is approved after it',
  );
  assertPolite(fleet);
  await gateway.verified();
});

const lastOf = (gateway: Gateway, device: string) => gateway.attestations(device).at(-1);

const accepted = (gateway: Gateway) =>
  gateway.log.flatMap((one) => {
    if (one.kind !== 'baseline' || one.baseline.action !== 'accepted') return [];
    const { by, note, devices } = one.baseline;
    return [{ by, note, devices }];
  });
