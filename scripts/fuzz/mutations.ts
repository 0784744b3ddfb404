import type { Span } from '../../test/simulator/scan.ts';
import { type Layout, memberSpan, outer, type Place } from './places.ts';
import type { Random } from './random.ts';

/** The ways in which a reply is damaged, each with what it draws. */

/** What is put in the place of a span; an empty span is an insertion. Texts are bytes as Latin-1. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** One damaged reply. */
export interface Mutation {
  readonly edits: readonly Edit[];
  /** For people: what was done, and where. */
  readonly note: string;
  /** The member that now stands there twice, with two values. */
  readonly conflict?: Place;
  /** Whole rows that changed places. */
  readonly swapped?: true;
  /** The rest of the reply is missing. */
  readonly cut?: true;
}

/** Damages a reply in one way; undefined where it has nothing to which that could happen. */
type Draw = (layout: Layout, random: Random) => Mutation | undefined;

export const damaged = (text: string, edits: readonly Edit[]): string =>
  [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((whole, { start, end, text: put }) => whole.slice(0, start) + put + whole.slice(end), text);

const replacing = (place: Place, text: string, what: string): Mutation => ({
  edits: [{ ...outer(place), text }],
  note: `${place.path}: ${what}`,
});

const inserting = (at: number, text: string, what: string): Mutation => ({
  edits: [{ start: at, end: at, text }],
  note: `place ${at}: ${what}`,
});

const valuesIn = (layout: Layout): readonly Place[] => layout.places.filter(({ kind }) => kind !== 'item');
const scalarsIn = (layout: Layout): readonly Place[] =>
  layout.places.filter(({ kind }) => kind !== 'object' && kind !== 'array');

/**
 * The reply up to a byte. Of JSON every second one with the NUL that a server with a single buffer still sends; in the
 * plain-text form that NUL is all that tells a whole reply, and it is lost with the rest.
 */
export const cutAt = ({ text, form }: Layout, at: number): Mutation => {
  const tail = form === 'json' && at % 2 === 0 ? '\0' : '';
  return {
    edits: [{ start: at, end: text.length, text: tail }],
    cut: true,
    note: `cut at ${at} of ${text.length}${tail === '' ? '' : ', NUL behind'}`,
  };
};

// ---- bytes -----------------------------------------------------------------------------------------------------------

const flipAt = ({ text }: Layout, at: number, bit: number): Mutation => {
  const flipped = String.fromCharCode(text.charCodeAt(at) ^ (1 << bit));
  return { edits: [{ start: at, end: at + 1, text: flipped }], note: `bit ${bit} at ${at}` };
};

const flipBit: Draw = (layout, random) => flipAt(layout, random.below(layout.text.length), random.below(8));

const asBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const anywhere =
  (what: string, candidates: readonly string[]): Draw =>
  (layout, random) => {
    const put = random.pick(candidates) as string;
    // Half of them into a value, where they do most harm; the rest anywhere.
    const value = random.below(2) === 0 ? random.pick(scalarsIn(layout)) : undefined;
    const at =
      value === undefined
        ? random.below(layout.text.length + 1)
        : value.start + random.below(value.end - value.start + 1);
    return inserting(at, put, `${what} ${JSON.stringify(put)}`);
  };

const CONTROLS = ['\u0001', '\n', '\r', '\t', '\u001b', '\u007f', '\u0085', '\u202e', '\u2066', '\u200f', '\u061c'];
/** Lone bytes, an overlong slash, a surrogate, a mark beyond Unicode. */
const NOT_UTF8 = ['\xff', '\x80', '\xc3', '\xc0\xaf', '\xed\xa0\x80', '\xf5\x80\x80\x80', '\xe2\x80'];

// ---- values ----------------------------------------------------------------------------------------------------------

const put =
  (what: string, choose: (layout: Layout) => readonly Place[], candidates: readonly string[]): Draw =>
  (layout, random) => {
    const place = random.pick(choose(layout));
    const text = random.pick(candidates) as string;
    return place && replacing(place, text, `${what} ${text}`);
  };

const numbersIn = (layout: Layout): readonly Place[] =>
  scalarsIn(layout).filter(({ start, end }) => /^-?\d+(\.\d+)?$/.test(layout.text.slice(start, end)));

const HUGE = ['1e400', '-1e400', '9007199254740993', '1e30', `1${'0'.repeat(30)}`, '9'.repeat(400), '1e-400'];
const NOT_NUMBERS = ['nan', '-nan', 'NaN', 'inf', '-inf', 'Infinity'];

const swapType: Draw = (layout, random) => {
  const place = random.pick(valuesIn(layout));
  if (place === undefined) return undefined;
  const self = layout.text.slice(outer(place).start, outer(place).end);
  const inText = ['', '7', 'null', '[]'];
  const inJson = ['null', '7', '"7"', '""', 'true', '[]', '{}', `[${self}]`, `{"x":${self}}`, quoted(place, self)];
  const text = random.pick(place.kind === 'plain' ? inText : inJson) as string;
  return replacing(place, text, `became ${text.slice(0, 40)}`);
};

/** A number as text, a text as bare word. */
const quoted = ({ kind }: Place, self: string): string => {
  if (kind === 'word') return `"${self}"`;
  return kind === 'quoted' ? self.slice(1, -1) : '"x"';
};

// ---- members ---------------------------------------------------------------------------------------------------------

const duplicate =
  (value: 'same' | 'other', members: (layout: Layout) => readonly Place[] = valuesIn): Draw =>
  (layout, random) => {
    const place = random.pick(members(layout).filter(({ name }) => name !== undefined));
    const span = place && memberSpan(place);
    if (place?.name === undefined || span === undefined) return undefined;
    const member = layout.text.slice(span.start, span.end);
    const copy = value === 'same' ? member : memberAgain(layout, place, random);
    const mark = place.row === undefined ? ',' : '';
    const before = random.below(2) === 0;
    const edit = before
      ? { start: span.start, end: span.start, text: `${copy}${mark}` }
      : { start: span.end, end: span.end, text: `${mark}${copy}` };
    const note = `${place.path} twice, the ${before ? 'first' : 'second'} added: ${copy.slice(0, 60)}`;
    return { edits: [edit], note, ...(value === 'same' ? {} : { conflict: place }) };
  };

/** Members of rows: of the elements of a list, where a part is easily lost among its like, and of what is in them. */
const inRows = (layout: Layout): readonly Place[] => valuesIn(layout).filter(({ path }) => /\/\d+\//.test(path));

/** The member with another value. */
const memberAgain = (layout: Layout, place: Place, random: Random): string => {
  const { text } = layout;
  const { row } = place;
  if (row === undefined) return nameAgain(layout, place, random) + otherValue(layout, place);
  return text.slice(row.start, place.start) + otherValue(layout, place) + text.slice(place.end, row.end);
};

/** The name, its mark and what stands between; sometimes with its first letter spelled as an escape. */
const nameAgain = ({ text }: Layout, place: Place, random: Random): string => {
  const { start = 0, end = 0 } = place.name ?? {};
  const name = text.slice(start, end);
  if (place.kind === 'plain') return `${name}=`;
  const escaped = /^[a-z]/i.test(name) && random.below(4) === 0;
  return escaped ? `"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}":` : `"${name}":`;
};

const otherValue = ({ text }: Layout, { kind, start, end }: Place): string => {
  const value = text.slice(start, end);
  switch (kind) {
    case 'object':
      return value === '{}' ? '{"x":1}' : '{}';
    case 'array':
      return /^\[\s*\]$/.test(value) ? '[1]' : '[]';
    case 'quoted':
      return '"other.example:1"';
    case 'plain':
    case 'item':
      return 'other.example:1';
    case 'word':
      return value === '77' ? '78' : '77';
  }
};

/** One byte of a name becomes another, one comes to it, or letters of it another case: then it is no name that anybody asks for. */
const damageName: Draw = (layout, random) => {
  const name = random.pick(layout.places)?.name;
  if (name === undefined || name.start === name.end) return undefined;
  switch (random.below(5)) {
    case 0:
      return flipAt(layout, name.start + random.below(name.end - name.start), random.below(8));
    case 3: {
      const marks = MARKS[layout.form].filter((mark) => mark !== '"');
      return insertingInto(name, random, random.pick<string>(marks) as string);
    }
    case 1: {
      const put = random.pick([...CONTROLS.map(asBytes), ...NOT_UTF8, '\0']) as string;
      return insertingInto(name, random, put);
    }
    case 2:
      return insertingInto(name, random, ' ');
    default:
      return otherCase(layout, random, name);
  }
};

const insertingInto = ({ start, end }: Span, random: Random, put: string): Mutation =>
  inserting(start + random.below(end - start + 1), put, `a name, character ${JSON.stringify(put)}`);

/** One letter of a name as the other of its two, or all of them as capital or small ones. */
const otherCase = ({ text }: Layout, random: Random, { start, end }: Span): Mutation | undefined => {
  const name = text.slice(start, end);
  const letters = [...name.matchAll(/[a-z]/gi)].map(({ index }) => index);
  const at = random.pick(letters);
  if (at === undefined) return undefined;
  const flipped = String.fromCharCode(name.charCodeAt(at) ^ 0x20);
  const spelled = [
    name.slice(0, at) + flipped + name.slice(at + 1),
    name.replace(/[a-z]+/g, (letters) => letters.toUpperCase()),
    name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  ];
  const other = random.pick(spelled.filter((one) => one !== name)) as string;
  return { edits: [{ start, end, text: other }], note: `a name became ${other}` };
};

/** One bit of a name is another, where it may be that of one part among others. */
const damageNameInRow: Draw = (layout, random) => {
  const name = random.pick(inRows(layout))?.name;
  if (name === undefined || name.start === name.end) return undefined;
  return flipAt(layout, name.start + random.below(name.end - name.start), random.below(8));
};

const DEPTHS = [1, 2, 16, 28, 29, 30, 31, 32, 33, 40, 1000, 20_000];

/** A member that nobody asked for, or a value of the reply, nested. */
const nest: Draw = (layout, random) => {
  const depth = random.pick(DEPTHS) as number;
  const [open, close] = random.below(2) === 0 ? ['[', ']'] : ['{"x":', '}'];
  const nested = `${open.repeat(depth)}1${close.repeat(depth)}`;
  const objects = layout.places.filter(({ kind }) => kind === 'object');
  const place = random.pick(random.below(3) === 0 ? valuesIn(layout) : objects);
  if (place === undefined) return undefined;
  if (place.kind !== 'object') return replacing(place, nested, `nested ${depth} deep`);
  const after = layout.text
    .slice(place.start + 1, place.end)
    .trimStart()
    .startsWith('}')
    ? ''
    : ',';
  return inserting(place.start + 1, `"zz":${nested}${after}`, `a member ${depth} deep`);
};

// ---- marks and rows --------------------------------------------------------------------------------------------------

const removeComma: Draw = ({ commas }, random) => {
  const at = random.pick(commas);
  return at === undefined
    ? undefined
    : { edits: [{ start: at, end: at + 1, text: '' }], note: `comma at ${at} removed` };
};

const repeatComma: Draw = ({ commas }, random) => {
  const at = random.pick(commas);
  // Behind the comma, so that the place does not touch the value before it.
  return at === undefined ? undefined : inserting(at + 1, ',', 'comma repeated');
};

const MARKS = { json: ['{', '}', '[', ']', ':', ',', '"'], text: ['=', ',', '|'] } as const;

const addMark: Draw = ({ form, gaps }, random) => {
  const at = random.pick(gaps);
  const mark = random.pick<string>(MARKS[form]) as string;
  return at === undefined ? undefined : inserting(at, mark, `mark ${mark} added`);
};

const removeMark: Draw = ({ text, marks }, random) => {
  const at = random.pick(marks);
  return at === undefined
    ? undefined
    : { edits: [{ start: at, end: at + 1, text: '' }], note: `mark ${text[at]} at ${at} removed` };
};

const swapRows: Draw = ({ text, lists }, random) => {
  const rows = random.pick(lists);
  if (rows === undefined) return undefined;
  const first = random.below(rows.length);
  const second = (first + 1 + random.below(rows.length - 1)) % rows.length;
  const [a, b] = [rows[first], rows[second]];
  if (a === undefined || b === undefined) return undefined;
  const edits = [
    { ...spanOf(a), text: text.slice(b.start, b.end) },
    { ...spanOf(b), text: text.slice(a.start, a.end) },
  ];
  return { edits, swapped: true, note: `rows ${first} and ${second} at ${a.start} and ${b.start} swapped` };
};

const spanOf = ({ start, end }: Span) => ({ start, end });

/** Every kind of damage but the cut, which goes through a reply place by place. */
export const DRAWS = {
  'bit-flip': flipBit,
  name: damageName,
  'name-in-row': damageNameInRow,
  'duplicate-same': duplicate('same'),
  'duplicate-other': duplicate('other'),
  'duplicate-in-row': duplicate('other', inRows),
  type: swapType,
  number: put('became', numbersIn, HUGE),
  nan: put('became', numbersIn, NOT_NUMBERS),
  utf8: anywhere('bytes', NOT_UTF8),
  control: anywhere('character', CONTROLS.map(asBytes)),
  nul: anywhere('byte', ['\0']),
  nesting: nest,
  'comma-removed': removeComma,
  'comma-repeated': repeatComma,
  'mark-added': addMark,
  'mark-removed': removeMark,
  rows: swapRows,
} as const satisfies { readonly [kind: string]: Draw };

export type DrawKind = keyof typeof DRAWS;
