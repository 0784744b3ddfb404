import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { newDevice } from '../../agent/appraise/device.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import type { Approvers } from '../../agent/config/approvers.ts';
import type { Handed } from '../../agent/desk/adoption.ts';
import type { AgentError } from '../../agent/platform/errors.ts';
import type { Facts } from '../../shared/facts.ts';
import { addSignature, type SignedTerms, signTerms } from '../../shared/signed-terms.ts';
import type { ReferenceTerms, Terms } from '../../shared/terms.ts';
import { People, poolUser, summerPlan } from './approvers.ts';
import { learned, Recording, refusal } from './recording.ts';

/** Documents of approvers at the gateway: adopted, refused, withdrawn, ended, and what a verifier of the log says of it. */

const people = new People('alice', 'bob');
const signed = (document: SignedTerms): Handed => ({ kind: 'signed', ...document });

const limit = (value: number, version = 1) =>
  ({
    kind: 'reference',
    ref_id: 'site-power',
    version,
    values: [{ fact: 'config.power_limit_w', class: 'exact', value }],
  }) as const;

/** The terms as the version after the one of their name that is in force. */
const following = <Of extends Pick<ReferenceTerms, 'ref_id'>>(
  changes: Pick<ReturnType<Recording['changes']>, 'all'>,
  terms: Of,
): Of => {
  const before = changes.all().find((order) => order.terms.kind === 'reference' && order.terms.ref_id === terms.ref_id);
  return before?.terms.kind === 'reference'
    ? { ...terms, version: before.terms.version + 1, prev_sha256: before.sha256 }
    : terms;
};

const EMERGENCY = { by: 'alice', note: 'bob is not reachable' };
const STRONGER: Facts = { 'config.power_limit_w': 3400 };

test('a signed reference is adopted in the log, ends the finding it approves, and is cited by the next attestation', async (t) => {
  const recording = await learned(t);
  await recording.looks('rig-1', 2, STRONGER);
  assert.deepEqual(recording.openFindings(), ['config.performance-changed rig-1']);
  const changes = recording.changes(people);
  const result = changes.adopt(signed(people.sign(limit(3400), 'alice')));
  assert.deepEqual(
    [result.kind, result.id, result.already, result.settled],
    ['reference', 'site-power', false, ['rig-1']],
  );
  assert.deepEqual(recording.openFindings(), []);
  await recording.looks('rig-1', 1, STRONGER);
  const said = recording.said();
  const approved = said.find((one) => one.kind === 'finding' && one.finding.state === 'approved');
  assert.equal(approved?.kind === 'finding' && approved.finding.by, 'alice');
  const last = said.at(-1);
  assert.ok(last?.kind === 'attestation' && last.reference?.seqs.includes(result.seq));
  assert.deepEqual(recording.objections(people.keys), []);
});

test('the same document is adopted once; an older version, and one that was withdrawn, are refused', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const first = signed(people.sign(limit(3500), 'alice'));
  const { seq } = changes.adopt(first);
  assert.deepEqual(changes.adopt(first), {
    kind: 'reference',
    id: 'site-power',
    seq,
    already: true,
    settled: [],
    ended: [],
  });
  assert.equal(
    refusal(() => changes.adopt(signed(people.sign(limit(3300), 'alice')))),
    'terms.version',
  );
  changes.adopt(signed(people.sign(following(changes, limit(3500)), 'bob')));
  assert.equal(changes.all().length, 1);
  assert.equal(
    refusal(() => changes.adopt(first)),
    'terms.ended',
  );
  changes.withdraw('site-power', 'alice');
  assert.deepEqual(changes.all(), []);
  assert.equal(
    refusal(() => changes.withdraw('site-power', 'alice')),
    'baseline.not-in-force',
  );
  assert.deepEqual(recording.objections(people.keys), []);
});

test('a later version names the digest of the one in force; without it, or with another one, it is refused', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  changes.adopt(signed(people.sign(limit(3500), 'alice')));
  const digest = changes.all()[0]?.sha256 ?? '';
  const said = (terms: ReferenceTerms | ReturnType<typeof limit>) => {
    try {
      return changes.adopt(signed(people.sign(terms, 'alice', 'bob')));
    } catch (problem) {
      const { code, message, remedy } = problem as AgentError;
      return [code, message, remedy];
    }
  };
  for (const version of [2, 9])
    assert.deepEqual(said(limit(3400, version)), [
      'terms.version',
      'it does not say that it follows version 1, which is in force',
      `write prev_sha256: ${digest} into the draft, and have it signed again`,
    ]);
  const other = 'A'.repeat(43);
  const wrong = 'prev_sha256 is not the digest of the version in force';
  assert.deepEqual(said({ ...limit(3400, 2), prev_sha256: other }), ['terms.version', wrong, `it is ${digest}`]);
  assert.deepEqual(said({ ...limit(3400, 3), prev_sha256: other }), [
    'terms.version',
    wrong,
    `it is ${digest}, or hand over first the version that it follows`,
  ]);
  changes.adopt(signed(people.sign({ ...limit(3400, 2), prev_sha256: digest }, 'alice')));
  assert.deepEqual(recording.objections(people.keys), []);
});

test('what two people have to approve takes two signatures, by keys that the gateway trusts', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const terms = poolUser('acme.rig0417');
  assert.equal(
    refusal(() => changes.adopt(signed(people.sign(terms, 'alice')))),
    'terms.two-approvers',
  );
  assert.equal(
    refusal(() => changes.adopt(signed(new People('eve', 'mallory').sign(terms, 'eve', 'mallory')))),
    'terms.signature',
  );
  const { doc, sigs } = people.sign(terms, 'alice', 'bob');
  const tampered = doc.replace('acme.rig0417', 'evil.rig0417');
  assert.equal(
    refusal(() => changes.adopt({ kind: 'signed', doc: tampered, sigs })),
    'terms.signature',
  );
  assert.equal(changes.adopt({ kind: 'signed', doc, sigs }).already, false);
  const said = recording.said().at(-1);
  assert.ok(said?.kind === 'baseline' && said.baseline.action === 'adopted' && said.baseline.sigs?.length === 1);
  assert.deepEqual(recording.objections(people.keys), []);
});

test('break-glass: one person does it, and the log holds a finding about that', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const breakGlass = { by: 'alice', note: 'pool is down, bob is not reachable' };
  changes.adopt({ ...signed(people.sign(poolUser('acme.rig0417'), 'alice')), breakGlass });
  const said = recording.said().at(-1);
  assert.ok(said?.kind === 'finding' && said.finding.id === 'change.break-glass');
  assert.deepEqual(said.finding.reasons, [breakGlass.note]);
  assert.deepEqual(recording.openFindings(), ['change.break-glass undefined']);
});

test('a document approves what attestations claim, as it is; withdrawn, the devices fall back on what was learned', async (t) => {
  const recording = await learned(t, ['rig-1', 'rig-2']);
  const changes = recording.changes(people);
  await recording.looks('rig-1', 2, STRONGER);
  const entries = [recording.attestation('rig-1')];
  const terms = { kind: 'reference', ref_id: 'rig-1-now', version: 1, entries } as const;
  const { seq } = changes.adopt(signed(people.sign(terms, 'alice', 'bob')));
  assert.deepEqual(recording.openFindings(), []);
  await recording.looks('rig-1', 2, STRONGER);
  const after = recording.said().at(-1);
  assert.ok(after?.kind === 'attestation');
  assert.deepEqual(after.reference, { approval: 'signed', seqs: [seq] });
  assert.equal(after.appraisal.conformance, 'match');
  changes.withdraw('rig-1-now', 'alice', EMERGENCY);
  await recording.looks('rig-1', 2, STRONGER);
  assert.deepEqual(recording.openFindings().toSorted(), [
    'change.break-glass undefined',
    'config.performance-changed rig-1',
  ]);
  assert.deepEqual(recording.objections(people.keys), []);
  const forged = {
    ...terms,
    ref_id: 'forged',
    entries: [{ ...entries[0], leaf: recording.attestation('rig-2').leaf }],
  };
  assert.equal(
    refusal(() => changes.adopt(signed(people.sign(forged as typeof terms, 'alice', 'bob')))),
    'terms.entry',
  );
});

