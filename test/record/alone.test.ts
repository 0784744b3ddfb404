import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { wantsMorePeople } from '../../agent/appraise/accept.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import { acceptSeen } from '../../agent/desk/acceptance.ts';
import type { FactName, Facts } from '../../shared/facts.ts';
import { pools } from '../appraise/watch.ts';
import { People } from './approvers.ts';
import { learned, Recording, refusal } from './recording.ts';

/** One person at the gateway, where approvers are named: what ends an alarm goes neither round them nor unsaid. */

const two = new People('alice', 'bob');
const one = new People('alice');
const EMERGENCY = { by: 'mallory', note: 'nobody is reachable' };
const THEFT = pools({ user: 'thief.x1' });

/** The number of the entry that the reference of a device rests on. */
const entryOf = (recording: Recording): string => String(recording.state('rig-1').reference?.entries[0]?.seq);

const accept = (recording: Recording, facts?: readonly FactName[], people = 2) => {
  const { attested } = recording.state('rig-1');
  const fleet = { state: (id: string) => recording.states.get(id), states: () => [...recording.states.values()] };
  const request = { devices: ['rig-1'], seen: [attested?.seq ?? -1], by: 'mallory', ...(facts && { facts }) };
  const { recorder, orders, clock } = recording;
  return acceptSeen(fleet, request, { recorder, people, standing: orders.standing, nowMs: clock.wall });
};

test('what was learned is not withdrawn by one person while a theft is open there: under break-glass it is told, and nothing is learned of the theft', async (t) => {
  const devices = ['rig-1', 'rig-2', 'rig-3'];
  const recording = await learned(t, devices);
  const changes = recording.changes(two);
  changes.resume();
  for (const device of devices) await recording.looks(device, 2, THEFT);
  const thefts = devices.map((device) => `pool.user-changed ${device}`);
  assert.deepEqual(recording.openFindings().toSorted(), thefts);
  const entry = entryOf(recording);
  assert.throws(() => changes.withdraw(entry, 'mallory'), {
    code: 'baseline.two-approvers',
    message: /pool\.user-changed \(critical\) of rig-1 would end, .*and the like on 2 more/,
  });
  assert.deepEqual(recording.openFindings().toSorted(), thefts);

  changes.withdraw(entry, 'mallory', EMERGENCY);
  const told = recording.said().at(-1);
  assert.ok(told?.kind === 'finding' && told.finding.id === 'change.break-glass');
  assert.deepEqual([told.finding.after, told.finding.devices], [{ ended: `baseline entry ${entry}` }, devices]);
  for (const device of devices) await recording.looks(device, 5, THEFT);
  recording.recorder.writeLearned();
  assert.deepEqual(recording.openFindings().toSorted(), ['change.break-glass undefined', ...thefts]);
  for (const device of devices) {
    const facts = recording.state(device).reference?.facts;
    assert.ok(facts !== undefined && !String(facts).includes('thief'));
  }
  assert.deepEqual(recording.objections(two.keys), []);
});

test('where nobody approves one person withdraws, and what a finding speaks of is not learned all the same', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(new People());
  await recording.looks('rig-1', 2, THEFT);
  changes.withdraw(entryOf(recording), 'carol');
  await recording.looks('rig-1', 5, THEFT);
  assert.deepEqual(recording.openFindings(), ['pool.user-changed rig-1']);
  assert.deepEqual(accept(recording, undefined, 0).accepted, ['rig-1']);
  assert.deepEqual(recording.openFindings(), []);
});

test('what nothing else stands in for is not withdrawn by one person before a theft either', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(one);
  changes.resume();
  assert.equal(
    refusal(() => changes.withdraw(entryOf(recording), 'mallory')),
    'baseline.two-approvers',
  );
});

const WEAKER: Facts = { 'config.fan_mode': 'off' };

test('taking note of a finding, or naming one fact of those it is about, is no way round two approvers', async (t) => {
  const recording = await learned(t);
  await recording.looks('rig-1', 3, { 'config.fan_mode': 'auto' });
  recording.recorder.writeLearned();
  await recording.looks('rig-1', 3, WEAKER);
  assert.deepEqual(recording.openFindings(), ['config.safety-weakened rig-1']);
  const openedSeq = recording.state('rig-1').tracks[0]?.finding.openedSeq ?? -1;
  recording.recorder.takeReview(openedSeq, ['rig-1'], { action: 'acknowledge', by: 'mallory' });
  await recording.looks('rig-1', 1, WEAKER);
  assert.equal(recording.state('rig-1').tracks[0]?.finding.state, 'acknowledged');
  const asks = (...facts: readonly FactName[]): boolean => wantsMorePeople(recording.state('rig-1'), facts);
  assert.deepEqual([asks('config.fan_mode'), asks('network.hostname')], [true, false]);
  for (const facts of [undefined, ['config.fan_mode'], ['config.mode']] as const) {
    const { accepted, refused } = accept(recording, facts);
    assert.deepEqual([accepted, refused.length], [[], 1], String(facts));
  }
  assert.deepEqual(recording.openFindings(), ['config.safety-weakened rig-1']);
});

