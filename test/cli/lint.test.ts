import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { pools } from '../appraise/watch.ts';
import { People, summerPlan } from '../record/approvers.ts';
import { Recording } from '../record/recording.ts';
import { assayer, assertHarmless, configured } from './assayer.ts';

const DAY_MS = 86_400_000;

/** A gateway that began so many days ago, whose device then used a spare pool for a while. */
const gateway = async (t: TestContext, days: number) => {
  const recording = new Recording(t, ['rig-1'], {
    sinceMs: Date.now() - days * DAY_MS,
    labels: () => ({ tenant: 'acme' }),
  });
  await recording.learnAll();
  await recording.looks('rig-1', 2, SPARE);
  recording.clock.pass(3_600_000);
  await recording.looks('rig-1', 4, {});
  const run = (...words: readonly string[]) => assayer(['lint', ...words], { cwd: recording.dir });
  return { recording, run };
};

const SPARE = pools({ url: 'stratum+tcp://spare.example:3333' });
const LIST = {
  pools: {
    allow: [
      { url: '*', user: 'acme.*' },
      { url: 'stratum+tcp://spare.example:3333' },
      { url: 'stratum+tcp://gone.example:3333', user: 'acme.{serial}' },
    ],
  },
};

test('lint tells the lines that no device needed in the time, by the attestations of the log', async (t) => {
  const { recording, run } = await gateway(t, 33);
  configured(recording.dir, LIST);
  const month = await run('--json');
  assert.equal(month.code, 1, month.err);
  const { ok, lines, remarks } = JSON.parse(month.out);
  // The spare pool was used more than 30 days ago.
  assert.deepEqual([ok, lines], [false, 3]);
  assert.deepEqual(
    remarks.map(({ kind, what, name }: { kind: string; what: string; name: string }) => [kind, what, name]),
    [
      ['unmatched', 'line', 'pools.allow[1]'],
      ['unmatched', 'line', 'pools.allow[2]'],
    ],
  );
  const longer = await run('--days', '34');
  assert.equal(longer.code, 0, longer.out);
  assert.match(
    longer.out,
    /^The log is 3[23] d .*old: which lines are not needed can be told after 34 days \(--days\)\.$/m,
  );
  const text = await run('--days', '32');
  assert.equal(text.code, 1);
  assert.match(
    text.out,
    /^unmatched {2}line pools\.allow\[2\]: stratum\+tcp:\/\/gone\.example:3333 acme\.\{serial\}: no device .* in 32 days\n {11}remedy: remove it if nobody needs it/m,
  );
  assertHarmless(text);
  assert.match((await run('--days', 'many')).err, /a whole number from 1 to 400/);
});

test('a line that was needed within the time is not told, though no device is set to it now', async (t) => {
  const { recording, run } = await gateway(t, 20);
  configured(recording.dir, LIST);
  const { out } = await run('--days', '19', '--json');
  const early = JSON.parse(out).remarks.map(({ name }: { name: string }) => name);
  assert.deepEqual(early, ['pools.allow[1]', 'pools.allow[2]']);
  recording.clock.wall = Date.now() - 2 * DAY_MS;
  await recording.looks('rig-1', 2, SPARE);
  recording.clock.pass(3_600_000);
  await recording.looks('rig-1', 4, {});
  const late = JSON.parse((await run('--days', '19', '--json')).out).remarks.map(({ name }: { name: string }) => name);
  assert.deepEqual(late, ['pools.allow[2]']);
});

