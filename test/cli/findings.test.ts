import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Finding } from '../../agent/appraise/finding.ts';
import { findingsIn } from '../../agent/cli/findings/stored.ts';
import { reviewFinding } from '../../agent/desk/review.ts';
import { serveControl } from '../../agent/platform/control.ts';
import type { Facts } from '../../shared/facts.ts';
import { pools } from '../appraise/watch.ts';
import { People } from '../record/approvers.ts';
import { finding, openGateway } from '../record/gateway.ts';
import { learned, Recording } from '../record/recording.ts';
import { assayer, assertHarmless, configured, lines } from './assayer.ts';

/** A gateway whose device showed this, twice. */
const showing = async (t: TestContext, changes: Facts | undefined) => {
  const recording = new Recording(t);
  await recording.learnAll();
  if (changes !== undefined) await recording.looks('rig-1', 2, changes);
  configured(recording.dir, {});
  return { recording, cwd: recording.dir };
};

const STOLEN = pools({ user: 'thief\u001b[31m.x' });

test('findings: none open is 0', async (t) => {
  const { cwd } = await showing(t, undefined);
  const { code, out } = await assayer(['findings'], { cwd });
  assert.equal(code, 0);
  assert.deepEqual(lines(out).length, 1);
});

test('findings: an open one above info is 1, with before and after', async (t) => {
  const { cwd } = await showing(t, STOLEN);
  const said = await assayer(['findings'], { cwd });
  assert.equal(said.code, 1);
  const [heading, row] = lines(said.out);
  assert.match(heading ?? '', /^no\. +since \(UTC\) +severity +state +device +finding +before +after$/);
  assert.match(row ?? '', /critical +open +rig-1 +pool\.user-changed slot 0 +acme\.rig0417 +"thief\\u001b\[31m\.x"$/);
  assertHarmless(said);
});

