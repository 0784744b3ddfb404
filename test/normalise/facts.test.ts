import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { RULES } from '../../agent/appraise/index.ts';
import { cgminer, type Driver, defineDriver, type Source } from '../../agent/drivers/driver.ts';
import { at, text } from '../../agent/drivers/readers.ts';
import { normalise, POLLED } from '../../agent/normalise/facts.ts';
import type { LookKind, Observation } from '../../agent/normalise/observation.ts';
import { sanitiseText } from '../../agent/normalise/sanitise.ts';
import { CONFLICT, type NoReply, type Reply } from '../../agent/probe/capture.ts';
import { ABSENT, FACTS, type FactName, type FactValues, present, type Reading, unknown } from '../../shared/facts.ts';

const REPLY: Reply = { kind: 'reply', bytes: new Uint8Array(), value: {}, repairs: [] };
const SILENT: NoReply = { kind: 'no-reply', reason: 'timeout', detail: 'no complete reply' };

/** A source that looks at the query `pools` and reads this. */
const reads = <T>(reading: Reading<T>, queries: readonly string[] = ['pools']): Source<T> => ({
  queries,
  read: () => reading,
});

const observe = (
  facts: Driver['facts'],
  replies: readonly (readonly [string, Reply | NoReply])[] = [['pools', REPLY]],
  more: Partial<Driver> = {},
  look: LookKind = 'full',
): Observation => {
  const driver = defineDriver({
    family: 'test',
    title: 'Test',
    source: 'this test',
    recognise: () => 0,
    queries: { pools: cgminer('pools', { cadence: 'pools' }), version: cgminer('version') },
    facts,
    ...more,
  } as Driver);
  return normalise(driver, { address: '10.0.0.7', observedAtMs: 1000, replies: new Map(replies) }, look);
};

const slot = (slot: number, url: string): FactValues['pools'][number] => ({ slot, url, user: 'u', priority: slot });

test('present facts are values, the others are named with their reason', () => {
  const observation = observe({
    'identity.model': reads(present('S21')),
    'identity.serial': reads(ABSENT),
    'identity.mac': reads(unknown('timeout')),
    'firmware.version': reads(unknown('unreadable')),
  });
  assert.deepEqual(observation.facts, { family: 'test', 'identity.model': 'S21' });
  assert.deepEqual(
    [...observation.gaps],
    [
      ['identity.serial', 'absent'],
      ['identity.mac', 'timeout'],
      ['firmware.version', 'unreadable'],
    ],
  );
  assert.deepEqual(
    [observation.family, observation.address, observation.look, observation.observedAtMs],
    ['test', '10.0.0.7', 'full', 1000],
  );
});

test('a number that is not whole, or beyond what JSON can hold exactly, was not read', () => {
  for (const value of [Number.POSITIVE_INFINITY, Number.NaN, 2 ** 53, 0.5]) {
    const { facts, gaps } = observe({
      'telemetry.last_share_age_s': reads(present(value)),
      'telemetry.fans_rpm': reads(present([1200, value])),
      pools: reads(present([slot(0, 'a:1'), slot(value, 'b:1')])),
      'telemetry.chips': reads(present(342)),
    });
    assert.deepEqual(facts, { family: 'test', 'telemetry.chips': 342 }, `${value}`);
    assert.deepEqual(new Set(gaps.values()), new Set(['unreadable']));
  }
});

test('a fact of which a question was not asked in this look is in neither', () => {
  const observation = observe({
    'identity.model': reads(present('S21'), ['version']),
    'identity.serial': reads(ABSENT, ['pools', 'version']),
  });
  assert.deepEqual([observation.facts, observation.gaps.size], [{ family: 'test' }, 0]);
});

test('a device that gave no reply at all shows no family', () => {
  assert.deepEqual(observe({}, [['pools', SILENT]]).facts, {});
});

test('a driver that stumbles over a reply could not read that fact, and the others are read', () => {
  const observation = observe({
    'identity.serial': {
      queries: ['pools'],
      read: () => {
        throw new TypeError('undefined is not a function');
      },
    },
    'identity.model': reads(present('S21')),
  });
  assert.equal(observation.gaps.get('identity.serial'), 'unreadable');
  assert.equal(observation.facts['identity.model'], 'S21');
});

test('a member with two values is unreadable, and so is what stands below it', () => {
  const reply: Reply = { ...REPLY, value: { model: CONFLICT, deep: CONFLICT, serial: 'A1' } };
  const observation = observe(
    {
      'identity.model': at('pools', '/model', text),
      'identity.mac': at('pools', '/deep/0/mac', text),
      'identity.serial': at('pools', '/serial', text),
    },
    [['pools', reply]],
  );
  assert.deepEqual(
    [...observation.gaps],
    [
      ['identity.model', 'unreadable'],
      ['identity.mac', 'unreadable'],
    ],
  );
  assert.equal(observation.facts['identity.serial'], 'A1');
});

test('a device that does not know the question has no such thing; but about pools nothing is known then', () => {
  const observation = observe({ 'identity.psu': reads(unknown('unsupported')), pools: reads(unknown('unsupported')) });
  assert.deepEqual(
    [...observation.gaps],
    [
      ['identity.psu', 'absent'],
      ['pools', 'unreadable'],
    ],
  );
});

