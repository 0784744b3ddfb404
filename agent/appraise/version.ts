/** Comparing what firmware calls its version: dotted numbers with prefixes and suffixes, and dates in several spellings. */

/** Where a version stands to another one. */
export type Order = 'same' | 'up' | 'down' | 'unordered';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH = `(${MONTHS.join('|')})[a-z]*`;
const CLOCK = '(\\d{1,2}:\\d{2}(?::\\d{2})?)';

/** `Tue Apr 18 19:44:02 CST 2023`, `Apr 18 2023`, `Apr 18 2023 19:44:02`. */
const MONTH_FIRST = new RegExp(
  `\\b${MONTH}\\s+(\\d{1,2}),?\\s+(?:${CLOCK}\\s+)?(?:[a-z]{3,4}\\s+)?(\\d{4})(?:\\s+${CLOCK})?`,
);
/** `18 Apr 2023 19:44:02`. */
const DAY_FIRST = new RegExp(`\\b(\\d{1,2})\\s+${MONTH}\\s+(\\d{4})(?:\\s+${CLOCK})?`);
/** `2023-04-18 19:44:02`, `2023/04/18`. */
const YEAR_FIRST = new RegExp(`\\b(20\\d{2})[-/](\\d{2})[-/](\\d{2})(?:[t\\s]+${CLOCK})?`);

interface Dated {
  /** YYYYMMDD. */
  readonly day: number;
  readonly clock?: string;
  /** The text around the date. */
  readonly rest: string;
}

const dated = (
  found: RegExpMatchArray,
  text: string,
  year: number,
  month: number,
  day: number,
  clock?: string,
): Dated => ({
  day: year * 10_000 + month * 100 + day,
  ...(clock === undefined ? {} : { clock: clock.padStart(clock.length + (clock.indexOf(':') === 1 ? 1 : 0), '0') }),
  rest: text
    .replace(found[0], ' ')
    .replace(/\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b,?/, ' ')
    .replace(/\s+/g, ' ')
    .trim(),
});

const monthOf = (name: string | undefined): number => MONTHS.indexOf(name ?? '') + 1;

/** The date a text holds, in whichever spelling; undefined without one. */
const dateIn = (text: string): Dated | undefined => {
  const first = text.match(MONTH_FIRST);
  if (first !== null)
    return dated(first, text, Number(first[4]), monthOf(first[1]), Number(first[2]), first[3] ?? first[5]);
  const middle = text.match(DAY_FIRST);
  if (middle !== null) return dated(middle, text, Number(middle[3]), monthOf(middle[2]), Number(middle[1]), middle[4]);
  const last = text.match(YEAR_FIRST);
  if (last !== null) return dated(last, text, Number(last[1]), Number(last[2]), Number(last[3]), last[4]);
  return undefined;
};

const order = (difference: number): Order => (difference > 0 ? 'up' : difference < 0 ? 'down' : 'same');

/** A date without a time is the same as any time of that day. */
const compareDates = (before: Dated, after: Dated): Order => {
  if (before.rest !== after.rest) return before.day === after.day ? 'unordered' : order(after.day - before.day);
  if (before.day !== after.day) return order(after.day - before.day);
  if (before.clock === undefined || after.clock === undefined) return 'same';
  return order(after.clock.localeCompare(before.clock));
};

interface Numbered {
  readonly prefix: string;
  readonly numbers: readonly string[];
  readonly suffix: string;
}

/** `v1.2.3-rc1` is prefix ``, numbers 1 2 3, suffix `rc1`. */
const numbered = (text: string): Numbered | undefined => {
  const found = text.match(/^(.*?)(\d+(?:\.\d+)*)(.*)$/s);
  if (found === null) return undefined;
  const [, prefix = '', numbers = '', suffix = ''] = found;
  return { prefix: prefix.replace(/v$/, ''), numbers: numbers.split('.'), suffix: suffix.replace(/^[-_.+\s]+/, '') };
};

/** A first number of six or more digits is a date or a build: not on one scale with 1, 2, 3. */
const isLong = (number: string | undefined): boolean => (number ?? '').length >= 6;

const PRERELEASE = /^(alpha|beta|dev|pre|rc)[-.]?(\d*)$/;

/** A test build comes before its release, a higher test build after a lower one; other suffixes have no order. */
const compareSuffixes = (before: string, after: string): Order => {
  if (before === after) return 'same';
  const early = before.match(PRERELEASE);
  const late = after.match(PRERELEASE);
  if (early !== null && after === '') return 'up';
  if (late !== null && before === '') return 'down';
  if (early === null || late === null || early[1] !== late[1]) return 'unordered';
  if (early[2] === late[2]) return 'same';
  const difference = Number(late[2]) - Number(early[2]);
  return difference === 0 ? 'unordered' : order(difference);
};

/** `2.9` and `2.9.0` are two texts whose numbers do not differ: which came first they do not say. */
const compareNumbers = (before: readonly string[], after: readonly string[]): Order => {
  for (let index = 0; index < Math.max(before.length, after.length); index++) {
    const [was, is] = [BigInt(before[index] ?? 0), BigInt(after[index] ?? 0)];
    if (was !== is) return is > was ? 'up' : 'down';
  }
  return before.join('.') === after.join('.') ? 'same' : 'unordered';
};

/** Whether a version moved up, down, or in a way that has no order. */
export const compareVersions = (before: string, after: string): Order => {
  const [one, other] = [before.trim().toLowerCase(), after.trim().toLowerCase()];
  if (one === other) return 'same';
  const [wasDate, isDate] = [dateIn(one), dateIn(other)];
  if (wasDate !== undefined && isDate !== undefined) return compareDates(wasDate, isDate);
  if (wasDate !== undefined || isDate !== undefined) return 'unordered';
  const [was, is] = [numbered(one), numbered(other)];
  if (was === undefined || is === undefined || was.prefix !== is.prefix) return 'unordered';
  if (isLong(was.numbers[0]) !== isLong(is.numbers[0])) return 'unordered';
  const byNumbers = compareNumbers(was.numbers, is.numbers);
  return byNumbers === 'same' ? compareSuffixes(was.suffix, is.suffix) : byNumbers;
};
