import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gateway } from './agent.ts';
import { assertPolite, fleetOf } from './fleets.ts';

test('what is open about a device ends when it leaves the configuration, at SIGHUP and at a start; put back it is learned anew', {
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
  await gateway.says('the one that is back', () => gateway.attestations('first').length >= 3);
  assert.equal(gateway.attestations('first').at(-1)?.evidence.trigger, 'first');
  assert.equal((await gateway.assayer('findings')).code, 0);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assertPolite(fleet);
  await gateway.verified();
});

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