test('findings: before is what was last seen, whatever a document expects; what nobody saw is called expected', async (t) => {
  const recording = await learned(t, ['rig-1', 'rig-2']);
  const people = new People('alice', 'bob');
  const users = ['acme.rig0417', 'acme.spare', 'acme.new'];
  const terms = { kind: 'reference', ref_id: 'users', version: 1 } as const;
  const values = [{ fact: 'pools.user', class: 'set', value: users }] as const;
  const named = [{ fact: 'network.hostname', class: 'exact', value: 'bench-7' }] as const;
  const changes = recording.changes(people);
  const adopt = (document: object) =>
    changes.adopt({ kind: 'signed', ...people.sign(document as typeof terms, 'alice', 'bob') });
  adopt({ ...terms, values });
  adopt({ ...terms, ref_id: 'names', scope: { devices: ['rig-2'] }, values: named });
  await recording.looks('rig-1', 2, pools({ user: 'acme.new' }));
  await recording.looks('rig-1', 2, STOLEN);
  await recording.looks('rig-2', 2, {});
  configured(recording.dir, {});
  const { out } = await assayer(['findings'], { cwd: recording.dir });
  assert.match(out, /pool\.user-changed slot 0 +acme\.new +"thief/);
  assert.match(out, /config\.network-changed +expected .*bench-7/);
  const told = lines((await assayer(['findings', '--json'], { cwd: recording.dir })).out).map((line) =>
    JSON.parse(line),
  );
  const { before, last_seen } = told.find(({ id }) => id === 'pool.user-changed');
  assert.deepEqual([before, last_seen], ['acme.rig0417', 'acme.new'], 'as the statement has them');
});

test('findings: one that comes and goes is flapping, with how often, beside its state', async (t) => {
  const { cwd, recording } = await showing(t, STOLEN);
  for (const changes of [{}, STOLEN, {}, STOLEN, {}, STOLEN]) await recording.looks('rig-1', 4, changes);
  const { out } = await assayer(['findings'], { cwd });
  assert.match(out, /critical +open, flapping ×\d+ +rig-1 +pool\.user-changed slot 0/);
});

test('findings --json has the members of the statement', async (t) => {
  const { cwd, recording } = await showing(t, STOLEN);
  const { code, out } = await assayer(['findings', '--json'], { cwd });
  assert.equal(code, 1);
  const [stated] = recording.said().flatMap((one) => (one.kind === 'finding' ? [one.finding] : []));
  assert.ok(stated !== undefined);
  const { evidence: _, reference: __, labels: ___, ...members } = stated;
  assert.deepEqual(
    lines(out).map((line) => JSON.parse(line)),
    [members],
  );
});

test('what has ended is shown with --all only, and counts no more', async (t) => {
  const { cwd, recording } = await showing(t, STOLEN);
  recording.clock.pass(3_600_000);
  await recording.looks('rig-1', 4, {});
  const open = await assayer(['findings'], { cwd });
  const all = await assayer(['findings', '--all'], { cwd });
  assert.deepEqual([open.code, lines(open.out).length], [0, 1]);
  assert.equal(all.code, 0);
  assert.match(all.out, /resolved +rig-1 +pool\.user-changed/);
});

/** Devices that were learned, and show this twice, all at the same time. */
const storming = (recording: Recording, rigs: readonly string[]): void => allShow(recording, rigs, 2, STOLEN);

/** Looks at all of the devices, each 10 s after the last. */
const allShow = (recording: Recording, rigs: readonly string[], count: number, changes: Facts): void => {
  for (let made = 0; made < count; made += 1) {
    recording.clock.pass(10_000);
    for (const id of rigs) recording.look(id, changes);
    recording.recorder.flush();
  }
};

const RIGS = Array.from({ length: 7 }, (_, at) => `rig-${at + 1}`);

test('the parent of a storm is one row about several devices', async (t) => {
  const rigs = RIGS.slice(0, 6);
  const recording = new Recording(t, rigs);
  await recording.learnAll();
  storming(recording, rigs);
  configured(recording.dir, {});
  const table = await assayer(['findings'], { cwd: recording.dir });
  assert.match(table.out, /several \(6\) +pool\.user-changed/);
  const [finding] = lines((await assayer(['findings', '--json'], { cwd: recording.dir })).out).map((line) =>
    JSON.parse(line),
  );
  assert.deepEqual([finding.count, finding.devices], [6, rigs]);
});

test('the finding of the one device that is left of a storm names the parent, which shows the same', async (t) => {
  const recording = new Recording(t, RIGS);
  await recording.learnAll();
  storming(recording, ['rig-1']);
  storming(recording, RIGS.slice(1));
  allShow(recording, RIGS.slice(1), 3, {});
  configured(recording.dir, {});
  const rows = lines((await assayer(['findings'], { cwd: recording.dir })).out).slice(1);
  assert.equal(rows.length, 2, rows.join('\n'));
  const parent = rows.find((row) => row.includes(' rig-1  '))?.split(' ')[0] ?? 'none';
  assert.ok(
    rows.some((row) => row.includes(` rig-1, in ${parent}  `)),
    rows.join('\n'),
  );
});

test('a parent of more devices than are named says where the others stand', async (t) => {
  const rigs = Array.from({ length: 14 }, (_, at) => `rig-${at + 1}`);
  const recording = new Recording(t, rigs);
  await recording.learnAll();
  storming(recording, rigs);
  configured(recording.dir, {});
  const { out } = await assayer(['findings', '--json'], { cwd: recording.dir });
  const shown = await assayer(['findings', 'show', String(JSON.parse(out).opened_seq)], { cwd: recording.dir });
  assert.match(shown.out, /where +14 devices: rig-1, .* … \(--json names all\)\n/);
});

test('a storm that was not stated again yet is shown and acknowledged with the devices that it has', async (t) => {
  const recording = new Recording(t, RIGS);
  await recording.learnAll();
  storming(recording, RIGS.slice(0, 6));
  // One ends and another one comes, within the minute.
  allShow(recording, ['rig-1'], 3, {});
  storming(recording, ['rig-7']);
  const stated = () => recording.said().flatMap((one) => (one.kind === 'finding' ? [one.finding] : []));
  const parents = stated().filter(({ count }) => count !== undefined);
  assert.deepEqual(
    parents.map(({ devices }) => devices),
    [RIGS.slice(0, 6)],
  );
  const number = String(parents[0]?.opened_seq);
  configured(recording.dir, {});
  const now = RIGS.slice(1);
  const json = async (...words: readonly string[]) =>
    JSON.parse((await assayer([...words, '--json'], { cwd: recording.dir })).out);
  const { finding } = await json('findings', 'show', number);
  assert.deepEqual([finding.count, finding.devices], [6, now]);
  const shown = await assayer(['findings', 'show', number], { cwd: recording.dir });
  assert.match(shown.out, /where +rig-2, rig-3, rig-4, rig-5, rig-6, rig-7\n/);
  const listed = await json('findings', 'list');
  assert.deepEqual([listed.opened_seq, listed.count, listed.devices], [Number(number), 6, now]);
  const of = async (device: string) =>
    lines((await assayer(['findings', '--device', device, '--json'], { cwd: recording.dir })).out);
  assert.deepEqual(await of('rig-1'), ['']);
  assert.match((await of('rig-7')).join(), /"pool\.user-changed"/);
  const door = await serveControl(recording.dir, async (request) => {
    assert.equal(request.do, 'review');
    if (request.do !== 'review') return undefined;
    const { store, recorder, states } = recording;
    const review = { action: request.action, by: request.by };
    return reviewFinding(request.opened_seq, review, { states: [...states.values()], store, recorder });
  });
  t.after(() => door.close());
  const taken = await assayer(['findings', 'ack', number, '--by', 'carol'], { cwd: recording.dir });
  assert.equal(
    taken.out,
    `finding ${number} (pool.user-changed) of 6 devices is acknowledged: rig-2, rig-3, rig-4, rig-5, rig-6, rig-7\n`,
  );
  const last = stated().at(-1);
  assert.deepEqual([last?.state, last?.by, last?.devices], ['acknowledged', 'carol', now]);
});

test('devices that join a storm show as new as they are, and when the first ones healed it is since then, in one row', async (t) => {
  const recording = new Recording(t, RIGS);
  await recording.learnAll();
  storming(recording, RIGS.slice(0, 6));
  configured(recording.dir, {});
  const secondsNow = (): string => new Date(recording.clock.wall).toISOString().slice(0, 19).replace('T', ' ');
  const rows = async (...words: readonly string[]) =>
    lines((await assayer(['findings', ...words], { cwd: recording.dir })).out).slice(1);
  recording.clock.pass(120_000);
  storming(recording, ['rig-7']);
  const [day = '', confirmed = ''] = secondsNow().split(' ');
  const [grown, ...none] = await rows();
  assert.deepEqual(none, []);
  const [, begun = '', latest = ''] = grown?.match(/^\d+ +\S+ (\S+), latest (\S+) +critical +open +several /) ?? [];
  const passedS = (from: string, to: string) => (Date.parse(`${day}T${to}Z`) - Date.parse(`${day}T${from}Z`)) / 1000;
  assert.deepEqual([passedS(begun, latest), passedS(latest, confirmed)], [140, 10]);
  allShow(recording, RIGS.slice(0, 6), 3, {});
  recording.clock.pass(60_000);
  recording.recorder.tick();
  for (const words of [[], ['--all']]) {
    const found = await rows(...words);
    assert.equal(found.filter((row) => row.includes('several') || row.includes('rig-7')).length, 1, found.join('\n'));
    assert.match(found[0] ?? '', new RegExp(`^\\d+ +${day} ${latest} +critical +open +rig-7 `));
  }
  const last = recording
    .said()
    .flatMap((one) => (one.kind === 'finding' ? [one.finding] : []))
    .at(-1);
  assert.deepEqual([last?.devices, last?.first_observed_at], [['rig-7'], Date.parse(`${day}T${latest}Z`) / 1000]);
});

test('a storm that somebody took note of is open as soon as another device joins, also before that is stated', async (t) => {
  const recording = new Recording(t, RIGS);
  await recording.learnAll();
  storming(recording, RIGS.slice(0, 6));
  configured(recording.dir, {});
  const { store, recorder, states } = recording;
  const number = store.findings({ open: true })[0]?.finding.openedSeq ?? -1;
  const review = { action: 'acknowledge', by: 'carol' } as const;
  reviewFinding(number, review, { states: [...states.values()], store, recorder });
  const state = async () =>
    JSON.parse((await assayer(['findings', 'show', String(number), '--json'], { cwd: recording.dir })).out).finding;
  assert.deepEqual([(await state()).state, (await state()).by], ['acknowledged', 'carol']);
  storming(recording, ['rig-7']);
  const { state: now, by, count } = await state();
  assert.deepEqual([now, by, count], ['open', undefined, 7]);
});

test('the end of a storm is shown with the devices that it had', async (t) => {
  const rigs = RIGS.slice(0, 6);
  const recording = new Recording(t, rigs);
  await recording.learnAll();
  storming(recording, rigs);
  configured(recording.dir, {});
  const number = recording.store.findings({ open: true })[0]?.finding.openedSeq ?? -1;
  recording.clock.pass(600_000);
  allShow(recording, rigs, 4, {});
  const { out, code } = await assayer(['findings', 'show', String(number), '--json'], { cwd: recording.dir });
  const { finding } = JSON.parse(out);
  assert.deepEqual([code, finding.state, finding.count], [0, 'resolved', 6]);
});

test('a finding of the log before this is not taken for the storm that has its number now', () => {
  const over = { openedSeq: 7, ruleId: 'pool.user-changed', firstObservedAt: 1, state: 'resolved' } as Finding;
  const member = { device: 'rig-1', atMs: 0, joined: 1 };
  const found = (finding: Finding) =>
    findingsIn(
      {
        findings: () => [{ finding: over }],
        storms: (read) => [
          {
            id: 1,
            key: 'key',
            storm: read(JSON.stringify({ latestMs: 0, parent: { finding, statedMs: 0, told: 1 } })),
          },
        ],
        members: (_storm, read) => [['rig-1', read(JSON.stringify(member))]],
      },
      { open: false },
    );
  assert.deepEqual(found({ ...over, state: 'open', firstObservedAt: 2 }), [{ finding: over }]);
  const same = { ...over, state: 'open' } as const;
  assert.deepEqual(found(same), [{ finding: { ...same, devices: ['rig-1'], count: 1 } }]);
});

test('of findings with one number, as a log that was replaced leaves them, show takes the one that counts, else the newest', async (t) => {
  const { dir, store } = openGateway(t);
  const numbered = (state: Finding['state'], ruleId: string, firstObservedAt: number) =>
    store.saveFinding({ ...finding, openedSeq: 7, state, ruleId, firstObservedAt }, 'rig-1', 0);
  configured(dir, {});
  const shown = async (): Promise<readonly unknown[]> => {
    const { code, out } = await assayer(['findings', 'show', '7', '--json'], { cwd: dir });
    return [code, JSON.parse(out).finding.id];
  };
  numbered('resolved', 'pool.url-changed', 1000);
  numbered('resolved', 'pool.user-changed', 2000);
  assert.deepEqual(await shown(), [0, 'pool.user-changed']);
  for (const state of ['open', 'acknowledged', 'waived'] as const) {
    numbered(state, 'pool.url-changed', 1000);
    assert.deepEqual(await shown(), [1, 'pool.url-changed'], state);
  }
  const all = await assayer(['findings', 'list', '--all'], { cwd: dir });
  assert.equal(all.out.match(/^ *7 /gm)?.length, 2, all.out);
});

test('status without an agent shows the devices from the store, and that none runs', async (t) => {
  const { cwd } = await showing(t, STOLEN);
  const said = await assayer(['status'], { cwd });
  assert.deepEqual([said.code, said.err], [0, '']);
  assert.match(said.out, /^agent: no agent runs in .*; 5 entries\nopen findings: 1\n/);
  assert.match(said.out, /^rig-1 +10\.0\.0\.1 +Antminer S21 +2026\.03\.1 +deviation +none +\d{4}-/m);
  assertHarmless(said);
  const { running, reason, size, findings, devices } = JSON.parse((await assayer(['status', '--json'], { cwd })).out);
  assert.deepEqual([running, reason, size, findings], [false, 'agent.not-running', 5, 1]);
  assert.deepEqual([devices[0].device, devices[0].conformance, devices[0].seq], ['rig-1', 'deviation', 3]);
});

test('status --json says of each device how its family was found out', async (t) => {
  const { cwd, recording } = await showing(t, STOLEN);
  const by = ['version: unreachable, ECONNREFUSED', 'GET /: HTTP 200', 'GET /api/system/info: answered'];
  const [before] = JSON.parse((await assayer(['status', '--json'], { cwd })).out).devices;
  assert.ok(!('identified_by' in before));
  recording.identify('rig-1', { family: 'axeos', atMs: 1_795_339_201_900, by });
  const { devices } = JSON.parse((await assayer(['status', '--json'], { cwd })).out);
  const { family, identified_at, identified_by } = devices[0];
  assert.deepEqual([family, identified_at, identified_by], ['axeos', 1_795_339_201, by]);
});

/** What `status` shows while an agent says this of itself. */
const statusOf = async (t: TestContext, told: object) => {
  const { cwd } = await showing(t, undefined);
  const live = { log: 'example.org/tx1-gw3/1', size: 3, store_failing: false, pools_unread: {}, uplink: null, ...told };
  const door = await serveControl(cwd, async () => live);
  t.after(() => door.close());
  return { text: (await assayer(['status'], { cwd })).out, json: (await assayer(['status', '--json'], { cwd })).out };
};

test('status says beside the conformance since when nobody looks any more', async (t) => {
  const { text, json } = await statusOf(t, { unlooked: { 'rig-1': 1_795_339_201, 'rig-9': 1 } });
  assert.match(text, /^rig-1 .* unbaselined, not looked at since 2026-11-22 09:20:01 +none /m);
  assert.equal(JSON.parse(json).devices[0].not_looked_since, 1_795_339_201);
});

test('status says beside the conformance since when the pools it speaks of cannot be read', async (t) => {
  const { text, json } = await statusOf(t, { pools_unread: { 'rig-1': 1_795_339_201 } });
  assert.match(text, /^rig-1 .* unbaselined, pools not read since 2026-11-22 09:20:01 +none /m);
  assert.equal(JSON.parse(json).devices[0].pools_unread_since, 1_795_339_201);
  const read = await statusOf(t, {});
  assert.doesNotMatch(read.text, /not read|not looked/);
});

test('status names documents in force of which a signer is no approver any more', async (t) => {
  const orphan = { kind: 'reference', id: 'site-pools', seq: 4, gone: ['bob'] };
  const { text, json } = await statusOf(t, { signers_gone: [orphan] });
  assert.match(text, /^reference site-pools \(entry 4\): in force, signed by bob, no approver any more$/m);
  assert.deepEqual(JSON.parse(json).signers_gone, [orphan]);
});

test('status says what an uplink waits for that never connected', async (t) => {
  const uplink = { state: 'waiting', cursor: 0, size: 3, unconfirmed: true, firstWithinS: 60 };
  const { text } = await statusOf(t, { uplink });
  assert.match(text, /^uplink: waiting, the first connect is made within 60 s \(spread_s\), 0 of 3 entries /m);
});

test('status says of each required collector how far it is, how much waits for how long, and why', async (t) => {
  const collectors = [
    { collector: 'col-a', state: 'online', confirmed: 3, lag: 0, lagS: 0 },
    {
      collector: 'col-b',
      state: 'away',
      confirmed: 1,
      lag: 2,
      lagS: 75,
      problem: { code: 'uplink.fork', message: 'col-b has stored another entry 0', remedy: 'find out why' },
    },
  ];
  const held = { code: 'uplink.no-collector', message: 'no required collector is online: col-b', remedy: 'start it' };
  const uplink = { state: 'connected', broker: 'mqtt://b', cursor: 3, size: 3, unconfirmed: false, collectors, held };
  const { text, json } = await statusOf(t, { uplink });
  assert.match(
    text,
    /^uplink: connected, .*, 1 of 3 confirmed by every required collector, waits: no required collector is online: col-b \(remedy: start it\)$/m,
  );
  assert.doesNotMatch(text, /unconfirmed/);
  assert.match(text, /^collector col-a: online, 3 entries stored, nothing waits$/m);
  assert.match(
    text,
    /^collector col-b: away, 1 of 3 entries stored, 3 sent, 2 wait, the oldest for 75 s: col-b has stored another entry 0 \(remedy: find out why\)$/m,
  );
  assert.deepEqual(JSON.parse(json).uplink.collectors, collectors);
});

test('status says in words why a collector that is good has not everything yet', async (t) => {
  const lines = async (uplink: object, state = 'online') => {
    const collectors = [{ collector: 'col-a', state, confirmed: 1, lag: 2, lagS: 9 }];
    const { text } = await statusOf(t, {
      uplink: { state: 'connected', cursor: 3, size: 3, unconfirmed: false, collectors, ...uplink },
    });
    return /^collector col-a: .*the oldest for 9 s: (.*)$/m.exec(text)?.[1];
  };
  assert.equal(await lines({}), 'they were sent, and it has not acknowledged them yet');
  assert.equal(await lines({ cursor: 2 }), 'they are being sent');
  assert.match((await lines({}, 'away')) ?? '', /^it is not connected, or the broker does not let/);
  assert.equal(await lines({ state: 'waiting' }), 'there is no connection to a broker');
  const held = { code: 'uplink.not-authorised', message: 'the broker does not let', remedy: 'allow it' };
  assert.equal(await lines({ held }), 'the broker does not let');
});

test('baseline accept needs a running agent, and devices or --all', async (t) => {
  const { cwd } = await showing(t, STOLEN);
  const none = await assayer(['baseline', 'accept'], { cwd });
  assert.equal(none.code, 2);
  assert.match(none.err, /name devices, or --all, not both/);
  const both = await assayer(['baseline', 'accept', 'rig-1', '--all'], { cwd });
  assert.equal(both.code, 2);
  const alone = await assayer(['baseline', 'accept', 'rig-1', '--yes'], { cwd });
  assert.deepEqual([alone.code, alone.out], [3, '']);
  assert.match(alone.err, /no agent runs in .*\n {2}remedy: start it: assayer run .*\[agent\.not-running\]/);
});
