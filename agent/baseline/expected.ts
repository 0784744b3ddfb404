import { canonicalJson } from '../../shared/jcs.ts';
import { minuteOfDay } from '../../shared/open-values.ts';
import type { ExpectedValue, Schedule } from '../../shared/terms.ts';

/** What a document lets a fact be (catalogue §3), asked about one value at one time. */

/** What texts of a document are made of. */
export interface Texts {
  /** Whether the text of a fact is what a template makes of this device. */
  readonly fits: (template: string, text: string, fact: string) => boolean;
  /** The template with what is known of this device filled in. */
  readonly fill: (template: string, text: string) => string;
}

/** What a value of a document may depend on beside the value that is seen. */
export interface Circumstances extends Texts {
  readonly nowMs: number;
}

/** How a fact came out against what a document says of it. */
export type Judgement =
  /** It is what it may be. */
  | { readonly kind: 'fits' }
  /** Nothing is said of it now. */
  | { readonly kind: 'free' }
  /** It is none of what it may be; `nearest` is what it would most likely have been. */
  | { readonly kind: 'leaves'; readonly nearest: unknown };

const FREE: Judgement = { kind: 'free' };
const FITS: Judgement = { kind: 'fits' };

/** The alternatives that hold now: an old value beside the new one ends by itself. */
export const itemsAt = (items: readonly ExpectedValue[], nowMs: number): readonly ExpectedValue[] =>
  items.filter(({ until_at: until }) => until === undefined || nowMs < until * 1000);

/** Whether an alternative lets the value be anything now. */
export const saysNothing = (items: readonly ExpectedValue[], nowMs: number): boolean =>
  itemsAt(items, nowMs).some(
    (item) => item.class === 'volatile' || (item.class === 'schedule' && scheduled(item.value, nowMs) === undefined),
  );

/** Holds a value that is seen against the alternatives for it. `same` compares in the way of the fact. */
export const judgeValue = (
  items: readonly ExpectedValue[],
  seen: unknown,
  circumstances: Circumstances,
  same: (one: unknown, other: unknown) => boolean = equal,
): Judgement => {
  let first: Judgement = FREE;
  for (const item of itemsAt(items, circumstances.nowMs)) {
    const judgement = judgeItem(item, seen, circumstances, same);
    if (judgement.kind !== 'leaves') return judgement;
    if (first.kind === 'free') first = judgement;
  }
  return first;
};

const equal = (one: unknown, other: unknown): boolean => canonicalJson(one ?? null) === canonicalJson(other ?? null);

/** Whether some alternative lets the fact be this at some time. */
export const everAllows = (items: readonly ExpectedValue[], seen: unknown, texts: Texts): boolean =>
  items.flatMap(everAllowed).some((item) => judgeLasting(item, seen, texts, equal).kind !== 'leaves');

/** An alternative that says the same by day and by night. */
type Lasting = Exclude<ExpectedValue, { class: 'schedule' }>;

/** What an alternative allows at one time or another. */
export const everAllowed = (item: ExpectedValue): readonly Lasting[] => {
  if (item.class !== 'schedule') return [item];
  const { fact, value } = item;
  const values = [...value.slots.map((slot) => slot.value), ...('otherwise' in value ? [value.otherwise] : [])];
  return [
    ...values.map((one) => ({ fact, class: 'exact' as const, value: one })),
    // Outside of its slots nothing is compared.
    ...('otherwise' in value ? [] : [{ fact, class: 'volatile' as const }]),
  ];
};

const judgeItem = (
  item: ExpectedValue,
  seen: unknown,
  circumstances: Circumstances,
  same: (one: unknown, other: unknown) => boolean,
): Judgement =>
  item.class === 'schedule'
    ? judgeSchedule(item.value, seen, circumstances.nowMs, same)
    : judgeLasting(item, seen, circumstances, same);

const judgeLasting = (
  item: Lasting,
  seen: unknown,
  texts: Texts,
  same: (one: unknown, other: unknown) => boolean,
): Judgement => {
  switch (item.class) {
    case 'volatile':
      return FREE;
    case 'exact':
      return same(item.value, seen) ? FITS : { kind: 'leaves', nearest: item.value };
    case 'set':
      return item.value.some((value) => same(value, seen)) ? FITS : { kind: 'leaves', nearest: item.value[0] };
    case 'band':
      return judgeBand(item.value, seen);
    case 'template':
      return judgeTemplate(item, seen, texts);
  }
};

