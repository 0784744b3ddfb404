import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { serveControl } from '../../agent/platform/control.ts';
import { formatSignedTerms } from '../../shared/index.ts';
import { admission, People, poolUser, summerPlan } from '../record/approvers.ts';
import { Recording } from '../record/recording.ts';
import { assayer, configured, folder } from './assayer.ts';

/** Documents in force, who stands behind them now, and whose signatures count. */

const people = new People('alice', 'bob');

test('lists and doctor name a signer who is no approver any more, and nobody else', async (t) => {
  const recording = new Recording(t);
  await recording.learnAll();
  const changes = recording.changes(people);
  changes.adopt({ kind: 'signed', ...people.sign(poolUser('acme.rig0417'), 'alice', 'bob') });
  const now = Math.floor(recording.clock.wall / 1000);
  const plan = summerPlan(now, 600);
  changes.adopt({ kind: 'signed', ...people.sign(plan, 'alice', 'bob') });
  changes.adopt({ kind: 'local', terms: { ...plan, plan_id: 'by-hand' }, by: 'carol' });
  const { dir } = recording;
  const keyOf = (name: string): string => {
    const file = join(dir, `${name}.jwk.json`);
    writeFileSync(file, JSON.stringify(people.jwk(name)));
    return file;
  };
  const said = async (...names: readonly string[]) => {
    const approvers = Object.fromEntries(names.map((name) => [name, keyOf(name)]));
    const file = configured(dir, { approvers, devices: [{ host: '127.0.0.1', ports: { cgminer: 1, http: 1 } }] });
    const run = async (...words: readonly string[]) => (await assayer([...words, '-c', file])).out;
    const doctor = JSON.parse(await run('doctor', '--json')) as { checks: readonly { check: string; level: string }[] };
    return {
      show: await run('baseline', 'show'),
      json: JSON.parse(await run('baseline', 'show', '--json')) as { signers_gone?: readonly string[] },
      list: await run('plan', 'list'),
      doctor: doctor.checks.filter(({ check }) => check === 'approvals').map(({ level }) => level),
    };
  };
  const both = await said('alice', 'bob');
  assert.match(both.show, /alice, bob/);
  assert.doesNotMatch(both.show + both.list, /no approver/);
  assert.deepEqual([both.json.signers_gone, both.doctor], [undefined, ['ok']]);
  const one = await said('alice');
  assert.match(one.show, /alice, bob \(no approver any more\)/);
  assert.match(one.list, /summer .*alice, bob \(no approver any more\)/);
  assert.match(one.list, /by-hand .*carol/);
  assert.doesNotMatch(one.list, /carol \(no/);
  assert.deepEqual([one.json.signers_gone, one.doctor], [['bob'], ['warn', 'warn']]);
});

/** The configuration of a gateway with one device and these approvers, whose public keys are written beside it. */
const approvedBy = (dir: string, ...names: readonly string[]): string => {
  const approvers = Object.fromEntries(
    names.map((name) => {
      writeFileSync(join(dir, `${name}.jwk.json`), JSON.stringify(people.jwk(name)));
      return [name, join(dir, `${name}.jwk.json`)];
    }),
  );
  return configured(dir, { approvers, devices: [{ host: '127.0.0.1', ports: { cgminer: 1, http: 1 } }] });
};

test('baseline show and doctor name devices that left and are back, at which a document holds nothing until it is adopted again', async (t) => {
  const recording = new Recording(t);
  await recording.learnAll();
  const changes = recording.changes(people);
  const terms = { kind: 'reference', ref_id: 'rigs', version: 1, entries: [recording.attestation('rig-1')] } as const;
  const document = people.sign(terms, 'alice', 'bob');
  changes.adopt({ kind: 'signed', ...document });
  const { dir } = recording;
  const file = approvedBy(dir, 'alice', 'bob');
  const said = async () => {
    const doctor = await assayer(['doctor', '--json', '-c', file]);
    const { checks } = JSON.parse(doctor.out) as {
      checks: readonly { check: string; message: string; remedy?: string }[];
    };
    return {
      doctor: checks
        .filter(({ check }) => check === 'approvals')
        .map(({ message, remedy = '' }) => `${message}: ${remedy}`),
      show: (await assayer(['baseline', 'show', '-c', file])).out,
      json: JSON.parse((await assayer(['baseline', 'show', '--json', '-c', file])).out) as { left?: readonly string[] },
    };
  };
  recording.leaves('rig-1');
  const away = await said();
  assert.deepEqual(away.json.left, ['rig-1']);
  assert.match(away.show, /1 device as attested, nothing at rig-1, which left/);
  assert.doesNotMatch(away.doctor.join(), /rig-1/, 'nobody has to do anything about a device that is gone');
  await recording.returns('rig-1', {});
  assert.match(
    (await said()).doctor.join(),
    /^reference rigs holds nothing at rig-1, which left the configuration and came back: .*baseline adopt <signed file>/,
  );
  changes.adopt({ kind: 'signed', ...document });
  const again = await said();
  assert.equal(again.json.left, undefined);
  assert.doesNotMatch(again.show + again.doctor.join(), /rig-1/);
});

test('doctor names what a running agent refused on its topic, with reason and remedy', async (t) => {
  const recording = new Recording(t);
  await recording.learnAll();
  const changes = recording.changes(people);
  changes.resume();
  const { dir } = recording;
  const file = approvedBy(dir, 'alice', 'bob');
  const status = () => ({
    log: recording.origin,
    size: 0,
    store_failing: false,
    pools_unread: {},
    unlooked: {},
    signers_gone: [],
    terms_refused: changes.refused(),
    uplink: null,
    notify: [],
  });
  const door = await serveControl(dir, async () => status());
  t.after(() => door.close());
  const said = async () => {
    const doctor = await assayer(['doctor', '--json', '-c', file]);
    const { checks } = JSON.parse(doctor.out) as {
      checks: readonly { check: string; level: string; message: string; remedy?: string }[];
    };
    return checks.filter(({ check }) => check === 'approvals');
  };
  assert.deepEqual(
    (await said()).map(({ level }) => level),
    ['ok'],
  );
  changes.takeDelivered(Buffer.from(formatSignedTerms(people.sign(poolUser('acme.x1'), 'alice'))), 'site-pools');
  const [refused, ...others] = await said();
  assert.deepEqual([refused?.level, others], ['warn', []]);
  assert.match(
    refused?.message ?? '',
    /^reference site-pools, on ref\/site-pools, is refused since \d{4}-.*Z: it speaks of what two people have to approve, and one did$/,
  );
  assert.match(refused?.remedy ?? '', /^have another approver sign it too: assayer baseline sign/);
  changes.takeDelivered(Buffer.from(JSON.stringify(people.sign(poolUser('acme.x1'), 'alice', 'bob'))), 'site-pools');
  assert.deepEqual(
    (await said()).map(({ level }) => level),
    ['ok'],
  );
});

test('doctor and keys list name a key that waits, with how it is admitted; once it is nothing is said', async (t) => {
  const recording = new Recording(t);
  await recording.learnAll();
  const three = new People('alice', 'bob', 'carol');
  const { dir } = recording;
  recording.changes(three.among('alice', 'bob')).resume();
  const approvers = Object.fromEntries(
    [...three.names].map(([, name]) => {
      writeFileSync(join(dir, `${name}.jwk.json`), JSON.stringify(three.jwk(name)));
      return [name, join(dir, `${name}.jwk.json`)];
    }),
  );
  const file = configured(dir, { approvers, devices: [{ host: '127.0.0.1', ports: { cgminer: 1, http: 1 } }] });
  const said = async () => {
    const doctor = await assayer(['doctor', '--json', '-c', file]);
    const checks = (JSON.parse(doctor.out) as { checks: readonly { check: string; level: string; message: string }[] })
      .checks;
    const list = await assayer(['keys', 'list', '--json', '-c', file]);
    return {
      doctor: checks.filter(({ check }) => check === 'approvals').map(({ level, message }) => `${level} ${message}`),
      waits: list.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { name: string; counts: boolean })
        .filter(({ counts }) => !counts)
        .map(({ name }) => name),
      table: (await assayer(['keys', 'list', '-c', file])).out,
    };
  };
  const changes = recording.changes(three);
  changes.heedApprovers();
  const before = await said();
  const { kid } = three.signer('carol');
  assert.deepEqual(before.waits, ['carol']);
  assert.match(before.doctor.join(), new RegExp(`^warn approver carol, key ${kid}, waits`));
  assert.match(before.table, new RegExp(`carol +${kid} +waits`));
  changes.adopt({ kind: 'signed', ...three.sign(admission(three, 'carol'), 'alice', 'bob') });
  const after = await said();
  assert.deepEqual([after.waits, after.doctor.map((line) => line.slice(0, 2))], [[], ['ok']]);
  assert.match((await assayer(['baseline', 'show', '-c', file])).out, /approver-1 .*admits carol/);
  assert.equal((await assayer(['lint', '-c', file, '--days', '1'])).code, 0);
});