test('lint tells documents that matched nothing, with their owners, also when they ran to their end', async (t) => {
  const { recording, run } = await gateway(t, 40);
  configured(recording.dir, {});
  const people = new People('alice');
  const changes = recording.changes(people);
  const nowS = () => Math.floor(recording.clock.wall / 1000);
  const waive = (id: string, ids: string[], days: number) =>
    changes.adopt({
      kind: 'signed',
      ...people.sign(
        {
          ...{ kind: 'waiver', waiver_id: id, iat: nowS(), scope: {}, ids, reason: 'x', risk: 'y', author: 'carol' },
          expires_at: nowS() + days * 86_400,
        },
        'alice',
      ),
    });
  waive('never', ['pool.url-changed'], 90);
  waive('ran-out', ['pool.slot-added'], 20);
  waive('needed', ['config.network-changed'], 25);
  await recording.looks('rig-1', 3, { 'network.hostname': 'bench' });
  const terms = { kind: 'reference', ref_id: 'nobody', version: 1, scope: { devices: ['rig-9'] } } as const;
  const values = [{ fact: 'access.ssh', class: 'exact', value: false }];
  changes.adopt({ kind: 'signed', ...people.sign({ ...terms, iat: nowS(), values } as never, 'alice') });
  recording.clock.pass(26 * DAY_MS);
  changes.tick();
  const { code, out } = await run('--json');
  assert.equal(code, 1);
  assert.deepEqual(
    JSON.parse(out).remarks.map(({ what, name, owner }: { what: string; name: string; owner: string }) => [
      what,
      name,
      owner,
    ]),
    [
      ['waiver', 'never', 'carol'],
      ['reference', 'nobody', 'alice'],
      ['waiver', 'ran-out', 'carol'],
    ],
  );
  assert.match(out, /it is over, and no finding was covered by it/);
});

test('lint tells of a plan for what is compared with nothing why it covered nothing, in force and over', async (t) => {
  const { recording, run } = await gateway(t, 10);
  configured(recording.dir, {});
  const changes = recording.changes(new People('alice'));
  const nowS = Math.floor(recording.clock.wall / 1000);
  const expected_after = [{ fact: 'config.freq_mhz', class: 'exact', value: 400 } as const];
  const terms = { ...summerPlan(nowS, 7200), ids: ['config.drift'], expected_after };
  changes.adopt({ kind: 'local', terms, by: 'carol' });
  const remedies = async (): Promise<string[]> =>
    JSON.parse((await run('--json')).out).remarks.map(({ remedy }: { remedy: string }) => remedy);
  recording.clock.pass(3 * 3_600_000);
  changes.tick();
  recording.clock.pass(DAY_MS);
  const standing = await remedies();
  changes.tick();
  assert.deepEqual(changes.all(), []);
  for (const told of [standing, await remedies()]) {
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /^config\.freq_mhz changes by itself: .* unless a signed reference holds it/);
  }
});

test('lint has nothing to say of a plan under which the firmware made devices start anew, in force and over', async (t) => {
  const { recording, run } = await gateway(t, 10);
  configured(recording.dir, {});
  await recording.looks('rig-1', 1, { 'telemetry.elapsed_s': 100_000 });
  const people = new People('alice', 'bob');
  const changes = recording.changes(people);
  const nowS = Math.floor(recording.clock.wall / 1000);
  const expected_after = [{ fact: 'firmware.version', class: 'exact', value: '2027.01.1' } as const];
  const terms = { ...summerPlan(nowS, 7200), ids: ['firmware.version-changed'], expected_after };
  changes.adopt({ kind: 'signed', ...people.sign(terms, 'alice', 'bob') });
  // The reboot is of the first; that this one was not done covers nothing either.
  changes.adopt({ kind: 'signed', ...people.sign({ ...terms, plan_id: 'undone' }, 'alice', 'bob') });
  await recording.looks('rig-1', 1, { 'telemetry.elapsed_s': 30 });
  const idle = async (): Promise<string[]> =>
    JSON.parse((await run('--json')).out).remarks.map(({ name }: { name: string }) => name);
  recording.clock.pass(3 * 3_600_000);
  changes.tick();
  assert.deepEqual(changes.report('summer').unchanged, ['rig-1'], 'it is none that was made');
  assert.deepEqual(await idle(), ['undone']);
  recording.clock.pass(DAY_MS);
  changes.tick();
  assert.deepEqual(changes.all(), []);
  assert.deepEqual(await idle(), ['undone']);
  const ended = recording.events.flatMap(({ event, id }) => (event.startsWith('terms.') ? [[event, id]] : []));
  assert.deepEqual(
    ended.filter(([event]) => event !== 'terms.adopted'),
    [
      ['terms.expired', 'summer'],
      ['terms.unmatched', 'undone'],
    ],
  );
});
