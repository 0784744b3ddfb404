import Table from 'cli-table3';
import type { AttackFate, Verdict } from './judge.ts';

/** What a run came to. Names are those of the JSON. */
export interface Report {
  readonly scenario: string;
  readonly seed: number;
  readonly devices: number;
  readonly days: number;
  readonly poll_s: number;
  readonly full_look_s: number;
  readonly attacks: {
    readonly injected: number;
    readonly found: number;
    readonly missed: readonly AttackFate[];
    /** No rule of this agent has any of their ids. */
    readonly no_rule: readonly AttackFate[];
    readonly polls: { readonly median: number | null; readonly worst: number | null };
    readonly all: readonly AttackFate[];
  };
  readonly false_alarms: Verdict['falseAlarms'];
  readonly planned: Verdict['planned'];
  readonly low: Verdict['low'];
  readonly published: Verdict['published'];
  readonly storms: Verdict['storms'] & { readonly ratio: number | null };
  readonly looks: Verdict['looks'] & { readonly connections: number; readonly replies: number; readonly cut: number };
  /** Devices whose learned values a person accepted, and those that were refused then. */
  readonly acceptance: { readonly accepted: number; readonly refused: number };
  /** Events of the scenario that would begin after the end of the run. */
  readonly left_out: number;
  readonly took_s: number;
  readonly cpu_s: number;
  /** Why the run failed; empty where it did not. */
  readonly problems: readonly string[];
}

/** Everything a run knows beside the verdict. */
export type Circumstances = Omit<
  Report,
  'attacks' | 'false_alarms' | 'planned' | 'storms' | 'low' | 'published' | 'looks'
> & {
  readonly traffic: { readonly connections: number; readonly replies: number; readonly cut: number };
};

/** Puts verdict and circumstances together, with the reasons why the run failed. */
export const reportOf = (verdict: Verdict, { traffic, problems, ...rest }: Circumstances): Report => {
  const { attacks, planned, falseAlarms, storms, low, published, looks } = verdict;
  const judged = attacks.filter(({ no_rule }) => no_rule === undefined);
  const missed = judged.filter(({ devices, found }) => found < devices);
  const polls = attacks.flatMap((one) => one.polls).toSorted((one, other) => one - other);
  const uncovered = planned.flatMap((one) => Object.values(one.uncovered)).reduce((sum, count) => sum + count, 0);
  return {
    ...rest,
    attacks: {
      injected: attacks.length,
      found: judged.length - missed.length,
      missed,
      no_rule: attacks.filter(({ no_rule }) => no_rule !== undefined),
      polls: { median: polls[Math.floor((polls.length - 1) / 2)] ?? null, worst: polls.at(-1) ?? null },
      all: attacks,
    },
    false_alarms: falseAlarms,
    planned,
    low,
    published,
    storms: { ...storms, ratio: storms.statements === 0 ? null : storms.devices / storms.statements },
    looks: { ...looks, ...traffic },
    problems: [
      ...missed.map(({ what, devices, found }) => `not found: ${what} (${found} of ${devices} devices)`),
      ...(falseAlarms.length === 0 ? [] : [`${falseAlarms.length} findings of medium or above without a cause`]),
      ...(uncovered === 0 ? [] : [`${uncovered} findings of medium or above that a plan should have covered`]),
      ...problems,
    ],
  };
};

const STYLE = { head: [], border: [] };

/** The report for people. */
export const inWords = (report: Report): string =>
  [
    headOf(report),
    attackTable(report),
    ...alarmsOf(report),
    ...plannedOf(report),
    countsOf(report),
    ...(report.problems.length === 0 ? ['all is well'] : report.problems.map((problem) => `FAILED: ${problem}`)),
    '',
  ].join('\n');

const headOf = ({ scenario, seed, devices, days, poll_s, full_look_s, took_s, cpu_s, left_out }: Report): string =>
  `${scenario}\n${devices} devices, ${days} days, a poll every ${poll_s / 60} min, all of a device every ${full_look_s / 60} min; ` +
  `seed ${seed}; took ${Math.round(took_s)} s, of the processor ${Math.round(cpu_s)} s` +
  (left_out === 0 ? '' : `; ${left_out} events left out: they would begin later`);

const attackTable = ({ attacks }: Report): string => {
  const table = new Table({ head: ['attack', 'at', 'devices', 'found', 'by', 'polls'], style: STYLE });
  for (const { what, at, devices, found, by, polls, no_rule } of attacks.all) {
    const worst = polls.length === 0 ? '' : String(Math.max(...polls));
    table.push([
      what,
      at,
      devices,
      found,
      no_rule === undefined ? by.join(', ') : `no rule: ${no_rule.join(', ')}`,
      worst,
    ]);
  }
  return table.toString();
};

const alarmsOf = ({ false_alarms }: Report): readonly string[] => {
  if (false_alarms.length === 0) return [];
  const shown = false_alarms.map(
    ({ id, severity, device, address = '', at, showed, during }) =>
      `  ${at}  ${severity.padEnd(8)} ${id}  ${device} ${address}  ${showed}${during === undefined ? '' : `  during: ${during}`}`,
  );
  return ['findings of medium or above that nobody caused:', ...shown];
};

const plannedOf = ({ planned }: Report): readonly string[] =>
  planned.map(
    ({ what, plan, devices, covered, uncovered, approved: { accepted, refused } }) =>
      `planned: ${what} (${plan}), ${devices} devices: covered ${tally(covered)}; not covered ${tally(uncovered)}; ` +
      `approved afterwards at ${accepted}, refused at ${refused}`,
  );

const tally = (counts: { readonly [id: string]: number }): string => {
  const texts = Object.entries(counts).map(([id, count]) => `${id} on ${count}`);
  return texts.length === 0 ? 'nothing' : texts.join(', ');
};

const countsOf = ({ attacks, false_alarms, low, published, storms, looks, acceptance }: Report): string => {
  const table = new Table({ style: STYLE });
  const { polls } = attacks;
  table.push(
    [
      'attacks found',
      `${attacks.found} of ${attacks.injected}${attacks.no_rule.length === 0 ? '' : `, no rule for ${attacks.no_rule.length}`}`,
    ],
    ['polls until found, median / worst', polls.median === null ? '-' : `${polls.median} / ${polls.worst}`],
    ['medium or above without a cause', false_alarms.length],
    ['accepted after learning / refused', `${acceptance.accepted} / ${acceptance.refused}`],
    ...low.map(({ id, count, per_device_week, worst_device_week }): [string, string] => [
      `low: ${id}`,
      `${count}, ${per_device_week.toFixed(3)} a device and week, at most ${worst_device_week}`,
    ]),
    [
      'storms: devices / statements',
      `${storms.devices} / ${storms.statements} in ${storms.parents} parents${storms.ratio === null ? '' : `: ${storms.ratio.toFixed(1)} : 1`}`,
    ],
    [
      'messages',
      Object.entries(published)
        .map(([kind, count]) => `${kind} ${count}`)
        .join(', '),
    ],
    ['looks due: pools / full / gave what they should', `${looks.pools} / ${looks.full} / ${looks.ok}`],
    ['connections / replies / cut', `${looks.connections} / ${looks.replies} / ${looks.cut}`],
  );
  return table.toString();
};