test('nothing is accepted while something as grave is not confirmed yet', async (t) => {
  const recording = await learned(t);
  await recording.looks('rig-1', 1, THEFT);
  assert.equal(recording.state('rig-1').tracks[0]?.finding.state, 'provisional');
  assert.match(accept(recording).refused[0]?.message ?? '', /pool\.user-changed .* is provisional/);
});

const planOf = (now: number, ids: readonly string[]) => ({
  kind: 'plan',
  plan_id: 'move',
  iat: now,
  type: 'change',
  scope: {},
  ids,
  expected_after: [{ fact: 'pools.user', class: 'exact', value: 'thief.x1' }],
  not_before_at: now,
  not_after_at: now + 7200,
  author: 'mallory',
});

const waiverOf = (now: number) => ({
  kind: 'waiver',
  waiver_id: 'hush',
  iat: now,
  scope: {},
  ids: ['pool.user-changed'],
  reason: 'none',
  risk: 'none',
  author: 'mallory',
  expires_at: now + 7200,
});

test('with one approver named the word of the gateway alone takes no weight off what that approver has to sign', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(one);
  const now = Math.floor(recording.clock.wall / 1000);
  for (const terms of [planOf(now, ['pool.user-changed']), waiverOf(now)])
    assert.equal(
      refusal(() => changes.adopt({ kind: 'local', terms, by: 'mallory' })),
      'terms.unsigned',
    );
  changes.adopt({
    kind: 'local',
    terms: { ...waiverOf(now), waiver_id: 'bench', ids: ['config.performance-changed'] },
    by: 'carol',
  });
  changes.adopt({ kind: 'signed', ...one.sign(planOf(now, ['pool.user-changed']) as never, 'alice') });
  assert.deepEqual(
    recording.said().filter(({ kind }) => kind === 'finding'),
    [],
  );
  changes.adopt({ kind: 'local', terms: waiverOf(now), by: 'mallory', breakGlass: EMERGENCY } as never);
  assert.deepEqual(recording.openFindings(), ['change.break-glass undefined']);
});

test('approvers who are taken out of the configuration for a moment leave a finding, and what takes them takes them still', async (t) => {
  const recording = await learned(t);
  recording.changes(one).resume();
  recording.changes(one).heedApprovers();
  assert.deepEqual(recording.openFindings(), []);
  await recording.looks('rig-1', 2, THEFT);
  const changes = recording.changes(new People());
  changes.heedApprovers();
  assert.equal(changes.people(), 1);
  const told = recording.said().at(-1);
  assert.ok(told?.kind === 'finding');
  const { id, severity, after, reasons } = told.finding;
  assert.deepEqual(
    [id, severity, after, reasons],
    ['change.break-glass', 'high', { removed: 'alice' }, ['approvers-removed']],
  );
  assert.deepEqual(accept(recording, undefined, changes.people()).accepted, []);
  assert.equal(recording.events.at(-1)?.event, 'approvers.fewer');
  recording.changes(one).heedApprovers();
  assert.deepEqual(recording.openFindings().toSorted(), ['change.break-glass undefined', 'pool.user-changed rig-1']);
  assert.equal(recording.approvals().people, 1, 'and is remembered at once');
  assert.deepEqual(recording.objections(one.keys), []);
});

/** A machine that stands where another one stood, and works for somebody else than that one did. */
const exchanged = async (
  t: TestContext,
  shows: Facts,
  beforehand: (recording: Recording) => unknown = () => {},
): Promise<Recording> => {
  const recording = new Recording(t, ['rig-1', 'rig-2']);
  await recording.looks('rig-2', 2, {});
  const pools = keptFacts(recording.state('rig-2').attested?.facts).pools ?? [];
  recording.states.set('rig-1', { ...recording.state('rig-1'), replaces: { device: 'rig-2', pools } });
  recording.changes(two).resume();
  beforehand(recording);
  await recording.looks('rig-1', 3, shows);
  return recording;
};

const ELSEWHERE = pools({ url: 'stratum+tcp://pool.attacker.net:3333' });

