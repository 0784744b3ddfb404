import assert from 'node:assert/strict';
import test from 'node:test';
import type { Clues } from '../../agent/drivers/driver.ts';
import { elphapex } from '../../agent/drivers/elphapex.ts';
import { hammer } from '../../agent/drivers/hammer.ts';
import { strongu } from '../../agent/drivers/strongu.ts';
import { volcminer } from '../../agent/drivers/volcminer.ts';
import type { JsonValue, NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';

/** The families whose web interface was made after Bitmain's. */

const said = (text: string): Reply => {
  const reply = readReply(new TextEncoder().encode(text), { whole: true });
  assert.ok(reply.kind === 'reply', text);
  return reply;
};

const replied = (value: JsonValue): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

const replies = (answers: { readonly [query: string]: Reply | NoReply }) => new Map(Object.entries(answers));

const REALM: Clues = {
  cgminer: new Map(),
  http: new Map(),
  web: { status: 401, realm: 'blackMiner Configuration', body: '' },
};

test('sensors that share a name leave the maximum of the firmware, even if those of one board agree', () => {
  const stats = said(
    '{"STATS":[{"Type":"Hammer D10"},{"STATS":0,"temp1":30,"temp1":30,"temp2":28,"temp2":47,"temp_max":47}]}',
  );
  assert.deepEqual(hammer.facts['telemetry.temp_max_mc']?.read(replies({ stats })), { kind: 'present', value: 47_000 });
});

test('the realm alone is either maker, and no more than possible', () => {
  assert.deepEqual([hammer.recognise(REALM), volcminer.recognise(REALM)], [1, 1]);
  const program = replied({ VERSION: [{ CGMiner: '2.3.3', Type: 'Blackminer F1' }] });
  const both = { ...REALM, cgminer: new Map([['version', program.value]]) };
  assert.deepEqual([hammer.recognise(both), volcminer.recognise(both)], [3, 0]);
});

test('the maker of Hammer and Blackminer is one of the two, whatever the case of the model', () => {
  const makerOf = (Type: string) =>
    hammer.facts['identity.make']?.read(replies({ version: said(JSON.stringify({ VERSION: [{ Type }] })) }));
  for (const [model, make] of [
    ['Blackminer F1+', 'Blackminer'],
    ['BlacKminer F1+', 'Blackminer'],
    ['HAMMER D10', 'Hammer'],
  ] as const) {
    assert.deepEqual(makerOf(model), { kind: 'present', value: make }, model);
  }
  assert.notEqual(makerOf('Blackmine F1')?.kind, 'present');
});

test('a device taken for a VolcMiner is identified anew once it names another model', () => {
  const named = (minertype: string) => volcminer.stillSpeaks?.(replies({ system: replied({ minertype }) }));
  assert.deepEqual([named('Hammer D10'), named('VolcMiner D1')], [false, true]);
});

test('a stored configuration without its pools is unreadable, never a miner without pools', () => {
  for (const { facts, family } of [hammer, volcminer, elphapex, strongu]) {
    const conf = replied({ 'api-listen': true });
    const pools = facts.pools?.read(replies({ conf, pools: noReply('unreachable', 'test', { dark: true }) }));
    assert.deepEqual(pools, { kind: 'unknown', reason: 'unreadable' }, family);
  }
});

test('a runtime list that was late leaves the pools unknown; one that is closed leaves the stored ones', () => {
  const conf = replied({ pools: [{ url: 'stratum+tcp://north.pool.example:3333', user: 'acme.a', pass: 'x' }] });
  const read = (pools: NoReply) => hammer.facts.pools?.read(replies({ conf, pools }));
  const stored = [{ slot: 0, url: 'stratum+tcp://north.pool.example:3333', user: 'acme.a', priority: 0 }];
  const late = { kind: 'unknown', reason: 'timeout', toldPools: stored };
  assert.deepEqual(read(noReply('timeout', 'test')), late);
  assert.deepEqual(read(noReply('unreachable', 'test', { dark: true })), { kind: 'present', value: stored });
});

test('the board sensors of an Elphapex, the same on every chain, are no temperature', () => {
  const chain = [{ temp_pcb: [47, 46, 67, 66], temp_pic: [47, 46, 67, 66], temp_chip: ['', ''] }];
  const stats = replied({ STATS: [{ chain }] });
  assert.deepEqual(elphapex.facts['telemetry.temp_max_mc']?.read(replies({ stats })), { kind: 'absent' });
});