test('a document approves single facts of an attestation, and nothing else that it claims; withdrawn, those alone fall back', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const shows: Facts = { ...STRONGER, 'network.hostname': 'bench-1' };
  await recording.looks('rig-1', 2, shows);
  const both = ['config.network-changed rig-1', 'config.performance-changed rig-1'];
  assert.deepEqual(recording.openFindings().toSorted(), both);
  const document = (version: number, ...facts: string[]) => ({
    kind: 'reference' as const,
    ref_id: 'rig-1-now',
    version,
    entries: [{ ...recording.attestation('rig-1'), facts }],
  });
  const adopt = (terms: ReturnType<typeof document>) => changes.adopt(signed(people.sign(terms, 'alice', 'bob')));
  assert.equal(
    refusal(() => adopt(document(1, 'config.power_limit_w'))),
    'baseline.finding-open',
    'the other one is as grave',
  );
  assert.equal(
    refusal(() => adopt(document(1, 'config.voltage_mv'))),
    'terms.entry',
    'it tells no such thing',
  );
  const now = Math.floor(recording.clock.wall / 1000);
  const waiver = {
    kind: 'waiver',
    waiver_id: 'bench',
    iat: now,
    scope: { devices: ['rig-1'] },
    ids: ['config.network-changed'],
    reason: 'on the bench',
    risk: 'none',
    author: 'carol',
    expires_at: now + 7200,
  };
  changes.adopt({ kind: 'local', terms: waiver, by: 'carol' });
  await recording.looks('rig-1', 1, shows);
  const { seq, ended } = adopt(document(1, 'config.power_limit_w'));
  assert.deepEqual(
    ended.map(({ device, finding }) => [device, finding]),
    [['rig-1', 'config.performance-changed']],
  );
  await recording.looks('rig-1', 2, shows);
  const names = recording.state('rig-1').tracks.map(({ finding }) => finding.ruleId);
  assert.deepEqual(names, ['config.network-changed'], 'it is waived, and approved by nobody');
  assert.equal(keptFacts(recording.state('rig-1').reference?.facts)['network.hostname'], 'miner-417');
  const after = recording.said().findLast((one) => one.kind === 'attestation');
  assert.ok(after?.kind === 'attestation' && after.reference?.seqs.includes(seq) === true);
  assert.equal(after.reference.approval, 'none', 'nobody stands behind the rest');
  changes.withdraw('rig-1-now', 'alice', EMERGENCY);
  await recording.looks('rig-1', 2, shows);
  assert.ok(recording.openFindings().includes('config.performance-changed rig-1'));
  assert.deepEqual(recording.objections(people.keys), []);
});

test('what a document would end is told beforehand, and who agreed to that agreed to nothing else', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  await recording.looks('rig-1', 2, STRONGER);
  const entries = [recording.attestation('rig-1')];
  const terms = { kind: 'reference', ref_id: 'rig-1-now', version: 1, entries } as const;
  const handed = signed(people.sign(terms, 'alice', 'bob'));
  const { devices, ends } = changes.previewAdoption(handed);
  assert.deepEqual(
    devices.map(({ device, differences, findings }) => [
      device,
      differences,
      findings.map(({ finding, closes }) => [finding, closes]),
    ]),
    [['rig-1', [{ fact: 'config.power_limit_w', before: 3500, after: 3400 }], [['config.performance-changed', true]]]],
  );
  assert.equal(
    refusal(() => changes.adopt(handed, 'something else')),
    'terms.seen-changed',
  );
  assert.deepEqual(recording.openFindings(), ['config.performance-changed rig-1'], 'nothing happened');
  changes.adopt(handed, ends);
  assert.deepEqual(recording.openFindings(), []);
  const told = recording.events.findLast(({ event }) => event === 'terms.adopted') as { readonly ended?: unknown };
  assert.deepEqual(
    (told.ended as readonly { readonly device: string; readonly finding: string }[]).map((one) => [
      one.device,
      one.finding,
    ]),
    [['rig-1', 'config.performance-changed']],
  );
  assert.deepEqual(changes.previewAdoption(handed).devices, [], 'it is in force already');
});

test('a value of another type than its fact is refused', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const wrong = { ...limit(3400), values: [{ fact: 'config.power_limit_w', class: 'exact', value: 'much' }] } as const;
  assert.equal(
    refusal(() => changes.adopt(signed(people.sign(wrong, 'alice')))),
    'terms.value',
  );
});

test('a plan is held against its devices after the window: what matched, what is wrong, unchanged, dark', async (t) => {
  const recording = await learned(t, ['rig-1', 'rig-2', 'rig-3', 'rig-4']);
  const changes = recording.changes(people);
  const now = Math.floor(recording.clock.wall / 1000);
  changes.adopt(signed(people.sign(summerPlan(now, 600), 'alice')));
  await recording.looks('rig-1', 2, STRONGER);
  await recording.looks('rig-2', 2, { 'config.power_limit_w': 2900 });
  await recording.looks('rig-3', 2, {});
  await recording.looks('rig-4', 6, undefined);
  const report = changes.report('summer');
  assert.deepEqual(
    [report.matched, report.wrong, report.unchanged, report.dark],
    [['rig-1'], ['rig-2'], ['rig-3'], ['rig-4']],
  );
  recording.clock.pass((600 + 16 * 60) * 1000);
  changes.tick();
  const told = recording.said().at(-1);
  assert.ok(told?.kind === 'finding' && told.finding.id === 'change.not-observed');
  assert.deepEqual(told.finding.devices, ['rig-2', 'rig-3', 'rig-4']);
  assert.deepEqual(told.finding.after, { matched: 1, wrong: 1, unchanged: 1, incomplete: 0, dark: 1, unjudged: 0 });
  changes.tick();
  recording.clock.pass(25 * 3_600_000);
  changes.tick();
  const ended = recording.said().at(-1);
  assert.ok(ended?.kind === 'change' && ended.change.action === 'expired');
  assert.deepEqual(changes.all(), []);
  assert.equal(
    recording.said().filter((one) => one.kind === 'finding' && one.finding.id === 'change.not-observed').length,
    1,
  );
  assert.deepEqual(recording.objections(people.keys), []);
});

