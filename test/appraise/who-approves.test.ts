import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SEVERITIES, type Severity } from '../../agent/appraise/finding.ts';
import { RULES } from '../../agent/appraise/index.ts';
import { gravestOf } from '../../agent/appraise/rule.ts';
import {
  approvalOf,
  endingOf,
  isCoverable,
  isUnplanned,
  needsMorePeople,
  takesTwo,
  uncoverableIds,
} from '../../agent/appraise/who-approves.ts';

test('who may approve is what the catalogue says of the id; a new machine that works for somebody else is a change of pools', () => {
  for (const { id, approval } of RULES) {
    assert.equal(approvalOf({ ruleId: id }), approval, id);
    assert.equal(takesTwo({ ruleId: id }), approval === 'A2' || approval === 'AP', id);
  }
  const approval = (...reasons: readonly string[]) => approvalOf({ ruleId: 'identity.new-device', reasons });
  assert.deepEqual(
    [approval(), approval('other-pool'), approval('other-account'), approval('other-account', 'other-pool')],
    ['A1', 'A2', 'AP', 'AP'],
  );
  assert.equal(approvalOf({ ruleId: 'config.drift', reasons: ['other-account'] }), 'A1', 'a word of another rule');
  const slot = (...reasons: readonly string[]) => approvalOf({ ruleId: 'firmware.boot-medium-changed', reasons });
  assert.deepEqual(
    [slot('same-version'), slot('with-version'), slot('with-version', 'same-version'), slot()],
    ['AP', 'A2', 'AP', 'AP'],
    'a slot that came with a version is approved as that is; one of several devices that did not is none',
  );
  const access = (...reasons: readonly string[]) => approvalOf({ ruleId: 'config.access-changed', reasons });
  assert.deepEqual(
    [access('switched'), access('closed'), access('closed', 'switched'), access()],
    ['AP', 'A1', 'AP', 'AP'],
    'of several devices one that opened something is enough',
  );
  assert.equal(approvalOf({ ruleId: 'pool.of-a-later-version' }), undefined);
});

test('another account has to be planned, another worker of the same account two approve; where no account is told it is taken for another one', () => {
  const user = (...reasons: readonly string[]) => approvalOf({ ruleId: 'pool.user-changed', reasons });
  assert.deepEqual([user('account'), user('account', 'factory-default'), user()], ['AP', 'AP', 'AP']);
  assert.deepEqual([user('worker'), user('worker', 'template'), user('worker', 'intermittent')], ['A2', 'A2', 'A2']);
  assert.deepEqual([user('worker', 'no-account'), user('worker', 'template', 'no-account')], ['AP', 'AP']);
  assert.deepEqual([user('worker', 'account'), user('first-told'), user('first-told', 'account')], ['AP', 'A2', 'AP']);
  const worker = { ruleId: 'pool.user-changed', reasons: ['worker'] };
  assert.deepEqual([needsMorePeople(worker), isUnplanned(worker)], [true, false]);
});

test('what a plan covers needs nobody more, and is not unplanned', () => {
  const theft = { ruleId: 'pool.user-changed' };
  assert.deepEqual([needsMorePeople(theft), isUnplanned(theft)], [true, true]);
  assert.deepEqual([needsMorePeople({ ...theft, plan: 7 }), isUnplanned({ ...theft, plan: 7 })], [false, false]);
  const other = { ruleId: 'pool.url-changed' };
  assert.deepEqual([needsMorePeople(other), isUnplanned(other)], [true, false]);
});

test('an id that names only what is about the gateway covers nothing; one that names more, or what is not known yet, may', () => {
  assert.deepEqual(uncoverableIds(['change.break-glass', 'change.*', 'waiver.*', 'config.drift', 'egress.*']), [
    'change.break-glass',
    'waiver.*',
  ]);
});

test('every finding has a way to end, and those about the gateway are not approved with facts of a device', () => {
  for (const { id, approval } of RULES) {
    const { kind } = endingOf({ ruleId: id });
    if (approval === 'A0') assert.equal(kind, 'itself', id);
    if (!isCoverable(id)) assert.notEqual(kind, 'facts', id);
    if (approval === 'A2' || approval === 'AP') assert.ok(['facts', 'device', 'waive'].includes(kind), id);
  }
});

/** The gravest that a source says anywhere. */
const worstIn = (...path: readonly string[]): number => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'agent', 'appraise', ...path), 'utf8');
  const found = [...text.matchAll(/'(info|low|medium|high|critical)'/g)].map(([, word]) =>
    SEVERITIES.indexOf(word as Severity),
  );
  assert.ok(found.length > 0);
  return Math.max(...found);
};

test('no rule makes a finding graver than people are told it can be before they let a document cover it', () => {
  for (const rule of RULES) {
    const own = worstIn('rules', `${rule.id.replace('.', '-')}.ts`);
    const worst = rule.id === 'identity.new-device' ? Math.max(own, worstIn('replaced.ts')) : own;
    assert.equal(gravestOf(rule), SEVERITIES[worst], rule.id);
  }
});
