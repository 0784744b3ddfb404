import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askCommand, bodyOf, getPath } from './asking.ts';
import type { Behaviour } from './behaviour.ts';
import { startFleet } from './fleet.ts';
import { HOME, MODULE, RACK } from './samples.ts';

const misbehaving = async (behaviour: Behaviour, base: string, forMs?: number) => {
  await using fleet = await startFleet({ specimens: [RACK, HOME, MODULE], base });
  const device = fleet.device(0);
  const honest = await askCommand(fleet, device, 'stats');
  device.behave(behaviour);
  return { honest: honest.text, heard: await askCommand(fleet, device, 'stats', forMs) };
};

test('a silent device takes the question and says nothing', async () => {
  const { heard } = await misbehaving('silent', '127.26.0.1', 300);
  assert.deepEqual(heard, { text: '', ended: 'waiting', bytes: 0 });
});

test('a dripping device sends a byte per second', async () => {
  const { honest, heard } = await misbehaving('drip', '127.26.1.1', 2500);
  assert.equal(heard.ended, 'waiting');
  assert.ok(heard.bytes >= 1 && heard.bytes <= 4 && honest.startsWith(heard.text));
});

test('a flooding device sends 50 MB', async () => {
  const { heard } = await misbehaving('flood', '127.26.2.1', 30_000);
  assert.equal(heard.ended, 'closed');
  assert.ok(heard.bytes >= 50_000_000);
});

test('a device may close or reset without a word', async () => {
  assert.deepEqual((await misbehaving('early-close', '127.26.3.1')).heard, { text: '', ended: 'closed', bytes: 0 });
  assert.deepEqual((await misbehaving('reset', '127.26.4.1')).heard, { text: '', ended: 'reset', bytes: 0 });
});

test('a device may answer noise, or stop in the middle', async () => {
  const { heard } = await misbehaving('garbage', '127.26.5.1');
  assert.equal(heard.bytes, 3000);
  assert.ok(new Set(heard.text).size > 200);
  const cut = await misbehaving('truncate', '127.26.6.1');
  assert.ok(cut.heard.text.length < cut.honest.length && cut.honest.startsWith(cut.heard.text));
});

test('a half-open device answers and never closes', async () => {
  const { honest, heard } = await misbehaving('half-open', '127.26.7.1', 1500);
  assert.equal(heard.text, honest);
  assert.equal(heard.ended, 'waiting');
});

test('a device that lets nobody in says so on both surfaces', async () => {
  const { heard } = await misbehaving('code45', '127.26.8.1');
  assert.equal(JSON.parse(heard.text.replace('\0', '')).STATUS[0].Code, 45);
  await using fleet = await startFleet({ specimens: [RACK], base: '127.26.9.1' });
  fleet.device(0).behave('code45');
  assert.match((await getPath(fleet, fleet.device(0), '/system')).text, /^HTTP\/1.1 403 /);
});

test('a device may answer in the words of another family', async () => {
  await using fleet = await startFleet({ specimens: [RACK, HOME], base: '127.26.10.1' });
  fleet.device(1).behave('other-family');
  assert.match(bodyOf(await getPath(fleet, fleet.device(1), '/system')), /"macaddr":"02:12:A5:00:00:02"/);
});

test('a busy device answers no page, and its API as ever', async () => {
  const { honest, heard } = await misbehaving('busy', '127.26.11.1');
  assert.equal(heard.text.length, honest.length);
  await using fleet = await startFleet({ specimens: [RACK], base: '127.26.12.1' });
  fleet.device(0).behave('busy');
  assert.match((await getPath(fleet, fleet.device(0), '/system')).text, /^HTTP\/1.1 503 /);
});
