import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { factsToApprove } from '../../agent/appraise/who-approves.ts';
import type { Handed } from '../../agent/desk/adoption.ts';
import type { FactName, Facts } from '../../shared/facts.ts';
import type { SignedTerms } from '../../shared/signed-terms.ts';
import { POOLS, pools } from '../appraise/watch.ts';
import { People } from './approvers.ts';
import { deskOf } from './desk.ts';
import { learned, type Recording } from './recording.ts';

/** What is right only while a document says so is nobody's word at the gateway: it ends with the document. */

const two = new People('alice', 'bob');
const signed = (document: SignedTerms): Handed => ({ kind: 'signed', ...document });
const OTHER = 'stratum+tcp://other.example:3333';
const MOVED = pools({ url: OTHER });
const RENAMED: Facts = { 'network.hostname': 'miner-418' };

const preview = (recording: Recording, facts?: readonly FactName[]) =>
  deskOf(recording, () => 2).preview({ devices: ['rig-1'], ...(facts && { facts: [...facts] }) });

const accept = (recording: Recording, facts?: readonly FactName[], breakGlass = false) => {
  const seen = [recording.state('rig-1').attested?.seq ?? -1];
  const request = { devices: ['rig-1'], seen, by: 'carol', break_glass: breakGlass, note: 'why not' };
  return deskOf(recording, () => 2).accept({ ...request, ...(facts && { facts: [...facts] }) });
};

const accepted = (recording: Recording): readonly (readonly string[] | undefined)[] =>
  recording
    .said()
    .flatMap((one) => (one.kind === 'baseline' && one.baseline.action === 'accepted' ? one.baseline.devices : []))
    .map(({ facts }) => facts);

const site = (values: readonly object[], version = 1, before?: string) =>
  ({
    kind: 'reference',
    ref_id: 'site',
    version,
    values,
    ...(before === undefined ? {} : { prev_sha256: before }),
  }) as Parameters<People['sign']>[0];

const urls = (until?: number) => ({
  fact: 'pools.url',
  class: 'set',
  value: [OTHER, ...POOLS.map(({ url }) => url)],
  ...(until === undefined ? {} : { until_at: until }),
});

for (const [how, end] of [
  ['comes to its date', (recording: Recording) => recording.clock.pass(3_600_000)],
  [
    'is withdrawn',
    (recording: Recording) => recording.changes(two).withdraw('site', 'alice', { by: 'alice', note: 'over' }),
  ],
] as const)
  test(`a URL that a document allows is found when that ${how}, whoever accepted the device meanwhile`, async (t) => {
    const recording = await learned(t);
    const until = Math.floor(recording.clock.wall / 1000) + 3600;
    recording.changes(two).adopt(signed(two.sign(site([urls(until)]), 'alice', 'bob')));
    await recording.looks('rig-1', 3, { ...MOVED, ...RENAMED });
    assert.deepEqual(recording.openFindings(), ['config.network-changed rig-1']);
    const [shown] = preview(recording);
    assert.deepEqual(
      [shown?.left_to_documents, shown?.differences.map(({ fact }) => fact), shown?.refused],
      [['pools'], ['network.hostname'], undefined],
    );
    const result = accept(recording);
    assert.deepEqual([result.accepted, result.closed], [['rig-1'], 1]);
    const [named] = accepted(recording);
    assert.ok(named?.includes('network.hostname') && !named.includes('pools'));
    await recording.looks('rig-1', 2, { ...MOVED, ...RENAMED });
    assert.deepEqual(recording.openFindings(), []);
    end(recording);
    await recording.looks('rig-1', 3, { ...MOVED, ...RENAMED });
    assert.ok(recording.openFindings().includes('pool.url-changed rig-1'));
    assert.deepEqual(recording.objections(two.keys), []);
  });

test('nothing is left to accept of a fact that is only as a document has it', async (t) => {
  const recording = await learned(t);
  recording.changes(two).adopt(signed(two.sign(site([urls()]), 'alice', 'bob')));
  await recording.looks('rig-1', 3, MOVED);
  const { accepted: none, refused } = accept(recording, ['pools']);
  assert.deepEqual(none, []);
  assert.match(refused[0]?.message ?? '', /^rig-1: all of this is as a signed document has it/);
});

test('a finding of one person carries no safety setting along that only a document allows', async (t) => {
  const recording = await learned(t);
  await recording.looks('rig-1', 3, { 'config.fan_mode': 'auto' });
  recording.recorder.writeLearned();
  const fan = { fact: 'config.fan_mode', class: 'exact', value: 'off' };
  recording.changes(two).adopt(signed(two.sign(site([fan]), 'alice', 'bob')));
  const other = [
    { key: 'led', value: 'on' },
    { key: 'log_level', value: '4' },
  ];
  const shown: Facts = { 'config.fan_mode': 'off', 'config.other': other };
  await recording.looks('rig-1', 3, shown);
  assert.deepEqual(recording.openFindings(), ['config.drift rig-1']);
  // As the approval of a finding asks for it: all that its rule looks at.
  assert.deepEqual(accept(recording, factsToApprove({ ruleId: 'config.drift' })).accepted, ['rig-1']);
  recording.changes(two).withdraw('site', 'alice', { by: 'alice', note: 'over' });
  await recording.looks('rig-1', 3, shown);
  assert.deepEqual(recording.openFindings().toSorted(), [
    'change.break-glass undefined',
    'config.safety-weakened rig-1',
  ]);
});

