import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { serveControl } from '../../agent/platform/control.ts';
import { People } from '../record/approvers.ts';
import { deskOf } from '../record/desk.ts';
import { Recording } from '../record/recording.ts';
import { assayer, assertHarmless, configured } from './assayer.ts';
import { assayerOnTerminal, noTerminal } from './on-terminal.ts';

/** What ends before its time is shown first, with what follows, and a person is asked. */

const people = new People('alice', 'bob');

/** A running agent as far as these verbs ask it, with one open finding of a device. */
const gateway = async (t: TestContext) => {
  const recording = new Recording(t, ['rig-1'], { sinceMs: Date.now() - 3_600_000 });
  await recording.learnAll();
  await recording.looks('rig-1', 2, { 'network.hostname': 'bench-7' });
  recording.clock.wall = Date.now();
  const changes = recording.changes(people);
  configured(recording.dir, {});
  const asked: string[] = [];
  const door = await serveControl(recording.dir, async (request) => {
    recording.clock.wall = Date.now();
    asked.push(request.do);
    switch (request.do) {
      case 'orders':
        return changes.all();
      case 'close':
        return changes.close(request.kind, request.id, request.by);
      case 'withdraw':
        return changes.withdraw(request.name, request.by, request.break_glass);
      case 'adopt':
        if ('doc' in request.document) throw new Error('nobody signed');
        return changes.adopt({ kind: 'local', ...request.document });
      case 'preview-accept':
        return deskOf(recording).preview({ devices: [] });
      default:
        throw new Error(request.do);
    }
  });
  t.after(() => door.close());
  const run = (...words: readonly string[]) => assayer(words, { cwd: recording.dir });
  return {
    recording,
    changes,
    run,
    asked,
    number: String(recording.said().find((one) => one.kind === 'finding')?.seq),
  };
};

const WAIVE = ['--reason', 'on the bench', '--risk', 'none'];