test('approvals.unreadable: doctor, keys list and findings show tell a damaged record', async (t) => {
  const recording = new Recording(t);
  await recording.learnAll();
  const { dir } = recording;
  // That the first approvers are named is a finding.
  recording.changes(people).resume();
  writeFileSync(join(dir, 'alice.jwk.json'), JSON.stringify(people.jwk('alice')));
  const file = configured(dir, {
    approvers: { alice: join(dir, 'alice.jwk.json') },
    devices: [{ host: '127.0.0.1', ports: { cgminer: 1, http: 1 } }],
  });
  const [opened] = recording.store.findings({ open: false, limit: 1 });
  const number = String(opened?.finding.openedSeq);
  const verbs = [
    ['keys', 'list'],
    ['findings', 'show', number],
  ];
  const approvalsOf = async () => {
    const { checks } = JSON.parse((await assayer(['doctor', '--json', '-c', file])).out) as {
      checks: readonly { check: string; level: string; message: string }[];
    };
    return checks.filter(({ check }) => check === 'approvals');
  };
  for (const verb of verbs) assert.equal((await assayer([...verb, '-c', file])).code, 0);
  assert.notEqual((await approvalsOf())[0]?.level, 'fail');
  recording.approvals().save();
  truncateSync(join(dir, 'approvals.json'), 10);
  for (const verb of verbs) {
    const { code, out, err } = await assayer([...verb, '-c', file]);
    assert.deepEqual([code, out], [3, ''], err);
    assert.match(
      err,
      /^assayer: .*approvals\.json, .*\n {2}remedy: .*put it back from a backup.* \[approvals\.unreadable\]\n$/,
    );
  }
  const [said] = await approvalsOf();
  assert.match(`${said?.level} ${said?.message}`, /^fail .*approvals\.json, which says whose signatures count/);
});

