import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { wantsMorePeople } from '../../agent/appraise/accept.ts';
import { approvedFactsOf } from '../../agent/appraise/origin.ts';
import { storeLost } from '../../agent/appraise/rules/evidence-agent-gap.ts';
import { factsToApprove } from '../../agent/appraise/who-approves.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import { NOTHING_STANDING } from '../../agent/baseline/standing.ts';
import { differencesInForce } from '../../agent/desk/differences.ts';
import { loadKey } from '../../agent/platform/keys.ts';
import type { FactName, Facts } from '../../shared/facts.ts';
import { formatSignedTerms } from '../../shared/signed-terms.ts';
import { pools } from '../appraise/watch.ts';
import { admission, People, poolUser, summerPlan } from './approvers.ts';
import { deskOf } from './desk.ts';
import { learned, Recording, refusal } from './recording.ts';

/** One person at the gateway, where approvers are named: what ends an alarm goes neither round them nor unsaid. */

const two = new People('alice', 'bob');
const one = new People('alice');
const EMERGENCY = { by: 'mallory', note: 'nobody is reachable' };
const THEFT = pools({ user: 'thief.x1' });

/** The number of the entry that the reference of a device rests on. */
const entryOf = (recording: Recording): string => String(recording.state('rig-1').reference?.entries[0]?.seq);

const accept = (
  recording: Recording,
  facts?: readonly FactName[],
  people = 2,
  { device = 'rig-1', breakGlass = false, note = 'none' } = {},
) => {
  const { attested } = recording.state(device);
  const seen = [attested?.seq ?? -1];
  const request = { devices: [device], seen, by: 'mallory', break_glass: breakGlass, note, ...(facts && { facts }) };
  return deskOf(recording, () => people).accept(request);
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
  assert.throws(() => changes.withdraw(entryOf(recording), 'mallory'), {
    code: 'baseline.two-approvers',
    message: /^entry \d+ is not withdrawn without a signature: /,
    remedy: /^have the approver of this gateway sign what shall hold instead, and adopt that: /,
  });
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
  // That alice was taken out, and that she is back, are two, though of the same second.
  assert.deepEqual(recording.openFindings().toSorted(), [
    'change.break-glass undefined',
    'change.break-glass undefined',
    'pool.user-changed rig-1',
  ]);
  assert.equal(recording.approvals().people, 1, 'and is remembered at once');
  assert.deepEqual(recording.objections(one.keys), []);
});

test('a finding that no acceptance covers stands in the way of the whole device, too: it is waived, and then the device is accepted', async (t) => {
  const recording = await learned(t);
  const open = { 'access.api_write': true };
  await recording.looks('rig-1', 3, open);
  const [track] = recording.state('rig-1').tracks;
  assert.equal(track?.finding.ruleId, 'remote-control.api-write-open');
  const number = track.finding.openedSeq;
  const remedy = accept(recording, undefined, 0).refused[0]?.remedy ?? '';
  assert.match(remedy, new RegExp(`waived for a while \\(assayer findings show ${number} has`));
  assert.doesNotMatch(remedy, /accept the whole device/);
  assert.match(accept(recording, ['config.mode'], 0).refused[0]?.remedy ?? '', /findings show/);
  const waiver = { ...waiverOf(Math.floor(recording.clock.wall / 1000)), ids: ['remote-control.api-write-open'] };
  recording.changes(two).adopt({ kind: 'signed', ...two.sign(waiver as never, 'alice', 'bob') });
  await recording.looks('rig-1', 1, open);
  assert.deepEqual(
    recording.state('rig-1').tracks.map(({ finding }) => finding.state),
    ['waived'],
  );
  assert.deepEqual(accept(recording).accepted, ['rig-1']);
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
  recording.changes(two).adopt({ kind: 'signed', ...two.sign(plain as never, 'alice') });
  recording.changes(two).adopt({ kind: 'signed', ...two.sign(hush as never, 'alice', 'bob') });
});

test('that less is seen of devices is not waived by one person: nothing would be found of what lies behind', async (t) => {
  const recording = await learned(t);
  const now = Math.floor(recording.clock.wall / 1000);
  const quiet = (ids: readonly string[], scope: object = {}) => ({ ...waiverOf(now), ids, scope });
  const blind = [
    quiet(['visibility.coverage-reduced']),
    quiet(['visibility.coverage-reduced'], { devices: ['rig-1'] }),
    quiet(['visibility.*']),
    quiet(['visibility.device-dark']),
    { ...planOf(now, ['visibility.coverage-reduced']), plan_id: 'blind' },
  ];
  for (const [people, code] of [
    [two, 'terms.two-approvers'],
    [one, 'terms.unsigned'],
  ] as const)
    for (const terms of blind)
      assert.equal(
        refusal(() => recording.changes(people).adopt({ kind: 'local', terms, by: 'mallory' })),
        code,
        JSON.stringify(terms),
      );
  const repair = {
    ...planOf(now, ['visibility.device-dark', 'identity.device-missing']),
    plan_id: 'repair',
    expected_after: [{ fact: 'identity.model', class: 'exact', value: 'Antminer S21' }],
  };
  recording.changes(two).adopt({ kind: 'signed', ...two.sign(repair as never, 'alice') });
  recording.changes(two).adopt({ kind: 'signed', ...two.sign(blind[0] as never, 'alice', 'bob') });
});

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const BOARDS = { fact: 'identity.hashboards', class: 'volatile' } as const;
const SILENT = ['visibility.device-dark', 'identity.device-missing', 'identity.hashboard-changed'];

