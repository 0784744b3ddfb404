import { type Edit, edited } from './edits.ts';
import type { Fill, Values } from './gap.ts';
import { poolGaps, resized } from './pools.ts';
import { valueGaps } from './value-gaps.ts';

/** A reply with gaps: `texts[0] fills[0] texts[1] …`. Texts are bytes as Latin-1 characters. */
export interface Template {
  readonly texts: readonly string[];
  readonly fills: readonly Fill[];
}

/** The bytes of a reply, as Latin-1 characters. */
export const render = ({ texts, fills }: Template, values: Values): string => {
  let out = texts[0] ?? '';
  for (let at = 0; at < fills.length; at += 1) out += (fills[at]?.(values) ?? '') + (texts[at + 1] ?? '');
  return out;
};

/** A reply that is always the same. */
export const verbatim = (text: string): Template => ({ texts: [text], fills: [] });

/**
 * Finds what differs between machines and over time in the reply of a specimen, by the names that miners give it.
 * `growth` is how many pools somebody added (or, negative, removed); `edits` what else was changed.
 */
export const compileTemplate = (source: string, growth = 0, edits: readonly Edit[] = []): Template => {
  const made = edits.reduce(edited, source);
  const text = resized(made, growth);
  const set = new Set(edits.filter(({ kind }) => kind === 'set').map(({ what }) => what));
  const gaps = [...poolGaps(made, text, growth), ...valueGaps(text, set)].sort((one, other) => one.start - other.start);
  const ends = [0, ...gaps.map(({ end }) => end)];
  const starts = [...gaps.map(({ start }) => start), text.length];
  return { texts: ends.map((end, at) => text.slice(end, starts[at])), fills: gaps.map(({ fill }) => fill) };
};