/** Root may read anything, so somebody else looks; anybody else can shut himself out. */
const OTHER = process.getuid?.() === 0 ? 65534 : undefined;
const CLOSED = OTHER === undefined ? 0 : 0o700;

/** To be called before the folder is made: what ends with a test ends in the same order, and what is shut cannot be removed. */
const reopened = (t: TestContext, shut: () => string): void => t.after(() => chmodSync(shut(), 0o700));

/** What verbs say to somebody who may not enter the state folder of a gateway with an approver, or may not read the files in it. */
const strange = async (t: TestContext, shut: 'folder' | 'files') => {
  reopened(t, () => dir);
  const recording = new Recording(t);
  const { dir } = recording;
  await recording.learnAll();
  recording.changes(people).resume();
  recording.approvals().save();
  recording.store[Symbol.dispose]();
  const cwd = folder(t);
  writeFileSync(join(cwd, 'alice.jwk.json'), JSON.stringify(people.jwk('alice')));
  const file = configured(cwd, {
    state_dir: dir,
    approvers: { alice: join(cwd, 'alice.jwk.json') },
    devices: [{ host: '127.0.0.1', ports: { cgminer: 1, http: 1 } }],
  });
  chmodSync(cwd, 0o755);
  if (shut === 'files') for (const name of readdirSync(dir)) chmodSync(join(dir, name), CLOSED & 0o600);
  chmodSync(dir, shut === 'files' ? 0o755 : CLOSED);
  return (...words: readonly string[]) => assayer([...words, '-c', file], { as: OTHER });
};