/** A plan that says which facts are what, for so long. */
const longPlan = (now: number, id: string, ids: readonly string[], expected: readonly object[], lastsS: number) => ({
  ...planOf(now, ids),
  plan_id: id,
  expected_after: expected,
  not_after_at: now + lastsS,
});

test('a plan ends within 90 days from when it is taken, whoever signed it', async (t) => {
  for (const people of [new People(), one, two]) {
    const recording = await learned(t);
    const now = Math.floor(recording.clock.wall / 1000);
    const limit = [{ fact: 'config.power_limit_w', class: 'exact', value: 3400 }];
    const plan = (id: string, days: number) =>
      longPlan(now, id, ['config.performance-changed'], limit, days * DAY_S) as never;
    const names = [...people.names.values()];
    const hand = (terms: never) =>
      recording
        .changes(people)
        .adopt(
          names.length === 0
            ? { kind: 'local', terms, by: 'carol' }
            : { kind: 'signed', ...people.sign(terms, ...names) },
        );
    assert.throws(() => hand(plan('for-ever', 25_567)), { code: 'terms.over', message: /a plan ends within 90 days/ });
    assert.throws(() => hand(plan('longer', 91)), { code: 'terms.over' });
    hand(plan('season', 90));
  }
});

test('where nobody signs a plan keeps quiet for four hours at most what it says nothing of', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(new People());
  const now = Math.floor(recording.clock.wall / 1000);
  const hand = (id: string, ids: readonly string[], expected: readonly object[], lastsS: number) =>
    changes.adopt({ kind: 'local', terms: longPlan(now, id, ids, expected, lastsS), by: 'carol' });
  const model = { fact: 'identity.model', class: 'exact', value: 'Antminer S21' };
  const boards = { fact: 'identity.hashboards', class: 'exact', value: ['B1', 'B2', 'B3'] };
  const limit = { fact: 'config.power_limit_w', class: 'band', value: { min: 0, max: 9000 } };
  const open: readonly (readonly [ids: readonly string[], expected: readonly object[], named: RegExp])[] = [
    [['identity.hashboard-changed'], [BOARDS], /identity\.hashboard-changed/],
    [['identity.hashboard-changed'], [BOARDS, boards], /identity\.hashboard-changed/],
    [['identity.hashboard-changed'], [BOARDS, model, limit], /identity\.hashboard-changed/],
    [['runtime.stopped-unexpectedly'], [BOARDS], /runtime\.stopped-unexpectedly/],
    // What shows nothing is as no plan says it.
    [['visibility.device-dark'], [model], /visibility\.device-dark/],
    [['identity.device-missing'], [model, boards], /identity\.device-missing/],
    [['visibility.changed-while-dark'], [limit], /visibility\.changed-while-dark/],
  ];
  for (const [ids, expected, named] of open)
    assert.throws(() => hand('open', ids, expected, 4 * HOUR_S + 1), { code: 'terms.open', message: named });
  hand('afternoon', SILENT, [BOARDS], 4 * HOUR_S);
  hand('known-boards', ['identity.hashboard-changed', 'visibility.changed-while-dark'], [boards], 5 * DAY_S);
  hand('power', ['config.performance-changed', 'runtime.stopped-unexpectedly'], [limit], 30 * DAY_S);
});

test('where approvers are named no unsigned plan makes a device dark, missing or another one in peace; days of repair all of them sign', async (t) => {
  const recording = await learned(t);
  const now = Math.floor(recording.clock.wall / 1000);
  const repair = (id: string, lastsS: number) => longPlan(now, id, SILENT, [BOARDS], lastsS);
  for (const [people, code] of [
    [two, 'terms.two-approvers'],
    [one, 'terms.unsigned'],
  ] as const) {
    const changes = recording.changes(people);
    const refuses = (terms: object) => refusal(() => changes.adopt({ kind: 'local', terms, by: 'mallory' }));
    assert.equal(refuses(repair('repair', 4 * DAY_S)), code);
    for (const id of SILENT) assert.equal(refuses({ ...repair('short', HOUR_S), ids: [id] }), 'terms.unsigned');
  }
  const changes = recording.changes(two);
  const alone = { kind: 'signed', ...two.sign(repair('repair', 4 * DAY_S) as never, 'alice') } as const;
  assert.throws(() => changes.adopt(alone), { code: 'terms.two-approvers', message: /and one did$/ });
  changes.adopt({ kind: 'signed', ...two.sign(repair('an-hour', HOUR_S) as never, 'alice') });
  changes.adopt({ kind: 'signed', ...two.sign(repair('repair', 4 * DAY_S) as never, 'alice', 'bob') });
  recording.changes(one).adopt({ kind: 'signed', ...one.sign(repair('by-one', 4 * DAY_S) as never, 'alice') });
  await recording.looks('rig-1', 6, undefined);
  assert.deepEqual(
    recording.state('rig-1').tracks.map(({ finding }) => [finding.ruleId, finding.severity]),
    [['visibility.device-dark', 'info']],
  );
  changes.adopt({ kind: 'local', terms: repair('night', DAY_S), by: 'mallory', breakGlass: EMERGENCY });
  assert.ok(recording.openFindings().includes('change.break-glass undefined'));
});

