import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeviceState, newDevice, type Unrecorded } from '../../agent/appraise/device.ts';
import { NO_STORMS } from '../../agent/appraise/storm.ts';
import { keepFacts } from '../../agent/baseline/kept.ts';
import { Batch } from '../../agent/record/batch.ts';
import { stormsIn } from '../../agent/record/storms.ts';
import type { Statement } from '../../shared/statement.ts';
import { openGateway } from './gateway.ts';

/** A device that learned something that no entry names yet. */
const learner = (id: string, unrecorded: readonly Unrecorded[]): DeviceState => ({
  ...newDevice({ id, position: 'host', address: '10.0.0.1', labels: {} }),
  attested: {
    seq: 0,
    atMs: 0,
    reachable: true,
    facts: keepFacts({ 'firmware.version': '1', 'config.mode': 'normal' }),
  },
  reference: { entries: [], unrecorded, facts: keepFacts({ 'firmware.version': '1', 'config.mode': 'normal' }) },
});

const baselines = (entries: readonly { readonly message: Uint8Array }[]) =>
  entries
    .map(({ message }) => JSON.parse(Buffer.from(message).toString()) as Statement)
    .flatMap((statement) =>
      statement.kind === 'baseline' && statement.baseline.action === 'learned'
        ? [{ seq: statement.seq, devices: statement.baseline.devices }]
        : [],
    );

test('what one device learned is named by one entry, and that entry is its reference', (t) => {
  const { log, clock } = openGateway(t);
  const once = Array.from({ length: 255 }, (_, at) => learner(`rig-${at}`, [{ seq: 0, facts: 'all' }]));
  const twice = learner('rig-x', [
    { seq: 0, facts: 'all' },
    { seq: 0, facts: ['config.mode'] },
  ]);
  const states = new Map([...once, twice].map((state) => [state.id, state]));
  const batch = new Batch({ wallMs: clock.wallMs, state: (id) => states.get(id) }, NO_STORMS);
  const entries = log.transaction((tx) => {
    batch.begin(tx);
    batch.learned([...states.keys()]);
    batch.end();
  });
  const [first, second] = baselines(entries);
  assert.deepEqual(
    [first?.devices.length, second?.devices],
    [
      255,
      [
        { device: 'rig-x', seq: 0 },
        { device: 'rig-x', seq: 0, facts: ['config.mode'] },
      ],
    ],
  );
  assert.deepEqual(
    batch.states.get('rig-x')?.reference?.entries.map(({ seq, facts }) => [seq, facts]),
    [
      [second?.seq, undefined],
      [second?.seq, ['config.mode']],
    ],
  );
  assert.equal(batch.states.get('rig-0')?.reference?.entries[0]?.seq, first?.seq);
});

test('a device that learned nothing, or left meanwhile, is not named', (t) => {
  const { log, clock } = openGateway(t);
  const known = { ...learner('rig-1', []), reference: { entries: [], facts: keepFacts({}) } };
  const batch = new Batch({ wallMs: clock.wallMs, state: (id) => (id === 'rig-1' ? known : undefined) }, NO_STORMS);
  const entries = log.transaction((tx) => {
    batch.begin(tx);
    batch.learned(['rig-1', 'rig-gone']);
    batch.end();
  });
  assert.deepEqual([entries.length, batch.states.size], [0, 0]);
});

test('a finding of the gateway itself is about no device', (t) => {
  const { log, clock, store } = openGateway(t);
  const batch = new Batch({ wallMs: clock.wallMs, state: () => undefined }, NO_STORMS);
  const [entry] = log.transaction((tx) => {
    batch.begin(tx);
    batch.gatewayFinding({
      ruleId: 'evidence.agent-gap',
      state: 'open',
      severity: 'medium',
      severityBase: 'medium',
      basis: 'gateway-observed',
      ruleVersion: 1,
      firstObservedAt: 1_795_339_100,
      confirmedAt: 1_795_339_200,
      surfaces: [],
    });
    batch.end();
  });
  const statement = JSON.parse(Buffer.from(entry?.message ?? []).toString()) as Statement;
  assert.ok(statement.kind === 'finding');
  assert.deepEqual(
    [statement.finding.device, statement.finding.devices, statement.finding.opened_seq],
    [undefined, [], entry?.seq],
  );
  const [stored] = store.findings({ open: true });
  assert.deepEqual([stored?.device, stored?.finding.openedSeq], [undefined, entry?.seq]);
});

test('storms are kept when they changed, and not with every transaction', (t) => {
  const { log, clock, store } = openGateway(t);
  const write = (body: (batch: Batch) => void) =>
    log.transaction((tx) => {
      const batch = new Batch({ wallMs: clock.wallMs, state: () => undefined }, NO_STORMS);
      batch.begin(tx);
      body(batch);
      batch.end();
    });
  write((batch) => batch.transitions([]));
  assert.deepEqual(stormsIn(store), NO_STORMS);
  write((batch) =>
    batch.transitions([
      {
        kind: 'device',
        device: 'rig-1',
        finding: {
          ruleId: 'pool.user-changed',
          state: 'open',
          severity: 'critical',
          severityBase: 'critical',
          basis: 'self-reported',
          ruleVersion: 1,
          firstObservedAt: 1_795_339_100,
          confirmedAt: 1_795_339_200,
          surfaces: ['4028 pools'],
        },
      },
    ]),
  );
  assert.deepEqual(
    Object.values(stormsIn(store).storms).flatMap(({ members }) => [...members.names()]),
    ['rig-1'],
  );
});