test('a device that changed to something else is wrong also when that was approved; back as before it is unchanged', async (t) => {
  const recording = await learned(t, ['rig-1', 'rig-2', 'rig-3', 'rig-4']);
  const changes = recording.changes(people);
  const now = Math.floor(recording.clock.wall / 1000);
  changes.adopt(signed(people.sign(summerPlan(now, 600), 'alice')));
  const other = { 'config.power_limit_w': 2900 };
  for (const device of ['rig-1', 'rig-2', 'rig-3', 'rig-4']) await recording.looks(device, 3, other);
  assert.deepEqual(changes.report('summer').wrong, ['rig-1', 'rig-2', 'rig-3', 'rig-4']);
  const entries = ['rig-1', 'rig-4'].map((device) => recording.attestation(device));
  changes.adopt(signed(people.sign({ kind: 'reference', ref_id: 'as-it-is', version: 1, entries }, 'alice', 'bob')));
  await recording.looks('rig-1', 4, other);
  await recording.looks('rig-2', 4, {});
  await recording.looks('rig-4', 4, STRONGER);
  const { matched, wrong, unchanged } = changes.report('summer');
  assert.deepEqual([matched, wrong, unchanged], [['rig-4'], ['rig-1', 'rig-3'], ['rig-2']]);
  recording.clock.pass((600 + 16 * 60) * 1000);
  changes.tick();
  const told = recording.said().at(-1);
  assert.ok(told?.kind === 'finding' && told.finding.id === 'change.not-observed');
  assert.deepEqual(told.finding.after, { matched: 1, wrong: 2, unchanged: 1, incomplete: 0, dark: 0, unjudged: 0 });
  assert.deepEqual(recording.objections(people.keys), []);
});

test('a device that only started anew under a plan for its firmware is unchanged, unless the plan names the reboot', async (t) => {
  const reboots = 'runtime.reboot-unexpected';
  for (const [ids, fate] of [
    [['firmware.version-changed'], 'unchanged'],
    [['firmware.version-changed', reboots], 'incomplete'],
  ] as const) {
    const recording = await learned(t, ['rig-1']);
    const changes = recording.changes(people);
    const now = Math.floor(recording.clock.wall / 1000);
    const expected_after = [{ fact: 'firmware.version', class: 'exact', value: '2027.01.1' }] as const;
    changes.adopt(
      signed(
        people.sign({ ...summerPlan(now, 600), ids: [...ids], expected_after: [...expected_after] }, 'alice', 'bob'),
      ),
    );
    await recording.looks('rig-1', 1, { 'telemetry.elapsed_s': 30 });
    const told = recording.said().flatMap((one) => (one.kind === 'finding' ? [one.finding] : []));
    assert.deepEqual(
      told.map(({ id, severity }) => [id, severity]),
      [[reboots, 'info']],
    );
    assert.deepEqual(changes.report('summer')[fate], ['rig-1'], fate);
    assert.deepEqual(recording.objections(people.keys), []);
  }
});

test('a device whose users a document allows is as planned where the list of the plan leaves them out; another user is not', async (t) => {
  const recording = await learned(t, ['rig-1', 'rig-2', 'rig-3']);
  const changes = recording.changes(people);
  const now = Math.floor(recording.clock.wall / 1000);
  const users = { fact: 'pools.user', class: 'template', value: ['acme.*', 'partner.*'] } as const;
  changes.adopt(
    signed(people.sign({ kind: 'reference', ref_id: 'site', version: 1, values: [users] }, 'alice', 'bob')),
  );
  const list = ['d', 'e', 'f', 'g'].map((name, slot) => ({ slot, url: `stratum+tcp://${name}.example:3333` }));
  const ids = ['pool.url-changed', 'pool.user-changed', 'pool.slot-added'];
  const expected_after = [{ fact: 'pools', class: 'exact', value: list }] as const;
  changes.adopt(signed(people.sign({ ...summerPlan(now, 600), ids, expected_after }, 'alice', 'bob')));
  const shown = (...others: readonly string[]): Facts => ({
    pools: list.map((slot, at) => ({ ...slot, priority: at, user: others[at] ?? 'partner.w' })),
  });
  await recording.looks('rig-1', 4, shown());
  await recording.looks('rig-2', 4, shown('mallory.w'));
  await recording.looks('rig-3', 4, shown('partner.w', 'acme.w', 'partner.w', 'mallory.w'));
  const { matched, wrong } = changes.report('summer');
  assert.deepEqual([matched, wrong], [['rig-1'], ['rig-2', 'rig-3']]);
  assert.deepEqual(
    recording.said().flatMap((one) => {
      if (one.kind !== 'finding' || one.finding.severity === 'info') return [];
      const { id, part } = one.finding;
      return id === 'change.deviation' ? [] : [`${id} ${part}`];
    }),
    ['pool.user-changed slot 0', 'pool.slot-added slot 3'],
  );
  recording.clock.pass((600 + 16 * 60) * 1000);
  changes.tick();
  const missing = recording
    .said()
    .flatMap((one) => (one.kind === 'finding' && one.finding.id === 'change.not-observed' ? [one.finding] : []));
  assert.deepEqual(
    missing.map(({ devices }) => devices),
    [['rig-2', 'rig-3']],
  );
  assert.deepEqual(recording.objections(people.keys), []);
});

test('a plan of which nothing can be judged is no change.not-observed; a dark device is named beside those', async (t) => {
  const recording = await learned(t, ['rig-1', 'rig-2']);
  const changes = recording.changes(people);
  const now = Math.floor(recording.clock.wall / 1000);
  const expected_after = [{ fact: 'config.freq_mhz', class: 'exact', value: 400 }] as const;
  const terms = { ...summerPlan(now, 600), ids: ['config.drift'], expected_after };
  const told = () =>
    recording
      .said()
      .flatMap((one) => (one.kind === 'finding' && one.finding.id === 'change.not-observed' ? [one] : []));
  changes.adopt(signed(people.sign(terms, 'alice')));
  changes.adopt(signed(people.sign({ ...terms, plan_id: 'later', not_after_at: now + 1200 }, 'alice')));
  await recording.looks('rig-1', 3, { 'config.freq_mhz': 400 });
  const { plan: _, ...report } = changes.report('summer');
  const none = { matched: [], wrong: [], unchanged: [], incomplete: [], dark: [] };
  assert.deepEqual(report, { ...none, unjudged: ['rig-1', 'rig-2'] });
  recording.clock.pass((600 + 16 * 60) * 1000);
  changes.tick();
  assert.deepEqual(told(), []);
  await recording.looks('rig-2', 6, undefined);
  recording.clock.pass(600_000);
  changes.tick();
  assert.deepEqual(
    told().map(({ finding: { part, devices, after } }) => [part, devices, after]),
    [['later', ['rig-2'], { matched: 0, wrong: 0, unchanged: 0, incomplete: 0, dark: 1, unjudged: 1 }]],
  );
  assert.deepEqual(recording.objections(people.keys), []);
});

test('a device that was as planned and is as before again is not as planned; a curtailment was to last no longer', async (t) => {
  for (const [type, until, fate] of [
    ['change', undefined, 'incomplete'],
    ['change', 500, 'matched'],
    ['curtailment', undefined, 'matched'],
  ] as const) {
    const recording = await learned(t, ['rig-1']);
    const changes = recording.changes(people);
    const now = Math.floor(recording.clock.wall / 1000);
    const { expected_after: [value] = [], ...terms } = summerPlan(now, 600);
    assert.ok(value !== undefined);
    const expected = { ...value, ...(until === undefined ? {} : { until_at: now + until }) };
    changes.adopt(signed(people.sign({ ...terms, type, expected_after: [expected] }, 'alice')));
    await recording.looks('rig-1', 2, STRONGER);
    assert.deepEqual(changes.report('summer').matched, ['rig-1']);
    await recording.looks('rig-1', 4, {});
    assert.deepEqual(recording.openFindings(), []);
    recording.clock.pass((600 + 16 * 60) * 1000);
    changes.tick();
    assert.deepEqual(changes.report('summer')[fate], ['rig-1'], `${type} ${until}`);
    const missing = recording
      .said()
      .flatMap((one) => (one.kind === 'finding' && one.finding.id === 'change.not-observed' ? [one.finding] : []));
    assert.deepEqual(
      missing.map(({ devices }) => devices),
      fate === 'incomplete' ? [['rig-1']] : [],
    );
  }
});