test('no unsigned plan allows another value of what a signed reference holds, and one person none of what two signed', async (t) => {
  const recording = await learned(t, ['rig-1', 'rig-2']);
  const changes = recording.changes(two);
  const now = Math.floor(recording.clock.wall / 1000);
  const limit = { fact: 'config.power_limit_w', class: 'exact', value: 3250 } as const;
  const held = (id: string, device: string) =>
    ({ kind: 'reference', ref_id: id, version: 1, scope: { devices: [device] }, values: [limit] }) as const;
  const plan = (id: string, change: object = {}) => ({ ...summerPlan(now), plan_id: id, ...change });
  const local = (terms: object) => changes.adopt({ kind: 'local', terms, by: 'mallory' });
  changes.adopt({ kind: 'signed', ...two.sign(held('second', 'rig-2'), 'alice') });
  local(plan('first', { scope: { devices: ['rig-1'] } }));
  const refused = {
    code: 'terms.unsigned',
    message: /config\.power_limit_w than reference second, which an approver signed/,
  };
  assert.throws(() => local(plan('all')), refused);
  assert.throws(() => local(plan('label', { scope: { labels: { site: 'elsewhere' } } })), refused);
  const { expected_after: _, ...blanket } = plan('anything');
  assert.throws(() => local(blanket), refused);
  local(plan('mode', { expected_after: [{ fact: 'config.mode', class: 'exact', value: 'eco' }] }));
  changes.adopt({ kind: 'signed', ...two.sign(plan('by-one') as never, 'alice') });

  changes.adopt({ kind: 'signed', ...two.sign(held('first', 'rig-1'), 'alice', 'bob') });
  const signed = (id: string, ...by: readonly string[]) =>
    ({ kind: 'signed', ...two.sign(plan(id) as never, ...by) }) as const;
  assert.throws(() => changes.adopt(signed('by-alice', 'alice')), {
    code: 'terms.two-approvers',
    message: /than reference first, which two people approved, and one did$/,
  });
  changes.adopt(signed('by-both', 'alice', 'bob'));
});

test('no reference of one person takes the place of what two signed, under whatever name and however close', async (t) => {
  const changes = (await learned(t, ['rig-1', 'rig-2'])).changes(two);
  const reference = (id: string, devices: readonly string[] | undefined, fact: string) => ({
    kind: 'reference',
    ref_id: id,
    version: 1,
    ...(devices === undefined ? {} : { scope: { devices } }),
    values: [{ fact, class: 'band', value: { min: 3000, max: 4000 } }],
  });
  const adopt = (terms: object, ...by: readonly string[]) =>
    changes.adopt({ kind: 'signed', ...two.sign(terms as never, ...by) });
  const limit = 'config.power_limit_w';
  adopt(reference('ours', ['rig-1'], limit), 'alice', 'bob');
  const refused = {
    code: 'terms.two-approvers',
    message: 'it holds config.power_limit_w in the place of reference ours, which two people approved, and one did',
  };
  assert.throws(() => adopt(reference('as-close', ['rig-1', 'rig-2'], limit), 'alice'), refused);
  adopt(reference('as-close', ['rig-1', 'rig-2'], limit), 'alice', 'bob');
  adopt(reference('elsewhere', ['rig-3'], limit), 'alice');
  adopt(reference('another-fact', ['rig-1'], 'config.freq_mhz'), 'alice');
  // It leaves rig-1 to what names it: where that says nothing, this holds.
  adopt(reference('site', undefined, limit), 'alice');
  adopt(reference('two-of-site', undefined, 'config.voltage_mv'), 'alice', 'bob');
  assert.throws(() => adopt(reference('nearer', ['rig-2'], 'config.voltage_mv'), 'alice'), {
    code: 'terms.two-approvers',
  });
});

test('what ended, or is for other models, is in the way of nobody', async (t) => {
  const recording = await learned(t, ['rig-1']);
  const changes = recording.changes(two);
  const now = Math.floor(recording.clock.wall / 1000);
  const reference = (id: string, scope: object, item: object = {}) => ({
    kind: 'reference',
    ref_id: id,
    version: 1,
    scope,
    values: [{ fact: 'config.mode', class: 'exact', value: 'eco', ...item }],
  });
  const adopt = (terms: object, ...by: readonly string[]) =>
    changes.adopt({ kind: 'signed', ...two.sign(terms as never, ...by) });
  adopt(reference('for-a-while', { devices: ['rig-1'] }, { until_at: now + 60 }), 'alice', 'bob');
  adopt(reference('of-model', { models: ['M50S'] }), 'alice', 'bob');
  adopt(reference('of-other-model', { models: ['Gamma'] }), 'alice');
  const preset = { fact: 'config.preset' };
  adopt(reference('of-family', { firmware: ['whatsminer 1', 'avalon'] }, preset), 'alice', 'bob');
  adopt(reference('of-other-family', { firmware: ['axeos'] }, preset), 'alice');
  assert.throws(() => adopt(reference('of-version', { firmware: ['whatsminer 2'] }, preset), 'alice'), {
    code: 'terms.two-approvers',
  });
  const other = { ...reference('again', { devices: ['rig-1'] }), scope: { devices: ['rig-1'], models: ['Gamma'] } };
  assert.throws(() => adopt(other, 'alice'), { code: 'terms.two-approvers' });
  recording.clock.wall += 61_000;
  adopt({ ...other, iat: now }, 'alice');
});