test('pools of which a document has one part, and one person would accept another, take two', async (t) => {
  const recording = await learned(t);
  recording.changes(two).adopt(signed(two.sign(site([urls()]), 'alice', 'bob')));
  await recording.looks('rig-1', 3, pools({ url: OTHER, priority: 1 }, { priority: 0 }));
  assert.deepEqual(recording.openFindings(), ['pool.priority-changed rig-1']);
  assert.match(accept(recording).refused[0]?.message ?? '', /two approvers have to sign/);
});

const entries = (version: number, of: readonly object[], before?: string) =>
  ({
    kind: 'reference',
    ref_id: 'devices',
    version,
    ...(of.length === 0
      ? { values: [{ fact: 'config.power_limit_w', class: 'exact', value: 1 }], scope: { devices: ['rig-2'] } }
      : { entries: of }),
    ...(before === undefined ? {} : { prev_sha256: before }),
  }) as Parameters<People['sign']>[0];

test('what an entry of a document holds is held by nothing else once its next version leaves the device out', async (t) => {
  const recording = await learned(t, ['rig-1', 'rig-2']);
  const changes = recording.changes(two);
  await recording.looks('rig-1', 3, MOVED);
  const { device, log, seq, leaf } = recording.attestation('rig-1');
  changes.adopt(signed(two.sign(entries(1, [{ device, log, seq, leaf, facts: ['pools'] }]), 'alice', 'bob')));
  await recording.looks('rig-1', 2, { ...MOVED, ...RENAMED });
  await recording.looks('rig-1', 1, { ...MOVED, ...RENAMED });
  assert.deepEqual(accept(recording).accepted, ['rig-1']);
  const before = changes.all()[0]?.sha256;
  changes.adopt(signed(two.sign(entries(2, [], before), 'alice', 'bob')));
  await recording.looks('rig-1', 3, { ...MOVED, ...RENAMED });
  assert.ok(recording.openFindings().includes('pool.url-changed rig-1'));
  assert.deepEqual(recording.objections(two.keys), []);
});

test('a value that one person accepts in the place of a signed one is claimed as accepted, not as signed', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(two);
  await recording.looks('rig-1', 1, {});
  changes.adopt(signed(two.sign(entries(1, [recording.attestation('rig-1')]), 'alice', 'bob')));
  await recording.looks('rig-1', 1, {});
  const approvals = () =>
    recording.said().flatMap((one) => (one.kind === 'attestation' ? (one.reference?.approval ?? 'no') : []));
  assert.equal(approvals().at(-1), 'signed');
  await recording.looks('rig-1', 3, RENAMED);
  assert.deepEqual(recording.openFindings(), ['config.network-changed rig-1']);
  assert.deepEqual(accept(recording).accepted, ['rig-1']);
  await recording.looks('rig-1', 2, RENAMED);
  assert.equal(approvals().at(-1), 'local');
  assert.deepEqual(recording.openFindings(), []);
  assert.deepEqual(recording.objections(two.keys), []);
});

for (const [how, more, accepts] of [
  ['with an end', { until_at: 7200 }, false],
  ['for good', {}, true],
] as const)
  test(`a URL that a plan announces ${how} ${accepts ? 'may be' : 'is not'} accepted by one person`, async (t) => {
    const recording = await learned(t);
    const now = Math.floor(recording.clock.wall / 1000);
    const until = more.until_at === undefined ? {} : { until_at: now + more.until_at };
    const plan = {
      kind: 'plan',
      plan_id: 'move',
      iat: now,
      type: 'change',
      scope: {},
      ids: ['pool.url-changed'],
      expected_after: [{ fact: 'pools.url', class: 'exact', value: OTHER, ...until }],
      not_before_at: now,
      not_after_at: now + 7200,
      author: 'alice',
    } as const;
    recording.changes(two).adopt(signed(two.sign(plan, 'alice', 'bob')));
    await recording.looks('rig-1', 3, MOVED);
    assert.equal(recording.state('rig-1').tracks[0]?.finding.plan !== undefined, true);
    const { accepted: done, refused } = accept(recording);
    assert.deepEqual(done, accepts ? ['rig-1'] : []);
    if (!accepts) assert.match(refused[0]?.remedy ?? '', /^assayer baseline export rig-1, have two approvers sign it/);
  });

const planOf = (recording: Recording, more: object) => {
  const now = Math.floor(recording.clock.wall / 1000);
  return {
    kind: 'plan',
    plan_id: 'move',
    iat: now,
    type: 'change',
    scope: {},
    not_before_at: now,
    not_after_at: now + 7200,
    author: 'alice',
    ...more,
  } as Parameters<People['sign']>[0];
};

