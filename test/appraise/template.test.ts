import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsOf, matchesTemplate } from '../../agent/appraise/template.ts';
import { cpuMs } from '../cpu.ts';

const DEVICE = {
  labels: { rack: 'r14', tenant: 'acme', site: 'tx1' },
  facts: { 'identity.serial': 'JYZZ12345678', 'identity.mac': '02:1a:2b:3c:4d:5e', 'network.hostname': 'miner-417' },
  address: '10.20.14.7',
} as const;

const matches = (template: string, user: string): boolean => matchesTemplate(template, user, DEVICE);

test('a template without stars and fields is the user itself, anchored at both ends', () => {
  assert.ok(matches('acme.rig1', 'acme.rig1'));
  for (const user of ['acme.rig', 'acme.rig11', 'x.acme.rig1', 'ACME.rig1', '']) assert.ok(!matches('acme.rig1', user));
});

test('a star stands for any text, also for none', () => {
  assert.ok(matches('acme.*', 'acme.'));
  assert.ok(matches('acme.*-*', 'acme.r14-07-b'));
  assert.ok(matches('*', ''));
  assert.ok(!matches('acme.*', 'acme'));
  assert.ok(!matches('a*b*c', 'acb'));
});

test('labels and identity of the device fill a template', () => {
  assert.ok(matches('{account}.{rack}-{serial}', 'acme.r14-JYZZ12345678'));
  assert.ok(matches('{tenant}.{rack}-{serial}', 'acme.r14-jyzz12345678'));
  assert.ok(matches('acme.{mac}', 'acme.021A2B3C4D5E'));
  assert.ok(matches('acme.{hostname}*', 'acme.miner-417'));
  assert.ok(!matches('{tenant}.{rack}-{serial}', 'mallory.r14-JYZZ12345678'));
  assert.ok(!matches('{account}.{rack}-{serial}', 'acme.r15-JYZZ12345678'));
  assert.ok(!matches('{account}.{rack}-{serial}', 'acme.r14-JYZZ123456789'));
});

test('an address fills a template in the spellings that workers have', () => {
  for (const worker of ['14x7', '10.20.14.7', '14-7', '7']) assert.ok(matches('acme.{ip}', `acme.${worker}`), worker);
  assert.ok(!matches('acme.{ip}', 'acme.14x8'));
});

test('a fact that is not known may be any text but none; a label that is missing matches nothing', () => {
  const stranger = { labels: {}, facts: {}, address: '10.20.14.7' };
  assert.ok(matchesTemplate('acme.{serial}', 'acme.XYZ', stranger));
  assert.ok(!matchesTemplate('acme.{serial}', 'acme.', stranger));
  assert.ok(!matchesTemplate('acme.{rack}', 'acme.r14', stranger));
  assert.ok(!matchesTemplate('acme.{toString}', 'acme.x', stranger));
});

test('stars and braces that a device reports stand for themselves', () => {
  const odd = { ...DEVICE, facts: { 'identity.serial': '*' } };
  assert.ok(matchesTemplate('acme.{serial}', 'acme.*', odd));
  assert.ok(!matchesTemplate('acme.{serial}', 'acme.mallory', odd));
});

test('a long user is matched in short time', () => {
  const user = `${'a'.repeat(4000)}b`;
  const startMs = cpuMs();
  assert.ok(!matches(`${'a*'.repeat(20)}c`, user));
  assert.ok(cpuMs() - startMs < 2000);
});

test('a template tells its fields', () => {
  assert.deepEqual(fieldsOf('{account}.{rack}-{serial}*{'), ['account', 'rack', 'serial']);
  assert.deepEqual(fieldsOf('acme.*'), []);
});
