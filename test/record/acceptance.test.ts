import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { coveredBy } from '../../agent/appraise/accept.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import { previewText } from '../../agent/cli/baseline/preview.ts';
import { differencesInForce } from '../../agent/desk/differences.ts';
import type { FactName } from '../../shared/facts.ts';
import { MINUTE, POOLS, pools } from '../appraise/watch.ts';
import { People } from './approvers.ts';
import { deskOf } from './desk.ts';
import { learned, Recording } from './recording.ts';

test('a device that is named twice is shown, accepted and stated once', async (t) => {
  const recording = new Recording(t);
  await recording.learnAll();
  await recording.looks('rig-1', 2, pools({ user: 'acme.moved' }));
  const twice = ['rig-1', 'rig-1'];
  const { preview, accept } = deskOf(recording);
  const previews = preview({ devices: twice });
  assert.deepEqual(
    previews.map(({ device, findings }) => [device, findings.map(({ finding, closes }) => [finding, closes])]),
    [['rig-1', [['pool.user-changed', true]]]],
  );
  const seq = previews[0]?.seq ?? -1;
  const result = accept({ devices: twice, seen: [seq, seq], by: 'alice' });
  assert.deepEqual(result, { accepted: ['rig-1'], closed: 1, refused: [] });
  const said = recording.said().filter((one) => one.seq > seq + 1);
  assert.deepEqual(
    said.map((one) => (one.kind === 'baseline' && 'devices' in one.baseline ? one.baseline.devices : one.kind)),
    [[{ device: 'rig-1', seq }], 'finding'],
  );
  assert.deepEqual(recording.objections(), []);
});

test('a finding of pools that the attestation leaves out, because counters stand, stays open: the entry would not hold them', async (t) => {
  const recording = new Recording(t);
  await recording.learnAll();
  const added = {
    pools: [...POOLS, { slot: 3, url: 'stratum+tcp://other.example:3333', user: 'acme.rig0417', priority: 3 }],
  };
  await recording.looks('rig-1', 2, added);
  assert.deepEqual(recording.openFindings(), ['pool.slot-added rig-1']);
  const standing = { ...added, 'telemetry.elapsed_s': 90_000 };
  for (let polls = 0; polls < 8; polls += 1) {
    recording.clock.pass(MINUTE);
    await recording.looks('rig-1', 1, standing);
  }
  assert.deepEqual(recording.openFindings().toSorted(), ['pool.slot-added rig-1', 'runtime.stale-data rig-1']);
  assert.ok(recording.state('rig-1').attested?.missing?.includes('pools'));

  const { preview, accept } = deskOf(recording);
  const out = new PassThrough();
  const acceptAll = () => {
    const [shown] = preview({ devices: ['rig-1'] });
    const result = accept({ devices: ['rig-1'], seen: [shown?.seq ?? -1], by: 'alice' });
    return { ends: shown?.findings.filter(({ closes }) => closes).map(({ finding }) => finding), ...result };
  };
  const refused = acceptAll();
  assert.deepEqual([refused.ends, refused.accepted, refused.closed], [[], [], 0]);
  assert.match(
    previewText(preview({ devices: ['rig-1'] }), { out, err: out, input: out }),
    /Does not close .*\n.*pool\.slot-added slot 3, pools not told now/,
  );
  assert.match(
    refused.refused[0]?.message ?? '',
    /pool\.slot-added \(high\) is open and this acceptance does not cover/,
  );
  assert.match(refused.refused[0]?.remedy ?? '', /leaves pools out: do this again when the device tells it/);
  assert.ok(recording.openFindings().includes('pool.slot-added rig-1'));

  for (let polls = 0; polls < 4; polls += 1) {
    recording.clock.pass(MINUTE);
    await recording.looks('rig-1', 1, added);
  }
  assert.deepEqual(acceptAll().ends, ['pool.slot-added']);
  assert.deepEqual(recording.openFindings(), []);
  await recording.looks('rig-1', 3, added);
  assert.deepEqual(recording.openFindings(), []);
  assert.deepEqual(recording.objections(), []);
});

test('of several findings an acceptance covers those whose setting the attestation tells, or whose list it does', async (t) => {
  const recording = new Recording(t);
  await recording.learnAll();
  const changed = {
    'config.power_limit_w': 3600,
    'network.hostname': 'renamed',
    'config.other': [
      { key: 'led', value: 'off' },
      { key: 'log_level', value: '3' },
    ],
  };
  await recording.looks('rig-1', 2, changed);
  const later = { ...changed, 'config.other': [{ key: 'log_level', value: '4' }] };
  await recording.looks('rig-1', 3, later, { 'network.hostname': 'refused' });
  assert.deepEqual(recording.openFindings().toSorted(), [
    'config.drift rig-1',
    'config.network-changed rig-1',
    'config.performance-changed rig-1',
  ]);
  assert.deepEqual(recording.state('rig-1').attested?.missing, ['network.hostname']);
  assert.deepEqual(
    coveredBy(recording.state('rig-1'))
      .map(({ finding }) => finding.ruleId)
      .toSorted(),
    ['config.drift', 'config.performance-changed'],
  );
  await recording.looks('rig-1', 2, later);
  assert.equal(recording.state('rig-1').attested?.missing, undefined, 'it is attested as soon as it is told');
  assert.equal(coveredBy(recording.state('rig-1')).length, 3);
  const entries = recording.said().length;
  await recording.looks('rig-1', 3, later);
  assert.equal(recording.said().length, entries);
});