test('what approvers signed of a device by its name one person accepts no other value of, and baseline show says which holds', async (t) => {
  const recording = await learned(t, ['rig-1']);
  const changes = recording.changes(two);
  await recording.looks('rig-1', 2, { 'config.power_limit_w': 3250 });
  const entry = { ...recording.attestation('rig-1'), facts: ['config.power_limit_w'] };
  const terms = { kind: 'reference', ref_id: 'limit', version: 1, entries: [entry] };
  changes.adopt({ kind: 'signed', ...two.sign(terms as never, 'alice', 'bob') });
  const group = {
    kind: 'reference',
    ref_id: 'group',
    version: 1,
    values: [{ fact: 'config.power_limit_w', class: 'exact', value: 9999 }],
  };
  changes.adopt({ kind: 'signed', ...two.sign(group as never, 'bob') });
  const { standing } = recording.orders;
  const shown = approvedFactsOf(recording.state('rig-1'), recording.orders.all(), standing, recording.clock.wall);
  const limit = shown.filter(({ fact }) => fact === 'config.power_limit_w');
  assert.deepEqual(
    limit.map(({ value, layer, approval }) => [value, layer, approval]),
    [[3250, 'device', 'signed']],
  );
  await recording.looks('rig-1', 4, { 'config.power_limit_w': 2000 });
  const [track] = recording.state('rig-1').tracks;
  assert.ok(track);
  for (const facts of [undefined, factsToApprove(track.finding)])
    assert.match(JSON.stringify(accept(recording, facts)), /the signed reference limit holds config\.power_limit_w/);
});

test('nor of what a device showed when approvers signed that', async (t) => {
  const recording = await learned(t, ['rig-1', 'rig-2']);
  await recording.looks('rig-1', 2, { 'config.power_limit_w': 3250 });
  const changes = recording.changes(two);
  const now = Math.floor(recording.clock.wall / 1000);
  const terms = { kind: 'reference', ref_id: 'rig', version: 1, entries: [recording.attestation('rig-1')] };
  changes.adopt({ kind: 'signed', ...two.sign(terms as never, 'alice', 'bob') });
  const plan = (device: string) => ({ ...summerPlan(now), plan_id: device, scope: { devices: [device] } });
  assert.throws(() => changes.adopt({ kind: 'local', terms: plan('rig-1'), by: 'mallory' }), {
    code: 'terms.two-approvers',
    message: /than reference rig, which two people approved, and nobody signed it$/,
  });
  changes.adopt({ kind: 'local', terms: plan('rig-2'), by: 'carol' });
});

