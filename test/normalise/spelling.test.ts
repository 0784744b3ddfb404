import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axeos } from '../../agent/drivers/axeos.ts';
import { cgminer } from '../../agent/drivers/cgminer.ts';
import type { Driver } from '../../agent/drivers/driver.ts';
import { sealminer } from '../../agent/drivers/sealminer.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';

/** Names of a device and of its firmware that come as numbers keep every letter. */

const factsOf = (driver: Driver, documents: { readonly [query: string]: string }) => {
  const replies = new Map(
    Object.keys(driver.queries).map((query) => {
      const document = documents[query];
      const none = noReply('unsupported', 'no such question');
      return [query, document === undefined ? none : readReply(Buffer.from(document), { whole: true })];
    }),
  );
  return normalise(driver, { address: '192.0.2.1', observedAtMs: 0, replies }, 'full').facts;
};

const version = (number: string, members = '') =>
  factsOf(cgminer, { version: `{"STATUS":[{"STATUS":"S"${members}}],"VERSION":[{"CGMiner":${number},"API":3.70}]}` });

test('a version that is a number is the one that was written', () => {
  for (const number of ['4.10', '4.1', '4.100', '1e999', '12345678901234567890']) {
    assert.equal(version(number)['firmware.version'], number);
  }
  const parts = (number: string) => version(number)['firmware.components']?.find(({ value }) => value === number);
  assert.ok(parts('4.10') !== undefined && parts('4.1') !== undefined);
});

test('a change of the spelling alone changes the fingerprint', () => {
  assert.notEqual(version('4.1')['firmware.fingerprint'], version('4.10')['firmware.fingerprint']);
});

test('a description with the version as it was written names the program', () => {
  assert.equal(version('4.10', ',"Description":"sgminer 4.10"')['firmware.name'], 'sgminer');
});

test('SealMiner and AxeOS, where the versions of firmware and board come as numbers', () => {
  const firmware = (number: string) =>
    factsOf(sealminer, { stats: `{"STATUS":[{"STATUS":"S"}],"STATS":[{"Firmware":${number}}]}` });
  assert.deepEqual(firmware('2025.10')['firmware.version'], '2025.10');
  const board = (number: string) => factsOf(axeos, { info: `{"ASICModel":"BM1370","boardVersion":${number}}` });
  const partIn = (number: string) => board(number)['firmware.components']?.find(({ name }) => name === 'board')?.value;
  assert.equal(partIn('6.10'), '6.10');
  assert.equal(partIn('6.1'), '6.1');
});

test('a setting is a number however it is spelled', () => {
  const settings = (number: string) =>
    factsOf(axeos, { info: `{"ASICModel":"BM1370","statsFrequency":${number}}` })['config.other'];
  assert.deepEqual(settings('30.0'), [{ key: 'statsFrequency', value: '30' }]);
  assert.deepEqual(settings('30'), [{ key: 'statsFrequency', value: '30' }]);
  assert.equal(settings('1e999'), undefined);
});
