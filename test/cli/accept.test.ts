import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { notePools } from '../../agent/appraise/agreement.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import { differencesText } from '../../agent/cli/baseline/preview.ts';
import type { Io } from '../../agent/cli/io.ts';
import { differencesInForce } from '../../agent/desk/differences.ts';
import type { AcceptancePreview } from '../../agent/desk/preview.ts';
import { serveControl } from '../../agent/platform/control.ts';
import { isoOf } from '../../agent/terms/instant.ts';
import type { Facts } from '../../shared/facts.ts';
import { honest, MINUTE, POOLS, pools } from '../appraise/watch.ts';
import { People } from '../record/approvers.ts';
import { deskOf } from '../record/desk.ts';
import { Recording } from '../record/recording.ts';
import { assayer, configured, lines } from './assayer.ts';

/** What `baseline accept` shows a person of what is going to be accepted, and what it says came of it. */

const { user: _, ...NO_USER } = POOLS[0];
const HIDDEN: Facts = { pools: [NO_USER, POOLS[1], POOLS[2]] };
const THEFT = pools({ user: 'thief.x1' });

const learnedSite = async (t: TestContext, count: number, people = new People(), shown: Facts = {}) => {
  const devices = Array.from({ length: count }, (_, at) => `rig-${at + 1}`);
  const recording = new Recording(t, devices, { sinceMs: Date.now() - 60 * MINUTE });
  for (const device of devices) await recording.looks(device, 2, shown);
  recording.recorder.writeLearned();
  const changes = recording.changes(people);
  changes.resume();
  configured(recording.dir, {});
  const desk = deskOf(recording, () => changes.people());
  const door = await serveControl(recording.dir, async (request) => {
    switch (request.do) {
      case 'preview-accept':
        return desk.preview(request);
      case 'accept':
        return desk.accept(request);
      case 'differences':
        return differencesInForce(desk.fleet, request.devices, {
          standing: recording.orders.standing,
          nowMs: recording.clock.wall,
          store: recording.store,
        });
      default:
        throw new Error(request.do);
    }
  });
  t.after(() => door.close());
  const baseline = (...words: readonly string[]) => assayer(['baseline', ...words], { cwd: recording.dir });
  return { recording, accept: baseline.bind(undefined, 'accept'), diff: baseline.bind(undefined, 'diff') };
};

/** Every ten minutes a look, long enough for what is left out to be a finding. */
const hide = async (recording: Recording, device: string): Promise<void> => {
  for (let made = 0; made < 4; made += 1) {
    recording.clock.pass(10 * MINUTE);
    await recording.looks(device, 1, HIDDEN);
  }
};

test('a device that hides a user is not shown as one without a difference, before it is a finding and after', async (t) => {
  const { recording, accept } = await learnedSite(t, 2);
  await recording.looks('rig-1', 1, HIDDEN);
  const early = await accept('--all');
  assert.match(early.out, /^1 device without a difference: the learned values become accepted$/m);
  assert.match(early.out, /^1 device without a difference in what is told: /m);
  assert.match(early.out, /^Not told now, so nobody accepts it;.*\n {2}rig-1: left out: pools\.user$/m);
  assert.doesNotMatch(early.out, /Closes|rig-2/);
  await hide(recording, 'rig-1');
  const late = await accept('rig-1');
  assert.deepEqual([late.code, recording.openFindings()], [2, ['visibility.coverage-reduced rig-1']]);
  assert.match(late.out, /^ {2}rig-1: left out: pools\.user$/m);
  assert.match(
    late.out,
    /^Closes 1 open finding as approved:\n {2}\d+ medium rig-1: visibility\.coverage-reduced left-out\n {4}readable pools\.user -> left_out pools\.user$/m,
  );
  const done = await accept('rig-1', '--yes');
  assert.deepEqual([done.code, lines(done.out).at(-1)], [0, 'accepted 1 device, closed 1 finding']);
  assert.deepEqual(recording.openFindings(), []);
  assert.match((await accept('rig-1')).out, /left out: pools\.user/, 'it goes on not being told');
  await recording.looks('rig-1', 2, {});
  assert.doesNotMatch((await accept('rig-1')).out, /Not told|in what is told/);
});