test('a curtailment that is not lifted has its own weight a quarter of an hour after the window, and is told as overrun', async (t) => {
  const recording = await learned(t, ['rig-1', 'rig-2']);
  const changes = recording.changes(people);
  const begin = Math.floor(recording.clock.wall / 1000);
  changes.adopt(signed(people.sign({ ...summerPlan(begin, 600), type: 'curtailment' }, 'alice')));
  await recording.looks('rig-1', 2, STRONGER);
  await recording.looks('rig-2', 2, STRONGER);
  assert.deepEqual(weights(recording), [
    'rig-1 config.performance-changed info',
    'rig-2 config.performance-changed info',
  ]);
  await recording.looks('rig-2', 4, {});
  recording.clock.pass((600 + 10 * 60) * 1000);
  changes.tick();
  await recording.looks('rig-1', 3, STRONGER);
  assert.deepEqual(weights(recording), ['rig-1 config.performance-changed info'], 'it may be lifted a little late');
  recording.clock.pass(6 * 60_000);
  changes.tick();
  await recording.looks('rig-1', 2, STRONGER);
  assert.deepEqual(weights(recording), [
    'rig-1 change.window-overrun low summer config.performance-changed',
    'rig-1 config.performance-changed medium',
  ]);
  await recording.looks('rig-1', 4, {});
  assert.deepEqual(weights(recording), []);
});

test('a curtailment that is not lifted counts again also where the agent was off at its end and for a day after it', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const begin = Math.floor(recording.clock.wall / 1000);
  changes.adopt(signed(people.sign({ ...summerPlan(begin, 600), type: 'curtailment' }, 'alice')));
  await recording.looks('rig-1', 2, STRONGER);
  recording.clock.pass(3 * 86_400_000);
  changes.tick();
  assert.deepEqual(changes.all(), []);
  await recording.looks('rig-1', 2, STRONGER);
  assert.deepEqual(weights(recording), ['rig-1 config.performance-changed medium']);
});

test('a curtailment is prolonged by the next plan; what a roll-out brought stays covered, whatever comes after it', async (t) => {
  for (const [type, left] of [
    ['curtailment', 'medium'],
    ['change', 'info'],
  ] as const) {
    const recording = await learned(t);
    const changes = recording.changes(people);
    const begin = Math.floor(recording.clock.wall / 1000);
    changes.adopt(signed(people.sign({ ...summerPlan(begin, 600), type }, 'alice')));
    await recording.looks('rig-1', 2, STRONGER);
    const longer = { ...summerPlan(begin + 60, 3600), plan_id: 'longer', type: 'curtailment' as const };
    changes.adopt(signed(people.sign(longer, 'alice')));
    for (const minutes of [16, 30]) {
      recording.clock.pass(minutes * 60_000);
      changes.tick();
      await recording.looks('rig-1', 2, STRONGER);
      assert.deepEqual(weights(recording), ['rig-1 config.performance-changed info'], `${type} ${minutes}`);
    }
    recording.clock.pass(60 * 60_000);
    changes.tick();
    await recording.looks('rig-1', 2, STRONGER);
    assert.ok(weights(recording).includes(`rig-1 config.performance-changed ${left}`), type);
  }
});

/** What is open, with its weight and part. */
const weights = ({ store }: Recording): readonly string[] =>
  store
    .findings({ open: true })
    .map(({ device, finding: { ruleId, severity, part = '' } }) => `${device} ${ruleId} ${severity} ${part}`.trim())
    .sort();

test('a machine that is out for repair under a plan is one that is not seen, until it is back', async (t) => {
  const recording = await learned(t, ['rig-1']);
  const changes = recording.changes(people);
  const now = Math.floor(recording.clock.wall / 1000);
  const repair = {
    ...summerPlan(now, 86_400),
    ids: ['visibility.device-dark', 'identity.hashboard-changed'],
    expected_after: [{ fact: 'identity.hashboards', class: 'volatile' as const }],
  };
  changes.adopt(signed(people.sign(repair, 'alice', 'bob')));
  await recording.looks('rig-1', 6, undefined);
  assert.deepEqual([changes.report('summer').matched, changes.report('summer').dark], [[], ['rig-1']]);
  await recording.looks('rig-1', 4, {});
  assert.deepEqual([changes.report('summer').matched, changes.report('summer').dark], [['rig-1'], []]);
});

test('a waiver of a person at the gateway is a change with who and what; expired, it says what it still covered', async (t) => {
  const recording = await learned(t);
  const nobody = new People();
  const changes = recording.changes(nobody);
  const now = Math.floor(recording.clock.wall / 1000);
  const terms = {
    kind: 'waiver',
    waiver_id: 'burn-in',
    iat: now,
    scope: { devices: ['rig-1'] },
    ids: ['config.performance-changed'],
    reason: 'burn-in bench',
    risk: 'low',
    author: 'carol',
    expires_at: now + 3600,
  };
  changes.adopt({ kind: 'local', terms, by: 'carol' });
  const adopted = recording.said().at(-1);
  assert.ok(adopted?.kind === 'change');
  assert.deepEqual([adopted.change.by, adopted.change.terms], ['carol', terms]);
  await recording.looks('rig-1', 2, STRONGER);
  recording.clock.pass(3_600_000);
  changes.tick();
  const ended = recording.said().slice(-2);
  assert.deepEqual(
    ended.map((one) =>
      one.kind === 'change' ? one.change.action : one.kind === 'finding' ? one.finding.id : one.kind,
    ),
    ['expired', 'waiver.expired'],
  );
  assert.deepEqual(recording.objections(), []);
});

const EXPIRY = {
  ids: ['config.performance-changed'],
  scope: { devices: ['rig-1'] },
  reason: 'burn-in bench',
  risk: 'low',
  author: 'carol',
};

/** A gateway at which a person waived, for an hour, what its device goes on showing. */
const waived = async (t: TestContext) => {
  const recording = await learned(t);
  const changes = recording.changes(new People());
  const waive = (waiverId: string, forS: number) => {
    const iat = Math.floor(recording.clock.wall / 1000);
    const terms = { kind: 'waiver', waiver_id: waiverId, iat, expires_at: iat + forS, ...EXPIRY };
    changes.adopt({ kind: 'local', terms, by: 'carol' });
  };
  waive('burn-in', 3600);
  await recording.looks('rig-1', 2, STRONGER);
  assert.equal(recording.state('rig-1').tracks[0]?.finding.state, 'waived');
  return {
    recording,
    waive,
    /** Which waivers were said to have left something standing, once the minutes after are over. */
    expired: () => {
      for (let minute = 0; minute < 3; minute++) {
        changes.tick();
        recording.clock.pass(60_000);
      }
      assert.deepEqual(recording.objections(), []);
      return recording
        .said()
        .flatMap((one) => (one.kind === 'finding' && one.finding.id === 'waiver.expired' ? [one.finding.part] : []));
    },
  };
};

test('that a waiver is over is said once, though a look finds it out before the minute is over', async (t) => {
  const { recording, expired } = await waived(t);
  recording.clock.pass(3_600_000);
  await recording.looks('rig-1', 1, STRONGER);
  assert.equal(recording.state('rig-1').tracks[0]?.finding.state, 'open');
  assert.deepEqual(expired(), ['burn-in']);
});

