import { within } from './gap.ts';
import { namedValues } from './members.ts';

/** What a machine has that its specimen has not. Values are texts as they stand in JSON, without quotes. */
export interface Edit {
  readonly kind: 'set' | 'replace';
  /** `set`: name of the member; `replace`: text to look for in every value. */
  readonly what: string;
  readonly text: string;
  readonly quoted: boolean;
}

/** The text with one edit made wherever it applies. */
export const edited = (text: string, edit: Edit): string =>
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