test('baseline diff does not call a device the same that hides a user; it is no difference, and neither is what was never told', async (t) => {
  const { recording, diff } = await learnedSite(t, 2);
  assert.deepEqual(await diff(), { code: 0, out: 'no difference\n', err: '' });
  await recording.looks('rig-1', 1, HIDDEN);
  const { code, out } = await diff();
  assert.equal(code, 0);
  assert.equal(
    out,
    'no difference in what is told\nNot told now, so nobody knows whether it differs:\n  rig-1: left out: pools.user\n',
  );
  await recording.looks('rig-2', 2, { 'network.hostname': 'bench-2' });
  const both = await diff();
  assert.equal(both.code, 1);
  assert.match(both.out, /^rig-2 +network\.hostname +miner-417 +bench-2\nNot told now.*\n {2}rig-1: /m);
  const json = await diff('--json');
  assert.deepEqual(
    lines(json.out).map((line) => (JSON.parse(line) as { device: string }).device),
    ['rig-2', 'rig-1'],
  );
});

test('what no look ever told of a machine is said to be never told; devices alike in this share a line', async (t) => {
  const { recording, accept } = await learnedSite(t, 5, undefined, { pools: [NO_USER] });
  const { out } = await accept('--all');
  assert.match(out, /^5 devices without a difference: /m);
  assert.match(out, /^ {2}rig-1, rig-2, rig-3 and 2 more: never told: pools\.user$/m);
  await recording.looks('rig-5', 2, undefined);
  assert.doesNotMatch((await accept('rig-1', '--fact', 'network.hostname')).out, /never told/);
  assert.match((await accept('rig-1', '--fact', 'pools')).out, /never told: pools\.user/);
});

test('a device that takes two people is said not to be accepted before anybody is asked; the others are, and what that closed is counted', async (t) => {
  const { recording, accept } = await learnedSite(t, 3, new People('alice', 'bob'));
  await recording.looks('rig-1', 2, { ...THEFT, 'network.hostname': 'bench-1' });
  await recording.looks('rig-2', 2, { 'network.hostname': 'bench-2' });
  const theft = 'pool.user-changed rig-1';
  const shown = await accept('--all', '--by', 'carol');
  assert.match(
    shown.out,
    /^Closes 1 open finding as approved:\n {2}\d+ \w+ rig-2: config\.network-changed.*\n {4}.*miner-417.* -> .*bench-2/m,
  );
  assert.match(
    shown.out,
    /^Does not close 2 open findings:\n {2}\d+ critical rig-1: pool\.user-changed slot 0, takes two people\n {4}acme\.rig0417 -> thief\.x1\n {2}\d+ \w+ rig-1: config\.network-changed/m,
  );
  assert.match(shown.out, /^rig-1: not accepted: .*two approvers have to sign/m);
  const json = await accept('rig-1', '--yes', '--json');
  const { result } = JSON.parse(json.out);
  assert.deepEqual([json.code, result.accepted, result.closed, result.refused[0].device], [1, [], 0, 'rig-1']);
  const alone = await accept('rig-1', '--yes');
  assert.deepEqual([alone.code, lines(alone.out).at(-1)], [1, 'accepted 0 of 1 devices, closed 0 findings']);
  const done = await accept('--all', '--yes');
  assert.deepEqual([done.code, lines(done.out).at(-1)], [1, 'accepted 2 of 3 devices, closed 1 finding']);
  assert.ok(recording.openFindings().includes(theft));
  const emergency = await accept('rig-1', '--break-glass', '--note', 'nobody is there', '--yes');
  assert.match(emergency.out, /^Closes 2 open findings as approved:\n.* critical rig-1: .*, takes two people$/m);
  assert.deepEqual([emergency.code, lines(emergency.out).at(-1)], [0, 'accepted 1 device, closed 2 findings']);
  assert.deepEqual(recording.openFindings(), ['change.break-glass undefined']);
});

