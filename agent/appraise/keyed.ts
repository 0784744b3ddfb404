import type { FactName, Facts } from '../../shared/facts.ts';
import { canonicalJson } from '../../shared/jcs.ts';
import type { Absent } from '../baseline/absent.ts';

/** Before- and after-values of findings that list several settings: `[{key, value}]`, sorted. Keys may come from the device. */
export interface Keyed {
  readonly key: string;
  readonly value: unknown;
}

/** What one setting was and is; `before` is null where it is known that there was none. */
export interface KeyedChange {
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * The facts among `names` that both sides know and that differ; a key is the last part of a fact's name. Of those that are `absent` the
 * reference knows that there was none.
 */
export const changedSettings = (
  names: readonly FactName[],
  observed: Facts,
  approved: Facts,
  absent: Absent = [],
): readonly KeyedChange[] =>
  names.flatMap((name) => {
    const { [name]: before = absent.includes(name) ? null : undefined } = approved;
    const after = observed[name];
    if (before === undefined || after === undefined || canonicalJson(before) === canonicalJson(after)) return [];
    return [{ key: keyOf(name), before, after }];
  });

/** The key of a fact in such a list. */
export const keyOf = (name: FactName): string => name.slice(name.indexOf('.') + 1);

/** Whether the look tells a setting: its value, or that there is none, as there was none before. */
export const tellsFact = (name: FactName, observed: Facts, absent: Absent = []): boolean =>
  observed[name] !== undefined || absent.includes(name);

/** Settings without a fact of their own have keys that begin so. */
export const OTHER = 'other.';

/** These settings, by key. */
export const othersOf = (facts: Facts): ReadonlyMap<string, string> =>
  new Map((facts['config.other'] ?? []).map(({ key, value }) => [OTHER + key, value]));

/** Values of a list of named texts that both sides know and that differ. */
export const changedParts = (
  observed: ReadonlyMap<string, string>,
  approved: ReadonlyMap<string, string>,
): readonly KeyedChange[] =>
  [...approved].flatMap(([key, before]) => {
    const after = observed.get(key);
    return after === undefined || after === before ? [] : [{ key, before, after }];
  });

/** The two values of a deviation. */
export const keyedValues = (changes: readonly KeyedChange[]): { before: readonly Keyed[]; after: readonly Keyed[] } => {
  const sorted = [...changes].sort((a, b) => (a.key < b.key ? -1 : 1));
  return {
    before: sorted.map(({ key, before: value }) => ({ key, value })),
    after: sorted.map(({ key, after: value }) => ({ key, value })),
  };
};

/** Whether a value is such a list. */
export const isKeyed = (value: unknown): value is readonly Keyed[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item?.key === 'string' && 'value' in item);