test('it is said, too, where what stood then was mended within the minute', async (t) => {
  const { recording, expired } = await waived(t);
  recording.clock.pass(3_600_000);
  await recording.looks('rig-1', 1, STRONGER);
  await recording.looks('rig-1', 3, {});
  assert.deepEqual(recording.openFindings(), []);
  assert.deepEqual(expired(), ['burn-in']);
});

test('it is not said where nothing stands: mended before, waived anew, or found only afterwards', async (t) => {
  const mended = await waived(t);
  await mended.recording.looks('rig-1', 3, {});
  mended.recording.clock.pass(3_600_000);
  await mended.recording.looks('rig-1', 2, STRONGER);
  assert.equal(mended.recording.state('rig-1').tracks[0]?.finding.state, 'open');
  assert.deepEqual(mended.expired(), []);

  for (const isLookedAt of [true, false]) {
    const renewed = await waived(t);
    renewed.waive('longer', 7200);
    renewed.recording.clock.pass(3_600_000);
    if (isLookedAt) await renewed.recording.looks('rig-1', 1, STRONGER);
    assert.deepEqual(renewed.expired(), [], `looked at: ${isLookedAt}`);
  }
});

test('approvals that nobody looked at for half a year are one finding, which ends when somebody does', async (t) => {
  const recording = await learned(t, ['rig-1', 'rig-2']);
  const changes = recording.changes(people);
  const approve = () => {
    const entries = [recording.attestation('rig-1')];
    const terms = { kind: 'reference', ref_id: 'rig-1-now', version: 1, entries } as const;
    return changes.adopt(signed(people.sign(following(changes, terms), 'alice', 'bob')));
  };
  approve();
  changes.tickStale();
  assert.deepEqual(recording.openFindings(), []);
  recording.clock.pass(181 * 86_400_000);
  changes.tickStale();
  changes.tickStale();
  const told = recording.said().filter((one) => one.kind === 'finding');
  assert.deepEqual(
    told.map(({ finding }) => [finding.id, finding.devices, finding.severity]),
    [['baseline.stale', ['rig-1'], 'low']],
  );
  approve();
  changes.tickStale();
  assert.deepEqual(recording.openFindings(), []);
});

test('nothing is approved while something as grave, that the document does not speak of, is open there', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const theft = {
    pools: [{ slot: 0, url: 'stratum+tcp://eu.pool.example:3333', user: 'mallory.rig0417', priority: 0 }],
  };
  await recording.looks('rig-1', 6, { ...STRONGER, ...theft });
  assert.throws(() => changes.adopt(signed(people.sign(limit(3400), 'alice'))), {
    code: 'baseline.finding-open',
    message: /^rig-1: pool\.user-changed .* this document does not cover it$/,
    remedy: /^deal with that finding first .* leaves this device out$/,
  });
});

/** A document about the names of hosts, which one person may approve. */
const hosts = {
  kind: 'reference',
  ref_id: 'hosts',
  version: 1,
  values: [{ fact: 'network.hostname', class: 'volatile' }],
} as const;

const URLS = ['stratum+tcp://eu.pool.example:3333', 'stratum+tcp://us.pool.example:3333'];

/** The pools of a device that works for this user, or tells none. */
const serving = (user?: string): Facts => ({
  pools: URLS.map((url, slot) => ({ slot, url, priority: slot, ...(user === undefined ? {} : { user }) })),
});

/** A gateway where a person accepted the device as it shows this. */
const acceptedAs = async (t: TestContext, shown: Facts): Promise<Recording> => {
  const recording = new Recording(t);
  await recording.looks('rig-1', 2, shown);
  recording.recorder.writeLearned();
  recording.recorder.takeAcceptance([recording.state('rig-1')], { by: 'carol' });
  await recording.looks('rig-1', 2, shown);
  assert.deepEqual(recording.openFindings(), []);
  return recording;
};

/** What is open of a device: number, rule, part and life. */
const openOf = (recording: Recording): readonly unknown[] =>
  recording
    .state('rig-1')
    .tracks.map(({ finding: { openedSeq, ruleId, part, state } }) => [openedSeq, ruleId, part, state]);

test('a document about something else ends no finding of users that are told first, by whatever way it comes', async (t) => {
  for (const way of ['file', 'topic'] as const) {
    const recording = await acceptedAs(t, serving());
    const changes = recording.changes(people);
    const stolen = serving('thief.x');
    await recording.looks('rig-1', 3, stolen);
    const before = openOf(recording);
    assert.deepEqual(
      recording.state('rig-1').tracks.map(({ finding: { ruleId, part, severity } }) => [ruleId, part, severity]),
      [
        ['pool.user-changed', 'slot 0', 'high'],
        ['pool.user-changed', 'slot 1', 'high'],
      ],
    );
    const document = people.sign(hosts, 'alice');
    if (way === 'topic') changes.takeDelivered(Buffer.from(document.doc), 'hosts');
    else {
      assert.deepEqual(changes.previewAdoption(signed(document)).devices, []);
      assert.deepEqual(changes.adopt(signed(document)).ended, []);
    }
    assert.equal(changes.all().length, 1, way);
    assert.deepEqual(openOf(recording), before, way);
    await recording.looks('rig-1', 3, stolen);
    assert.deepEqual(openOf(recording), before, way);
    assert.deepEqual(recording.objections(people.keys), []);
  }
});

test('a document about something else ends no finding of a protection that a band would allow', async (t) => {
  const fan = (percent: number): Facts => ({ 'config.fan_min_pct': percent });
  const recording = await acceptedAs(t, fan(25));
  const changes = recording.changes(people);
  const band = {
    kind: 'reference',
    ref_id: 'fans',
    version: 1,
    values: [{ fact: 'config.fan_min_pct', class: 'band', value: { min: 0, max: 40 } }],
  } as const;
  changes.adopt(signed(people.sign(band, 'alice', 'bob')));
  await recording.looks('rig-1', 2, fan(25));
  await recording.looks('rig-1', 3, fan(0));
  const before = openOf(recording);
  assert.deepEqual(recording.openFindings(), ['config.safety-weakened rig-1']);
  assert.deepEqual(changes.adopt(signed(people.sign(limit(3500), 'alice'))).ended, []);
  assert.deepEqual(openOf(recording), before);
  const again = following(changes, { ...band, change_ref: 'OPS-18' });
  assert.deepEqual(changes.adopt(signed(people.sign(again, 'alice', 'bob'))).ended, [], 'nor does the same band');
  await recording.looks('rig-1', 6, fan(0));
  assert.deepEqual(openOf(recording), before, 'it goes on under its number');
  const exact = following(changes, {
    ...band,
    values: [{ fact: 'config.fan_min_pct', class: 'exact', value: 0 }] as const,
  });
  assert.deepEqual(
    changes.adopt(signed(people.sign(exact, 'alice', 'bob'))).ended.map(({ finding }) => finding),
    ['config.safety-weakened'],
  );
  await recording.looks('rig-1', 3, fan(0));
  assert.deepEqual(recording.openFindings(), []);
  assert.deepEqual(recording.objections(people.keys), []);
});