test('of one fact only the findings about it are closed, and where nobody is an approver none takes two', async (t) => {
  const { recording, accept } = await learnedSite(t, 1);
  await recording.looks('rig-1', 2, { ...THEFT, 'config.mode': 'eco' });
  const shown = await accept('rig-1', '--fact', 'pools');
  assert.match(shown.out, /^rig-1 +pools slot 0 user +acme\.rig0417 +thief\.x1$/m);
  assert.match(shown.out, /^Closes 1 open finding as approved:\n.*pool\.user-changed slot 0\n/m);
  assert.match(shown.out, /^Does not close 1 open finding:\n.*config\.performance-changed/m);
  assert.doesNotMatch(shown.out, /config\.mode +normal|takes two/);
  const done = await accept('rig-1', '--fact', 'pools', '--yes');
  assert.equal(lines(done.out).at(-1), 'accepted 1 device, closed 1 finding');
  assert.deepEqual(recording.openFindings(), ['config.performance-changed rig-1']);
});

test('of many findings the worst are shown and the rest is counted; --json has them all; nothing is wider than 80 columns', async (t) => {
  const { recording, accept } = await learnedSite(t, 13);
  for (const device of recording.states.keys())
    await recording.looks(device, 2, device === 'rig-13' ? THEFT : { 'network.hostname': `bench-${device}` });
  const { out } = await accept('--all');
  const section = out.slice(out.indexOf('Closes 13 open findings'));
  assert.match(section, /^Closes 13 open findings as approved:\n {2}\d+ critical rig-13: /);
  assert.match(section, /\n {2}… and 3 more; --json names all\n$/);
  assert.equal(section.match(/config\.network-changed/g)?.length, 9);
  assert.deepEqual(
    lines(out).filter((line) => line.length > 80),
    [],
  );
  const unasked = await accept('--all', '--json');
  assert.deepEqual([unasked.code, unasked.out], [2, '']);
  assert.ok(unasked.err.startsWith(out), 'who is asked was shown it');
  const json = await accept('--all', '--yes', '--json');
  const said = JSON.parse(json.out) as { previews: readonly AcceptancePreview[]; result: { closed: number } };
  assert.deepEqual([said.previews.flatMap(({ findings }) => findings).length, said.result.closed], [13, 13]);
});

test('a named part that a list shows no more is a difference to who accepts it, for the reference has it no more; to `baseline diff` it is none', async (t) => {
  const { recording, accept, diff } = await learnedSite(t, 1);
  const [first] = honest(recording.clock.wall)['firmware.components'] ?? [];
  assert.ok(first !== undefined);
  await recording.looks('rig-1', 2, { 'firmware.components': [first], 'network.hostname': 'bench-1' });
  const { out } = await accept('rig-1');
  assert.match(out, /^rig-1 +firmware\.components keys\.summary +a1$/m);
  assert.doesNotMatch(out, /compile_time/);
  const told = JSON.parse((await diff('--json')).out) as AcceptancePreview;
  assert.deepEqual(
    told.differences.map(({ fact }) => fact),
    ['network.hostname'],
  );
  assert.equal((await accept('rig-1', '--yes')).code, 0);
  const { 'firmware.components': kept } = keptFacts(recording.state('rig-1').reference?.facts);
  assert.deepEqual(kept, [first]);
});

test('a value that only looks like the one before is told from it wherever a person sees both', async (t) => {
  const { recording, accept, diff } = await learnedSite(t, 2);
  await recording.looks('rig-1', 2, pools({ user: 'acm\u0435.rig0417' }));
  await recording.looks('rig-2', 2, pools({ user: 'acme.rig0417 ' }));
  const findings = (...words: readonly string[]) => assayer(['findings', ...words], { cwd: recording.dir });
  for (const { out } of [await accept('--all'), await diff(), await findings()]) {
    assert.match(out, /acme\.rig0417 .*"acm\\u0435\.rig0417"$/m);
    assert.match(out, /acme\.rig0417 .*"acme\.rig0417 "$/m);
    assert.doesNotMatch(out, /\u0435/);
  }
  const numbers = recording.store.findings({ open: true }).map(({ finding }) => String(finding.openedSeq));
  const shown = await Promise.all(numbers.map((number) => findings('show', number)));
  assert.deepEqual(shown.map(({ out }) => /^ {2}after +(.*)$/m.exec(out)?.[1]).sort(), [
    '"acm\\u0435.rig0417"',
    '"acme.rig0417 "',
  ]);
});

