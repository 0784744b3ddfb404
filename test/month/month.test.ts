import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Report } from '../../scripts/month/report.ts';

const SCRIPT = join(import.meta.dirname, '..', '..', 'scripts', 'month.ts');
const SHORT = join(import.meta.dirname, '..', '..', 'scripts', 'month', 'scenarios', 'short.yaml');
const MONTH = join(import.meta.dirname, '..', '..', 'scripts', 'month', 'scenarios', 'month.yaml');

/** Everything that is made while it runs is made here, and gone afterwards. */
const place = mkdtempSync(join(tmpdir(), 'assayer-month-test-'));
after(() => rmSync(place, { recursive: true, force: true }));

const start = (...words: readonly string[]) => {
  const env = { ...process.env, TMPDIR: place };
  const child = spawn(process.execPath, [SCRIPT, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, out: text(child.stdout), err: text(child.stderr), ended };
};

const run = async (...words: readonly string[]) => {
  const { out, err, ended } = start(...words);
  return { code: await ended, out: await out, err: await err };
};

/** Fifteen hours of five miners: a scenario that a test can be about one thing with. */
const scenario = (name: string, lists: string): string => {
  const file = join(place, name);
  writeFileSync(
    file,
    [
      'title: a test',
      'start: "2026-10-01T00:00:00Z"',
      'days: 1',
      'devices: 5',
      'poll: "*/10 * * * *"',
      'full: "7 * * * *"',
      'accept: { day: 1, at: "01:30", by: anna }',
      'site: [{ specimen: whatsminer/m50s-api2, share: 1 }]',
      lists,
    ].join('\n'),
  );
  return file;
};

describe('two days in which everything happens that a scenario can have', () => {
  let report: Report;
  let code: number | null;

  before(async () => {
    const ran = await run('--scenario', SHORT, '--json');
    assert.match(ran.err, /^(\d+ %, about \d+ s left\n)+$/, 'nothing but how far it is');
    report = JSON.parse(ran.out) as Report;
    code = ran.code;
  });

  test('every attack is found at every device, or no rule of this agent could', () => {
    assert.deepEqual(report.attacks.missed, []);
    assert.equal(report.attacks.found + report.attacks.no_rule.length, report.attacks.injected);
    assert.ok(report.attacks.injected >= 20, `${report.attacks.injected} attacks`);
    assert.ok((report.attacks.polls.median ?? Number.NaN) <= 6, `${report.attacks.polls.median} polls`);
  });

  test('nothing of medium or above has no cause, and no miner was asked what it may not be asked', () => {
    assert.deepEqual(report.false_alarms, []);
    assert.deepEqual(report.problems, []);
    assert.equal(code, 0);
  });

  test('planned changes are covered by their plans', () => {
    assert.ok(report.planned.length >= 3);
    for (const { what, covered, uncovered } of report.planned) {
      assert.deepEqual(uncovered, {}, what);
      assert.ok(Object.keys(covered).length > 0, what);
    }
    // The scenario has one after which somebody approves what the devices show.
    const approved = report.planned.filter(({ approved }) => approved.accepted > 0);
    assert.deepEqual(
      approved.map(({ devices, approved }) => [devices, approved]),
      [[6, { accepted: 6, refused: 0 }]],
    );
  });

  test('it was looked at: all devices, over all the time, with replies that broke off', () => {
    assert.deepEqual(report.acceptance, { accepted: report.devices, refused: 0 });
    assert.ok(report.looks.pools + report.looks.full > (report.devices * report.days * 86_400) / report.poll_s / 1.5);
    const share = report.looks.cut / report.looks.replies;
    assert.ok(share > 0.04 && share < 0.06, `${share} of the replies`);
    for (const kind of [
      'session',
      'attestation',
      'baseline',
      'change',
      'finding',
      'coverage',
      'mirror dev',
      'mirror finding',
    ])
      assert.ok((report.published[kind] ?? 0) > 0, kind);
    assert.ok(report.storms.parents > 0);
  });
});

test('an attack that changes nothing is not found: exit 1, and the report names it', async () => {
  const file = scenario(
    'unseen.yaml',
    `attacks:
  - { what: nothing, day: 1, at: "05:00", steps: [{ do: pace, frequency: 1.01 }], finds: [pool.user-changed] }`,
  );
  const { code, out } = await run('--scenario', file, '--json');
  const report = JSON.parse(out) as Report;
  assert.equal(code, 1);
  assert.deepEqual(report.problems, ['not found: nothing (0 of 1 devices)']);
  assert.deepEqual(report.attacks.missed, report.attacks.all);
});

test('an attack whose finding weighs less than medium is found where it says so', async () => {
  const file = scenario(
    'low.yaml',
    `attacks:
  - what: another power supply
    day: 1
    at: "05:00"
    steps: [{ do: set, name: powersn, value: Q7345U223999 }, { do: set, name: serial_no, value: Q7345U223999 }]
    finds: [identity.psu-changed]
    at_least: low`,
  );
  const { out } = await run('--scenario', file, '--json');
  const report = JSON.parse(out) as Report;
  assert.deepEqual(report.attacks.missed, []);
});

test('a change of the pool account that nobody planned is an alarm without a cause: exit 1, with device and values', async () => {
  const file = scenario(
    'alarm.yaml',
    `life:
  - { what: a slip, day: 1, at: "05:00", steps: [{ do: changePoolUser, slot: 0, user: somebody.else }] }`,
  );
  const { code, out } = await run('--scenario', file);
  assert.equal(code, 1);
  assert.match(
    out,
    /2026-10-01 05:\d\d {2}critical pool\.user-changed {2}mac-\w+ 10\.20\.0\.\d .*somebody\.else.*during: a slip/,
  );
  assert.match(out, /FAILED: 1 findings of medium or above without a cause/);
});

test('a change that is not the planned one is told', async () => {
  const file = scenario(
    'plan.yaml',
    `planned:
  - what: a roll-out
    day: 1
    at: "05:00"
    steps: [{ do: setFirmware, version: 20250101.11.REL }]
    plan:
      id: roll-out
      by: anna
      ids: [firmware.version-changed]
      expected_after: [{ fact: firmware.version, class: exact, value: 20250202.11.REL }]
      lasts: 4h`,
  );
  const { code, out } = await run('--scenario', file, '--json');
  const { planned, false_alarms: alarms } = JSON.parse(out) as Report;
  assert.equal(code, 1, out);
  assert.deepEqual(planned[0]?.uncovered, { 'firmware.version-changed': 1 });
  assert.ok(alarms.some(({ id }) => id === 'change.deviation'));
});

test('a wrong scenario is refused with line, setting and remedy: exit 2', async () => {
  const wrong = scenario(
    'wrong.yaml',
    `life:
  - { what: a, day: 1, steps: [{ do: goDrak }] }
  - { what: d, day: 1, over: soon, steps: [{ do: reboot }] }`,
  );
  const { code, err } = await run('--scenario', wrong);
  assert.equal(code, 2);
  assert.match(err, /wrong\.yaml:10: life\[0\]\.steps\[0\]\.do: .*did you mean "goDark"\?/);
  assert.match(err, /wrong\.yaml:11: life\[1\]\.over: a time with its unit/);
  const other = scenario(
    'other.yaml',
    `life:
  - { what: b, steps: [{ do: reboot }] }
  - { what: c, day: 1, of: avalon/a1246, steps: [{ do: reboot }] }`,
  );
  const second = await run('--scenario', other);
  assert.match(second.err, /other\.yaml:10: life\[0\]: needs either `day` or `days`/);
  assert.match(second.err, /other\.yaml:11: life\[1\]\.of: there is no specimen "avalon\/a1246"/);
  assert.match((await run('--scenario', join(place, 'none.yaml'))).err, /scenario\.unreadable/);
});

test('more devices than a site has are too many: exit 2, with what to do', async () => {
  const file = scenario(
    'crowded.yaml',
    `attacks:
  - { what: first, day: 1, at: "05:00", devices: 3, steps: [{ do: freeze }], finds: [runtime.stale-data] }
  - { what: second, day: 1, at: "06:00", devices: 3, steps: [{ do: freeze }], finds: [runtime.stale-data] }`,
  );
  const { code, err } = await run('--scenario', file);
  assert.equal(code, 2);
  assert.match(err, /"second" needs 3 of 5 devices, and only 2 of them are left alone then/);
});

test('Ctrl-C ends the month: exit 130, and nothing is left behind', async () => {
  const { child, ended, out } = start('--scenario', MONTH);
  for (let waited = 0; readdirSync(place).every((name) => !name.startsWith('assayer-month-')); waited += 100) {
    assert.ok(waited < 60_000, 'it does not begin');
    await delay(100);
  }
  await delay(2000);
  child.kill('SIGINT');
  assert.equal(await ended, 130);
  assert.equal(await out, '');
  assert.deepEqual(
    readdirSync(place).filter((name) => name.startsWith('assayer-month-')),
    [],
  );
});
