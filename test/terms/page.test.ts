import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Draft, readDraft, type TermsKind } from '../../agent/terms/draft.ts';
import { summaryOf } from '../../agent/terms/summary.ts';
import { expectedValueSchema, type KeyClass, TEMPLATE_FIELDS } from '../../shared/terms.ts';

/** The examples of docs/approvers.md are drafts that `sign` takes as they stand, at this time. */
const NOW = Date.parse('2036-12-01T12:00:00Z') / 1000;

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'approvers.md'), 'utf8');
const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);

const read = (text: string, kind: TermsKind): Draft => readDraft(text, { kind, nowS: NOW });

const assertGood = (text: string, kind: TermsKind): Extract<Draft, { kind: 'good' }> => {
  const draft = read(text, kind);
  if (draft.kind === 'bad') throw new Error(`${text}${JSON.stringify(draft.problems)}`);
  return draft;
};

const KINDS = { ref_id: 'reference', plan_id: 'plan', waiver_id: 'waiver' } as const;

test('every whole example is a good draft of its kind', () => {
  const whole = examples.filter((text) => !text.startsWith('- '));
  const seen = whole.map((text) => {
    const kind = KINDS[text.slice(0, text.indexOf(':')) as keyof typeof KINDS];
    const { warnings } = assertGood(text, kind);
    // A later version of the rules may name findings that this one does not have yet; anything else is a mistake here.
    assert.deepEqual(
      warnings.filter(({ message }) => !message.includes('knows no finding')),
      [],
    );
    return kind;
  });
  assert.deepEqual([...new Set(seen)].sort(), ['plan', 'reference', 'waiver']);
});

test('every class has an example that is good, and is said in words', () => {
  const items = examples.filter((text) => text.startsWith('- '));
  const classes = items.flatMap((text) => {
    const { terms, warnings } = assertGood(`ref_id: a\nversion: 1\nvalues:\n${text.replace(/^/gm, '  ')}`, 'reference');
    assert.deepEqual(warnings, []);
    const lines = summaryOf(terms, NOW);
    for (const { fact } of terms.kind === 'reference' ? (terms.values ?? []) : []) {
      assert.ok(
        lines.some((line) => line.includes(`${fact} `)),
        fact,
      );
    }
    return terms.kind === 'reference' ? (terms.values ?? []).map((value) => value.class) : [];
  });
  const known: readonly KeyClass[] = expectedValueSchema.options.map(({ shape }) => shape.class.value);
  assert.deepEqual([...new Set(classes)].sort(), [...known].sort());
  for (const each of known) assert.match(page, new RegExp(`^\\*\\*\`${each}\`\\*\\*: `, 'm'));
});

test('the summary says where two people have to sign', () => {
  const summary = (text: string, kind: TermsKind) => summaryOf(assertGood(text, kind).terms, NOW).join('\n');
  const [plan = ''] = examples.filter((text) => text.startsWith('plan_id: fw'));
  assert.match(summary(plan, 'plan'), /^ {2}needs +two signatures/m);
  const alone = plan.replace(/ids: .*/, 'ids: [pool.priority-changed]');
  assert.doesNotMatch(summary(alone, 'plan'), /two signatures/);
  const sight = plan.replace(/ids: .*/, 'ids: [identity.psu-changed]').replace('2036-12-02T14', '2036-12-01T17');
  assert.match(summary(sight, 'plan'), /^ {2}needs +a signature/m);
  const days = sight.replace('2036-12-01T17', '2036-12-03T14');
  assert.match(summary(days, 'plan'), /^ {2}needs +two signatures/m);
});

test('the fields of templates are those that the page names', () => {
  const named = /Fields are ([\s\S]*?), and the labels/.exec(page)?.[1]?.match(/`\w+`/g) ?? [];
  assert.deepEqual(named.map((quoted) => quoted.slice(1, -1)).sort(), [...TEMPLATE_FIELDS].sort());
});

test('the rules that the page states are those of the code', () => {
  const [plan = ''] = examples.filter((text) => text.startsWith('plan_id: fw'));
  const blanket = plan
    .replace(/expected_after:\n(?: .*\n)+/, '')
    .replace('firmware.fingerprint-changed', 'config.drift');
  assert.equal(read(blanket, 'plan').kind, 'bad', 'a day');
  const short = blanket.replace('2036-12-02T14:00:00Z', '2036-12-01T18:00:00Z');
  assertGood(short, 'plan');
  const never = /never covers ([\s\S]*?)\n\n/.exec(page)?.[1]?.match(/`[a-z.-]+`/g) ?? [];
  assert.equal(never.length, 7);
  for (const name of never.map((quoted) => quoted.slice(1, -1))) {
    const id = name.includes('.') ? name : `${name}.anything`;
    assert.equal(read(short.replace('config.drift', id), 'plan').kind, 'bad', id);
  }
  const [waiver = ''] = examples.filter((text) => text.startsWith('waiver_id:'));
  assert.equal(read(waiver.replace('2036-12-20', '2037-03-02'), 'waiver').kind, 'bad', '91 days');
  assertGood(waiver.replace('2036-12-20', '2037-03-01'), 'waiver');
});
