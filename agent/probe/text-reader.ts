import { CONFLICT, INCOMPLETE, type JsonObject, type JsonValue } from './capture.ts';
import { addMember, boundOnValues, DocumentProblem, MOST_VALUES, type Repair, type Visitor } from './json-reader.ts';

/** Sections whose rows stand under another name in the JSON form (API-README). */
const LIST_OF: { readonly [row: string]: string } = { POOL: 'POOLS', ASC: 'DEVS', PGA: 'DEVS', GPU: 'DEVS' };

/** Whether a reply looks like the plain-text form of the CGMiner API: `STATUS=S,…|VERSION,…|`. */
export const looksLikeText = (text: string): boolean => /^\s*[A-Z][A-Z0-9_]*(?:=[^,|=]*)?,[^=|]+=/.test(text);

interface Item {
  readonly name: string;
  /** Undefined where the item has no `=`: the name of a section, or the rest of a value with a comma in it. */
  readonly value: string | undefined;
  /** A mark stands in the value that should have been escaped there: it may be two items, one of which lost its mark. */
  readonly doubtful: boolean;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads the plain-text form into the shape of the JSON form, `{STATUS: [{…}], VERSION: [{…}]}`. Sections end in `|`,
 * items in `,`; a backslash escapes either; what stands between the brackets of `name[…]` is one value (Avalon). Every
 * value stays text: the form does not say which are numbers. A value with a mark that nobody escaped is a conflict: a
 * damaged byte between two items would else make one longer value of them, and the second item one that is not sent. A reply has its status and rows of one list:
 * with a second list one of its rows has a damaged name, and the first is not whole. A mark in the status may have been
 * the end of it, and the first row be inside.
 */
export const readTextForm = (text: string, repairs: Set<Repair>, visitor?: Visitor): JsonValue => {
  const reply: JsonObject = {};
  repairs.add('plain-text');
  const closing = closings(text);
  const countValues = boundOnValues();
  for (let at = 0; at < text.length; ) {
    const { items, end } = readSection(text, at, closing);
    at = end;
    countValues(items.length);
    if (items.length > 0) addSection(reply, items, repairs, visitor);
  }
  const lists = Object.keys(reply).filter((name) => name !== 'STATUS');
  if (lists.length > 1) throw new DocumentProblem('unreadable', `rows of ${lists.length} lists`);
  if (lists.length === 0 && hasForeign(reply.STATUS)) {
    throw new DocumentProblem('unreadable', 'the status holds a row of the list');
  }
  return reply;
};

const STATUS_ITEMS: ReadonlySet<string> = new Set(['STATUS', 'When', 'Code', 'Msg', 'Description']);

/** Whether there is more in a status than a status: it lost the mark at its end, and the first row is inside. */
const hasForeign = (status: JsonValue | undefined): boolean =>
  Array.isArray(status) &&
  status.some((row) => !Object.keys(row as JsonObject).every((name) => STATUS_ITEMS.has(name)));

const addSection = (reply: JsonObject, items: readonly Item[], repairs: Set<Repair>, visitor?: Visitor): void => {
  const [head] = items as readonly [Item];
  const list = LIST_OF[head.name] ?? head.name;
  const row: JsonObject = {};
  for (const item of joinValues(head.value === undefined ? items.slice(1) : items)) {
    visitor?.member(item.name, item.start, item.end, head.start);
    visitor?.text(item.start, item.end);
    // A comma that nobody escaped is only a part of its message.
    if (item.doubtful && list === 'STATUS' && item.value?.includes('='))
      throw new DocumentProblem('unreadable', 'the status may hold a row of the list');
    if (item.doubtful) repairs.add('unescaped-mark');
    addMember(row, item.name, item.doubtful ? CONFLICT : (item.value ?? ''), repairs);
    if (item.doubtful) Object.defineProperty(row, INCOMPLETE, { value: true });
  }
  const rows = Object.hasOwn(reply, list) ? (reply[list] as JsonValue[]) : [];
  if (rows.length === 0) addMember(reply, list, rows, repairs);
  rows.push(row);
};

/** An item without `=` is the rest of the value before it, which had a comma that nobody escaped; or it lost its mark. */
const joinValues = (items: readonly Item[]): readonly Item[] => {
  const whole: Item[] = [];
  for (const item of items) {
    const before = whole.at(-1);
    if (item.value !== undefined) {
      whole.push(item);
      continue;
    }
    if (before === undefined) throw new DocumentProblem('unreadable', `no name at place ${item.start}`);
    whole[whole.length - 1] = { ...before, doubtful: true, end: item.end };
  }
  return whole;
};

const readSection = (text: string, from: number, closing: Closing): { items: readonly Item[]; end: number } => {
  const items: Item[] = [];
  let at = from;
  for (; at < text.length; at += 1) {
    const item = readItem(text, at, closing);
    at = item.end;
    // A section may end in a comma, and white space between sections is not a section.
    if (item.name !== '' || item.value !== undefined) items.push(item);
    if (text[at] !== ',' || items.length > MOST_VALUES) break;
  }
  return { items, end: at + 1 };
};

const readItem = (text: string, from: number, closing: Closing): Item => {
  let name: string | undefined;
  let built = '';
  let start = from;
  let doubtful = false;
  let at = from;
  for (; at < text.length; at += 1) {
    const letter = text[at] as string;
    if (letter === ',' || letter === '|') break;
    if (letter === '=' && name !== undefined) doubtful = true;
    if (letter === '=' && name === undefined) {
      name = built;
      built = '';
      start = at + 1;
    } else if (letter === '\\' && at + 1 < text.length) {
      at += 1;
      built += text[at];
    } else if (letter === '[' && /\w/.test(text[at - 1] ?? '')) {
      const end = closing(at);
      built += text.slice(at, end + 1);
      at = end;
    } else {
      built += letter;
    }
  }
  return name === undefined
    ? { name: built.trim(), value: undefined, doubtful, start, end: at }
    : { name: name.trim(), value: built, doubtful, start, end: at };
};

/** Where a bracket closes, if it does so in its section; else the bracket itself, which then is a plain character. */
type Closing = (bracket: number) => number;

const closings = (text: string): Closing => {
  const bracketFrom = ahead(text, ']');
  const sectionFrom = ahead(text, '|');
  return (from) => {
    const closing = bracketFrom(from);
    return closing < sectionFrom(from) ? closing : from;
  };
};

/**
 * The next place of a mark, the end of the text where none is left. Asked with rising places only: what it passed over
 * once it never looks at again, so that no reply costs more than its length.
 */
const ahead = (text: string, mark: string): ((from: number) => number) => {
  let found = -1;
  return (from) => {
    if (found < from) {
      const next = text.indexOf(mark, from);
      found = next === -1 ? text.length : next;
    }
    return found;
  };
};