test('users that a plan announces carry no URL along that a document allows for a while', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(two);
  const users = { fact: 'pools.user', class: 'exact', value: 'acct3.w1' };
  changes.adopt(signed(two.sign(site([urls(Math.floor(recording.clock.wall / 1000) + 3600)]), 'alice', 'bob')));
  const plan = planOf(recording, { ids: ['pool.user-changed'], expected_after: [users] });
  changes.adopt(signed(two.sign(plan, 'alice', 'bob')));
  const moved = pools({ url: OTHER, user: 'acct3.w1' }, { user: 'acct3.w1' }, { user: 'acct3.w1' });
  await recording.looks('rig-1', 3, moved);
  const { tracks } = recording.state('rig-1');
  assert.ok(tracks.length > 0 && tracks.every(({ finding }) => finding.plan !== undefined));
  assert.match(accept(recording).refused[0]?.message ?? '', /two approvers have to sign/);
});

test('a list of which a part rests on a document is left out where no finding that ends is about it', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(two);
  changes.adopt(signed(two.sign(site([urls()]), 'alice', 'bob')));
  const ids = ['config.performance-changed'];
  const limit = { fact: 'config.power_limit_w', class: 'exact', value: 3600 };
  changes.adopt(signed(two.sign(planOf(recording, { ids, expected_after: [limit] }), 'alice', 'bob')));
  // A slot that is gone is not confirmed for ten minutes, and weighs less than another limit than the planned one.
  const shown = { pools: MOVED.pools?.slice(0, 2) ?? [], 'config.power_limit_w': 3700 };
  await recording.looks('rig-1', 3, shown);
  assert.deepEqual(recording.openFindings().toSorted(), ['change.deviation rig-1', 'config.performance-changed rig-1']);
  assert.deepEqual(
    preview(recording).map(({ left_to_documents: left, refused }) => [left, refused?.message]),
    [[['pools'], undefined]],
  );
  assert.deepEqual(accept(recording).accepted, ['rig-1']);
  changes.withdraw('site', 'alice', { by: 'alice', note: 'over' });
  await recording.looks('rig-1', 3, shown);
  assert.ok(recording.openFindings().includes('pool.url-changed rig-1'));
});

const settings = (led: string, level: string, cooling: string) => ({
  'config.other': [
    { key: 'led', value: led },
    { key: 'liquid_cooling', value: cooling },
    { key: 'log_level', value: level },
  ],
});

/** A device of which a setting that guards it was learned as it should be. */
const guarded = async (t: TestContext): Promise<Recording> => {
  const recording = await learned(t);
  await recording.looks('rig-1', 3, settings('on', '3', 'false'));
  recording.recorder.writeLearned();
  await recording.looks('rig-1', 1, settings('on', '3', 'false'));
  return recording;
};

test('a setting that a document leaves open for a while is not accepted along with another one by one person', async (t) => {
  const recording = await guarded(t);
  const open = { fact: 'config.other', class: 'volatile', value: ['liquid_cooling'] };
  recording.changes(two).adopt(signed(two.sign(site([open]), 'alice', 'bob')));
  await recording.looks('rig-1', 3, settings('on', '4', 'true'));
  assert.deepEqual(recording.openFindings(), ['config.drift rig-1']);
  assert.match(accept(recording).refused[0]?.message ?? '', /two approvers have to sign/);
  // One that guards nothing goes along.
  await recording.looks('rig-1', 3, settings('off', '3', 'false'));
  assert.deepEqual(accept(recording).accepted, ['rig-1']);
});

test('nor is one that approvers signed: without it they could not take it back; a list that says what was learned is one person’s', async (t) => {
  const recording = await guarded(t);
  const changes = recording.changes(two);
  await recording.looks('rig-1', 3, settings('on', '3', 'true'));
  assert.deepEqual(recording.openFindings(), ['config.safety-weakened rig-1']);
  const signs = (version: number, limit: object = {}) => {
    const before = changes.all()[0]?.sha256;
    const of = [{ ...recording.attestation('rig-1'), ...limit }];
    changes.adopt(signed(two.sign(entries(version, of, before), 'alice', 'bob')));
  };
  signs(1);
  await recording.looks('rig-1', 3, settings('on', '4', 'true'));
  assert.deepEqual(recording.openFindings(), ['config.drift rig-1']);
  assert.match(accept(recording).refused[0]?.message ?? '', /two approvers have to sign/);
  await recording.looks('rig-1', 4, settings('on', '3', 'false'));
  signs(2);
  await recording.looks('rig-1', 3, settings('on', '4', 'false'));
  assert.deepEqual(recording.openFindings(), ['config.drift rig-1']);
  assert.deepEqual(accept(recording).accepted, ['rig-1']);
  // One that they signed by its name holds as it is.
  signs(3, { facts: ['config.other'] });
  await recording.looks('rig-1', 3, settings('on', '5', 'false'));
  assert.match(accept(recording).refused[0]?.message ?? '', /the signed reference devices holds config\.other/);
});