const READING = ['status', 'findings', 'log', 'lint', 'plan list', 'waiver list', 'baseline show', 'findings show 1'];

test('agent.no-access: whoever may not read the state folder is told to be the user of the agent, and nothing of damage', async (t) => {
  for (const [shut, verbs] of [
    ['folder', READING],
    ['files', ['status']],
  ] as const) {
    const run = await strange(t, shut);
    for (const verb of verbs) {
      const { code, out, err } = await run(...verb.split(' '));
      assert.deepEqual([code, out], [3, ''], `${verb}: ${err}`);
      assert.match(
        err,
        /^assayer: the store .*assayer\.db may not be read by this user\n {2}remedy: run the command as the user of the agent: sudo -u <user> assayer … \[agent\.no-access\]\n$/,
        verb,
      );
    }
    const { code, out, err } = await run('keys', 'list');
    assert.deepEqual([code, out], [3, ''], err);
    assert.match(
      err,
      /approvals\.json, which .* cannot be read by this user \(EACCES\)\n {2}remedy: .*sudo -u <user> assayer …/,
    );
    assert.doesNotMatch(err, /remove/, 'the next approvers who are named would be the first');
  }
});

test('doctor as another user than that of the agent ends with a line for each check, where approvers are named, too', async (t) => {
  const run = await strange(t, 'folder');
  const [text, json] = [await run('doctor'), await run('doctor', '--json')];
  assert.deepEqual([text.code, text.err, json.code, json.err], [1, '', 1, '']);
  assert.match(text.out, /^FAIL {2}miners /m, 'it comes to its end');
  const { ok, checks } = JSON.parse(json.out) as {
    ok: boolean;
    checks: readonly { check: string; level: string; message: string; remedy?: string }[];
  };
  assert.equal(ok, false);
  for (const [name, what] of [
    ['store', /assayer\.db may not be read by this user/],
    ['approvals', /approvals\.json.*cannot be read by this user \(EACCES\)/],
  ] as const) {
    const [found] = checks.filter(({ check }) => check === name);
    assert.equal(found?.level, 'fail');
    assert.match(found?.message ?? '', what);
    assert.match(found?.remedy ?? '', /sudo -u <user> assayer …/);
  }
});

test('doctor where not even the way to the state folder is open ends with a line for each check', async (t) => {
  reopened(t, () => join(cwd, 'shut'));
  const cwd = folder(t);
  mkdirSync(join(cwd, 'shut', 'state'), { recursive: true });
  chmodSync(cwd, 0o755);
  chmodSync(join(cwd, 'shut'), CLOSED);
  const file = configured(cwd, {
    state_dir: join(cwd, 'shut', 'state'),
    devices: [{ host: '127.0.0.1', ports: { cgminer: 1, http: 1 } }],
  });
  const said = await assayer(['doctor', '-c', file], { as: OTHER });
  assert.deepEqual([said.code, said.err], [1, ''], said.out);
  assert.match(said.out, /^FAIL {2}state folder {3}.*EACCES.*\n.*remedy: .*sudo -u <user> assayer …/m);
});