test('a refusal says how many signed, and names the verbs that sign such a document', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(two);
  const now = Math.floor(recording.clock.wall / 1000);
  const refusals: readonly (readonly [handed: Parameters<typeof changes.adopt>[0], message: RegExp, remedy: RegExp])[] =
    [
      [
        { kind: 'local', terms: waiverOf(now), by: 'carol' },
        /nobody signed it$/,
        /^have two approvers.*waiver create.*waiver sign.*waiver adopt/,
      ],
      [
        { kind: 'signed', ...two.sign(waiverOf(now) as never, 'alice') },
        /one did$/,
        /^have another approver.*assayer waiver sign/,
      ],
      [
        { kind: 'local', terms: planOf(now, ['pool.user-changed']), by: 'carol' },
        /nobody signed it$/,
        /^have two approvers.*plan create.*plan sign/,
      ],
      [
        { kind: 'signed', ...two.sign(poolUser('acme.1'), 'alice') },
        /one did$/,
        /^have another approver.*assayer baseline sign/,
      ],
    ];
  for (const [handed, message, remedy] of refusals)
    assert.throws(() => changes.adopt(handed), { code: 'terms.two-approvers', message, remedy });
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

test('a known machine in the place of another one is shown with the pools of that one, and taken by those who take a new one', async (t) => {
  const taken = async () => {
    const recording = new Recording(t, ['rig-1', 'rig-2']);
    await recording.looks('rig-2', 2, {});
    await recording.looks('rig-1', 2, THEFT);
    const known = keptFacts(recording.state('rig-2').attested?.facts).pools ?? [];
    const sinceMs = recording.clock.wall;
    recording.states.set('rig-1', {
      ...recording.state('rig-1'),
      replaces: { device: 'rig-2', pools: known, sinceMs },
    });
    recording.changes(two).resume();
    recording.driven = 'nowhere';
    await recording.looks('rig-1', 3, THEFT);
    assert.deepEqual(recording.openFindings(), ['identity.new-device rig-1']);
    return recording;
  };
  const recording = await taken();
  const { fleet, preview: previewed } = deskOf(recording);
  const accounts = (shown: unknown) => (shown as readonly { readonly user: string }[]).map(({ user }) => user);
  for (const [preview] of [
    previewed({ devices: ['rig-1'] }),
    differencesInForce(fleet, ['rig-1'], {
      standing: NOTHING_STANDING,
      nowMs: recording.clock.wall,
      store: recording.store,
    }),
  ]) {
    const [pool, ...others] = preview?.differences ?? [];
    assert.deepEqual([pool?.fact, others], ['pools', []]);
    assert.notDeepEqual(accounts(pool?.before), accounts(pool?.after));
  }
  assert.deepEqual(accept(recording).accepted, []);
  const terms = { kind: 'reference', ref_id: 'late', version: 1, entries: [recording.attestation('rig-1')] };
  const signed = two.sign(terms as never, 'alice', 'bob');
  assert.equal(
    refusal(() => recording.changes(two).adopt({ kind: 'signed', ...signed })),
    'terms.unplanned',
  );
  recording.changes(two).adopt({ kind: 'signed', ...signed, breakGlass: EMERGENCY });
  await recording.looks('rig-1', 4, THEFT);
  assert.deepEqual(recording.openFindings(), ['change.break-glass undefined']);

  const free = await taken();
  assert.deepEqual(accept(free, undefined, 0).accepted, ['rig-1']);
  await free.looks('rig-1', 4, THEFT);
  assert.deepEqual(free.openFindings(), []);
});

test('another worker of the same account two approvers approve afterwards, by values or by what the device shows; another account nobody does', async (t) => {
  const other = pools({ user: 'acme.axe13' });
  const users = (...value: readonly string[]) =>
    ({ ...poolUser('none'), values: [{ fact: 'pools.user', class: 'set', value }] }) as never;
  const values = users('acme.rig0417', 'acme.axe13');
  const changed = async (shown: Facts) => {
    const recording = new Recording(t, ['rig-1', 'rig-2']);
    await recording.learnAll();
    recording.changes(two).resume();
    await recording.looks('rig-1', 2, shown);
    return recording;
  };
  for (const how of ['values', 'entries'] as const) {
    const recording = await changed(other);
    assert.deepEqual(recording.openFindings(), ['pool.user-changed rig-1']);
    assert.equal(recording.state('rig-1').tracks[0]?.finding.reasons?.[0], 'worker');
    assert.match(accept(recording).refused[0]?.remedy ?? '', /baseline export rig-1.*have two approvers sign it/);
    const changes = recording.changes(two);
    const named = { entries: [{ ...recording.attestation('rig-1'), facts: ['pools'] }] };
    const terms = how === 'values' ? values : { kind: 'reference', ref_id: 'late', version: 1, ...named };
    const handed = (...by: readonly string[]) => ({ kind: 'signed', ...two.sign(terms as never, ...by) }) as const;
    assert.equal(
      refusal(() => changes.adopt(handed('alice'))),
      'terms.two-approvers',
    );
    changes.adopt(handed('alice', 'bob'));
    assert.deepEqual(recording.openFindings(), [], how);
    await recording.looks('rig-1', 4, other);
    assert.deepEqual(recording.openFindings(), [], how);
    assert.deepEqual(recording.objections(two.keys), []);
  }
  const theft = await changed(pools({ user: 'thief.axe13' }));
  assert.equal(
    refusal(() =>
      theft.changes(two).adopt({ kind: 'signed', ...two.sign(users('acme.rig0417', 'thief.axe13'), 'alice', 'bob') }),
    ),
    'terms.unplanned',
  );
});

/** What a device looks like that keeps its counters where they are, so that its pools count as not read. */
const freezes = async (recording: Recording, shown: Facts): Promise<void> => {
  for (let polls = 0; polls < 8; polls += 1) {
    recording.clock.pass(60_000);
    await recording.looks('rig-1', 1, { ...shown, 'telemetry.elapsed_s': 90_000 });
  }
  assert.ok(recording.state('rig-1').attested?.missing?.includes('pools'));
};

const usersOf = (...items: readonly object[]) =>
  ({
    kind: 'reference',
    ref_id: 'users',
    version: 1,
    scope: { devices: ['rig-1'] },
    values: items.map((item) => ({ fact: 'pools.user', ...item })),
  }) as never;

test('an account that changed is not approved afterwards while its pools count as not read, nor by what a schedule allows later', async (t) => {
  const exact = { class: 'set', value: ['acme.rig0417', 'thief.x1'] };
  const slots = (value: string) => [{ from: '00:00', to: '00:01', value }];
  const later = (value: object) => ({ class: 'schedule', value: { zone: 'UTC', ...value } });
  for (const [item, isFrozen] of [
    [exact, false],
    [exact, true],
    [later({ slots: slots('thief.x1'), otherwise: 'acme.rig0417' }), false],
    [later({ slots: slots('acme.rig0417') }), false],
  ] as const) {
    const recording = await learned(t);
    const changes = recording.changes(two);
    changes.resume();
    await recording.looks('rig-1', 2, THEFT);
    if (isFrozen) await freezes(recording, THEFT);
    assert.ok(recording.openFindings().includes('pool.user-changed rig-1'));
    const signed = two.sign(usersOf(item), 'alice', 'bob');
    assert.equal(
      refusal(() => changes.adopt({ kind: 'signed', ...signed })),
      'terms.unplanned',
    );
    changes.adopt({ kind: 'signed', ...signed, breakGlass: EMERGENCY });
    assert.ok(recording.openFindings().includes('change.break-glass undefined'));
  }
});

test('what holds a theft is not withdrawn by one person while the pools count as not read', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(one);
  changes.resume();
  changes.adopt({ kind: 'signed', ...one.sign(usersOf({ class: 'template', value: 'other.*' }), 'alice') });
  await recording.looks('rig-1', 2, {});
  await freezes(recording, {});
  assert.ok(recording.openFindings().includes('pool.user-changed rig-1'));
  assert.equal(
    refusal(() => changes.withdraw('users', 'mallory')),
    'baseline.two-approvers',
  );
});

