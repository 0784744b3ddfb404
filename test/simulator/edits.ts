import { within } from './gap.ts';
import { type NamedValue, namedValues, poolLists } from './members.ts';
import type { Span } from './scan.ts';

/** What a machine has that its specimen has not. Values are texts as they stand in JSON, without quotes. */
export interface Edit {
  readonly kind: 'set' | 'replace' | 'fail-over';
  /** `set`: name of the member; `replace`: text to look for in every value; `fail-over`: nothing. */
  readonly what: string;
  readonly text: string;
  readonly quoted: boolean;
}

/** The text with one edit made wherever it applies. */
export const edited = (text: string, edit: Edit): string =>
  edit.kind === 'fail-over' ? failedOver(text) : withValues(text, edit);

const withValues = (text: string, edit: Edit): string =>
  namedValues(text)
    .toReversed()
    .reduce((whole, { name, span, quoted }) => {
      const before = within(whole, span);
      const after =
        edit.kind === 'set' ? (name === edit.what ? valueText(edit, quoted, before) : before) : replaced(before, edit);
      return after === before ? whole : whole.slice(0, span.start) + after + whole.slice(span.end);
    }, text);

/** A text in the place of a number needs quotes; inside quotes and brackets a value goes as it is. */
const valueText = (edit: Edit, quoted: boolean, before: string): string =>
  edit.quoted && !quoted && /^(-?[\d.]+|true|false|null)$/.test(before) ? `"${edit.text}"` : edit.text;

const WORD = /[A-Za-z0-9]/;

/** Replaces whole words only: version `4.9` is not a part of `14.9`. */
const replaced = (value: string, { what, text }: Edit): string => {
  let out = value;
  for (let at = out.indexOf(what); at !== -1; at = out.indexOf(what, at + text.length)) {
    const free = !WORD.test(out[at - 1] ?? ' ') && !WORD.test(out[at + what.length] ?? ' ');
    if (!free) at += 1 - text.length;
    else out = out.slice(0, at) + text + out.slice(at + what.length);
  }
  return out;
};

/** Which pool a row says it is, by state. */
const STATE = /^(Status|Stratum Active|status|active|alive)$/;

/** The first two pools of each list change the parts they play: the second works, and the first does not. */
const failedOver = (text: string): string => {
  const values = namedValues(text).filter(({ name }) => STATE.test(name));
  const swaps = poolLists(text).flatMap(({ rows: [first, second] }) =>
    first === undefined || second === undefined ? [] : swapsBetween(text, values, first.row, second.row),
  );
  return swaps
    .toSorted((one, other) => other.at.start - one.at.start)
    .reduce((whole, { at, by }) => whole.slice(0, at.start) + by + whole.slice(at.end), text);
};

/** A pool that nobody works for although it is first is dead, where the firmware has a word for that. */
const swapsBetween = (text: string, values: readonly NamedValue[], first: Span, second: Span) => {
  const inside = ({ start, end }: Span) =>
    new Map(values.filter(({ span }) => span.start > start && span.end < end).map(({ name, span }) => [name, span]));
  const others = inside(second);
  return [...inside(first)].flatMap(([name, at]) => {
    const other = others.get(name);
    if (other === undefined) return [];
    const [one, two] = [within(text, at), within(text, other)];
    if (one === 'Alive' && two === 'Alive') return [{ at, by: 'Dead' }];
    return [
      { at, by: two },
      { at: other, by: one },
    ];
  });
};
