import type { Command } from 'commander';
import type { Plan, Waiver } from '../../../shared/index.ts';
import { approvalText, nextStep } from '../../appraise/advice.ts';
import { noteOf } from '../../appraise/finding.ts';
import { ruleOf } from '../../appraise/index.ts';
import { isUnplanned } from '../../appraise/who-approves.ts';
import { shownValue } from '../../normalise/shown.ts';
import type { StoredFinding } from '../../record/tables/findings.ts';
import { durationText, utcText } from '../../terms/instant.ts';
import { EXIT, type Io, printable, printJson, setExit } from '../io.ts';
import {
  askedOf,
  devicesOf,
  findingNumbered,
  jsonOf,
  MOST_NAMED,
  type Numbered,
  namedDevices,
  STANDING,
} from './stored.ts';

interface ShowOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** `findings show`: one finding on one screen: what changed, since when, how sure, who can approve it, what to do. */
export const showFindingVerb = (findings: Command, io: Io): void => {
  findings
    .command('show')
    .description('explain one finding: what changed, since when, how sure, who can approve it, what to do')
    .argument('<number>', 'number of the finding, as `assayer findings` shows it')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--json', 'print the finding and what the catalogue says of it as one JSON object')
    .action((number: string, { config, json }: ShowOptions) => {
      const found = findingNumbered(config, number, io);
      const rule = ruleOf(found.finding.ruleId);
      if (json) printJson(io, { finding: jsonOf(found), ...(rule === undefined ? {} : { rule }) });
      else io.out.write(`${linesOf(found, config, Date.now()).map(printable).join('\n')}\n`);
      const counts = STANDING.has(found.finding.state) && found.finding.severity !== 'info';
      setExit(counts ? EXIT.failed : EXIT.ok);
    });
};

type Row = readonly [heading: string, text: string];

const linesOf = (found: Numbered, config: string, nowMs: number): readonly string[] => {
  const { finding } = found;
  const rule = ruleOf(finding.ruleId);
  const isOver = !STANDING.has(finding.state);
  const rows: readonly Row[] = [
    ['what', rule?.meaning ?? 'this version does not know the finding'],
    ['where', whereOf(found)],
    ...changeRows(found),
    ['since', sinceOf(found, nowMs)],
    ['how sure', sureOf(found)],
    ...((finding.reasons ?? []).length === 0 ? [] : [['reasons', (finding.reasons ?? []).join(', ')] satisfies Row]),
    ...coverRows(found, nowMs),
    ...(rule === undefined
      ? []
      : ([
          ['may be', `${rule.benign.join(', ')}`],
          ['who can approve', isOver ? 'nobody has to: it is over' : approvalText(finding, askedOf(found, config))],
          ...endsRows(found),
          ['what to do', nextStep(finding, askedOf(found, config))],
        ] satisfies Row[])),
  ];
  const width = Math.max(...rows.map(([heading]) => heading.length));
  return [titleOf(found), ...rows.map(([heading, text]) => `  ${heading.padEnd(width)}  ${text}`)];
};

/** The others of which who approves this one answers, too. */
const endsRows = ({ brings: { by, others } }: Numbered): readonly Row[] => {
  if (others.length === 0) return [];
  const named = others
    .slice(0, MOST_NAMED)
    .map(({ number, finding: { ruleId, severity } }) => `finding ${number}, ${ruleId} (${severity})`);
  const more = others.length > MOST_NAMED ? `; and ${others.length - MOST_NAMED} more` : '';
  const unplanned = by === 'approval' ? undefined : others.find(({ finding }) => isUnplanned(finding));
  const only =
    unplanned === undefined
      ? ''
      : `. Since nobody planned ${unplanned.finding.ruleId} it is an incident: the signature is taken with --break-glass and --note only, which is a finding of its own`;
  return [['ends too', `by the same ${by}: ${named.join('; ')}${more}${only}`]];
};

const titleOf = ({ finding: { openedSeq, ruleId, severity, severityBase, state, part } }: StoredFinding): string => {
  const base = severity === severityBase ? '' : ` (by itself ${severityBase})`;
  return `Finding ${openedSeq}: ${ruleId}${part === undefined ? '' : `, ${part}`}: ${severity}${base}, ${state}`;
};