test('findings waive shows what is waived and asks; without a terminal it needs --yes; the forms of --until are those of plans', async (t) => {
  const { run, changes, number, asked } = await gateway(t);
  const bare = await run('findings', 'waive', number, ...WAIVE, '--until', '+30d');
  assert.equal(bare.code, 2);
  assert.match(
    bare.out,
    /^Waiver finding-\d+\n {2}covers +devices rig-1; of gateways example\.org\/tx1-gw3\n {2}tolerates +config\.network-changed \(up to /,
  );
  assert.match(
    bare.err,
    /there is no terminal to confirm on\n {2}remedy: look at what is shown above, then repeat with --yes/,
  );
  const long = await run('findings', 'waive', number, ...WAIVE, '--until', '+120d', '--yes');
  assert.equal(long.code, 2);
  assert.match(long.err, /a waiver lasts at most 90 days\n {2}remedy: give --until an instant .*\+30d/);
  const unread = await run('findings', 'waive', number, ...WAIVE, '--until', 'tomorrow', '--yes');
  assert.equal(unread.code, 2);
  assert.match(
    unread.err,
    /an instant with its zone, 2026-12-01T14:00:00Z; or a time from now on, \+90m, \+4h, \+30d; or now/,
  );
  assert.deepEqual([changes.all().length, asked], [0, []]);
  const json = await run('findings', 'waive', number, ...WAIVE, '--until', '60d', '--yes', '--json');
  assert.equal(json.code, 0, json.err);
  assert.equal(JSON.parse(json.out).id, `finding-${number}`);
  assert.match(json.err, /^WARNING: it lasts 60 d/m);
  assertHarmless(json);
});

test('waiver close shows the findings that count again, and closes nothing that nobody agreed to', async (t) => {
  const { run, changes, recording, number } = await gateway(t);
  assert.equal((await run('findings', 'waive', number, ...WAIVE, '--until', '30d', '--yes')).code, 0);
  await recording.looks('rig-1', 1, { 'network.hostname': 'bench-7' });
  const bare = await run('waiver', 'close', `finding-${number}`);
  assert.equal(bare.code, 2);
  assert.match(
    bare.out,
    new RegExp(
      `counts again at the next look that shows what they are about, as if there were no waiver:\\n {2}${number} \\w+ config\\.network-changed.*, rig-1\\n`,
    ),
  );
  assert.match(bare.err, /repeat with --yes/);
  assert.equal(changes.all().length, 1);
  const none = await run('plan', 'close', 'never');
  assert.equal(none.code, 2);
  assert.match(none.err, /no plan "never" is in force\n {2}remedy: assayer plan list shows what is/);
  const yes = await run('waiver', 'close', `finding-${number}`, '--yes', '--by', 'carol');
  assert.deepEqual([yes.code, changes.all().length], [0, 0]);
  assert.match(yes.out, /waiver finding-\d+ is closed\n$/);
});

test('baseline withdraw shows whose values end, of a document and of an entry', {
  skip: noTerminal ?? false,
}, async (t) => {
  const { run, changes, recording, number } = await gateway(t);
  const terms = {
    kind: 'reference',
    iat: Math.floor(recording.clock.wall / 1000),
    ref_id: 'site-power',
    version: 1,
    values: [{ fact: 'config.power_limit_w', class: 'exact', value: 3500 }],
  } as const;
  const { seq } = changes.adopt({ kind: 'signed', ...people.sign(terms, 'alice') });
  const bare = await run('baseline', 'withdraw', 'site-power', '--json');
  assert.deepEqual([bare.code, bare.out], [2, '']);
  assert.match(
    bare.err,
    /^Reference site-power, version 1\n[\s\S]*1 device falls back on what else the log holds[\s\S]*\n {2}rig-1\n/,
  );
  const said = await assayerOnTerminal(
    ['baseline', 'withdraw', 'site-power'],
    [{ shown: 'Withdraw this? [y/N] ', typed: 'n\r' }],
    recording.dir,
  );
  assert.equal(said.code, 1);
  assert.match(said.out, /nothing was withdrawn/);
  assert.equal(changes.all().length, 1);
  const byNumber = await run('baseline', 'withdraw', String(seq), '--yes');
  assert.equal(byNumber.code, 0, byNumber.err);
  assert.match(byNumber.out, /^Reference site-power, version 1\n/);
  const entry = recording.wholeLog().find((one) => one.kind === 'baseline' && one.baseline.action === 'learned')?.seq;
  const alone = await run('baseline', 'withdraw', String(entry), '--yes');
  assert.match(alone.err, /nothing else says what .* of rig-1 has to be[\s\S]*\[baseline\.two-approvers\]/);
  const emergency = ['--break-glass', '--note', 'the first look fell into a repair'];
  const learned = await run('baseline', 'withdraw', String(entry), '--yes', ...emergency);
  assert.equal(learned.code, 0, learned.err);
  assert.match(
    learned.out,
    new RegExp(`\\n1 finding there is open\\. .*:\\n {2}${number} \\w+ config\\.network-changed.*, rig-1\\n`),
  );
  assert.match(learned.out, new RegExp(`^Entry ${entry}, [\\d :-]+ UTC: learned\\nEnds now\\. 1 device falls back`));
  const none = await run('baseline', 'withdraw', '999999', '--yes');
  assert.match(none.err, /no reference document or baseline entry "999999" is in force/);
});

test('a file that is not there is told with the verb that makes one of its kind', async (t) => {
  const { run, recording } = await gateway(t);
  for (const [verb, maker] of [
    ['baseline', /`assayer baseline create` makes a draft, `assayer baseline export` one/],
    ['plan', /`assayer plan create` makes a draft/],
    ['waiver', /`assayer waiver create` makes a draft/],
  ] as const)
    for (const words of [
      [verb, 'adopt', 'none.yaml'],
      [verb, 'sign', 'none.yaml', '--key', 'x.key'],
    ]) {
      const { code, err } = await run(...words);
      assert.equal(code, 2);
      assert.match(err, maker, words.join(' '));
    }
  const shown = await run('terms', 'show', 'none.json');
  assert.match(shown.err, /name a file that exists; baseline sign, plan sign and waiver sign write one/);
  assert.ok(!existsSync(join(recording.dir, 'none.yaml')));
});
