import { CONFLICT, type JsonObject, type JsonValue } from '../probe/capture.ts';

/**
 * The module texts of Avalon: items `Key[value]`, mostly with a blank between them. A value may hold blanks, commas and
 * colons, so the brackets are what is looked for. All that stands between two items is the key of the second: of one that
 * is damaged enough is left to tell whose it was.
 */

/** A blank, also one of which a bit flipped: it separates two items all the same, and no key begins so. */
const BLANK = /^\s*[!"$(0`]?/;

/** The items of a module text, as the members of an object. The text is untrusted. */
export const readItems = (text: string): JsonObject => {
  const items = new Map<string, JsonValue>();
  let start = 0;
  for (let open = text.indexOf('['); open !== -1; open = text.indexOf('[', start)) {
    const close = text.indexOf(']', open);
    if (close === -1) break;
    const before = text.slice(start, open);
    // A text in braces begins with its own name.
    const key = before.slice(before.lastIndexOf('{') + 1).replace(BLANK, '');
    const value = text.slice(open + 1, close);
    if (key !== '') items.set(key, (items.get(key) ?? value) === value ? value : CONFLICT);
    start = close + 1;
  }
  return Object.fromEntries(items);
};

/** What `Ver` says: the model before the version, where the text has one of the two known forms. */
interface ModuleVersion {
  readonly model?: string;
  readonly version: string;
}

/**
 * `1246-83-21072802_4ec6bb0_211fc46` and `Q-25052801_14a19a2` name the model, then a date and revisions;
 * `7411706-3162860` (A7 to A9) has the model in the first three of seven digits, then year and month.
 */
export const readModuleVersion = (text: string): ModuleVersion => {
  const dated = /^(.{1,40}?)-(\d{8}_.*)$/.exec(text);
  if (dated?.[1] !== undefined && dated[2] !== undefined) return { model: dated[1], version: dated[2] };
  const short = /^(\d{3})(\d{4}-.*)$/.exec(text);
  if (short?.[1] !== undefined && short[2] !== undefined) return { model: short[1], version: short[2] };
  return { version: text };
};
