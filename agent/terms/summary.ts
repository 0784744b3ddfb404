import type { ExpectedValue, Plan, ReferenceTerms, Schedule, Scope, Terms, Waiver } from '../../shared/terms.ts';
import { SEVERITIES } from '../appraise/finding.ts';
import { sightIn } from '../appraise/plan-reach.ts';
import { expectsReboot } from '../appraise/planned.ts';
import { wantsTwo } from '../appraise/promote.ts';
import { gravestOf } from '../appraise/rule.ts';
import { uncoverableIds } from '../appraise/who-approves.ts';
import { quoted } from '../normalise/shown.ts';
import { cautionsOf, quietRules } from './cautions.ts';
import { labelsAsked } from './fact-values.ts';
import { durationText, isoOf } from './instant.ts';

/** What terms say, for the person who is about to sign them: whom they cover, what they allow, what becomes quiet, until when. */

/** A heading and what stands under it. */
type Row = readonly [heading: string, text: string];

const TWO: Row = [
  'needs',
  'two signatures, where the gateway trusts two approvers: what it names is approved by two people',
];

const ONE: Row = [
  'needs',
  'a signature, where the gateway trusts an approver: it speaks of who devices are, or whether they are seen',
];

const needRows = (terms: Terms): readonly Row[] => {
  if (wantsTwo(terms)) return [TWO];
  return terms.kind === 'plan' && sightIn(terms) !== undefined ? [ONE] : [];
};

/** Most lines for one list, and most names on a line; the file has the rest. All of it fits on one screen. */
const MOST = 10;
const MOST_NAMES = 24;

/** Lines of text, without control of what a terminal shows: the caller has to. */
export const summaryOf = (terms: Terms, nowS: number): readonly string[] => {
  const rows = [...rowsOf(terms, nowS), ...needRows(terms)];
  const width = Math.max(...rows.map(([heading]) => heading.length));
  return [titleOf(terms), ...rows.map(([heading, text]) => `  ${heading.padEnd(width)}  ${text}`)];
};

/** The same, and below it, nearest to the question, what to think twice about. */
export const reviewOf = (terms: Terms, nowS: number, about: readonly string[] = []): readonly string[] => [
  ...summaryOf(terms, nowS),
  ...about,
  ...cautionLines(terms, nowS),
];

/** What to think twice about, as lines. */
export const cautionLines = (terms: Terms, nowS: number): readonly string[] =>
  cautionsOf(terms, nowS).map((caution) => `WARNING: ${caution}`);

const titleOf = (terms: Terms): string => {
  switch (terms.kind) {
    case 'reference':
      return `Reference ${terms.ref_id}, version ${terms.version}`;
    case 'plan':
      return `Plan ${terms.plan_id}, ${terms.type}`;
    case 'waiver':
      return `Waiver ${terms.waiver_id}`;
  }
};

const rowsOf = (terms: Terms, nowS: number): readonly Row[] => {
  switch (terms.kind) {
    case 'reference':
      return referenceRows(terms);
    case 'plan':
      return planRows(terms, nowS);
    case 'waiver':
      return waiverRows(terms, nowS);
  }
};

const referenceRows = (terms: ReferenceTerms): readonly Row[] => [
  ['covers', coverText(terms)],
  ...listed('approves', (terms.values ?? []).map(expectedText)),
  ...labelRows(terms.values),
  ...listed(
    'as seen',
    (terms.entries ?? []).map(
      ({ device, log, seq, leaf, facts }) =>
        `${device}: ${facts?.join(', ') ?? 'EVERY fact, pools and safety settings included,'} as entry ${seq} of ${log} claims (${leaf})`,
    ),
  ),
  ...(terms.entries === undefined
    ? []
    : [
        [
          '',
          'the values do not stand in this file: the draft has them as comments, the log of the gateway signed',
        ] as const,
      ]),
  ...listed(
    'admits',
    (terms.admits ?? []).map(({ name, kid }) => `${name}, key ${kid}, as an approver beside those who sign this`),
  ),
  ...optional('replaces', terms.prev_sha256),
  ...optional('change', terms.change_ref),
  ...optional('parts list', terms.bom_sha256),
  ['dated', isoOf(terms.iat)],
  ['until', 'a later version of it is adopted, or it is withdrawn at the gateway'],
];

const coverText = ({ values, entries, scope }: ReferenceTerms): string => {
  if (values !== undefined) return scopeText(scope);
  return `${entries === undefined ? 'no device' : 'the devices below'}; ${gatewaysText(scope)}`;
};

const planRows = (plan: Plan, nowS: number): readonly Row[] => {
  const { not_before_at: from, not_after_at: to, dispatch } = plan;
  return [
    ['covers', scopeText(plan.scope)],
    ...listed('allows', plan.ids.map(idText)),
    ...(plan.expected_after === undefined
      ? [['expects', 'nothing in particular: whatever the devices show afterwards is allowed'] as const]
      : listed('expects', plan.expected_after.map(expectedText))),
    ...labelRows(plan.expected_after),
    ['quiet', `${quietText(plan.ids)}: info in this window, and nobody is alarmed`],
    ...(expectsReboot(plan) ? [['', 'with the reboot that an update brings, twice an hour at most'] as const] : []),
    ['from', `${isoOf(from)}, ${distance(from, nowS)}`],
    ['until', `${isoOf(to)}, for ${durationText(to - from)}`],
    ...(dispatch === undefined
      ? []
      : [
          [
            'dispatch',
            `${dispatch.reference} by ${dispatch.dispatcher}${dispatch.power_kw === undefined ? '' : `, ${dispatch.power_kw} kW`}`,
          ] as const,
        ]),
    ...signerRows(plan),
  ];
};