test('what takes two people ends by two signatures only, by file and by topic; by one it is refused, told, and nothing happened', async (t) => {
  const stolen = serving('thief.x');
  const terms = { ...poolUser('thief.x'), ref_id: 'pools' };
  const message = 'it ends pool.user-changed (high) of rig-1, which two people have to approve, and one did';
  const opened = async () => {
    const recording = await acceptedAs(t, serving());
    await recording.looks('rig-1', 3, stolen);
    return { recording, changes: recording.changes(people), before: openOf(recording) };
  };
  const { recording, changes, before } = await opened();
  const alone = people.sign(terms, 'alice');
  assert.throws(() => changes.adopt(signed(alone)), { code: 'terms.two-approvers', message });
  assert.throws(() => changes.previewAdoption(signed(alone)), { code: 'terms.two-approvers' });
  changes.takeDelivered(Buffer.from(alone.doc), 'pools');
  const told = recording.events.filter(({ event }) => event === 'terms.refused');
  assert.deepEqual(
    told.map((one) => [one.id, one.message]),
    [['pools', message]],
  );
  assert.deepEqual([changes.all(), openOf(recording)], [[], before]);
  changes.takeDelivered(Buffer.from(JSON.stringify(people.sign(terms, 'alice', 'bob'))), 'pools');
  assert.equal(changes.all().length, 1);
  assert.deepEqual(openOf(recording), []);
  await recording.looks('rig-1', 3, stolen);
  assert.deepEqual(recording.openFindings(), []);
  assert.deepEqual(recording.objections(people.keys), []);
  const other = await opened();
  other.changes.adopt({ ...signed(alone), breakGlass: EMERGENCY });
  assert.deepEqual(other.recording.openFindings(), ['change.break-glass undefined']);
});

test('what a version ends is judged without what the one before it approved of attestations', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  await recording.looks('rig-1', 2, STRONGER);
  const first = {
    kind: 'reference' as const,
    ref_id: 'site-power',
    version: 1,
    entries: [{ ...recording.attestation('rig-1'), facts: ['config.power_limit_w'] }],
  };
  changes.adopt(signed(people.sign(first, 'alice', 'bob')));
  const shows = { 'config.power_limit_w': 3300 };
  await recording.looks('rig-1', 3, shows);
  assert.deepEqual(recording.openFindings(), ['config.performance-changed rig-1']);
  const next = signed(people.sign(following(changes, limit(3300)), 'alice', 'bob'));
  const { devices } = changes.previewAdoption(next);
  assert.deepEqual(
    devices.map(({ device, findings }) => [device, findings.map(({ closes }) => closes)]),
    [['rig-1', [true]]],
  );
  assert.deepEqual(changes.adopt(next).settled, ['rig-1']);
  await recording.looks('rig-1', 2, shows);
  assert.deepEqual(recording.openFindings(), []);
  assert.deepEqual(recording.objections(people.keys), []);
});

test('a document is taken from the topic of its own name only; elsewhere it is refused, which is told once', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const document = Buffer.from(people.sign(limit(3500), 'alice').doc);
  const refused = () => recording.events.filter(({ event }) => event === 'terms.refused');
  for (const name of ['anything', 'big', 'anything']) changes.takeDelivered(document, name);
  assert.deepEqual(changes.all(), []);
  assert.equal(refused().length, 1);
  assert.match(String(refused()[0]?.message), /^it came on ref\/anything, and calls itself site-power$/);
  changes.takeDelivered(document, 'site-power');
  assert.equal(changes.all().length, 1);
  changes.takeDelivered(Buffer.from('x'), 'site-power');
  assert.equal(refused().length, 2);
});

test('names of every object are facts of none: such a document is taken or refused, and ends nothing', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  for (const [at, fact] of ['constructor', 'toString', '__proto__', 'hasOwnProperty'].entries()) {
    const terms = {
      kind: 'reference',
      ref_id: `odd-${at}`,
      version: 1,
      values: [{ fact, class: 'exact', value: 'x' }],
    } as const;
    const { seq } = changes.adopt(signed(people.sign(terms, 'alice')));
    await recording.looks('rig-1', 1, {});
    changes.withdraw(String(seq), 'alice');
    changes.takeDelivered(Buffer.from(people.sign({ ...terms, version: 2 }, 'alice').doc), terms.ref_id);
    changes.withdraw(`odd-${at}`, 'alice');
    assert.equal(
      refusal(() => changes.adopt(signed(people.sign(terms, 'alice')))),
      'terms.ended',
    );
  }
  assert.deepEqual(recording.openFindings(), []);
  const withdrawn = recording.said().find((one) => one.kind === 'baseline' && one.baseline.action === 'withdrawn');
  assert.ok(withdrawn?.kind === 'baseline' && withdrawn.baseline.action === 'withdrawn');
  assert.equal(withdrawn.baseline.by, 'alice');
  assert.deepEqual(recording.objections(people.keys), []);
});

test('a flood of documents that are refused is a few lines, which say how many more there were', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const refused = () => recording.events.filter(({ event }) => event === 'terms.refused');
  for (let n = 0; n < 1_000; n += 1) {
    recording.clock.pass(1);
    changes.takeDelivered(Buffer.from(`{"n":${n}}`), `n-${n}`);
  }
  assert.equal(refused().length, 16);
  recording.clock.pass(60_000);
  changes.takeDelivered(Buffer.from(new People('mallory').sign(limit(3400), 'mallory').doc), limit(3400).ref_id);
  assert.equal(refused().length, 17);
  assert.equal(refused().at(-1)?.untold, 984);
  assert.deepEqual([refused().at(-1)?.kind, refused().at(-1)?.id], ['reference', 'site-power']);
  assert.ok(refused().every(({ kind, id }) => kind !== 'undefined' && id !== 'undefined'));
});

test('a plan that a person closes covers nothing any longer', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const now = Math.floor(recording.clock.wall / 1000);
  const window = { iat: now, not_before_at: now, not_after_at: now + 7200, author: 'alice' };
  const expected_after = [{ fact: 'config.power_limit_w', class: 'exact' as const, value: 3400 }];
  const terms = {
    kind: 'plan',
    plan_id: 'summer',
    type: 'change',
    scope: {},
    ids: ['config.performance-changed'],
  } as const;
  changes.adopt(signed(people.sign({ ...terms, ...window, expected_after }, 'alice')));
  await recording.looks('rig-1', 2, STRONGER);
  changes.close('plan', 'summer', 'alice');
  await recording.looks('rig-1', 1, STRONGER);
  const last = recording.said().at(-1);
  assert.ok(last?.kind === 'finding');
  assert.deepEqual([last.finding.severity, last.finding.plan], ['medium', undefined]);
});

test('terms that are dated ahead are refused', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const iat = Math.floor(recording.clock.wall / 1000) + 3600;
  assert.equal(
    refusal(() => changes.adopt(signed(people.sign({ ...limit(3500), iat }, 'alice')))),
    'terms.future',
  );
});

test('what no device could fit is refused: a template that is none, or takes a label that no device has; a version without bound', async (t) => {
  const recording = new Recording(t, ['rig-1'], { labels: () => ({ rack: 'r14' }) });
  await recording.learnAll();
  const changes = recording.changes(people);
  const named = (value: string): ReferenceTerms => ({
    kind: 'reference',
    ref_id: 'site-users',
    version: 1,
    iat: 1_795_339_200,
    values: [{ fact: 'pools.user', class: 'template', value }],
  });
  // As another program would sign it.
  const handed = (terms: Terms): Handed =>
    signed(addSignature(signTerms(terms, people.signer('alice')), people.signer('bob')));
  assert.equal(
    refusal(() => changes.adopt(handed(named('acme.{rack')))),
    'terms.signature',
  );
  assert.equal(
    refusal(() => changes.adopt(handed({ ...named('acme.{rack}'), version: Number.MAX_SAFE_INTEGER }))),
    'terms.signature',
  );
  assert.throws(() => changes.adopt(handed(named('acme.{row}-{serial}'))), {
    code: 'terms.value',
    message: 'no device here has a label "row" for {row} of pools.user',
    remedy: /known here: account, serial, mac, hostname, model, ip, rack$/,
  });
  assert.equal(changes.adopt(handed(named('acme.{rack}-{serial}'))).already, false);
});

