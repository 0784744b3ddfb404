import { approvalText } from '../../agent/appraise/advice.ts';
import { COMPARISONS } from '../../agent/appraise/index.ts';
import type { RuleEntry } from '../../agent/appraise/rule.ts';
import { LONGEST_WAIT_MS } from '../../agent/appraise/waiting.ts';
import { COMPARED_WHERE_HELD } from '../../agent/appraise/where-held.ts';
import { code, generatedFrom, markdownTable, page } from './markdown.ts';

/** `docs/findings.md`: what each finding means, how sure it has to be, and what is innocent. */
export const findingsPage = (rules: readonly RuleEntry[]): string =>
  page(
    generatedFrom('agent/appraise/'),
    '# Findings',
    INTRODUCTION,
    CODES,
    APPROVALS,
    '## Overview',
    markdownTable(
      ['Id', 'Title', 'Severity', 'Confirmation', 'Approval'],
      rules.map((rule) => [
        `[${code(rule.id)}](#${rule.id})`,
        rule.title,
        severityOf(rule),
        rule.confirm,
        rule.approval,
      ]),
    ),
    ...[...new Set(rules.map(areaOf))].flatMap((area) => [
      `## ${area.charAt(0).toUpperCase()}${area.slice(1)}`,
      ...rules.filter((rule) => areaOf(rule) === area).map(section),
    ]),
  );

const INTRODUCTION = [
  'A finding says that an observation differs from the reference of a device, or from what the operator allows. It describes',
  'what was seen and blames nobody. A reading that is unknown (silent device, cut-off reply, refused question) never raises,',
  'confirms or ends one of these findings; it counts towards `visibility.device-dark` and `visibility.coverage-reduced` only.',
  '',
  'One that the device changes more than three times within an hour is `flapping`, with how often, and is stated once an hour, as',
  'it stands then: until that it shows what its last statement said, and the newest attestation of the device has the present value.',
  'What is graver than that, in another state, or of another account is stated at once, and so is another value of what two people',
  'have to approve, up to eight values. What people do (waivers, plans, taking note) is no change of the device, and always stated.',
  '',
  'What comes and goes is a finding at its third coming within a day, whatever its value is each time. It has the reason `intermittent`;',
  '`after` is the latest value, the former ones stand in statements of their own, which are `resolved` and have no `confirmed_at`.',
  '',
  'Findings begin, change and end with a full look. Where none can be had, though looks at the pools confirm a change, that is stated',
  `with the next of these after ${LONGEST_WAIT_MS / 60_000} minutes. The fifth full look in a row that gives nothing is \`visibility.device-dark\`,`,
  'whatever the pools show meanwhile; where the device answers and refuses all that it is asked, `visibility.coverage-reduced`.',
  '',
  'The id is the same everywhere: in the entry of the log, on the wire, in `assayer findings`, here.',
  '',
  'Of the catalogue these are not raised here, because they need a view of the network that this agent does not have:',
  '`runtime.change-without-cause`, `remote-control.unexpected-client`, `remote-control.internet-exposed`, the sessions of',
  '`remote-control.vendor-cloud-enabled` and all of `egress`. HTTP server signatures and TCP fingerprints are not looked at.',
].join('\n');

const CODES = markdownTable(
  ['Code', 'Means'],
  [
    ['C1', 'confirmed at once'],
    ['C2', 'confirmed by a second look with the same value; the second is asked for early, after `confirm_s`'],
    ['C3', 'confirmed by three looks with the same value over at least ten minutes'],
    ['A0', 'ends by itself when the cause is gone'],
    ['A1', 'one person may accept the new value as the reference'],
    ['A2', 'two different people have to accept it'],
    ['AP', 'acceptable only if planned beforehand'],
    ['AN', 'cannot be accepted; it is closed as an incident, with a reason'],
  ],
);

const APPROVALS = [
  'The agent holds people to A2 and AP where the configuration names approvers: A2 then takes the signatures of two of them (of one, where it',
  'names one), AP a plan that was adopted before; `--break-glass` with a reason does it alone, which is `change.break-glass`. Where no',
  'approvers are named it takes the word of one person at the gateway, and the log says so (`local`, and who). See',
  '[approvers.md](approvers.md) and [first-week.md](first-week.md); [limits.md](limits.md) says what no finding can tell.',
].join('\n');

const areaOf = ({ id }: RuleEntry): string => id.slice(0, id.indexOf('.'));

const severityOf = ({ severity, unplanned }: RuleEntry): string =>
  unplanned === undefined ? severity : `${severity}, unplanned ${unplanned}`;

const MINUTE_MS = 60_000;

const section = (rule: RuleEntry): string =>
  [
    `<a id="${rule.id}"></a>`,
    '',
    `### ${code(rule.id)}`,
    '',
    rule.meaning,
    '',
    `- **Severity** ${rule.severity}${byWhatWasSeen(rule)}${escalation(rule)}`,
    ...(rule.unplanned === undefined
      ? []
      : [`- **On a device with an accepted reference** ${rule.unplanned}, unless a plan covers the change`]),
    `- **Basis** ${rule.basis}, **confirmation** ${rule.confirm}, **approval** ${rule.approval}, rule version ${rule.version}`,
    ...(rule.collective === true
      ? ['- **One finding** for all devices that show the same, from the first one on']
      : []),
    ...factsOf(rule),
    `- **Innocent causes** ${rule.benign.join(', ')}`,
    `- **Who can approve** ${approvalText({ ruleId: rule.id }).replaceAll('<', '\\<')}`,
  ].join('\n');

const byWhatWasSeen = ({ gravest }: RuleEntry): string =>
  gravest === undefined ? '' : `, up to ${gravest} by what was seen`;

const escalation = ({ escalate }: RuleEntry): string =>
  escalate === undefined ? '' : `; ${escalate.severity} when it lasts ${escalate.afterMs / MINUTE_MS} minutes`;

const factsOf = ({ id }: RuleEntry): readonly string[] => {
  const rule = COMPARISONS.find((one) => one.id === id);
  if (rule === undefined) return [];
  const names = [...new Set([...rule.reads, ...(rule.compares ?? [])])];
  const against = rule.against === 'policy' ? 'the configuration' : 'the reference of the device';
  const isHeldOnly = (name: string): boolean => rule.against === 'reference' && COMPARED_WHERE_HELD.has(name);
  const whole = names
    .filter((name) => !isHeldOnly(name))
    .map(code)
    .join(', ');
  const only = names.filter(isHeldOnly).map(code).join(', ');
  const where =
    only === ''
      ? ''
      : `; ${only} only where a signed document holds them, since [they change by themselves](approvers.md#facts-that-change-by-themselves)`;
  return [`- **Looks at** ${whole}, held against ${against}${where}`];
};
