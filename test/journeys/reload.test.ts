import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../publish/observer.ts';
import type { Fleet } from '../simulator/fleet.ts';
import { Gateway } from './agent.ts';
import { assertPolite, fleetOf, rangeOf } from './fleets.ts';

test('a good configuration takes effect at SIGHUP and is an entry; a wrong one changes nothing and is an event', {
  timeout: 90_000,
}, async () => {
  await using kept = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.68.0.1');
  await using gone = await fleetOf(['axeos/gamma-2.12'], '127.68.1.1', { first: 3 });
  await using added = await fleetOf(['avalon/a741-modules'], '127.68.2.1', { first: 4 });
  await using gateway = await Gateway.start({
    devices: [rangeOf(kept), { host: '127.68.1.1', name: 'rack-9', ports: gone.ports }],
    coverage_s: 3600,
  });
  await gateway.knows(3);

  gateway.configure({ devices: [rangeOf(kept), rangeOf(added)], coverage_s: 10, redact: ['pools.user'] });
  gateway.signal('SIGHUP');
  await gateway.event('config.reloaded');
  const [reload] = reloads(gateway);
  assert.deepEqual(reload, { event: 'reload', config_sha256: digest(gateway), removed: ['rack-9'] });
  await gateway.knows(4);
  const askedOfGone = total(gone);
  await gateway.says('coverage under the new configuration', () => coverage(gateway).length > 1);
  const [former, next] = coverage(gateway);
  assert.deepEqual(
    [former?.expected, next?.expected],
    [3, 3],
    'with the device that left, then with the one that came',
  );
  assert.ok(
    firstOf(gateway, 'coverage') < firstOf(gateway, 'session', 'reload'),
    'a period that is changed ends before',
  );
  assert.equal(total(gone), askedOfGone, 'a device that left is not asked any more');
  assert.doesNotMatch(textFrom(gateway, 'reload'), /"user":/);

  gateway.write('assayer.yaml', 'gateway: gw-1\n  operator: [\n');
  gateway.signal('SIGHUP');
  const broken = await gateway.event('config.rejected');
  assert.deepEqual([broken.level, broken.code], ['error', 'config.invalid']);
  assert.match(String(broken.message), /assayer\.yaml:\d+: .*not valid YAML/);
  gateway.write('assayer.yaml', 'gateway: gw-1\noperator: *example\n');
  gateway.signal('SIGHUP');
  const slip = await gateway.event('config.rejected', { after: 1 });
  assert.match(String(slip.message), /assayer\.yaml:2: .*\*example is an alias/);
  gateway.configure({ gateway: 'gw-2' });
  gateway.signal('SIGHUP');
  const renamed = await gateway.event('config.rejected', { after: 2 });
  assert.deepEqual([renamed.level, renamed.code], ['error', 'config.needs-restart']);
  assert.match(String(renamed.message), /^gateway cannot change/);
  assert.equal(reloads(gateway).length, 1);
  const asked = total(kept);
  await until('rounds go on under the old configuration', () => total(kept) > asked + 20);

  gateway.configure({ gateway: 'gw-1', labels: { site: 'tx2' } });
  for (let times = 0; times < 5; times += 1) {
    gateway.signal('SIGHUP');
    await delay(30);
  }
  // However many of those reached a busy process as one, the next one comes after at least one was heeded.
  await gateway.event('config.reloaded', { after: 1 });
  gateway.signal('SIGHUP');
  await until('every SIGHUP was heeded', () => gateway.eventsOf('config.reloaded').length >= 3);
  kept.device(0).changePoolUser(0, 'thief.x');
  await gateway.says('the theft', () => gateway.findings('pool.user-changed').length > 0);
  assert.deepEqual(gateway.findings('pool.user-changed')[0]?.finding.labels, { site: 'tx2' });
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });

  const ids = gateway.attestations().map(({ subject }) => subject.device);
  assert.equal(ids.filter((id) => id === 'rack-9').length, 1);
  assert.doesNotMatch(textFrom(gateway, 'reload'), /thief/);
  assertPolite(kept);
  assertPolite(gone);
  assertPolite(added);
  await gateway.verified();
});

test('SIGHUP while a look hangs waits for no more than its deadline, and what was half confirmed goes on', {
  timeout: 60_000,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.69.0.1');
  // Of its deadlines only that of a look ends before the test gives up.
  const probe = { connect_timeout_ms: 500, exchange_timeout_ms: 100_000, device_timeout_ms: 3000 };
  await using gateway = await Gateway.start({ devices: [rangeOf(fleet)], probe });
  await gateway.knows(2);
  const robbed = new Set<string>();
  fleet.follow(({ address }) => robbed.add(address));
  fleet.device(0).behave('silent');
  fleet.device(1).changePoolUser(0, 'thief.x');
  await until('the theft shows while a look hangs', () => {
    const [silent, shown] = [fleet.device(0), fleet.device(1)];
    return silent.connections.size > 0 && robbed.has(shown.address) && shown.connections.size === 0;
  });
  gateway.configure({ labels: { site: 'tx3' } });
  gateway.signal('SIGHUP');
  await gateway.event('config.reloaded');
  fleet.device(0).behave('honest');
  await gateway.says('the theft', () => gateway.findings('pool.user-changed').length > 0);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assertPolite(fleet);
  await gateway.verified();
});

const total = (fleet: Fleet): number => [...fleet.requests().values()].reduce((sum, count) => sum + count, 0);

const reloads = (gateway: Gateway) =>
  gateway.log.flatMap((one) => (one.kind === 'session' && one.session.event === 'reload' ? [one.session] : []));

const firstOf = ({ log }: Gateway, kind: string, event?: string): number =>
  log.findIndex((one) => one.kind === kind && (one.kind !== 'session' || one.session.event === event));

const coverage = (gateway: Gateway) => gateway.log.flatMap((one) => (one.kind === 'coverage' ? [one.coverage] : []));

const digest = ({ file }: Gateway): string => hash('sha256', readFileSync(file), 'base64url');

/** Everything that was said from the first session entry of that kind on. */
const textFrom = (gateway: Gateway, event: string): string => {
  const from = firstOf(gateway, 'session', event);
  assert.ok(from >= 0);
  return JSON.stringify(gateway.log.slice(from));
};
