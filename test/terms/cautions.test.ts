import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cautionsOf } from '../../agent/terms/cautions.ts';
import { reviewOf, summaryOf } from '../../agent/terms/summary.ts';
import {
  type ExpectedValue,
  type Plan,
  type ReferenceTerms,
  type Scope,
  termsProblem,
  termsSchema,
  type Waiver,
} from '../../shared/terms.ts';

const NOW = 1_795_339_200;
const HOUR = 3600;
const DAY = 86_400;

const VERSION: ExpectedValue = { fact: 'firmware.version', class: 'exact', value: '2.10' };

const plan = (changes: Partial<Plan> = {}): Plan => ({
  kind: 'plan',
  plan_id: 'fw',
  iat: NOW,
  type: 'change',
  scope: { devices: ['rig-1'] },
  ids: ['firmware.version-changed'],
  expected_after: [VERSION],
  not_before_at: NOW,
  not_after_at: NOW + DAY,
  author: 'carol',
  ...changes,
});

const waiver = (changes: Partial<Waiver> = {}): Waiver => ({
  kind: 'waiver',
  waiver_id: 'bench',
  iat: NOW,
  scope: { devices: ['rig-1'] },
  ids: ['pool.outside-allowlist'],
  reason: 'burn-in',
  risk: 'a day',
  expires_at: NOW + 14 * DAY,
  author: 'bob',
  ...changes,
});

const reference = (changes: Partial<ReferenceTerms> = {}): ReferenceTerms => ({
  kind: 'reference',
  ref_id: 'site',
  version: 1,
  iat: NOW,
  scope: { labels: { site: 'tx1' } },
  values: [VERSION],
  ...changes,
});

test('a document that says closely what it means has nothing to warn of', () => {
  const user: ExpectedValue = { fact: 'pools.user', class: 'template', value: 'acme.{rack}-{serial}' };
  for (const terms of [
    plan(),
    waiver(),
    reference(),
    plan({ ids: ['pool.user-changed'], expected_after: [user] }),
    reference({ values: [user] }),
  ]) {
    termsSchema.parse(terms);
    assert.deepEqual(cautionsOf(terms), [], JSON.stringify(terms));
  }
});

test('a star or a field in braces that would stand for itself is told; in a template it is none', () => {
  const taken = (items: ExpectedValue[]): readonly string[] =>
    [reference({ values: items }), plan({ ids: ['pool.*'], expected_after: items })].map((terms) =>
      cautionsOf(terms)
        .filter((text) => text.includes('as it is written'))
        .join(' '),
    );
  const slot = { slot: 0, url: 'stratum+tcp://pool.example:3333', user: 'acme.{rack}' };
  const told = /^acme\.(?:\*|\{rack\}) is taken as it is written, .* class: template$/;
  for (const item of [
    { fact: 'pools.user', class: 'exact', value: 'acme.*' },
    { fact: 'pools.user', class: 'set', value: ['acme.*', 'acme.rig1'] },
    { fact: 'pools', class: 'exact', value: [slot] },
  ] as const)
    for (const text of taken([item as ExpectedValue])) assert.match(text, told, JSON.stringify(item));
  for (const item of [
    { fact: 'pools.user', class: 'template', value: 'acme.*' },
    { fact: 'pools.user', class: 'exact', value: 'acme.rig1' },
    { fact: 'network.hostname', class: 'exact', value: 'a*' },
  ] as const)
    assert.deepEqual(taken([item as ExpectedValue]), ['', ''], JSON.stringify(item));
});

test('an empty scope is said in words, whatever it looks like', () => {
  const whole: readonly Scope[] = [{}, { labels: {} }, { logs: ['example.org/gw'] }];
  for (const scope of whole)
    for (const terms of [plan({ scope }), waiver({ scope }), reference({ scope })])
      assert.match(cautionsOf(terms)[0] ?? '', /^it covers ALL devices of /, JSON.stringify(terms));
  const { scope: _, ...unbounded } = reference();
  assert.match(cautionsOf(unbounded)[0] ?? '', /ALL devices of every gateway that takes it/);
  assert.match(cautionsOf(plan({ scope: { logs: ['example.org/gw'] } }))[0] ?? '', /ALL devices of example\.org\/gw/);
  const narrow: readonly Scope[] = [{ models: ['S21'] }, { firmware: ['axeos'] }, { labels: { site: 'a' } }];
  for (const scope of narrow) assert.deepEqual(cautionsOf(plan({ scope })), []);
  const { values: _values, ...asSeen } = reference({
    scope: { logs: ['example.org/gw'] },
    entries: [{ device: 'rig-1', log: 'example.org/gw/1', seq: 1, leaf: 'A'.repeat(43) }],
  });
  const [everything, ...more] = cautionsOf(asSeen);
  assert.match(everything ?? '', /^it approves EVERY fact that rig-1 showed then/);
  assert.deepEqual(more, [], 'entries name their devices');
});

