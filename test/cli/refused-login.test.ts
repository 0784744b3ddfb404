import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Gateway } from '../journeys/agent.ts';
import { startFleet } from '../simulator/fleet.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { assayer } from './assayer.ts';

/** A log-in that a device refuses from the first look on: what the commands about the agent say of it. */

const ADDRESS = '127.104.1.1';

/** An agent and one S21, whose pools port 4028 tells, and whose stored ones stand behind a log-in by Digest. */
const site = async (t: TestContext) => {
  const specimens = loadSpecimens().filter(({ name }) => name === 'antminer-stock/s21');
  const { auth } = specimens[0]?.device ?? {};
  assert.ok(auth !== undefined);
  const fleet = await startFleet({ specimens, base: ADDRESS, exact: true });
  t.after(() => fleet.stop());
  const gateway = Gateway.create({});
  t.after(() => gateway[Symbol.asyncDispose]());
  const password = (text: string) => gateway.write('password', text);
  const device = { host: ADDRESS, name: 'rig-1', ports: fleet.ports };
  const credentials = { stock: { user: auth.user, password_file: password('wrong') } };
  gateway.configure({ devices: [{ ...device, credentials: 'stock' }], credentials });
  const events = (name: string) => gateway.eventsOf(name);
  const ask = async (...words: readonly string[]) => (await assayer(words, { cwd: gateway.folder })).out;
  const row = async () => JSON.parse(await ask('status', '--json')).devices[0] ?? {};
  return { gateway, device, events, ask, row, right: () => password(auth.password) };
};

/** What the agent keeps within a second is seen soon. */
const eventually = async (isSo: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 40; tries += 1) {
    if (await isSo()) return;
    await delay(250);
  }
  assert.fail('it did not come');
};

test('a log-in that is refused from the first look is told: as an event, by status, doctor and baseline accept', {
  timeout: 120_000,
}, async (t) => {
  const { gateway, events, ask, row, right } = await site(t);
  await gateway.up();
  await gateway.event('probe.login-refused');
  await eventually(async () => (await row()).login === 'refused');
  const [refused, ...again] = events('probe.login-refused');
  assert.deepEqual([refused?.level, refused?.address, again], ['warn', ADDRESS, []]);
  assert.match(String(refused?.remedy), /credentials, assayer check-config/);
  assert.match(await ask('status'), /^rig-1 .*, log-in refused /m);
  const warned =
    /^ok {4}miners .*answer.*\nwarn {2}miners {9}1 device refuses its log-in, so that what is behind it is not read: rig-1\n {21}remedy: .*credentials/m;
  assert.match(await ask('doctor'), warned);
  const behind =
    /^Behind a closed surface, so nobody saw it:\n {2}rig-1: the log-in is refused: pools as they are stored \(those that run stand in\), .*identity\.mac/m;
  assert.match(await ask('baseline', 'accept', 'rig-1'), behind);
  assert.match(await ask('baseline', 'diff'), behind);
  const { previews } = JSON.parse(await ask('baseline', 'accept', 'rig-1', '--json', '--yes'));
  assert.deepEqual([previews[0].behind.why, previews[0].behind.stand_ins.includes('pools')], ['refused', true]);

  assert.equal((await gateway.stop()).code, 0);
  assert.match(await ask('status'), /^rig-1 .*, log-in refused /m, 'what the store knows');
  assert.match(await ask('doctor'), warned);

  right();
  await gateway.up();
  await gateway.event('probe.login-taken');
  await eventually(async () => (await row()).login === undefined);
  assert.deepEqual([events('probe.login-refused').length, events('probe.login-taken').length], [1, 1]);
  assert.doesNotMatch(await ask('doctor'), /refuse/);
});

test('a device that keeps something behind a log-in is marked where none is configured, and is no warning', {
  timeout: 60_000,
}, async (t) => {
  const { gateway, device, events, ask, row } = await site(t);
  gateway.configure({ devices: [device], credentials: {} });
  await gateway.up();
  await gateway.knows(1);
  assert.equal((await row()).login, 'missing');
  assert.match(await ask('status'), /^rig-1 .*, no log-in configured /m);
  assert.match(
    await ask('baseline', 'accept', 'rig-1'),
    /^ {2}rig-1: no log-in is configured: pools as they are stored/m,
  );
  assert.doesNotMatch(await ask('doctor'), /^warn {2}miners/m);
  assert.deepEqual(events('probe.login-refused'), []);
});
