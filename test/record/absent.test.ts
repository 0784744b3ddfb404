import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { approvedFactsOf } from '../../agent/appraise/origin.ts';
import type { Handed } from '../../agent/desk/adoption.ts';
import { differencesInForce } from '../../agent/desk/differences.ts';
import type { SignedTerms } from '../../shared/signed-terms.ts';
import { People } from './approvers.ts';
import { deskOf } from './desk.ts';
import { Recording } from './recording.ts';

/** What is known to be absent is part of a reference: it comes with the entries that tell it, and goes with them. */

const people = new People('alice', 'bob');
const signed = (document: SignedTerms): Handed => ({ kind: 'signed', ...document });
const EMERGENCY = { by: 'alice', note: 'bob is not reachable' };
const BLANK = { 'network.dns': 'absent', 'access.api_allow': 'absent' } as const;
const EVIL = { 'network.dns': ['203.0.113.53'], 'access.api_allow': 'W:0/0' };

/** A gateway that learned a device without these settings. */
const blank = async (t: TestContext): Promise<Recording> => {
  const recording = new Recording(t);
  await recording.looks('rig-1', 1, {}, BLANK);
  recording.clock.pass(10 * 60_000);
  await recording.looks('rig-1', 1, {}, BLANK);
  recording.recorder.writeLearned();
  return recording;
};

const absentIn = (recording: Recording): readonly string[] =>
  [...(recording.state('rig-1').reference?.absent ?? [])].toSorted();

test('what is shown before an acceptance, and told of what is approved, says that there was nothing', async (t) => {
  const recording = await blank(t);
  await recording.looks('rig-1', 2, EVIL);
  assert.deepEqual(recording.openFindings().toSorted(), [
    'config.access-changed rig-1',
    'config.network-changed rig-1',
  ]);
  const { standing } = recording.orders;
  const nowMs = recording.clock.wall;
  const wanted = [
    { fact: 'access.api_allow', before: null, after: 'W:0/0' },
    { fact: 'network.dns', before: null, after: ['203.0.113.53'] },
  ];
  const byName = (one: { readonly fact: string }, other: { readonly fact: string }): number =>
    one.fact < other.fact ? -1 : 1;
  const { preview, accept, fleet } = deskOf(recording);
  const [previewed] = preview({ devices: ['rig-1'] });
  assert.deepEqual(previewed?.differences.toSorted(byName), wanted);
  const [differing] = differencesInForce(fleet, [], { standing, nowMs, store: recording.store });
  assert.deepEqual(differing?.differences.toSorted(byName), wanted);
  const approved = approvedFactsOf(recording.state('rig-1'), [], standing, nowMs);
  const { seq } = recording.state('rig-1').reference?.entries[0] ?? {};
  assert.deepEqual(
    approved.find(({ fact }) => fact === 'network.dns'),
    {
      fact: 'network.dns',
      class: 'exact',
      value: null,
      seen: EVIL['network.dns'],
      approval: 'none',
      layer: 'device',
      seq,
    },
  );
  accept({ devices: ['rig-1'], seen: [previewed?.seq ?? -1], by: 'alice' });
  assert.deepEqual(absentIn(recording), []);
  assert.deepEqual(recording.openFindings(), []);
  assert.deepEqual(recording.objections(), []);
});

test('attestations that a document approves say what there was none of; withdrawn, what was learned says it still', async (t) => {
  const recording = await blank(t);
  const changes = recording.changes(people);
  await recording.looks('rig-1', 2, { 'network.dns': EVIL['network.dns'] }, { 'access.api_allow': 'absent' });
  const entries = [recording.attestation('rig-1')];
  changes.adopt(signed(people.sign({ kind: 'reference', ref_id: 'now', version: 1, entries }, 'alice', 'bob')));
  assert.deepEqual(recording.openFindings(), []);
  assert.deepEqual(absentIn(recording), ['access.api_allow']);
  changes.withdraw('now', 'alice', EMERGENCY);
  assert.deepEqual(absentIn(recording), ['access.api_allow', 'network.dns']);
  await recording.looks('rig-1', 2, { 'network.dns': EVIL['network.dns'] }, { 'access.api_allow': 'absent' });
  assert.deepEqual(recording.openFindings().toSorted(), [
    'change.break-glass undefined',
    'config.network-changed rig-1',
  ]);
});

test('a document about something else ends no finding about what came in the place of nothing', async (t) => {
  const recording = await blank(t);
  await recording.looks('rig-1', 2, { 'network.dns': EVIL['network.dns'] }, { 'access.api_allow': 'absent' });
  const values = [{ fact: 'config.power_limit_w', class: 'exact', value: 3500 }] as const;
  const terms = { kind: 'reference', ref_id: 'power', version: 1, values } as const;
  recording.changes(people).adopt(signed(people.sign(terms, 'alice', 'bob')));
  assert.deepEqual(recording.openFindings(), ['config.network-changed rig-1']);
});