/** A device that follows its schedule is a little early or late: around a boundary what holds on either side of it is right. */
const judgeSchedule = (
  schedule: Schedule,
  seen: unknown,
  nowMs: number,
  same: (one: unknown, other: unknown) => boolean,
): Judgement => {
  const value = scheduled(schedule, nowMs);
  if (value === undefined) return FREE;
  if (same(value, seen)) return FITS;
  const near = scheduledNear(schedule, nowMs);
  if (near.some((other) => same(other, seen))) return FITS;
  return near.includes(undefined) ? FREE : { kind: 'leaves', nearest: value };
};

const judgeBand = ({ min, max }: { min?: number; max?: number }, seen: unknown): Judgement => {
  if (typeof seen !== 'number') return FREE;
  if (min !== undefined && seen < min) return { kind: 'leaves', nearest: min };
  return max !== undefined && seen > max ? { kind: 'leaves', nearest: max } : FITS;
};

const judgeTemplate = (
  { fact, value }: Extract<ExpectedValue, { class: 'template' }>,
  seen: unknown,
  { fits, fill }: Texts,
): Judgement => {
  const templates = [value].flat();
  // A user that the device does not tell is not one that fits.
  if (seen === undefined) return { kind: 'leaves', nearest: fill(templates[0] ?? '', '') };
  if (typeof seen !== 'string') return FREE;
  if (templates.some((template) => fits(template, seen, fact))) return FITS;
  return { kind: 'leaves', nearest: fill(templates[0] ?? '', seen) };
};

/** Whether a value may be one that both let it be: what fits the one may then be what was seen under the other. */
export const mayAgree = (
  one: readonly ExpectedValue[],
  other: readonly ExpectedValue[],
  circumstances: Circumstances,
): boolean => someFits(one, other, circumstances) || someFits(other, one, circumstances);

const someFits = (
  items: readonly ExpectedValue[],
  others: readonly ExpectedValue[],
  circumstances: Circumstances,
): boolean =>
  items
    .flatMap((item) => valuesOf(item, circumstances.nowMs))
    .some((value) => judgeValue(others, value, circumstances).kind !== 'leaves');

/** The values that an alternative names; of a band its ends, of which one lies in any other that it meets. */
export const valuesOf = (item: ExpectedValue, nowMs: number): readonly unknown[] => {
  switch (item.class) {
    case 'exact':
      return [item.value];
    case 'set':
      return item.value;
    case 'band':
      return [item.value.min ?? 0, item.value.max ?? Number.MAX_SAFE_INTEGER];
    case 'schedule':
      return [scheduled(item.value, nowMs), ...scheduledNear(item.value, nowMs)].filter((value) => value !== undefined);
    case 'template':
    case 'volatile':
      return [];
  }
};

const DAY_MINUTES = 24 * 60;
const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** The value of a schedule at a time; undefined where it says nothing then. */
export const scheduled = ({ zone, slots, otherwise }: Schedule, nowMs: number): unknown => {
  const local = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(zone);
  const minute = local.hour * 60 + local.minute;
  const today = local.dayOfWeek - 1;
  const slot = slots.find(({ from, to, days }) => {
    const [begin, end] = [minuteOfDay(from), minuteOfDay(to)];
    const overMidnight = end <= begin;
    const sinceBegin = (minute - begin + DAY_MINUTES) % DAY_MINUTES;
    if (sinceBegin >= (overMidnight ? end + DAY_MINUTES : end) - begin) return false;
    const day = WEEKDAYS[(today + (minute < begin ? 6 : 0)) % 7];
    return days === undefined || (day !== undefined && days.includes(day));
  });
  return slot === undefined ? otherwise : slot.value;
};

/** Windows and boundaries are held to with this tolerance, ms (catalogue §3). */
export const TOLERANCE_MS = 5 * 60_000;

/** What a schedule says within the tolerance before and after a time. A slot that is shorter than that may be passed over. */
export const scheduledNear = (schedule: Schedule, nowMs: number): readonly unknown[] => [
  scheduled(schedule, nowMs - TOLERANCE_MS),
  scheduled(schedule, nowMs + TOLERANCE_MS),
];

/** Whether the zone is one that this host knows. */
export const isTimeZone = (zone: string): boolean => {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
};
