import { LEFT_CONFIGURATION } from '../appraise/departure.ts';
import { ruleOf } from '../appraise/index.ts';
import { briefValue } from '../normalise/shown.ts';
import type { Skipped, StatedFinding } from './feed.ts';

/** Longest value in a line, characters. */
const MOST_VALUE = 120;
/** Devices that a line names of many. */
const MOST_NAMED = 3;

/** A transition as one line for a person: how bad, what, where, from what to what. */
export const wordsOf = (finding: StatedFinding): string => {
  const { id, severity, state, device, part, by, reasons = [] } = finding;
  const title = ruleOf(id)?.title;
  const what = [`${severity} ${id} ${state}`, whereOf(finding), ...(part === undefined ? [] : [part])].join(', ');
  const left = state === 'resolved' && reasons.includes(LEFT_CONFIGURATION);
  const whyLeft =
    device === undefined
      ? 'devices of it left the configuration and were not put right'
      : 'because the device left the configuration, not because it was put right';
  const end = [title, by === undefined ? undefined : `by ${by}`, left ? whyLeft : undefined]
    .filter((word) => word !== undefined)
    .join(', ');
  return oneLine(`${what}${valuesOf(finding)}${end === '' ? '' : ` (${end})`}`);
};

const whereOf = ({ device, devices = [], count = 0 }: StatedFinding): string => {
  if (device !== undefined) return device;
  if (count === 0) return 'this gateway';
  const named = devices.slice(0, MOST_NAMED).join(' ');
  return `${count} device${count === 1 ? '' : 's'}: ${named}${count > MOST_NAMED ? ' …' : ''}`;
};

const valuesOf = (finding: StatedFinding): string => {
  const before = shown(finding.before, finding.before_pid);
  const after = shown(finding.after, finding.after_pid);
  const lastSeen = shown(finding.last_seen, finding.last_seen_pid);
  if (before === undefined && after === undefined) return '';
  const expected = lastSeen === undefined ? '' : `, expected ${before ?? 'nothing'}`;
  return `: ${lastSeen ?? before ?? 'nothing'} -> ${after ?? 'nothing'}${expected}`;
};

const shown = (value: unknown, pid: string | undefined): string | undefined => {
  if (value === undefined) return pid === undefined ? undefined : 'redacted';
  const text = briefValue(value);
  if (text.length <= MOST_VALUE) return text;
  // The end of a long host says whose it is, and behind it may stand the user.
  return `${text.slice(0, MOST_VALUE / 2)}…${text.slice(1 - MOST_VALUE / 2)}`;
};

/** What was passed over, as one line for a person. */
export const wordsOfSkipped = ({ count, bySeverity, fromAt, toAt }: Skipped): string => {
  const severities = (['critical', 'high', 'medium', 'low', 'info'] as const).flatMap((severity) =>
    bySeverity[severity] === undefined ? [] : [`${bySeverity[severity]} ${severity}`],
  );
  const what = `${count} transition${count === 1 ? '' : 's'} of findings (${severities.join(', ')})`;
  return `${what} from ${utc(fromAt)} to ${utc(toAt)} waited too long and are not told one by one; see: assayer findings`;
};

/** Unix seconds as the time in a notification. */
export const utc = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

/** What a device says stays in its line, also in a terminal or a text message. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd').toWellFormed();
