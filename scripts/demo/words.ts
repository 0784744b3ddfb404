import { printable } from '../../agent/cli/io.ts';
import { shownValue } from '../../agent/normalise/shown.ts';
import type { FindingLine, Summary } from './event.ts';

/** The sentences of the demo, for lines and for the screen. Values of miners are shown so that what differs looks different. */

const valueText = (value: unknown): string => {
  if (value === undefined) return '(none)';
  if (Array.isArray(value) && value.length > 0 && value.every(isSetting)) return value.map(settingText).join(', ');
  return shownValue(value);
};

/** One of a list of settings: `{key, value}`. */
const isSetting = (item: unknown): item is { readonly key: string; readonly value: string } => {
  const { key, value } = Object(item);
  return typeof key === 'string' && typeof value === 'string';
};

const settingText = ({ key, value }: { readonly key: string; readonly value: string }): string =>
  `${shownValue(key)} ${shownValue(value)}`;

/** Empty for a finding without values. */
export const changeText = ({ before, after }: FindingLine): string =>
  before === undefined && after === undefined ? '' : `${valueText(before)} → ${valueText(after)}`;

export const findingText = (line: FindingLine): string =>
  [line.severity, line.id, line.device ?? 'several devices', line.part, line.state === 'open' ? undefined : line.state]
    .filter((word) => word !== undefined)
    .join(' ');

/** The outcome, for people: what was caught, and what a collector may rely on. */
export const summaryText = (summary: Summary): readonly string[] => [
  ...summary.caught.flatMap((line) => [
    `${findingText(line)}`,
    `  ${changeText(line)}`,
    `  verified ${line.since_change_s.toFixed(1)} s after the change, entry ${line.opened_seq}`,
  ]),
  `${summary.entries} entries of ${summary.devices} devices verified in ${summary.seconds.toFixed(0)} s: ` +
    `${summary.entries} signatures good, ${summary.refused} messages refused, ${summary.waiting} above a gap`,
  ...(summary.root === undefined ? [] : [`${summary.log}: ${summary.entries} entries, root ${summary.root}`]),
  ...summary.problems.map((problem) => `! ${printable(problem)}`),
  ...(summary.reason === undefined ? [] : [summary.reason]),
];