test('a device of which a place for its pools is missing is not one without pools', () => {
  const observation = observe({ 'identity.psu': reads(ABSENT), pools: reads(ABSENT) });
  assert.deepEqual(
    [...observation.gaps],
    [
      ['identity.psu', 'absent'],
      ['pools', 'unreadable'],
    ],
  );
});

test('pool URLs are canonical, blank slots are dropped, slot numbers stay', () => {
  const pools = [slot(0, 'Stratum+TCP://A.example.'), slot(1, ' '), slot(2, 'b.example:1/')];
  const { facts } = observe({ pools: reads(present(pools)) }, undefined, { defaultPoolPort: 3333 });
  assert.deepEqual(
    facts.pools?.map(({ slot, url }) => [slot, url]),
    [
      [0, 'stratum+tcp://a.example:3333'],
      [2, 'b.example:1'],
    ],
  );
});

test('a pool list without a slot is unknown, never empty (catalogue §1); that it was read is noted', () => {
  for (const reading of [unknown('timeout'), unknown('unsupported'), ABSENT, present([slot(0, 'a.example:1')])])
    assert.equal(observe({ pools: reads(reading) }).noPools, undefined);
  for (const pools of [[], [slot(0, '')]]) {
    const observation = observe({ pools: reads(present(pools)) });
    assert.equal(observation.noPools, true);
    assert.equal(observation.gaps.get('pools'), 'unreadable');
    assert.equal('pools' in observation.facts, false);
  }
});

test('texts are sanitised, and the facts they stand in are named', () => {
  const observation = observe({
    'identity.model': reads(present('S9\nV1')),
    pools: reads(present([{ ...slot(0, 'a'), user: 'x\u202ey' }])),
    'identity.make': reads(present('Bitmain')),
  });
  assert.deepEqual(observation.sanitized, ['identity.model', 'pools']);
  assert.deepEqual(
    [observation.facts['identity.model'], observation.facts.pools?.[0]?.user],
    [sanitiseText('S9\nV1'), sanitiseText('x\u202ey')],
  );
});

test('no fact holds the password of a URL or a secret in its query, whatever fact it is', () => {
  const url = 'mqtt://ops:hunter2@10.0.0.9:1883/?token=hunter2';
  const { facts, sanitized } = observe({
    'identity.model': reads(present(url)),
    pools: reads(present([{ ...slot(0, `${url}&x=1`), user: url }])),
    'config.other': reads(present([{ key: 'broker', value: url }])),
    'firmware.components': reads(present([{ name: 'source', value: url }])),
  });
  assert.doesNotMatch(JSON.stringify(facts), /hunter2/);
  assert.deepEqual(facts['config.other'], [{ key: 'broker', value: 'mqtt://ops:***@10.0.0.9:1883/?token=***' }]);
  assert.equal(facts.pools?.[0]?.url, 'mqtt://ops:***@10.0.0.9:1883/?token=***&x=1');
  assert.deepEqual(sanitized, []);
});

test('components are sorted by name, and their fingerprint is the SHA-256 of their canonical form', () => {
  const components = [
    { name: 'version', value: '1' },
    { name: 'kernel', value: 'é' },
  ];
  const { facts } = observe({ 'firmware.components': reads(present(components)) });
  const canonical = '[{"name":"kernel","value":"é"},{"name":"version","value":"1"}]';
  assert.deepEqual(
    facts['firmware.components']?.map(({ name }) => name),
    ['kernel', 'version'],
  );
  assert.equal(facts['firmware.fingerprint'], createHash('sha256').update(canonical).digest('base64url'));
  const names: readonly FactName[] = Object.keys(observe({}).facts) as FactName[];
  assert.ok(!names.includes('firmware.fingerprint'));
});

test('of a key set the digest is kept, however many members it lists, and only of a key set', () => {
  const members = JSON.stringify(Array.from({ length: 500 }, (_, at) => `/member ${at}`));
  const components = [
    { name: 'keys.version', value: members },
    { name: 'monkeys', value: 'three' },
  ];
  const { facts, sanitized } = observe({ 'firmware.components': reads(present(components)) });
  assert.deepEqual(facts['firmware.components'], [
    { name: 'keys.version', value: createHash('sha256').update(members).digest('base64url') },
    { name: 'monkeys', value: 'three' },
  ]);
  assert.deepEqual(sanitized, []);
});

test('a pools look reads the volatile facts that something asks for, and the others where there is nothing else', () => {
  const facts = (pools: Reading<FactValues['pools']>): Driver['facts'] => ({
    pools: reads(pools),
    'telemetry.uptime_s': reads(ABSENT),
    'telemetry.temp_max_mc': reads(present(65_000)),
  });
  const known = facts(present([slot(0, 'stratum+tcp://pool.example:3333')]));
  assert.deepEqual(Object.keys(observe(known, undefined, {}, 'pools').facts), ['family', 'pools']);
  assert.deepEqual(Object.keys(observe(known).facts), ['family', 'pools', 'telemetry.temp_max_mc']);
  const lost = observe(facts(unknown('truncated')), undefined, {}, 'pools');
  assert.deepEqual(Object.keys(lost.facts), ['family', 'telemetry.temp_max_mc']);
});

test('every volatile fact that a rule names is read at pools looks', () => {
  const named = RULES.flatMap((rule) => ('reads' in rule ? (rule.reads as readonly FactName[]) : []));
  assert.ok(named.length > 0);
  assert.deepEqual(
    named.filter((fact) => FACTS[fact].class === 'volatile' && !POLLED.has(fact)),
    [],
  );
});