test('what was attested and is not read now is shown as of then, in the preview and in diff, and is accepted so', async (t) => {
  const { recording, accept, diff } = await learnedSite(t, 2);
  await recording.looks('rig-1', 2, THEFT);
  await recording.looks('rig-2', 2, THEFT);
  notePools(recording.state('rig-1'), false, { gaps: new Map(), observedAtMs: recording.clock.wall });
  const asOf = isoOf(Math.floor((recording.state('rig-1').attested?.atMs ?? 0) / 1000));
  const { out } = await accept('--all');
  assert.match(out, /^rig-1 +pools slot 0 user +acme\.rig0417 +thief\.x1 \(not told now\)$/m);
  assert.match(out, /^rig-2 +pools slot 0 user +acme\.rig0417 +thief\.x1$/m);
  const told = new RegExp(
    `^Told when it was attested, and not now.*\\n {2}rig-1: not read: pools; as of ${asOf}\\n(?! )`,
    'm',
  );
  assert.match(out, told);
  assert.doesNotMatch(out, /Not told now, so nobody/);
  assert.match((await diff()).out, told);
  const json = JSON.parse((await accept('rig-1', '--yes', '--json')).out) as { previews: readonly AcceptancePreview[] };
  assert.equal(json.previews[0]?.approved, false, 'it was learned');
  assert.deepEqual(json.previews[0]?.untold, [{ fact: 'pools', why: 'unread', as_of: Date.parse(asOf) / 1000 }]);
  assert.equal(keptFacts(recording.state('rig-1').reference?.facts).pools?.[0]?.user, 'thief.x1');
  const same = await accept('rig-1');
  assert.doesNotMatch(same.out, /not told now|Told when/);
  assert.match(same.out, /^Not told now, so nobody accepts it.*\n {2}rig-1: not read: pools$/m);
});

test('a user that was attested and is left out now is said to be told then, and not to be accepted by nobody', async (t) => {
  const { recording, accept } = await learnedSite(t, 1);
  await recording.looks('rig-1', 2, THEFT);
  await recording.looks('rig-1', 1, HIDDEN);
  const { out } = await accept('rig-1');
  assert.match(out, /^Told when it was attested, and not now.*\n {2}rig-1: left out: pools\.user; as of /m);
  assert.match(out, /^rig-1 +pools slot 0 user +acme\.rig0417 +thief\.x1 \(not told now\)$/m);
  assert.doesNotMatch(out, /Not told now, so nobody/);
});

test('a device that was accepted before is not said to be learned', async (t) => {
  const { accept } = await learnedSite(t, 2);
  assert.equal((await accept('rig-1', '--fact', 'pools', '--yes')).code, 0);
  assert.match((await accept('--all')).out, /^2 devices without a difference: the learned values become accepted$/m);
  assert.equal((await accept('rig-1', '--yes')).code, 0);
  const { out } = await accept('--all');
  assert.match(out, /^1 device without a difference: approved before, and accepted once more$/m);
  assert.match(out, /^1 device without a difference: the learned values become accepted$/m);
});

test('differences that no terminal of 80 columns has room for have their values below', () => {
  const shown = [
    {
      device: 'rig-1',
      seq: 4,
      untold: [],
      differences: [{ fact: 'network.hostname', before: 'a'.repeat(40), after: 'b' }],
    },
  ] as const;
  const io = (columns: number) =>
    ({ out: { write: () => true, columns }, err: { write: () => true }, input: new PassThrough() }) as Io;
  assert.match(differencesText(shown, io(80)), /^device +fact +reference +seen\nrig-1 +network\.hostname +a{40} +b\n$/);
  assert.equal(differencesText(shown, io(0)), differencesText(shown, io(80)), 'one that does not say');
  assert.equal(
    differencesText(shown, io(60)),
    `device  fact\nrig-1   network.hostname\n    reference: ${'a'.repeat(40)}\n    seen: b\n`,
  );
});