test('an exchanged machine at the pool of somebody else two approvers approve, as they do another pool; one that differs since they signed is not what they signed', async (t) => {
  const recording = await exchanged(t, ELSEWHERE);
  assert.deepEqual(recording.state('rig-1').tracks[0]?.finding.reasons, ['other-pool']);
  assert.match(accept(recording).refused[0]?.remedy ?? '', /baseline export rig-1, have two approvers sign it/);
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

/** The last finding of the log. */
const lastFinding = (recording: Recording) => {
  const told = recording.said().findLast(({ kind }) => kind === 'finding');
  assert.ok(told?.kind === 'finding');
  const { id, severity, state, after, reasons } = told.finding;
  return { id, severity, state, after, reasons };
};

const three = new People('alice', 'bob', 'carol');
const kidOf = (name: string): string => three.signer(name).kid;
const signedBy = (terms: Parameters<People['sign']>[0], ...by: readonly string[]) =>
  ({ kind: 'signed', ...three.sign(terms, ...by) }) as const;

test('the first approvers are taken as they are, and the log says who they are, with the ids of their keys', async (t) => {
  const recording = await learned(t);
  recording.changes(three.among('alice', 'bob')).resume();
  assert.deepEqual(lastFinding(recording), {
    id: 'change.break-glass',
    severity: 'info',
    state: 'resolved',
    after: { named: `alice ${kidOf('alice')}, bob ${kidOf('bob')}` },
    reasons: ['approvers-named'],
  });
  const { length } = recording.said();
  recording.changes(three.among('alice', 'bob')).resume();
  assert.equal(recording.said().length, length, 'once');
  assert.deepEqual(recording.openFindings(), []);
});

test('one approver makes no two of himself: a key that is added is told, and signs nothing until those before have admitted it', async (t) => {
  const recording = await learned(t);
  recording.changes(three.among('alice', 'bob')).resume();
  const changes = recording.changes(three);
  changes.heedApprovers();
  assert.deepEqual(lastFinding(recording), {
    id: 'change.break-glass',
    severity: 'high',
    state: 'open',
    after: { added: `carol ${kidOf('carol')}` },
    reasons: ['approvers-added'],
  });
  assert.deepEqual(changes.waiting(), [{ name: 'carol', kid: kidOf('carol') }]);
  assert.equal(recording.events.at(-1)?.event, 'approvers.waiting');

  const refuses = (handed: Parameters<typeof changes.adopt>[0]) => refusal(() => changes.adopt(handed));
  assert.equal(refuses(signedBy(poolUser('thief.x1'), 'alice', 'carol')), 'terms.signature');
  // Nor does it admit itself, or with the help of one.
  assert.equal(refuses(signedBy(admission(three, 'carol'), 'alice', 'carol')), 'terms.signature');
  assert.equal(refuses(signedBy(admission(three, 'carol'), 'carol')), 'terms.signature');
  assert.equal(refuses(signedBy(admission(three, 'carol'), 'alice')), 'terms.two-approvers');
  assert.deepEqual(changes.all(), []);
  recording.changes(three).resume();
  assert.equal(recording.changes(three).waiting().length, 1, 'nor by a restart');

  changes.takeDelivered(
    Buffer.from(JSON.stringify(three.sign(admission(three, 'carol'), 'alice', 'bob'))),
    'approver-1',
  );
  assert.deepEqual(changes.waiting(), []);
  assert.equal(recording.approvals().counts(kidOf('carol')), true, 'and is remembered at once');
  changes.adopt(signedBy(poolUser('acme.x1'), 'bob', 'carol'));
  assert.equal(changes.all().length, 2);
  assert.deepEqual(recording.openFindings(), ['change.break-glass undefined']);
  assert.deepEqual(recording.objections(three.keys), []);
});

test('a key that lies on the gateway is admitted by no document, by hand or on its topic, nor one key under two names', async (t) => {
  const recording = await learned(t);
  const changes = recording.changes(three);
  changes.resume();
  const { kid } = loadKey(recording.dir);
  const admitting = (...admits: readonly { readonly name: string; readonly kid: string }[]) =>
    signedBy({ kind: 'reference', ref_id: 'approver-1', version: 1, admits }, 'alice', 'bob');
  const dave = { name: 'dave', kid: 'A'.repeat(43) };
  for (const admits of [[{ name: 'gate', kid }], [dave, { name: 'gate', kid }], [dave, { ...dave, name: 'erin' }]])
    assert.equal(
      refusal(() => changes.adopt(admitting(...admits))),
      'terms.admission',
    );
  const { doc, sigs } = admitting({ name: 'gate', kid });
  changes.takeDelivered(Buffer.from(JSON.stringify({ doc, sigs })), 'approver-1');
  const { event, message, remedy } = { message: '', remedy: '', ...recording.events.at(-1) };
  assert.equal(event, 'terms.refused');
  assert.match(
    `${message}: ${remedy}`,
    /^the key of gate is that of this gateway itself: .*assayer keys new --role approver/,
  );
  assert.deepEqual([changes.all(), recording.approvals().isExpected(kid)], [[], false]);
  changes.adopt(admitting(dave));
  assert.equal(changes.all().length, 1);
});

test('what was delivered with the signature of a key that waits is judged again once it is admitted', async (t) => {
  const recording = await learned(t);
  recording.changes(three.among('alice', 'bob')).resume();
  const changes = recording.changes(three);
  changes.heedApprovers();
  const retained = Buffer.from(JSON.stringify(three.sign(poolUser('acme.x1'), 'alice', 'carol')));
  changes.takeDelivered(retained, 'site-pools');
  assert.equal(recording.events.at(-1)?.event, 'terms.refused');
  changes.adopt(signedBy(admission(three, 'carol'), 'alice', 'bob'));
  assert.equal(changes.all().length, 2, 'which its topic hands over again only to who connects anew');
  changes.takeDelivered(retained, 'site-pools');
  assert.equal(changes.all().length, 2);
});

test('what stands refused on its topic is known with its reason until it is taken, replaced or taken back, and judged again by each admission and reload', async (t) => {
  const recording = await learned(t);
  let named = three.among('alice');
  const changes = recording.changes(() => named);
  changes.resume();
  const sent = (terms: Parameters<typeof three.sign>[0], ...by: readonly string[]): Buffer =>
    Buffer.from(formatSignedTerms(three.sign(terms, ...by)));
  const refusals = () => recording.events.filter(({ event }) => event === 'terms.refused').length;
  const stand = () => changes.refused().map(({ name, kind, id }) => `${name} ${kind} ${id}`);
  const site = sent(poolUser('acme.x1'), 'alice', 'bob');
  changes.takeDelivered(site, 'site-pools');
  changes.takeDelivered(Buffer.from('{"doc":1}'), 'scrap');
  changes.takeDelivered(sent({ ...poolUser('acme.x1'), ref_id: 'other' }, 'alice'), 'misplaced');
  assert.deepEqual(stand(), [
    'site-pools reference site-pools',
    'scrap undefined undefined',
    'misplaced reference other',
  ]);
  const [first, , misplaced] = changes.refused();
  assert.match(`${first?.message}: ${first?.remedy}`, /^E_KEY_UNKNOWN .*: have it signed by approvers who count here/);
  assert.equal(first?.refused_at, Math.floor(recording.clock.wall / 1000));
  assert.match(`${misplaced?.message}`, /it came on ref\/misplaced/);
  const told = refusals();
  recording.clock.pass(60_000);
  changes.heedApprovers();
  assert.deepEqual([refusals(), changes.refused()[0]?.refused_at], [told, first?.refused_at], 'told once, since then');
  changes.takeDelivered(Buffer.alloc(0), 'scrap');
  assert.equal(changes.refused().length, 2);

  // The configuration is read again, and names bob; whom alice admits.
  named = three.among('alice', 'bob');
  changes.heedApprovers();
  assert.equal(changes.refused().length, 2, 'bob waits');
  changes.takeDelivered(sent({ ...admission(three, 'bob'), ref_id: 'approver-1' }, 'alice'), 'approver-1');
  assert.deepEqual([changes.all().length, stand()], [2, ['misplaced reference other']]);

  const carol = sent({ ...poolUser('acme.x2'), ref_id: 'by-carol' }, 'alice', 'carol');
  changes.takeDelivered(carol, 'by-carol');
  changes.adopt(signedBy({ ...admission(three, 'carol'), ref_id: 'approver-2' }, 'alice', 'bob'));
  assert.equal(changes.all().length, 3, 'she is not named yet');
  named = three;
  changes.heedApprovers();
  assert.deepEqual([changes.all().length, stand()], [4, ['misplaced reference other']], 'the reload takes it up');

  // A topic keeps one document: the next one stands in the place of the former, which is not judged again.
  const former = sent({ ...poolUser('acme.x3'), ref_id: 'late' }, 'alice');
  changes.takeDelivered(former, 'late');
  changes.takeDelivered(sent({ ...poolUser('acme.x4'), ref_id: 'late' }, 'alice'), 'late');
  assert.equal(changes.refused().filter(({ name }) => name === 'late').length, 1);
  // What a person hands over meanwhile stands refused no more; and what many topics have is bounded.
  const byHand = three.sign({ ...poolUser('acme.x5'), ref_id: 'by-hand' }, 'alice');
  changes.takeDelivered(Buffer.from(formatSignedTerms(byHand)), 'by-hand');
  assert.ok(stand().includes('by-hand reference by-hand'));
  changes.adopt({ kind: 'signed', ...byHand, breakGlass: EMERGENCY });
  assert.ok(!stand().includes('by-hand reference by-hand'));
  for (let at = 0; at < 200; at += 1) changes.takeDelivered(Buffer.from(`{"doc":${at}}`), `scrap-${at}`);
  assert.equal(changes.refused().length, 64);
});

test('a key that was admitted before the configuration names it counts from then on, without an alarm', async (t) => {
  const recording = await learned(t);
  const before = recording.changes(three.among('alice', 'bob'));
  before.resume();
  before.adopt(signedBy(admission(three, 'carol'), 'alice', 'bob'));
  const changes = recording.changes(three);
  changes.heedApprovers();
  assert.deepEqual([recording.openFindings(), changes.waiting()], [[], []]);
  changes.adopt(signedBy(poolUser('acme.x1'), 'alice', 'carol'));

  // Who is taken out and comes back counts, and both are told.
  recording.changes(three.among('alice', 'carol')).heedApprovers();
  assert.deepEqual(lastFinding(recording).after, { removed: 'bob' });
  recording.clock.pass(1000);
  changes.heedApprovers();
  assert.deepEqual(lastFinding(recording).after, { returned: `bob ${kidOf('bob')}` });
  assert.deepEqual(lastFinding(recording).reasons, ['approvers-returned']);
  assert.deepEqual(changes.waiting(), []);
});

test('with one approver that one admits the second; a key in place of another waits, and both are told in one finding', async (t) => {
  const recording = await learned(t);
  recording.changes(three.among('alice')).resume();
  const changes = recording.changes(three.among('alice', 'bob'));
  changes.heedApprovers();
  assert.equal(changes.people(), 1, 'a key that waits makes no second person necessary');
  assert.equal(
    refusal(() => changes.adopt(signedBy(admission(three, 'bob'), 'bob'))),
    'terms.signature',
  );
  changes.adopt(signedBy(admission(three, 'bob'), 'alice'));
  assert.equal(changes.people(), 2);
  const exchanged = recording.changes(three.among('alice', 'carol'));
  exchanged.heedApprovers();
  assert.deepEqual(lastFinding(recording), {
    id: 'change.break-glass',
    severity: 'high',
    state: 'open',
    after: { removed: 'bob', added: `carol ${kidOf('carol')}` },
    reasons: ['approvers-removed', 'approvers-added'],
  });
  // What is left of two is one, and one alone admits only with the glass broken.
  const alone = signedBy({ ...admission(three, 'carol'), ref_id: 'approver-2' }, 'alice');
  assert.equal(
    refusal(() => exchanged.adopt(alone)),
    'terms.two-approvers',
  );
  exchanged.adopt({ ...alone, breakGlass: EMERGENCY });
  assert.deepEqual([exchanged.waiting(), lastFinding(recording).reasons], [[], [EMERGENCY.note]]);
});

test('where the admission of a key is withdrawn it counts no longer; where the record of who counted is gone, that is told', async (t) => {
  const recording = await learned(t);
  recording.changes(three.among('alice', 'bob')).resume();
  const changes = recording.changes(three);
  changes.adopt(signedBy(admission(three, 'carol'), 'alice', 'bob'));
  changes.heedApprovers();
  assert.equal(
    refusal(() => changes.withdraw('approver-1', 'mallory')),
    'baseline.two-approvers',
  );
  changes.withdraw('approver-1', 'carol', EMERGENCY);
  assert.deepEqual(changes.waiting(), [{ name: 'carol', kid: kidOf('carol') }]);
  changes.heedApprovers();
  assert.deepEqual(changes.waiting(), [{ name: 'carol', kid: kidOf('carol') }]);

  const forgotten = new Recording(t, ['rig-1'], { past: { wasBegun: true } });
  forgotten.changes(three).resume();
  const { severity, state, reasons } = lastFinding(forgotten);
  assert.deepEqual([severity, state, reasons], ['high', 'open', ['approvers-named', 'record-lost']]);
});

test('a finding that the store refuses is told at the next look at the configuration, and the key waits meanwhile', async (t) => {
  const recording = await learned(t);
  recording.changes(three.among('alice', 'bob')).resume();
  const changes = recording.changes(three);
  recording.refusing = true;
  changes.heedApprovers();
  recording.refusing = false;
  assert.deepEqual([recording.openFindings(), changes.waiting().length], [[], 1]);
  changes.heedApprovers();
  assert.deepEqual(recording.openFindings(), ['change.break-glass undefined']);
});

/** A gateway whose store was lost: the log began anew, and what devices show was learned. */
const blind = async (t: TestContext): Promise<Recording> => {
  const recording = new Recording(t, ['rig-1', 'rig-2']);
  recording.recorder.takeGatewayFinding(storeLost(recording.clock.wall));
  await recording.looks('rig-1', 2, THEFT);
  recording.recorder.writeLearned();
  return recording;
};

test('a lost store is open and high until a person closes it; one person accepts what was learned since under break-glass only', async (t) => {
  const recording = await blind(t);
  assert.deepEqual(recording.openFindings(), ['evidence.agent-gap undefined']);
  const { refused } = accept(recording);
  assert.match(refused[0]?.message ?? '', /rig-1 was learned, and the store was lost, or its end:/);
  const { accepted } = accept(recording, undefined, 2, { breakGlass: true, note: 'nobody is reachable' });
  assert.deepEqual(accepted, ['rig-1']);
  assert.deepEqual(recording.openFindings().toSorted(), [
    'change.break-glass undefined',
    'evidence.agent-gap undefined',
  ]);
  assert.deepEqual(accept(recording).accepted, ['rig-1'], 'what a person stands behind is known');
});

test('a person who closes the loss of the store makes nothing right that was learned before; what is learned after it is as ever', async (t) => {
  const recording = await blind(t);
  const [lost] = recording.store.findings({ open: true });
  assert.ok(lost !== undefined);
  assert.deepEqual([lost.finding.severity, lost.finding.severityBase, lost.finding.state], ['high', 'high', 'open']);
  recording.clock.pass(60_000);
  recording.recorder.takeGatewayReview(lost.finding, { action: 'close', by: 'mallory', note: 'a new disk' });
  const said = recording.said().at(-1);
  assert.ok(said?.kind === 'finding');
  assert.deepEqual([said.finding.state, said.finding.by], ['incident-closed', 'mallory']);
  assert.deepEqual(accept(recording).accepted, []);
  recording.clock.pass(60_000);
  await recording.looks('rig-1', 2, { ...THEFT, 'config.mode': 'eco' });
  recording.recorder.writeLearned();
  assert.deepEqual(accept(recording).accepted, [], 'nor does a fact that is learned later');
  await recording.looks('rig-2', 2, {});
  recording.recorder.writeLearned();
  assert.deepEqual(accept(recording, undefined, 2, { device: 'rig-2' }).accepted, ['rig-2']);
});

test('where only the end of the store was lost, what the new log says again takes two people as well: it may have been learned after an earlier loss', async (t) => {
  const recording = await learned(t);
  recording.clock.pass(60_000);
  recording.recorder.takeGatewayFinding(storeLost(recording.clock.wall));
  assert.match(accept(recording).refused[0]?.message ?? '', /rig-1 was learned, and the store was lost, or its end:/);
});

test('where nobody approves one person accepts after a lost store, too; and an ordinary gateway asks for nobody more', async (t) => {
  const recording = await blind(t);
  assert.deepEqual(accept(recording, undefined, 0).accepted, ['rig-1']);
  assert.deepEqual(accept(await learned(t)).accepted, ['rig-1']);
});