test('whoever signs what a device showed as a whole is told so: its pools and safety settings are among it; of single facts these are named', () => {
  const entry = { device: 'rig-1', log: 'example.org/gw/1', seq: 1, leaf: 'A'.repeat(43) };
  const { values: _, ...bare } = reference({ entries: [entry, { ...entry, device: 'rig-2' }] });
  assert.match(
    cautionsOf(bare).join('\n'),
    /^it approves EVERY fact that rig-1, rig-2 showed then, and ends every finding about one: also of pools, accounts and safety settings\. .* --fact/,
  );
  assert.match(
    summaryOf(bare, NOW).join('\n'),
    /as seen +rig-1: EVERY fact, pools and safety settings included, as entry 1/,
  );
  const named = { ...bare, entries: [{ ...entry, facts: ['firmware.version', 'firmware.build'] }] };
  assert.deepEqual(cautionsOf(named), []);
  const text = summaryOf(named, NOW).join('\n');
  assert.match(
    text,
    /as seen +rig-1: firmware\.version, firmware\.build as entry 1 of example\.org\/gw\/1 claims \(A+\)$/m,
  );
  assert.match(text, /^ +the values do not stand in this file: /m);
});

test('a long window is said: a plan of more than a week, a waiver of more than a month', () => {
  assert.deepEqual(cautionsOf(plan({ not_after_at: NOW + 7 * DAY })), []);
  assert.match(cautionsOf(plan({ not_after_at: NOW + 7 * DAY + 1 })).join(), /^it lasts 7 d/);
  assert.deepEqual(cautionsOf(waiver({ expires_at: NOW + 30 * DAY })), []);
  assert.match(cautionsOf(waiver({ expires_at: NOW + 90 * DAY })).join(), /^it lasts 90 d/);
});

test('groups, and findings on which all the others rest, are named with what goes unheard', () => {
  const wide = cautionsOf(waiver({ ids: ['config.*'] })).join('\n');
  assert.match(wide, /^config\.\* stands for \d+ findings, and for those that later versions add/m);
  assert.match(wide, /it tolerates what is critical: config\.safety-weakened$/m);
  assert.match(
    cautionsOf(plan({ ids: ['identity.hashboard-changed'] })).join(),
    /it speaks of identity: machines and boards/,
  );
  assert.match(
    cautionsOf(waiver({ ids: ['visibility.device-dark'] })).join(),
    /it speaks of visibility: devices that fall silent/,
  );
});

test('what is about the gateway no plan or waiver covers: that is told before anybody signs, and it is not counted among what becomes quiet', () => {
  for (const id of ['change.break-glass', 'waiver.expired', 'evidence.agent-gap', 'evidence.*'])
    for (const terms of [plan({ ids: [id] }), waiver({ ids: [id] })])
      assert.match(cautionsOf(terms)[0] ?? '', new RegExp(`^no plan or waiver covers ${id.replace('*', '\\*')}: `));
  assert.deepEqual(cautionsOf(waiver({ ids: ['change.deviation'] })), []);
  const lines = reviewOf(waiver({ ids: ['change.break-glass', 'config.drift'] }), NOW).join('\n');
  assert.match(lines, /change\.break-glass \(no plan or waiver covers it\)/);
  assert.match(lines, /quiet +1 kind of finding, up to medium\b/);
});

test('a plan that expects nothing of what an id looks at is told: it announces no such change', () => {
  assert.match(
    cautionsOf(plan({ ids: ['pool.user-changed', 'firmware.version-changed'] })).join(),
    /^it names pool\.user-changed and expects nothing of what that looks at \(pools\)/,
  );
  const user: ExpectedValue = { fact: 'pools.user', class: 'exact', value: 'acme.x' };
  assert.deepEqual(cautionsOf(plan({ ids: ['pool.user-changed'], expected_after: [user] })), []);
});