test('a difference from nothing says so: what was never told is blank, what is known to have been absent was not set', () => {
  const differences = [
    { fact: 'network.dns', before: null, after: ['203.0.113.53'] },
    { fact: 'network.hostname', after: 'b' },
  ] as const;
  const io = { out: { write: () => true, columns: 80 }, err: { write: () => true }, input: new PassThrough() } as Io;
  const rows = differencesText([{ device: 'rig-1', untold: [], differences }], io).split('\n');
  assert.match(rows[1] ?? '', /^rig-1 +network\.dns +not set +\["203\.0\.113\.53"\]$/);
  assert.match(rows[2] ?? '', /^rig-1 +network\.hostname +b$/);
});

test('who approves a new version is shown the parts that come along, and nothing is found of these afterwards', async (t) => {
  const { recording, accept } = await learnedSite(t, 1);
  const shows = async (idf: string): Promise<void> => {
    for (let made = 0; made < 6; made += 1) {
      recording.clock.pass(5 * MINUTE);
      const parts = [
        { name: 'compile_time', value: 'june' },
        { name: 'idf', value: idf },
      ] as const;
      await recording.looks('rig-1', 1, { 'firmware.version': '2026.06.1', 'firmware.components': parts });
    }
  };
  await shows('v5.5');
  assert.deepEqual(recording.openFindings(), ['firmware.version-changed rig-1']);
  const facts = ['--fact', 'firmware.version', '--fact', 'firmware.build'];
  const asked = await accept('rig-1', ...facts);
  assert.match(asked.out, /^rig-1 +firmware\.version +2026\.03\.1 +2026\.06\.1$/m);
  assert.match(asked.out, /^ *(?:rig-1)? +firmware\.components compile_time .* june$/m);
  const done = await accept('rig-1', ...facts, '--yes');
  assert.deepEqual([done.code, lines(done.out).at(-1)], [0, 'accepted 1 device, closed 1 finding']);
  assert.deepEqual(
    recording
      .said()
      .flatMap((one) =>
        one.kind === 'baseline' && one.baseline.action === 'accepted' ? [one.baseline.devices[0]?.facts] : [],
      ),
    [['firmware.version', 'firmware.build', 'firmware.components']],
  );
  await shows('v5.5');
  assert.deepEqual(recording.openFindings(), []);
  await shows('v5.5-evil2');
  assert.deepEqual(recording.openFindings(), ['firmware.fingerprint-changed rig-1']);
});

test('what only a document makes right is named on the screen, and no person makes it his own', async (t) => {
  const two = new People('alice', 'bob');
  const { recording, accept } = await learnedSite(t, 2, two);
  const moved = pools({ url: 'stratum+tcp://other.example:3333' });
  const value = [...POOLS, ...(moved.pools ?? [])].map(({ url }) => url);
  const site = {
    kind: 'reference',
    ref_id: 'site',
    version: 1,
    values: [{ fact: 'pools.url', class: 'set', value }],
  } as const;
  recording.changes(two).adopt({ kind: 'signed', ...two.sign(site, 'alice', 'bob') });
  for (const device of ['rig-1', 'rig-2']) await recording.looks(device, 2, moved);
  const { out } = await accept('--all', '--yes');
  assert.match(
    out,
    /^As a signed document has it, and only as long as that is in force; not accepted:\n {2}rig-1, rig-2: pools$/m,
  );
  assert.equal(lines(out).at(-1), 'accepted 2 devices, closed 0 findings');
  const json = JSON.parse((await accept('rig-1', '--yes', '--json')).out);
  assert.deepEqual([json.previews[0].left_to_documents, json.result.accepted], [['pools'], ['rig-1']]);
  const alone = await accept('rig-1', '--fact', 'pools', '--yes');
  assert.equal(alone.code, 1);
  assert.match(alone.out, /^rig-1: not accepted: rig-1: all of this is as a signed document has it/m);
});
