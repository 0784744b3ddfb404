import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Draft, readDraft, type TermsKind } from '../../agent/terms/draft.ts';
import { planDraft, referenceDraft, waiverDraft } from '../../agent/terms/draft-text.ts';

const NOW = 1795339200;

const read = (text: string, kind: TermsKind = 'plan'): Draft => readDraft(text, { kind, nowS: NOW });

/** `line path: message`, without remedies. */
const problems = (text: string, kind: TermsKind = 'plan'): readonly string[] => {
  const draft = read(text, kind);
  assert.equal(draft.kind, 'bad');
  return draft.kind === 'bad' ? draft.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`) : [];
};

const warnings = (text: string, kind: TermsKind = 'plan'): readonly string[] => {
  const draft = read(text, kind);
  assert.equal(draft.kind, 'good', JSON.stringify(draft));
  return draft.kind === 'good' ? draft.warnings.map(({ line, path, message }) => `${line} ${path}: ${message}`) : [];
};

const PLAN = `plan_id: fw-48
type: change
scope: { devices: [rig-7] }
ids: [firmware.version-changed]
expected_after:
  - { fact: firmware.version, class: exact, value: "2.10" }
not_before_at: 2026-12-01T14:00:00Z
not_after_at: 2026-12-02T15:00:00+01:00
author: carol
`;

const changed = (from: string, to: string): string => {
  assert.ok(PLAN.includes(from), from);
  return PLAN.replace(from, to);
};

test('a draft in YAML or JSON becomes terms: kind and iat are filled in, instants are Unix seconds', () => {
  const terms = {
    kind: 'plan',
    iat: NOW,
    plan_id: 'fw-48',
    type: 'change',
    scope: { devices: ['rig-7'] },
    ids: ['firmware.version-changed'],
    expected_after: [{ fact: 'firmware.version', class: 'exact', value: '2.10' }],
    not_before_at: 1796133600,
    not_after_at: 1796220000,
    author: 'carol',
  };
  assert.deepEqual(read(PLAN), { kind: 'good', terms, warnings: [] });
  assert.deepEqual(read(JSON.stringify({ ...terms, not_before_at: '2026-12-01T14:00:00Z' })), {
    kind: 'good',
    terms,
    warnings: [],
  });
  const later = read(`${PLAN}iat: 2026-11-22T12:00:00Z\nkind: plan\n`);
  assert.equal(later.kind === 'good' && later.terms.iat, 1795348800);
  const old = read(
    'ref_id: site\nversion: 2\nvalues:\n  - { fact: pools.user, class: exact, value: acme.1, until_at: 2026-12-01T14:00:00Z }\n',
    'reference',
  );
  assert.deepEqual(old.kind === 'good' && old.terms.kind === 'reference' && old.terms.values, [
    { fact: 'pools.user', class: 'exact', value: 'acme.1', until_at: 1796133600 },
  ]);
});

test('what is wrong is told with its line', () => {
  assert.deepEqual(problems(changed('2026-12-01T14:00:00Z', 'tomorrow')), [
    '7 not_before_at: "tomorrow" is no instant',
  ]);
  for (const text of ['2026-12-01', '2026-12-01T14:00:00', '2026-02-30T00:00:00Z', '+4h']) {
    assert.match(problems(changed('2026-12-01T14:00:00Z', text))[0] ?? '', /^7 not_before_at: .* is no instant$/);
  }
  assert.deepEqual(problems(changed('author: carol\n', '')), ['1 author: missing: who wrote it']);
  assert.deepEqual(problems(changed('ids: [firm', 'findings: [firm')), [
    '1 ids: missing: findings that the change causes; `config.*` stands for a group',
    '4 findings: unknown setting "findings"',
  ]);
  assert.deepEqual(problems(changed('class: exact', 'class: exakt')), ['6 expected_after[0].class: no such form']);
  assert.deepEqual(problems(changed('class: exact, ', '')), [
    '6 expected_after[0].class: missing: it says what the rest of the entry means',
  ]);
  assert.deepEqual(problems(changed('devices: [', 'racks: [')), ['3 scope.racks: unknown setting "racks"']);
  assert.deepEqual(problems('a: [', 'waiver').length, 1);
  for (const text of ['', '[]', 'text', '17']) assert.deepEqual(problems(text), ['1 : no members']);
});

test('a draft of another kind is not what was meant to be signed', () => {
  const draft = readDraft(`kind: plan\n${PLAN}`, { kind: 'waiver', nowS: NOW });
  assert.deepEqual(draft.kind === 'bad' && draft.problems, [
    { line: 1, path: 'kind', message: 'this is "plan", and not a waiver', remedy: 'assayer plan sign <file>' },
  ]);
});

test('a value that its fact can never have is a slip of the pen', () => {
  const value = (item: string): readonly string[] =>
    problems(changed('{ fact: firmware.version, class: exact, value: "2.10" }', item));
  assert.deepEqual(value('{ fact: firmware.version, class: exact, value: 2.10 }'), [
    '6 expected_after[0].value: firmware.version is text, and this is not',
  ]);
  assert.deepEqual(value('{ fact: access.ssh, class: set, value: [true, "no"] }'), [
    '6 expected_after[0].value[1]: access.ssh is true or false, and this is not',
  ]);
  assert.deepEqual(value('{ fact: pools.user, class: exact, value: [acme.1, 2] }'), [
    '6 expected_after[0].value[1]: pools.user is text, and this is not',
  ]);
  assert.deepEqual(value('{ fact: network.dns, class: set, value: [10.0.0.1] }'), [
    '6 expected_after[0].value[0]: network.dns is a list of texts, and this is not',
  ]);
  assert.deepEqual(value('{ fact: pools, class: exact, value: [{ user: acme.1 }] }'), [
    '6 expected_after[0].value: pools is a list of slots with slot and url, and this is not',
  ]);
  const slot = (rest: string) => value(`{ fact: pools, class: exact, value: [{ slot: 0, url: "a://b:1"${rest} }] }`);
  const good = changed(
    '{ fact: firmware.version, class: exact, value: "2.10" }',
    '{ fact: pools, class: exact, value: [{ slot: 0, url: "a://b:1", user: a, tls: false, note: 7 }] }',
  );
  assert.equal(read(good).kind, 'good');
  assert.deepEqual(slot(', user: null, priority: "0"'), [
    '6 expected_after[0].value[0].user: user in pools is text, and this is not',
    '6 expected_after[0].value[0].priority: priority in pools is an integer, and this is not',
  ]);
  for (const [fact, list] of [
    ['fee_pools', 'pools with url'],
    ['firmware.components', 'parts with name and value'],
    ['config.other', 'settings with key and value'],
  ])
    assert.deepEqual(value(`{ fact: ${fact}, class: exact, value: [{ key: led, name: led }] }`), [
      `6 expected_after[0].value: ${fact} is a list of ${list}, and this is not`,
    ]);
  assert.deepEqual(value('{ fact: firmware.version, class: band, value: { min: 1 } }'), [
    '6 expected_after[0].class: a band is for integers, and firmware.version is text',
  ]);
  assert.deepEqual(value('{ fact: config.power_limit_w, class: template, value: "{serial}" }'), [
    '6 expected_after[0].class: a template is for text, and config.power_limit_w is an integer',
  ]);
  assert.deepEqual(value('{ fact: config.power_limit_w, class: band, value: { min: 9, max: 1 } }'), [
    '6 expected_after[0].value: min or max, and min not above max',
  ]);
  assert.deepEqual(
    value(
      '{ fact: config.mode, class: schedule, value: { zone: Moon/Base, slots: [{ from: "22:00", to: "06:00", value: 3 }] } }',
    ),
    [
      '6 expected_after[0].value.zone: "Moon/Base" is no time zone',
      '6 expected_after[0].value.slots[0].value: config.mode is text, and this is not',
    ],
  );
});

test('a template with a brace that does not close, or encloses no field, is refused with the fields that there are', () => {
  const template = (value: string) =>
    read(
      changed(
        '{ fact: firmware.version, class: exact, value: "2.10" }',
        `{ fact: pools.user, class: template, value: ${value} }`,
        // One that anybody's user fits lasts no longer.
      ).replace('2026-12-02T15:00:00+01:00', '2026-12-01T18:00:00Z'),
    );
  for (const value of [
    '"acme.{rack"',
    '"acme.rack}"',
    '"acme.{Rack}"',
    '"{}"',
    '"{{rack}}"',
    '["acme.{rack}", "x{"]',
  ]) {
    const draft = template(value);
    const [problem] = draft.kind === 'bad' ? draft.problems : [];
    assert.match(
      problem?.message ?? '',
      /a brace that does not close, or that encloses no field: fields are \{account\}, \{serial\}, \{mac\}, \{hostname\}, \{model\}, \{ip\}, and labels/,
      value,
    );
    assert.equal(problem?.line, 6);
  }
  for (const value of ['"acme.{rack}-{serial}"', '"*"', '["acme.{rack}", "{account}.{ip}"]'])
    assert.equal(template(value).kind, 'good', value);
});

test('a version counts: it is bounded, and the error says so', () => {
  const version = (text: string) =>
    problems(`ref_id: a\nversion: ${text}\nvalues: [{ fact: access.ssh, class: exact, value: false }]\n`, 'reference');
  for (const text of ['9007199254740991', '1000001'])
    assert.deepEqual(version(text), ['2 version: at most 1000000: no version could follow a number without bound']);
  assert.equal(version('0').length, 1);
  assert.equal(
    read('ref_id: a\nversion: 1000000\nvalues: [{ fact: access.ssh, class: exact, value: false }]\n', 'reference').kind,
    'good',
  );
});

test('rules of plans and waivers, and the limits of what can be signed', () => {
  assert.deepEqual(problems(changed('2026-12-02T15:00:00+01:00', '2026-12-01T13:00:00Z')), [
    '8 not_after_at: not_after_at is not after not_before_at',
  ]);
  assert.deepEqual(problems(changed('2026-12-02T15:00:00+01:00', '2096-12-01T13:00:00Z')), [
    '8 not_after_at: not_after_at is more than 90 days after not_before_at',
  ]);
  const blanket = PLAN.replace(/expected_after:\n.*\n/, '');
  assert.match(problems(blanket)[0] ?? '', /a plan without expected_after lasts at most 4 hours/);
  assert.deepEqual(problems(changed('author: carol', 'author: carol\nticket: 1.5')), [
    '10 ticket: Invalid input: expected string, received number',
  ]);
  const other = (value: string) =>
    problems(
      changed(
        '{ fact: firmware.version, class: exact, value: "2.10" }',
        `{ fact: x.y, class: exact, value: ${value} }`,
      ),
    );
  assert.deepEqual(other('{ a: { b: 1.5 } }'), [
    '6 expected_after[0].value.a.b: b: 1.5 is not an integer within ±(2^53-1)',
  ]);
  assert.match(other('{ B: 1 }')[0] ?? '', /^6 expected_after\[0\]\.value: "B" is not a member name$/);
});

test('a document that no entry could hold says how long it is and what to split', () => {
  const values = Array.from(
    { length: 100 },
    (_, at) => `  - { fact: firmware.build, class: exact, value: "${'x'.repeat(250)}${at}" }`,
  );
  const text = `ref_id: site\nversion: 1\nvalues:\n${values.join('\n')}\n`;
  const draft = read(text, 'reference');
  assert.equal(draft.kind, 'bad');
  const [problem] = draft.kind === 'bad' ? draft.problems : [];
  assert.match(problem?.message ?? '', /^the document has 3\d{4} bytes, at most 20480; values alone takes 3\d{4}$/);
  assert.deepEqual([problem?.line, problem?.path], [3, 'values']);
  assert.equal(problem?.remedy, 'split it: give each part of the values a document of its own');
});

test('names that this version does not know are carried with a warning; so is what is over already', () => {
  assert.deepEqual(warnings(changed('ids: [firm', 'ids: [firmware.rolled-back, config.*, firm')), [
    '4 ids[0]: this version knows no finding "firmware.rolled-back"; it is carried, and matches nothing here',
  ]);
  assert.deepEqual(warnings(changed('fact: firmware.version', 'fact: firmware.verson')), [
    '6 expected_after[0].fact: this version knows no fact "firmware.verson"; it is carried, and matches nothing here',
  ]);
  const over = PLAN.replaceAll('2026-12', '2025-12');
  assert.deepEqual(warnings(over), ['8 not_after_at: is over already: it will allow nothing']);
});

test('whatever the text is, it is terms or problems, never a crash', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), fc.nat(PLAN.length), (text, at) => {
      for (const kind of ['reference', 'plan', 'waiver'] as const) {
        for (const whole of [text, `${PLAN.slice(0, at)}${text}${PLAN.slice(at)}`]) {
          const draft = read(whole, kind);
          if (draft.kind === 'bad') assert.ok(draft.problems.length > 0, whole);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('a draft that was filled in on the command line is good; of an empty one exactly the blanks are missing', () => {
  const scope = { labels: { site: 'tx1' }, firmware: ['axeos 2.9.0'] };
  const ids = ['config.performance-changed'];
  const value = { fact: 'config.power_limit_w', class: 'band', value: { min: 1, max: 2 } } as const;
  const full = {
    reference: referenceDraft({ ref_id: 'a', scope, values: [value] }),
    plan: planDraft({
      plan_id: 'a',
      scope,
      ids,
      expected_after: [value],
      not_before_at: NOW,
      not_after_at: NOW + 60,
      author: 'null',
    }),
    waiver: waiverDraft({
      waiver_id: 'a',
      scope,
      ids,
      reason: 'a: "b" # c',
      risk: '- none',
      expires_at: NOW + 60,
      author: 'x',
    }),
  };
  for (const [kind, text] of Object.entries(full)) {
    const draft = read(text, kind as TermsKind);
    assert.equal(draft.kind, 'good', JSON.stringify(draft));
  }
  const waiver = read(full.waiver, 'waiver');
  assert.equal(waiver.kind === 'good' && waiver.terms.kind === 'waiver' && waiver.terms.reason, 'a: "b" # c');

  const missing = (text: string, kind: TermsKind) =>
    problems(text, kind).map((one) => one.match(/ (\w+): missing/)?.[1]);
  assert.deepEqual(missing(referenceDraft({ ref_id: 'a' }), 'reference'), ['scope', 'values']);
  assert.deepEqual(missing(planDraft({ plan_id: 'a' }), 'plan'), [
    'scope',
    'ids',
    'not_before_at',
    'not_after_at',
    'author',
  ]);
  assert.deepEqual(missing(waiverDraft({ waiver_id: 'a' }), 'waiver'), [
    'scope',
    'ids',
    'reason',
    'risk',
    'expires_at',
    'author',
  ]);
});

test('the commented examples of a draft are good when they become its members', () => {
  const text = planDraft({ plan_id: 'a', not_before_at: NOW, not_after_at: NOW + 60, author: 'carol' })
    .replace('ids:', 'ids: [firmware.*]')
    .replace('type: change ', 'type: curtailment ')
    .replaceAll(
      /^# ?(?=(?: {2}(?:logs|devices|labels|models|firmware|-)|expected_after|approvers|ticket|dispatch))/gm,
      '',
    );
  const draft = read(text);
  assert.equal(draft.kind, 'good', JSON.stringify(draft));
  assert.deepEqual(draft.kind === 'good' && Object.keys(draft.terms.scope ?? {}), [
    'logs',
    'devices',
    'labels',
    'models',
    'firmware',
  ]);
  assert.equal(draft.kind === 'good' && draft.terms.kind === 'plan' && draft.terms.expected_after?.length, 3);
});