test('an id is said to be as grave as what may be seen can make it', () => {
  const lines = (terms: Plan | Waiver): string => reviewOf(terms, NOW).join('\n');
  assert.match(lines(waiver({ ids: ['identity.new-device'] })), /identity\.new-device \(up to high\)/);
  assert.match(lines(waiver({ ids: ['pool.slot-added'] })), /it tolerates what is critical: pool\.slot-added/);
});

test('an after-state that holds devices to nothing lifts the limits of a plan without one, and that is said', () => {
  const boards: ExpectedValue = { fact: 'identity.hashboards', class: 'volatile' };
  const open = plan({ ids: ['identity.hashboard-changed'], expected_after: [boards], not_after_at: NOW + 5 * HOUR });
  const said = cautionsOf(open).join('\n');
  assert.match(said, /does not say what identity\.hashboards shall be afterwards/);
  assert.match(
    said,
    /it lasts 5 h, and identity\.hashboards may be anything: without expected_after 4 h would be the most/,
  );
  assert.match(said, /it covers identity\.hashboard-changed, which a plan without expected_after never could/);
  assert.match(said, /it covers identity\.hashboard-changed for more than 4 h .* a gateway without approvers/);
  const short = cautionsOf({ ...open, not_after_at: NOW + 4 * HOUR }).join('\n');
  assert.doesNotMatch(short, /it lasts|more than 4 h/);
});

test('a template that begins with the account that is seen, and what a reference no longer compares, is anybody’s', () => {
  for (const value of ['{account}.{rack}', '*', '*.{serial}', ['acme.{rack}', '{account}.x']]) {
    const item: ExpectedValue = { fact: 'pools.user', class: 'template', value };
    assert.match(cautionsOf(plan({ expected_after: [item] })).join(), /does not say what pools\.user shall be/);
    assert.match(cautionsOf(reference({ values: [item] })).join(), /a change of pools\.user is found on no device/);
  }
  const wild: ExpectedValue = { fact: 'access.ssh', class: 'volatile' };
  assert.match(
    cautionsOf(reference({ values: [VERSION, wild] })).join(),
    /^a change of access\.ssh is found on no device/,
  );
  const itself: ExpectedValue = { fact: 'telemetry.hashrate_hs', class: 'volatile' };
  assert.deepEqual(cautionsOf(reference({ values: [itself] })), [], 'it changes by itself');
  const part: ExpectedValue = { fact: 'config.other', class: 'volatile', value: ['led'] };
  assert.deepEqual(cautionsOf(reference({ values: [part] })), [], 'a named part is closely said');
});

test('an account made of what whoever holds a machine can set is anybody’s; behind the account it is not', () => {
  for (const value of [
    '{hostname}.x',
    '{model}.{serial}',
    'acme{hostname}.x',
    'LTC.{hostname}.x',
    'LTC.{hostname}',
    '{site.hall}{hostname}.x',
    'ops@{hostname}.example.{rack}',
    ['acme.{rack}', '{hostname}'],
  ]) {
    const item: ExpectedValue = { fact: 'pools.user', class: 'template', value };
    const note = JSON.stringify(value);
    const said = /the account of \S+ is made of \{(?:hostname|model)\}, which whoever holds a machine can set/;
    const planned = cautionsOf(plan({ ids: ['pool.user-changed'], expected_after: [item] })).join('\n');
    assert.match(planned, said, note);
    assert.match(planned, /does not say what pools\.user shall be/, note);
    const held = cautionsOf(reference({ values: [item] })).join('\n');
    assert.match(held, said, note);
    assert.match(held, /a change of pools\.user is found on no device/, note);
  }
  for (const value of [
    'acme.{hostname}',
    'acme.{model}-{hostname}',
    'LTC.acme.{hostname}',
    'ops@acme.example/{hostname}',
    '{serial}.{hostname}',
    '{mac}.x',
    '{ip}.x',
    '{site.hall}.{hostname}',
  ]) {
    const item: ExpectedValue = { fact: 'pools.user', class: 'template', value };
    assert.deepEqual(cautionsOf(plan({ ids: ['pool.user-changed'], expected_after: [item] })), [], value);
    assert.deepEqual(cautionsOf(reference({ values: [item] })), [], value);
  }
});

