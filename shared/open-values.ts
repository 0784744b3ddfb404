import { payeeOf } from './pool-user.ts';
import type { ExpectedValue, Schedule } from './terms.ts';

/**
 * Values of documents that hold a device to little or nothing, whatever class they are written in. Who signs has to be
 * told, and a plan made of them is one that does not say what the devices show afterwards.
 */
export interface Openness {
  /** Every value fits, at any time. */
  readonly wholly: boolean;
  /** What the fact may be, in words. */
  readonly may: string;
}

const WHOLLY: Openness = { wholly: true, may: 'any value' };

/** How far an expected value leaves its fact open; undefined where it holds it to something. */
export const opennessOf = (item: ExpectedValue): Openness | undefined => {
  switch (item.class) {
    case 'volatile':
      // A column of the pools has no parts by name.
      return item.value === undefined || item.fact.startsWith('pools.') ? WHOLLY : undefined;
    case 'band':
      return opennessOfBand(item.fact, item.value);
    case 'schedule':
      return isWholeWeek(item.value) ? undefined : { wholly: false, may: 'any value outside the hours of its slots' };
    case 'template':
      return [item.value].flat().some((text) => isOpenTemplate(item.fact, text)) ? WHOLLY : undefined;
    case 'exact':
    case 'set':
      return undefined;
  }
};

// ---- bands

interface Range {
  readonly unit: RegExp;
  /** More is beyond any machine. */
  readonly most: number;
  /** No device can show more: an upper end that is left out is there all the same. */
  readonly ends?: true;
}

/** Nothing that a device reports as an integer is below zero but for a temperature, which no limit is set to. */
const LEAST = 0;
const RANGES: readonly Range[] = [
  { unit: /_pct$/, most: 100, ends: true },
  { unit: /^network\.vlan$/, most: 4094, ends: true },
  { unit: /_w$/, most: 50_000 },
  { unit: /_mhz$/, most: 5000 },
  { unit: /_mv$/, most: 100_000 },
  { unit: /_mc$/, most: 150_000 },
];
const UNBOUNDED: Range = { unit: /$/, most: Number.POSITIVE_INFINITY };

const opennessOfBand = (fact: string, { min = LEAST, max = Number.POSITIVE_INFINITY }): Openness | undefined => {
  const { most, ends } = RANGES.find(({ unit }) => unit.test(fact)) ?? UNBOUNDED;
  if (max < most) return undefined;
  if (min <= LEAST) return WHOLLY;
  return ends === true ? undefined : { wholly: false, may: `any value from ${min} up` };
};

// ---- schedules

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = 7 * DAY_MINUTES;

/** Whether a schedule names a value for every minute of the week. */
const isWholeWeek = ({ slots, otherwise }: Schedule): boolean => {
  if (otherwise !== undefined) return true;
  const spans = slots.flatMap(({ from, to, days = DAYS }) => {
    const [begin, end] = [minuteOfDay(from), minuteOfDay(to)];
    const length = end - begin + (end <= begin ? DAY_MINUTES : 0);
    return days.flatMap((day) => {
      const at = DAYS.indexOf(day) * DAY_MINUTES + begin;
      // What goes over the end of Sunday covers the beginning of Monday.
      return [at, at - WEEK_MINUTES].map((start) => ({ start, end: start + length }));
    });
  });
  const reach = spans
    .sort((one, other) => one.start - other.start)
    .reduce((covered, { start, end }) => (start > covered ? covered : Math.max(covered, end)), 0);
  return reach >= WEEK_MINUTES;
};

/** Of a time of day as schedules write it, `22:00`. */
export const minuteOfDay = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

// ---- templates

/** Fields that are read from the very fact that they would be held against. */
const ITSELF: { readonly [fact: string]: string } = {
  'identity.serial': '{serial}',
  'identity.mac': '{mac}',
  'identity.model': '{model}',
  'network.hostname': '{hostname}',
};

/**
 * Fields that whoever holds a machine can set: the host name is entered there, and the model is what its firmware says. Anybody may have
 * an account at a pool that is called so. Serial and MAC nobody enters.
 */
const SET_BY_HOLDER = /\{(?:hostname|model)\}/g;

/** The account of a template for users. A dot in the name of a label ends none. */
const accountIn = (template: string): string =>
  payeeOf(template.replace(/\{[^{}]*\}/g, (field) => field.replaceAll('.', '_')));

/** The fields, in braces, in the account of a template for users that whoever holds a machine can set: with one of them any account fits. */
export const setByHolder = (template: string): readonly string[] => [
  ...new Set(accountIn(template).match(SET_BY_HOLDER)),
];

/**
 * Whether a template says nothing of what matters: of a user the account, where `{account}` is the account that is seen,
 * whosever it is, and `{hostname}` the one that whoever holds the machine chooses; of a URL, that of a proxy, too, the host, whose end says
 * whose it is; of anything else a letter or digit.
 */
const isOpenTemplate = (fact: string, text: string): boolean => {
  if (fact === 'pools.user')
    return /^[^.]*\*/.test(text) || /\*|\{account\}/.test(accountIn(text)) || setByHolder(text).length > 0;
  if (fact === 'pools.url' || fact === 'pools.proxy') return isOpenHost(hostIn(text));
  const itself = ITSELF[fact];
  return !tells(itself === undefined ? text : text.replaceAll(itself, ''));
};

const tells = (text: string): boolean => /[\p{L}\p{N}]/u.test(text);

/** Of a URL `{account}` is what stands before the first dot of the one that is seen. */
const isOpenHost = (host: string): boolean =>
  !tells(host.replace(/\{(?:hostname|model|account)\}/g, '')) || /\{(?:hostname|model|account)\}$/.test(host);

/** The host of a template for URLs, without what stands before or behind it. */
const hostIn = (template: string): string =>
  template
    .replace(/^[^/]*:\/\//, '')
    .replace(/[/?#].*$/s, '')
    .replace(/^.*@/s, '')
    .replace(/:[^:\]]*$/, '');

/** Whether a text has what stands for something else in a template: a `*`, or a field in braces. */
export const looksTemplated = (text: string): boolean => /\*|\{[^{}]*\}/.test(text);

// ---- plans

/** What is another one where a firmware is, and is seldom known beforehand. */
export const WITH_VERSION: readonly string[] = [
  'firmware.build',
  'firmware.kernel',
  'firmware.components',
  'firmware.fingerprint',
  'firmware.medium',
];

/**
 * Expected values by which a plan says no more than one without any. Serials of parts that a repair puts in are not known
 * beforehand, nor is what comes with a version that the plan names: these may be left open, said plainly.
 */
export const leftOpen = (expected: readonly ExpectedValue[]): readonly ExpectedValue[] => {
  const versions = expected.filter(({ fact }) => fact === 'firmware.version');
  const namesVersion = versions.length > 0 && versions.every((item) => opennessOf(item) === undefined);
  return expected.filter((item) => {
    if (opennessOf(item) === undefined) return false;
    const { fact } = item;
    const isUnforeseen = fact.startsWith('identity.') || (namesVersion && WITH_VERSION.includes(fact));
    return item.class !== 'volatile' || !isUnforeseen;
  });
};