test('what two people signed one person ends under break-glass only: the log holds a finding about that', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const now = Math.floor(recording.clock.wall / 1000);
  const { seq } = changes.adopt(signed(people.sign(poolUser('acme.rig0417'), 'alice', 'bob')));
  changes.adopt(signed(people.sign(summerPlan(now), 'alice', 'bob')));
  for (const end of [
    () => changes.withdraw('site-pools', 'alice'),
    () => changes.withdraw(String(seq), 'alice'),
    () => changes.close('plan', 'summer', 'alice'),
  ])
    assert.equal(refusal(end), 'baseline.two-approvers');
  assert.equal(changes.all().length, 2);
  changes.withdraw('site-pools', 'alice', EMERGENCY);
  recording.clock.pass(1000);
  changes.close('plan', 'summer', 'alice', EMERGENCY);
  assert.deepEqual(changes.all(), []);
  const found = recording.said().flatMap((one) => (one.kind === 'finding' ? [one.finding] : []));
  assert.deepEqual(
    found.map(({ id, severity, after, reasons }) => [id, severity, after, reasons]),
    ['reference site-pools', 'plan summer'].map((ended) => [
      'change.break-glass',
      'high',
      { ended, signed_by: 'alice, bob' },
      [EMERGENCY.note],
    ]),
  );
  assert.deepEqual(recording.objections(people.keys), []);
});

test('what one person may approve one person ends, and what a person laid down, too', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  changes.adopt(signed(people.sign(limit(3500), 'alice')));
  changes.withdraw('site-power', 'carol');
  const now = Math.floor(recording.clock.wall / 1000);
  const wide = { ...summerPlan(now), ids: ['firmware.*'] };
  changes.adopt({ kind: 'local', terms: wide, by: 'carol', breakGlass: EMERGENCY });
  changes.close('plan', 'summer', 'carol');
  assert.deepEqual(changes.all(), []);
  const broken = recording.said().filter((one) => one.kind === 'finding');
  assert.equal(broken.length, 1, 'the adoption by one, not its end');
});

test('a version by one person does not take the place of what two approved', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  changes.adopt(signed(people.sign(poolUser('acme.rig0417'), 'alice', 'bob')));
  const hollow = following(changes, { ...limit(3500), ref_id: 'site-pools' });
  assert.equal(
    refusal(() => changes.adopt(signed(people.sign(hollow, 'alice')))),
    'terms.two-approvers',
  );
  assert.equal(changes.adopt(signed(people.sign(hollow, 'alice', 'bob'))).already, false);
});

/** The same people without some of them. */
const without = (...names: readonly string[]): Approvers => {
  const left = [...people.names].filter(([, name]) => !names.includes(name)).map(([kid]) => kid);
  return { names: people.names, keys: new Map([...people.keys].filter(([kid]) => left.includes(kid))) };
};

test('documents of an approver who is none any more stay in force, and that is told; one who is left is not enough for two', async (t) => {
  const recording = await learned(t);
  const before = recording.changes(people);
  before.resume();
  before.adopt(signed(people.sign(poolUser('acme.rig0417'), 'alice', 'bob')));
  before.adopt(signed(people.sign(limit(3500), 'alice')));
  assert.deepEqual([before.orphans(), recording.events.filter(({ level }) => level === 'warn')], [[], []]);

  const changes = recording.changes(without('bob'));
  changes.heedApprovers();
  assert.equal(changes.all().length, 2);
  assert.deepEqual(
    changes.orphans().map(({ kind, id, gone }) => [kind, id, gone]),
    [['reference', 'site-pools', ['bob']]],
  );
  const told = recording.events.filter(({ level }) => level === 'warn');
  assert.deepEqual(
    told.map(({ event }) => event),
    ['approvers.fewer', 'terms.signer-gone'],
  );
  assert.ok(told.every(({ remedy }) => typeof remedy === 'string'));
  const next = following(changes, poolUser('acme.rig0418'));
  assert.equal(
    refusal(() => changes.adopt(signed(people.sign(next, 'alice')))),
    'terms.two-approvers',
  );
  assert.equal(recording.changes(without('alice', 'bob')).people(), 2, 'nor is none');
});

test('with one approver from the beginning one signature is all there is', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(without('bob'));
  changes.resume();
  assert.equal(changes.people(), 1);
  changes.adopt(signed(people.sign(poolUser('acme.rig0417'), 'alice')));
  changes.withdraw('site-pools', 'alice');
  assert.deepEqual(
    recording.events.filter(({ level }) => level === 'warn'),
    [],
  );
});

test('where nothing says what was ended, what was signed before waits for a person; what is signed since is taken', async (t) => {
  const recording = new Recording(t, ['rig-1'], { past: { isWhole: false } });
  await recording.learnAll();
  const changes = recording.changes(people);
  const iat = Math.floor(recording.clock.wall / 1000) - 3600;
  const old = people.sign({ ...limit(3500), iat }, 'alice');
  changes.takeDelivered(Buffer.from(old.doc), 'site-power');
  assert.deepEqual(changes.all(), []);
  const refused = recording.events.find(({ event }) => event === 'terms.refused');
  assert.match(String(refused?.remedy), /assayer baseline adopt/);
  assert.equal(changes.adopt(signed(old)).already, false);
  recording.clock.pass(3_600_000);
  const fresh = { ...limit(3300), ref_id: 'later', iat: Math.floor(recording.clock.wall / 1000) };
  changes.takeDelivered(Buffer.from(people.sign(fresh, 'alice').doc), 'later');
  assert.equal(changes.all().length, 2);
});

test('what a store that was put back holds in force, and was ended here, ends again at the start', async (t) => {
  const recording = await learned(t);
  const now = Math.floor(recording.clock.wall / 1000);
  const changes = recording.changes(people);
  await recording.looks('rig-1', 2, STRONGER);
  const entries = [recording.attestation('rig-1')];
  changes.adopt(
    signed(people.sign({ kind: 'reference', ref_id: 'now', version: 1, entries } as const, 'alice', 'bob')),
  );
  changes.adopt(signed(people.sign(summerPlan(now), 'alice', 'bob')));
  changes.adopt(signed(people.sign(limit(3400), 'alice')));
  recording.orders.approvals.noteEnded(
    changes
      .all()
      .slice(0, 2)
      .map(({ sha256 }) => sha256),
  );
  recording.changes(people).resume();
  assert.deepEqual(
    changes.all().map(({ terms }) => terms.kind === 'reference' && terms.ref_id),
    ['site-power'],
  );
  const ended = recording.said().slice(-2);
  assert.deepEqual(
    ended.map((one) => (one.kind === 'baseline' ? one.baseline.action : one.kind === 'change' && one.change.action)),
    ['withdrawn', 'closed'],
  );
  assert.ok(recording.events.filter(({ event }) => event === 'terms.ended-before').length === 2);
  assert.deepEqual(recording.objections(people.keys), []);
});