test('what is open in substance is told, whatever class it is written in, and lifts no limit', () => {
  const night = { zone: 'UTC', slots: [{ from: '00:00', to: '00:01', value: '2.10' }] };
  const open: readonly [ExpectedValue, RegExp][] = [
    [{ fact: 'firmware.version', class: 'schedule', value: night }, /may be any value outside the hours of its slots/],
    [{ fact: 'config.power_limit_w', class: 'band', value: { min: 0 } }, /config\.power_limit_w.*any value is/],
    [{ fact: 'config.power_limit_w', class: 'band', value: { max: 9_000_000 } }, /config\.power_limit_w.*any value is/],
    [{ fact: 'config.power_limit_w', class: 'band', value: { min: 3000 } }, /may be any value from 3000 up/],
    [{ fact: 'config.fan_min_pct', class: 'band', value: { min: 0, max: 100 } }, /config\.fan_min_pct.*any value is/],
    [{ fact: 'firmware.version', class: 'template', value: '*.*' }, /firmware\.version.*any value is/],
    [{ fact: 'network.hostname', class: 'template', value: '{hostname}' }, /network\.hostname.*any value is/],
    [{ fact: 'pools.url', class: 'template', value: 'stratum+tcp://*:3333' }, /pools\.url.*any value is/],
    [{ fact: 'pools.url', class: 'template', value: '{hostname}:3333' }, /pools\.url.*any value is/],
    [{ fact: 'pools.url', class: 'template', value: 'stratum+tcp://pool.{hostname}/key' }, /pools\.url.*any value is/],
    [{ fact: 'pools.url', class: 'template', value: 'stratum+ssl://acme@{account}:*' }, /pools\.url.*any value is/],
    [{ fact: 'pools.proxy', class: 'template', value: '{model}:8080' }, /pools\.proxy.*any value is/],
    [{ fact: 'pools.user', class: 'template', value: 'acme*.{serial}' }, /pools\.user.*any value is/],
    [{ fact: 'pools.user', class: 'template', value: '{hostname}.x' }, /pools\.user.*any value is/],
  ];
  for (const [item, said] of open) {
    const note = JSON.stringify(item);
    const long = plan({ ids: ['config.drift'], expected_after: [item], not_after_at: NOW + 5 * DAY });
    assert.match(termsProblem(long) ?? '', /^a plan that leaves \S+ open \(.*lasts at most 4 hours$/, note);
    const short = { ...long, not_after_at: NOW + 4 * HOUR };
    assert.equal(termsProblem(short), undefined, note);
    assert.match(termsProblem({ ...short, ids: ['identity.*'] }) ?? '', / does not cover identity\.\*$/, note);
    assert.match(cautionsOf(short).join('\n'), said, note);
    assert.match(cautionsOf(reference({ values: [item] })).join('\n'), said, note);
  }
});

test('what holds a device to something is not told: whole weeks, bands with an end that means something', () => {
  const week = (...slots: { from: string; to: string; days?: ('mon' | 'sun')[] }[]): ExpectedValue => ({
    fact: 'config.mode',
    class: 'schedule',
    value: { zone: 'UTC', slots: slots.map((slot) => ({ ...slot, value: 'eco' })) },
  });
  const held: readonly (readonly [id: string, item: ExpectedValue])[] = [
    ['config.performance-changed', week({ from: '22:00', to: '06:00' }, { from: '06:00', to: '22:00' })],
    ['config.performance-changed', week({ from: '00:00', to: '00:00' })],
    ['config.performance-changed', { fact: 'config.power_limit_w', class: 'band', value: { max: 3600 } }],
    ['config.drift', { fact: 'config.fan_min_pct', class: 'band', value: { min: 20 } }],
    ['pool.url-changed', { fact: 'pools.url', class: 'template', value: 'stratum+tcp://*.pool.example:3333' }],
    ['pool.url-changed', { fact: 'pools.url', class: 'template', value: 'stratum+tcp://{hostname}.pool.example' }],
    ['pool.url-changed', { fact: 'pools.url', class: 'template', value: 'stratum+tcp://[2001:db8::1]:*' }],
    ['pool.url-changed', { fact: 'pools.url', class: 'template', value: 'stratum+tcp://pool.example:*/{serial}' }],
    ['pool.user-changed', { fact: 'pools.user', class: 'template', value: 'acme.*' }],
    ['config.network-changed', { fact: 'network.hostname', class: 'template', value: '{serial}' }],
  ];
  for (const [id, item] of held) {
    const long = plan({ ids: [id], expected_after: [item], not_after_at: NOW + 5 * DAY });
    assert.equal(termsProblem(long), undefined, JSON.stringify(item));
    assert.deepEqual([...cautionsOf(long), ...cautionsOf(reference({ values: [item] }))], [], JSON.stringify(item));
  }
  const gap = week({ from: '00:00', to: '00:00', days: ['mon'] }, { from: '00:00', to: '23:59' });
  assert.match(cautionsOf(reference({ values: [gap] })).join(), /outside the hours/);
});

test('a plan may leave open, and is told of, serials of parts and what comes with the version that it names; nothing else', () => {
  const build: ExpectedValue = { fact: 'firmware.components', class: 'volatile' };
  const days = { not_after_at: NOW + 5 * DAY };
  assert.equal(termsProblem(plan({ expected_after: [VERSION, build], ...days })), undefined);
  assert.match(termsProblem(plan({ expected_after: [build], ...days })) ?? '', /at most 4 hours/);
  const boards: ExpectedValue = { fact: 'identity.hashboards', class: 'volatile' };
  assert.equal(termsProblem(plan({ ids: ['identity.*'], expected_after: [boards], ...days })), undefined);
  const host: ExpectedValue = { fact: 'network.hostname', class: 'volatile' };
  assert.match(termsProblem(plan({ expected_after: [VERSION, host], ...days })) ?? '', /leaves network\.hostname open/);
});

test('an address that pays nobody is told before anybody signs that devices shall mine for it', () => {
  const wallet = 'bc1q94c3vs4hy6cygqtz0j5lhtpj7hy9xra3sw6xr7';
  const saying = (user: string): readonly ExpectedValue[] => [
    { fact: 'pools.user', class: 'exact', value: user },
    { fact: 'pools.user', class: 'exact', value: ['acme.x', user] },
    { fact: 'pools.user', class: 'set', value: ['acme.x', `${user}.x`] },
    { fact: 'pools.user', class: 'template', value: `${user}.{serial}` },
    { fact: 'pools.user', class: 'template', value: ['acme.*', `${user}.*`] },
    {
      fact: 'pools.user',
      class: 'schedule',
      value: { zone: 'UTC', slots: [{ from: '22:00', to: '06:00', value: user }], otherwise: 'acme.x' },
    },
    { fact: 'pools', class: 'exact', value: [{ slot: 0, priority: 0, url: 'stratum+tcp://p.example:1', user }] },
  ];
  const broken = wallet.replace('w6x', 'w6g');
  const said = new RegExp(`^${broken} is no wallet address that can be paid: its checksum fails`);
  for (const item of saying(broken)) {
    const note = JSON.stringify(item);
    assert.match(cautionsOf(reference({ values: [item] }))[0] ?? '', said, note);
    assert.match(cautionsOf(plan({ ids: ['pool.user-changed'], expected_after: [item] }))[0] ?? '', said, note);
  }
  for (const item of [...saying(wallet), ...saying('acme')])
    assert.doesNotMatch(cautionsOf(reference({ values: [item] })).join(), /wallet/);
  const elsewhere: ExpectedValue = { fact: 'network.hostname', class: 'exact', value: broken };
  assert.deepEqual(cautionsOf(reference({ values: [elsewhere] })), []);
});

test('a list of more values than anybody reads is told', () => {
  const listed = (count: number): ExpectedValue => ({
    fact: 'firmware.version',
    class: 'set',
    value: Array.from({ length: count }, (_, at) => `2.${at}`),
  });
  assert.deepEqual(cautionsOf(reference({ values: [listed(32)] })), []);
  assert.match(cautionsOf(reference({ values: [listed(33)] })).join(), /may be any of 33 values/);
});

test('a value that ends while its document lives is told, with when and what follows', () => {
  const until = (at: number): ExpectedValue => ({ ...VERSION, until_at: at });
  const said = /^after 2026-\S+Z this says nothing of firmware\.version: what holds without it holds again then$/m;
  assert.match(cautionsOf(reference({ values: [until(NOW + HOUR)] })).join('\n'), said);
  assert.deepEqual(cautionsOf(reference({ values: [until(NOW + HOUR), VERSION] })), [], 'beside one that stays');
  assert.match(cautionsOf(plan({ expected_after: [until(NOW + HOUR)] })).join('\n'), said);
  assert.deepEqual(cautionsOf(plan({ expected_after: [until(NOW + DAY)] })), [], 'it lasts as long as the plan');
});

test('a window that is over, or will be before two people can have signed, is told', () => {
  const at = (terms: Plan | Waiver, nowS: number) => cautionsOf(terms, nowS).join();
  assert.equal(at(plan(), NOW + DAY - HOUR), '');
  assert.match(
    at(plan(), NOW + DAY - HOUR + 60),
    /^it ends in 59 min: a gateway with two approvers takes it with both/,
  );
  assert.match(at(plan(), NOW + DAY), /^its time is over: no gateway takes it$/);
  assert.match(at(waiver(), NOW + 15 * DAY), /its time is over/);
  const mode: ExpectedValue = { fact: 'config.mode', class: 'exact', value: 'eco' };
  const alone = plan({ ids: ['config.performance-changed'], expected_after: [mode] });
  assert.equal(at(alone, NOW + DAY - 60), '', 'one person is enough');
});

test('a version after which hardly any can follow is told', () => {
  assert.deepEqual(cautionsOf(reference({ version: 999_000, prev_sha256: 'A'.repeat(43) })), []);
  assert.match(cautionsOf(reference({ version: 999_999 })).join(), /version 999999 leaves 1 later versions/);
});

test('a later version that does not name the one before is told: a gateway where that is in force refuses it', () => {
  assert.match(cautionsOf(reference({ version: 2 })).join(), /^version 2 does not name the one before \(prev_sha256/);
});

test('the review fits a screen, with what becomes quiet, until when, and the warnings nearest to the question', () => {
  const many = plan({
    scope: {},
    ids: ['config.*', 'identity.*', ...Array.from({ length: 60 }, (_, at) => `pool.later-${at}`)],
    expected_after: Array.from({ length: 200 }, () => VERSION),
    not_after_at: NOW + 30 * DAY,
  });
  const lines = reviewOf(many, NOW, ['  signature of key x: NOT CHECKED']);
  assert.ok(lines.length <= 48, String(lines.length));
  assert.match(
    lines.join('\n'),
    /^ {2}quiet +\d+ kinds of finding, up to critical: info in this window, and nobody is alarmed$/m,
  );
  assert.match(lines.join('\n'), /^ {2}until +2026-12-22T\S+, for 30 d$/m);
  const first = lines.findIndex((line) => line.startsWith('WARNING: '));
  assert.ok(first > 0 && lines.slice(first).every((line) => line.startsWith('WARNING: ')));
  assert.ok(lines.slice(first).some((line) => /ALL devices/.test(line)));
  const about = reviewOf(
    reference({ values: [{ fact: 'pools.user', class: 'template', value: 'a.{rack}' }] }),
    NOW,
  ).join('\n');
  assert.match(about, /^ {2}labels +rack: of each device/m);
  assert.match(about, /^ {2}until +a later version of it is adopted, or it is withdrawn/m);
});

test('a value of a fact that changes by itself is told: a plan waits for it in vain where no reference holds it', () => {
  const freq: ExpectedValue = { fact: 'config.freq_mhz', class: 'exact', value: 400 };
  const power: ExpectedValue = { fact: 'telemetry.power_w', class: 'band', value: { min: 900, max: 1100 } };
  for (const type of ['change', 'curtailment'] as const)
    assert.match(
      cautionsOf(plan({ type, ids: ['config.drift'], expected_after: [freq, { ...freq, value: 410 }] })).join('\n'),
      /^config\.freq_mhz changes by itself: it is compared with nothing, .* unless a signed reference holds it [^\n]*$/,
    );
  assert.deepEqual(cautionsOf(reference({ values: [freq] })), [], 'there it is compared');
  const never = /^telemetry\.power_w changes by itself and is compared with nothing, whatever a document says of it/m;
  assert.match(cautionsOf(plan({ expected_after: [VERSION, power] })).join('\n'), never);
  assert.match(cautionsOf(reference({ values: [power] })).join('\n'), never);
});
