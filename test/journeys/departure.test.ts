import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gateway } from './agent.ts';
import { assertPolite, fleetOf } from './fleets.ts';

test('what is open about a device ends when it leaves the configuration, at SIGHUP and at a start; put back it is held against what it was', {
  timeout: 90_000,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2', 'avalon/a741-modules'], '127.95.0.1');
  const [kept, first, second] = ['kept', 'first', 'second'].map((name, at) => ({
    host: fleet.devices[at]?.address,
    name,
    ports: fleet.ports,
  }));
  await using gateway = await Gateway.start({ devices: [kept, first, second] });
  await gateway.knows(3);
  assert.equal(
    (await gateway.assayer('baseline accept', '--all', '--yes', '--by', 'alice', '--note', 'first day')).code,
    0,
  );
  fleet.device(1).changePoolUser(0, 'thief.x1');
  fleet.device(2).changePoolUser(0, 'thief.x2');
  await gateway.says('the thefts', () => gateway.findings('pool.user-changed').length >= 2);
  assert.equal((await gateway.assayer('findings')).code, 1);

  gateway.configure({ devices: [kept, second] });
  gateway.signal('SIGHUP');
  await gateway.event('config.reloaded');
  assert.deepEqual(endsOf(gateway, 'first'), [['resolved', 'left-configuration']]);
  assert.deepEqual(leftOf(gateway), [['warn', 'first', [THEFT]]]);
  assert.doesNotMatch((await gateway.assayer('findings')).out, /first/);

  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  gateway.configure({ devices: [kept] });
  await gateway.up();
  assert.deepEqual(endsOf(gateway, 'second'), [['resolved', 'left-configuration']]);
  assert.deepEqual(leftOf(gateway).slice(1), [['warn', 'second', [THEFT]]]);
  assert.equal((await gateway.assayer('findings')).code, 0);

  gateway.configure({ devices: [kept, first] });
  gateway.signal('SIGHUP');
  await gateway.says('the theft again', () => openOf(gateway, 'first').length > 0);
  assert.deepEqual(openOf(gateway, 'first'), [['slot 0', 'critical']]);
  assert.deepEqual(
    gateway
      .attestations('first')
      .slice(-2)
      .map(({ evidence }) => evidence.trigger),
    ['first', 'change'],
    'seen again, and confirmed',
  );
  assert.equal((await gateway.assayer('findings')).code, 1);
  const isLearned = (device: string) => {
    const last = gateway.log.findLast((one) => one.kind === 'baseline');
    return JSON.stringify(last).includes(`"${device}"`) && JSON.stringify(last).includes('"learned"');
  };
  await gateway.says('what shows as it was is learned', () => isLearned('first'));
  fleet.device(1).changePoolUser(0, 'thief.x3');
  await gateway.says('an attestation by what was learned', () =>
    gateway.attestations('first').some(({ reference }) => reference?.approval === 'none'),
  );

  gateway.configure({ devices: [kept, { ...first, name: 'renamed' }] });
  gateway.signal('SIGHUP');
  await gateway.says('the theft under the new name', () => openOf(gateway, 'renamed').length > 0);
  assert.deepEqual(openOf(gateway, 'renamed'), [['slot 0', 'critical']]);
  assert.equal(gateway.attestations('renamed')[0]?.subject.formerly, 'first');
  await gateway.says('what shows as it was', () =>
    gateway.log.some((one) => one.kind === 'baseline' && JSON.stringify(one).includes('"renamed"')),
  );
  const learned = gateway.log.findLast((one) => one.kind === 'baseline');
  assert.ok(learned?.kind === 'baseline' && learned.baseline.action === 'learned');
  const [item] = learned.baseline.devices;
  assert.deepEqual([item?.device, item?.facts?.includes('pools')], ['renamed', false]);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assertPolite(fleet);
  await gateway.verified();
});

/** The thefts of a device that its last statements leave open. */
const openOf = (gateway: Gateway, device: string) => {
  const last = gateway.findings('pool.user-changed', device).at(-1)?.finding;
  return last?.state === 'open' ? [[last.part, last.severity]] : [];
};

/** How the findings of a device ended, and the last reason that was given. */
const endsOf = (gateway: Gateway, device: string) =>
  gateway
    .findings('pool.user-changed', device)
    .filter(({ finding }) => finding.resolved_at !== undefined)
    .map(({ finding: { state, reasons } }) => [state, reasons?.at(-1)]);

const THEFT = { id: 'pool.user-changed', part: 'slot 0', severity: 'critical' };

/** What the operator is told of devices that left. */
const leftOf = (gateway: Gateway) =>
  gateway.eventsOf('config.device-left').map(({ level, device, findings }) => [level, device, findings]);