test('a machine that was exchanged for one that works for somebody else takes who may approve a change of pools: no unsigned word covers it', async (t) => {
  const recording = await learned(t);
  const now = Math.floor(recording.clock.wall / 1000);
  const intake = { ...planOf(now, ['identity.new-device']), plan_id: 'intake' };
  const hush = { ...waiverOf(now), ids: ['identity.new-device'] };
  for (const [people, code] of [
    [two, 'terms.two-approvers'],
    [one, 'terms.unsigned'],
  ] as const)
    for (const terms of [intake, hush])
      assert.equal(
        refusal(() => recording.changes(people).adopt({ kind: 'local', terms, by: 'mallory' })),
        code,
        terms.kind,
      );
  const plain = { ...intake, expected_after: [{ fact: 'identity.model', class: 'exact', value: 'Antminer S21' }] };
  assert.equal(recording.changes(two).adopt({ kind: 'local', terms: plain, by: 'carol' }).already, false);
  recording.changes(two).adopt({ kind: 'signed', ...two.sign(hush as never, 'alice', 'bob') });
});

test('an exchanged machine that works for another account is accepted by one person under break-glass only; where nobody approves one person does', async (t) => {
  const recording = await exchanged(t, THEFT);
  assert.deepEqual(recording.openFindings(), ['identity.new-device rig-1']);
  for (const facts of [undefined, ['pools'], ['identity.model']] as const)
    assert.deepEqual(accept(recording, facts).accepted, [], String(facts));
  assert.match(accept(recording).refused[0]?.remedy ?? '', /was not planned: treat it as an incident/);
  assert.deepEqual(recording.openFindings(), ['identity.new-device rig-1']);
  const changes = recording.changes(two);
  const signed = (ref: string) =>
    two.sign(
      { kind: 'reference', ref_id: ref, version: 1, entries: [recording.attestation('rig-1')] } as never,
      'alice',
      'bob',
    );
  assert.equal(
    refusal(() => changes.adopt({ kind: 'signed', ...signed('late') })),
    'terms.unplanned',
  );
  changes.adopt({ kind: 'signed', ...signed('late'), breakGlass: EMERGENCY });
  assert.deepEqual(recording.openFindings(), ['change.break-glass undefined']);

  const free = await exchanged(t, THEFT);
  assert.deepEqual(accept(free, undefined, 0).accepted, ['rig-1']);
  assert.deepEqual(free.openFindings(), []);
});

test('an exchanged machine at the pool of somebody else two approvers approve, as they do another pool; one that differs since they signed is not what they signed', async (t) => {
  const recording = await exchanged(t, ELSEWHERE);
  assert.deepEqual(recording.state('rig-1').tracks[0]?.finding.reasons, ['other-pool']);
  assert.match(accept(recording).refused[0]?.remedy ?? '', /baseline export, have two approvers sign it/);
  const changes = recording.changes(two);
  const entries = [recording.attestation('rig-1')];
  const signed = two.sign({ kind: 'reference', ref_id: 'rig', version: 1, entries } as never, 'alice', 'bob');
  await recording.looks('rig-1', 3, { ...ELSEWHERE, 'firmware.version': '2027.01.1' });
  await recording.looks('rig-1', 3, { ...pools({ url: 'stratum+tcp://pool.third.net:3333' }) });
  assert.equal(
    refusal(() => changes.adopt({ kind: 'signed', ...signed })),
    'baseline.finding-open',
  );
  await recording.looks('rig-1', 4, ELSEWHERE);
  const settled = changes.adopt({ kind: 'signed', ...signed }).settled;
  assert.deepEqual([settled, recording.openFindings()], [['rig-1'], []]);
  await recording.looks('rig-1', 4, ELSEWHERE);
  assert.deepEqual(recording.openFindings(), []);
});

test('a plan of two people that says the pools of a machine to come covers it, and one person then accepts it', async (t) => {
  const recording = await exchanged(t, THEFT, (gateway) => {
    const intake = {
      ...planOf(Math.floor(gateway.clock.wall / 1000), ['identity.new-device']),
      expected_after: [{ fact: 'pools.user', class: 'set', value: ['thief.x1', 'acme.rig0417'] }],
    };
    gateway.changes(two).adopt({ kind: 'signed', ...two.sign(intake as never, 'alice', 'bob') });
  });
  const [track] = recording.state('rig-1').tracks;
  assert.deepEqual([track?.finding.severity, track?.finding.severityBase], ['info', 'high']);
  assert.deepEqual(accept(recording).accepted, ['rig-1']);
  assert.deepEqual(recording.openFindings(), []);
});
