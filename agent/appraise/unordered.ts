import { canonicalJson } from '../../shared/jcs.ts';

/** What a list says whose order says nothing: each item once, in an order that does not depend on how it was written. */
export const unordered = <Item>(items: readonly Item[]): readonly Item[] =>
  [...new Map(items.map((item) => [textOf(item), item]))].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);

/** Members without a value are none: JSON has no word for them. */
const textOf = (item: unknown): string => canonicalJson(JSON.parse(JSON.stringify(item)));