const whereOf = (found: StoredFinding): string => {
  const devices = devicesOf(found);
  const { count = devices.length } = found.finding as { readonly count?: number };
  if (count === 0) return 'this gateway';
  const named = namedDevices(devices);
  return count > MOST_NAMED
    ? `${count} devices: ${named} (--json names ${count > devices.length ? `the first ${devices.length}` : 'all'})`
    : named;
};

/** What a reference expects is called so where nobody saw it. */
const changeRows = ({ finding: { before, beforeAt, lastSeen, after } }: StoredFinding): readonly Row[] => {
  const isSeen = lastSeen === undefined && beforeAt !== undefined;
  return [
    ...(before === undefined ? [] : [[isSeen ? 'before' : 'expected', shownValue(before)] satisfies Row]),
    ...(lastSeen === undefined ? [] : [['last seen', shownValue(lastSeen)] satisfies Row]),
    ...(after === undefined ? [] : [['after', shownValue(after)] satisfies Row]),
  ];
};

const iso = (seconds: number): string => `${utcText(seconds)} UTC`;

const sinceOf = ({ device, finding }: StoredFinding, nowMs: number): string => {
  const { firstObservedAt, beforeAt, lastSeen, afterAt, resolvedAt } = finding;
  const endS = resolvedAt ?? Math.floor(nowMs / 1000);
  const lasted = durationText(Math.max(0, endS - firstObservedAt));
  const what = lastSeen === undefined ? 'the value before was last seen' : 'what was last seen before was seen';
  const before = [
    ...(afterAt === undefined
      ? []
      : [`; ${device === undefined ? 'the last of them' : 'what it shows now'} since ${iso(afterAt)}`]),
    ...(beforeAt === undefined ? [] : [`; ${what} ${iso(beforeAt)}`]),
  ].join('');
  return resolvedAt === undefined
    ? `${iso(firstObservedAt)}, ${lasted} ago${before}`
    : `${iso(firstObservedAt)}, until ${iso(resolvedAt)}, ${lasted}${before}`;
};

const BASIS: { readonly [basis: string]: string } = {
  'self-reported': 'the device said so itself, on one of its surfaces',
  'multi-surface': 'two independent surfaces of the device say so',
  'gateway-observed': 'this gateway saw it on the network',
  independent: 'the device and another source were compared',
  cryptographic: 'a key or measurement was verified',
  human: 'a person signed or did it',
};

const sureOf = ({ finding: { basis, confirmedAt, surfaces, flapping } }: StoredFinding): string =>
  [
    `${basis}: ${BASIS[basis] ?? basis}`,
    confirmedAt === undefined ? 'never confirmed by a second look' : `confirmed ${iso(confirmedAt)}`,
    ...(surfaces.length === 0 ? [] : [`read from ${surfaces.join(', ')}`]),
    ...(flapping === undefined ? [] : [`it comes and goes: ${flapping} changes in an hour`]),
  ].join('; ');

const coverRows = ({ finding, covers }: Numbered, nowMs: number): readonly Row[] => {
  const { plan, waiver, by, parent } = finding;
  const note = noteOf(finding);
  return [
    ...(plan === undefined ? [] : [['plan', coverText(covers.plan, plan, nowMs)] satisfies Row]),
    ...(waiver === undefined ? [] : [['waiver', coverText(covers.waiver, waiver, nowMs)] satisfies Row]),
    ...(parent === undefined
      ? []
      : [['told first', `in finding ${parent}, which speaks for many devices`] satisfies Row]),
    ...(by === undefined ? [] : [['by', note === undefined ? by : `${by}: ${note}`] satisfies Row]),
  ];
};

/** What the document says for itself; the number of its entry is for whoever looks it up in the log. */
const coverText = (terms: Plan | Waiver | undefined, seq: number, nowMs: number): string => {
  const entry = `entry ${seq} of the log`;
  if (terms === undefined) return `${entry}, which does not hold it in clear`;
  const ticket = terms.ticket === undefined ? '' : ` (${terms.ticket})`;
  if (terms.kind === 'plan')
    return `${terms.plan_id}${ticket}, announced for ${iso(terms.not_before_at)} to ${iso(terms.not_after_at)}; ${entry}`;
  const end = `${nowMs < terms.expires_at * 1000 ? 'tolerated until' : 'it was tolerated until'} ${iso(terms.expires_at)}`;
  return `${terms.waiver_id}${ticket}: ${terms.reason}; ${end}; ${entry}`;
};