test('the values of a document whose time is over are approved no longer, and not shown', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const until_at = Math.floor(recording.clock.wall / 1000) + 600;
  const values = [{ ...limit(3300).values[0], until_at }, limit(3400).values[0]];
  changes.adopt(signed(people.sign({ ...limit(3400), values }, 'alice')));
  const only = {
    kind: 'reference',
    ref_id: 'mode',
    version: 1,
    values: [{ fact: 'config.mode', class: 'exact', value: 'eco', until_at }],
  } as const;
  changes.adopt(signed(people.sign(only, 'alice')));
  const shown = () =>
    changes
      .approved('rig-1')
      .filter(({ fact }) => fact === 'config.power_limit_w' || fact === 'config.mode')
      .map(({ fact, value, ref_id: from }) => [fact, value, from]);
  assert.deepEqual(shown(), [
    ['config.mode', 'eco', 'mode'],
    ['config.power_limit_w', [3300, 3400], 'site-power'],
  ]);
  recording.clock.pass(600_000);
  assert.deepEqual(shown(), [
    ['config.mode', 'normal', undefined],
    ['config.power_limit_w', 3400, 'site-power'],
  ]);
});

test('a document that a log states again names entries of the former one: those of this log with their numbers are others', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const here = recording.attestation('rig-1');
  const adoptNow = (ref_id: string, log: string) => {
    const entries = [{ ...here, log }];
    const { doc, sigs } = people.sign({ kind: 'reference', ref_id, version: 1, entries } as const, 'alice', 'bob');
    const terms = { kind: 'reference', ref_id, version: 1, iat: 1_795_339_200, entries } as const;
    const order = { terms, doc, sigs, sha256: ref_id, by: ['alice', 'bob'], adoptedAt: 1 };
    const claims = { family: 'antminer-stock', 'config.power_limit_w': 3400 };
    const adoption = { order, replaces: undefined, entries: [{ device: 'rig-1', claims, absent: [] }], settles: [] };
    recording.recorder.takeAdoption({ ...adoption, breakGlass: undefined }, ['rig-1']);
  };
  adoptNow('from-before', 'example.org/tx1-gw3/1');
  adoptNow('from-here', here.log);
  changes.withdraw('from-here', 'alice', EMERGENCY);
  const { reference } = recording.state('rig-1');
  assert.deepEqual(
    reference?.entries.map(({ approval }) => approval),
    ['none'],
  );
});

test('a signed attestation holds nothing at a device that left and is back, until its document is adopted again', async (t) => {
  const recording = await learned(t, ['rig-1', 'rig-2']);
  const changes = recording.changes(people);
  const entries = [recording.attestation('rig-1'), recording.attestation('rig-2')];
  const terms = { kind: 'reference', ref_id: 'rigs', version: 1, entries } as const;
  const document = people.sign(terms, 'alice', 'bob');
  const { seq: first } = changes.adopt(signed(document));
  for (const rig of ['rig-1', 'rig-2']) recording.leaves(rig);
  assert.deepEqual(
    [changes.adopt(signed(document)).already, changes.adopt(signed(document)).left],
    [true, ['rig-1', 'rig-2']],
  );
  await recording.returns('rig-1', {});
  assert.deepEqual(approvalsOf(recording), ['none']);
  const delivered = changes.adopt({ kind: 'signed', delivered: true, ...document });
  assert.deepEqual([delivered.already, delivered.seq], [true, first], 'what a topic keeps is no word of a person');

  const { already, again, left, seq } = changes.adopt(signed(document));
  assert.deepEqual({ already, again, left }, { already: false, again: ['rig-1'], left: ['rig-2'] });
  assert.deepEqual(
    changes.all().map((order) => order.seq),
    [seq],
    'once, by its new entry',
  );
  assert.deepEqual(approvalsOf(recording), ['signed']);
  await recording.looks('rig-1', 1, {});
  const last = recording.said().at(-1);
  assert.ok(last?.kind === 'attestation');
  assert.deepEqual(last.reference, { approval: 'signed', seqs: [seq] });
  changes.resume();
  assert.deepEqual([changes.adopt(signed(document)).already, changes.all().length], [true, 1], 'it was not ended');
  await recording.looks('rig-1', 2, STRONGER);
  assert.deepEqual(recording.openFindings(), ['config.performance-changed rig-1']);
  assert.deepEqual(recording.objections(people.keys), []);
});

test('another machine under the name is held against what was signed, once the document is adopted again', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const terms = { kind: 'reference', ref_id: 'rig', version: 1, entries: [recording.attestation('rig-1')] } as const;
  const document = signed(people.sign(terms, 'alice', 'bob'));
  changes.adopt(document);
  recording.leaves('rig-1');
  recording.states.set('rig-1', newDevice({ id: 'rig-1', position: 'host', address: '10.0.0.1', labels: {} }));
  const other = {
    'identity.serial': 'SN-other',
    'identity.hashboards': ['HB-other'],
    'identity.mac': '02:00:00:00:00:77',
  };
  await recording.looks('rig-1', 2, other);
  recording.recorder.writeLearned();
  assert.deepEqual(recording.openFindings(), []);
  assert.deepEqual(
    changes.previewAdoption(document).devices.flatMap(({ differences }) => differences.map(({ fact }) => fact)),
    ['identity.serial', 'identity.mac', 'identity.hashboards'],
  );
  changes.adopt(document);
  await recording.looks('rig-1', 3, other);
  assert.deepEqual(recording.openFindings(), ['identity.hardware-swapped rig-1']);
  assert.deepEqual(recording.objections(people.keys), []);
});

test('a document is not adopted again over what was signed of the same facts of its devices since', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const documentOf = (ref_id: string, facts?: string[]) => {
    const entries = [{ ...recording.attestation('rig-1'), ...(facts === undefined ? {} : { facts }) }];
    return signed(people.sign({ kind: 'reference', ref_id, version: 1, entries } as const, 'alice', 'bob'));
  };
  const all = documentOf('all');
  const power = documentOf('power', ['config.power_limit_w']);
  const pools = documentOf('pools', ['pools']);
  for (const document of [all, power, pools]) changes.adopt(document);
  const values = { ...limit(3500), ref_id: 'rig-1-power', scope: { devices: ['rig-1'] } };
  changes.adopt(signed(people.sign(values, 'alice', 'bob')));
  recording.leaves('rig-1');
  await recording.returns('rig-1', {});
  assert.deepEqual(
    [all, power].map((document) => refusal(() => changes.adopt(document))),
    ['terms.overtaken', 'terms.overtaken'],
  );
  assert.deepEqual(changes.adopt(pools).again, ['rig-1']);
  assert.deepEqual(recording.objections(people.keys), []);
});

test('what a device that is back does not show as before is in no entry, and that is told; all else is learned', async (t) => {
  const recording = await learned(t);
  recording.leaves('rig-1');
  await recording.returns('rig-1', STRONGER, 2);
  const facts = recording.changes(people).approved('rig-1');
  const told = ['config.mode', 'config.power_limit_w'];
  assert.deepEqual(
    [facts.filter(({ carried }) => carried), facts.filter(({ seq }) => seq === undefined)].map((those) =>
      those.map(({ fact }) => fact),
    ),
    [told, told],
  );
});

test('withdrawn, a device that left and is back falls back on what was said of it since, and on nothing from before', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(people);
  const accept = () => recording.recorder.takeAcceptance([recording.state('rig-1')], { by: 'alice' });
  accept();
  recording.leaves('rig-1');
  await recording.returns('rig-1', {});
  accept();
  const [{ seq } = { seq: -1 }] = recording.state('rig-1').reference?.entries ?? [];
  changes.withdraw(String(seq), 'alice', EMERGENCY);
  assert.deepEqual(approvalsOf(recording), ['none']);
  await recording.looks('rig-1', 2, {});
  assert.deepEqual(recording.objections(people.keys), []);
});

/** Who stands behind the entries that hold facts of the first device. */
const approvalsOf = (recording: Recording): readonly string[] =>
  recording.state('rig-1').reference?.entries.map(({ approval }) => approval) ?? [];