const waiverRows = (waiver: Waiver, nowS: number): readonly Row[] => [
  ['covers', scopeText(waiver.scope)],
  ...listed('tolerates', waiver.ids.map(idText)),
  ['quiet', `${quietText(waiver.ids)}, whatever shows: waived until then, and nobody is alarmed`],
  ['reason', waiver.reason],
  ['risk', waiver.risk],
  ['until', `${isoOf(waiver.expires_at)}, ${distance(waiver.expires_at, nowS)}`],
  ...signerRows(waiver),
];

const signerRows = ({ author, approvers, ticket }: Plan | Waiver): readonly Row[] => [
  ['author', author],
  ...(approvers === undefined ? [] : [['approvers', approvers.join(', ')] as const]),
  ...optional('ticket', ticket),
];

/** What is looked up on the device itself, so that the file does not say it. */
const labelRows = (values: readonly ExpectedValue[] | undefined): readonly Row[] => {
  const labels = [...new Set((values ?? []).flatMap(labelsAsked))];
  return labels.length === 0
    ? []
    : [['labels', `${labels.join(', ')}: of each device, by the gateway's configuration`]];
};

const idText = (id: string): string => {
  const rules = quietRules([id]);
  if (uncoverableIds([id]).length > 0) return `${id} (no plan or waiver covers it)`;
  if (rules.length === 0) return `${id} (not known to this version)`;
  return id.endsWith('.*') ? `${id} (${quietText([id])})` : `${id} (up to ${worstOf([id])})`;
};

const quietText = (ids: readonly string[]): string => {
  const { length } = quietRules(ids);
  if (length === 0) return 'no finding that this version knows';
  return `${length} kind${length === 1 ? '' : 's'} of finding, up to ${worstOf(ids)}`;
};

/** The gravest that one of these findings can be. */
const worstOf = (ids: readonly string[]): string => {
  const grades = quietRules(ids).map((rule) => SEVERITIES.indexOf(gravestOf(rule)));
  return SEVERITIES[Math.max(...grades)] ?? 'nothing';
};

const optional = (heading: string, text: string | undefined): readonly Row[] =>
  text === undefined ? [] : [[heading, text]];

const listed = (heading: string, texts: readonly string[]): readonly Row[] => [
  ...texts.slice(0, MOST).map((text, at): Row => [at === 0 ? heading : '', text]),
  ...(texts.length > MOST ? [['', `… and ${texts.length - MOST} more in the file`] as const] : []),
];

const distance = (seconds: number, nowS: number): string =>
  seconds >= nowS ? `in ${durationText(seconds - nowS)}` : `${durationText(nowS - seconds)} ago`;

/** Whom terms cover: everything that is named has to fit. */
const scopeText = (scope: Scope | undefined = {}): string => {
  const parts = [
    ...(scope.devices === undefined ? [] : [`devices ${shortList(scope.devices)}`]),
    ...Object.entries(scope.labels ?? {}).map(([name, value]) => `label ${name}=${value}`),
    ...(scope.models === undefined ? [] : [`models ${shortList(scope.models)}`]),
    ...(scope.firmware === undefined ? [] : [`firmware ${shortList(scope.firmware)}`]),
  ];
  return `${parts.length === 0 ? 'ALL devices' : parts.join(', and ')}; ${gatewaysText(scope)}`;
};

const gatewaysText = ({ logs }: Scope = {}): string =>
  logs === undefined ? 'of every gateway that takes it' : `of gateways ${shortList(logs)}`;

const shortList = (names: readonly string[]): string =>
  names.length > MOST_NAMES ? `${names.slice(0, MOST_NAMES).join(' ')} … (${names.length} in all)` : names.join(' ');

const expectedText = (expected: ExpectedValue): string => {
  const until = expected.until_at === undefined ? '' : ` until ${isoOf(expected.until_at)}`;
  return `${expected.fact} ${meaningOf(expected)}${until}`;
};

const meaningOf = (expected: ExpectedValue): string => {
  switch (expected.class) {
    case 'exact':
      return `is ${quoted(expected.value)}`;
    case 'set':
      return `is one of ${expected.value.map(quoted).join(', ')}`;
    case 'band':
      return `is from ${expected.value.min ?? 'any'} to ${expected.value.max ?? 'any'}`;
    case 'schedule':
      return `by the clock of ${expected.value.zone}: ${scheduleText(expected.value)}`;
    case 'volatile':
      return expected.value === undefined ? 'is not compared' : `is not compared in ${expected.value.join(', ')}`;
    case 'template':
      return `is like ${[expected.value].flat().map(quoted).join(' or ')}`;
  }
};

const scheduleText = ({ slots, otherwise }: Schedule): string =>
  [
    ...slots.map(
      ({ from, to, days, value }) =>
        `${days === undefined ? '' : `${days.join(' ')} `}${from} to ${to} ${quoted(value)}`,
    ),
    otherwise === undefined ? 'else not compared' : `else ${quoted(otherwise)}`,
  ].join('; ');