test('what may not be accepted, or is not what was shown, is refused by device and nothing is written', async (t) => {
  const recording = new Recording(t, ['rig-1', 'rig-2']);
  await recording.learnAll();
  await recording.looks('rig-2', 6, undefined);
  const before = recording.said().length;
  const devices = ['rig-1', 'rig-2', 'rig-9'];
  const { accepted, refused } = deskOf(recording).accept({ devices, seen: [0, 0, 0], by: 'alice' });
  assert.deepEqual(accepted, []);
  assert.deepEqual(
    refused.map(({ device }) => device),
    devices,
  );
  assert.equal(recording.said().length, before);
});

test('the difference is told against what is in force: what a document allows is none, and of the rest it says what the document allows', async (t) => {
  const recording = new Recording(t);
  await recording.learnAll();
  const people = new People('alice', 'bob');
  const changes = recording.changes(people);
  const shown = {
    'config.power_limit_w': 3600,
    'config.fan_min_pct': 60,
    'config.mode': 'eco',
    'network.hostname': 'renamed',
    'config.other': [
      { key: 'led', value: 'off' },
      { key: 'log_level', value: '3' },
    ],
  };
  const told = (): readonly string[] =>
    differencesInForce(deskOf(recording).fleet, [], {
      standing: recording.orders.standing,
      nowMs: recording.clock.wall,
      store: recording.store,
    })
      .flatMap(({ differences }) => differences)
      .map(({ fact, before, after }) => `${fact} ${JSON.stringify(before)} ${JSON.stringify(after)}`)
      .toSorted();
  await recording.looks('rig-1', 2, shown);
  assert.deepEqual(
    told().map((line) => line.split(' ')[0]),
    Object.keys(shown).toSorted(),
    'without a document against what was learned',
  );
  const values = [
    { fact: 'config.power_limit_w', class: 'band', value: { min: 3000, max: 3700 } },
    { fact: 'config.fan_min_pct', class: 'band', value: { min: 20, max: 30 } },
    { fact: 'network.hostname', class: 'volatile' },
    { fact: 'config.other', class: 'volatile', value: ['led'] },
  ] as const;
  await recording.looks('rig-1', 4, {});
  changes.adopt({
    kind: 'signed',
    ...people.sign({ kind: 'reference', ref_id: 'site', version: 1, values } as never, 'alice', 'bob'),
  });
  await recording.looks('rig-1', 2, shown);
  assert.deepEqual(told(), ['config.fan_min_pct 30 60', 'config.mode "normal" "eco"']);
  await recording.looks('rig-1', 4, { ...shown, 'config.fan_min_pct': 25, 'config.mode': 'normal' });
  assert.deepEqual(told(), []);
});

test('a key that an accepted list tells anew is learned, and the acceptance is cited as before: an entry holds a list whole', async (t) => {
  const recording = new Recording(t);
  const led = { key: 'led', value: 'off' };
  const level = { key: 'log_level', value: '3' };
  const shown = { 'config.other': [led] };
  const closed = { 'config.strategy': 'timeout' } as const;
  await recording.looks('rig-1', 2, shown, closed);
  recording.recorder.writeLearned();
  const accepted = deskOf(recording).accept({ devices: ['rig-1'], seen: [seqOf(recording)], by: 'carol' });
  assert.deepEqual(accepted.accepted, ['rig-1']);
  await recording.looks('rig-1', 3, shown, closed);

  const more = { 'config.other': [led, level] };
  await recording.looks('rig-1', 3, more, closed);
  recording.recorder.writeLearned();
  await recording.looks('rig-1', 3, { ...more, 'config.strategy': 'Balance' });
  recording.recorder.writeLearned();
  await recording.looks('rig-1', 2, { ...more, 'config.strategy': 'Balance' });
  // Of a fact that it did not know the acceptance cannot speak.
  assert.deepEqual(cited(recording), ['local 1', 'local 1', 'local 1', 'none 2']);
  await recording.looks('rig-1', 2, { 'config.other': [led, { ...level, value: '7' }] });
  assert.ok(recording.openFindings().includes('config.drift rig-1'), recording.openFindings().join());
  assert.deepEqual(recording.objections(), []);
});

const seqOf = (recording: Recording): number => recording.state('rig-1').attested?.seq ?? -1;

/** Approval and number of the entries that the attestations cite, from the first that cites any. */
const cited = (recording: Recording): readonly string[] =>
  recording
    .wholeLog()
    .flatMap((said) =>
      said.kind === 'attestation' && said.reference !== undefined
        ? [`${said.reference.approval} ${said.reference.seqs.length}`]
        : [],
    );

test('of many devices with many facts each names the entry that holds it', async (t) => {
  const devices = Array.from({ length: 60 }, (_, at) => `rig-${at + 1}`);
  const recording = await learned(t, devices);
  const facts = Object.keys(keptFacts(recording.state('rig-1').attested?.facts)) as FactName[];
  const seen = devices.map((device) => recording.state(device).attested?.seq ?? -1);
  deskOf(recording).accept({ devices, seen, by: 'carol', facts });
  const entries = recording
    .said()
    .flatMap((one) => (one.kind === 'baseline' && one.baseline.action === 'accepted' ? [[one.seq, one.baseline]] : []));
  assert.ok(entries.length > 1, 'they do not fit into one entry');
  for (const [seq, baseline] of entries as [number, { devices: { device: string }[] }][])
    for (const { device } of baseline.devices)
      assert.ok(
        recording.state(device).reference?.entries.some((entry) => entry.seq === seq),
        device,
      );
  for (const device of devices) await recording.looks(device, 1, {});
  assert.deepEqual(recording.objections(), []);
});
