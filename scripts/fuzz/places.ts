import { visitReply } from '../../agent/probe/json.ts';
import { type Node, type Span, scan } from '../../test/simulator/scan.ts';

/**
 * Where the values of a reply stand. A text is the reply as Latin-1, so that its places are places in the bytes. Found
 * with the scanner of the simulator and not with the parser of the agent, which is what is tried here; the plain-text
 * form, whose values no scanner knows, with the visitor of the masking.
 */

/** How far a value reaches: a quoted one to its quotes; the others as far as a byte beside them could belong to them. */
export type Kind = 'quoted' | 'word' | 'object' | 'array' | 'plain' | 'item';

/** One value of a reply. Its span is without quotes. */
export interface Place extends Span {
  readonly kind: Kind;
  /** Names and positions down to it, as a JSON Pointer. */
  readonly path: string;
  /** Undefined for the element of a list. */
  readonly name?: Span;
  /** In a page the whole row whose cells are name and value. */
  readonly row?: Span;
  /** Values inside it: members, elements, or the items `Key[value]` of a text (Avalon). */
  readonly inner: readonly Place[];
}

/** The places of one reply. */
export interface Layout {
  readonly text: string;
  readonly form: 'json' | 'text';
  /** Every value, also those in others. */
  readonly places: readonly Place[];
  /** Lists of at least two rows: objects of an array, or sections of one kind. */
  readonly lists: readonly (readonly Span[])[];
  /** Commas between values. */
  readonly commas: readonly number[];
  /** All that is neither value nor name: brackets, commas, colons and quotes, or what the plain-text form has of them. */
  readonly marks: readonly number[];
  /** Where a further one would stand: beside a mark, and in no value and no name. */
  readonly gaps: readonly number[];
}

/** The span of a value with its quotes. */
export const outer = ({ kind, start, end }: Place): Span =>
  kind === 'quoted' ? { start: start - 1, end: end + 1 } : { start, end };

/** A member from the quote of its name to the end of its value, in a page its row; undefined for an element. */
export const memberSpan = (place: Place): Span | undefined => {
  if (place.row !== undefined) return place.row;
  if (place.name === undefined) return undefined;
  return { start: place.name.start - (place.kind === 'plain' || place.kind === 'item' ? 0 : 1), end: outer(place).end };
};

/** Where things stand in a reply. In one that is no document there are only bytes. */
export const layoutOf = (text: string): Layout => {
  const start = text.trimStart().charAt(0);
  if (start === '<') return pageLayout(text);
  const layout = start === '{' || start === '[' ? jsonLayout(text) : textLayout(text);
  return layout ?? { text, form: 'text', places: [], lists: [], commas: [], marks: [], gaps: [] };
};

// ---- JSON ------------------------------------------------------------------------------------------------------------

const jsonLayout = (text: string): Layout | undefined => {
  const root = scan(text);
  if (root === undefined) return undefined;
  const places = flattened(placeOf(text, root, ''));
  const lists = listsIn(root).filter((rows) => rows.length > 1);
  const marks = marksIn(text, places, root);
  const commas = marks.filter((at) => text[at] === ',');
  return { text, form: 'json', places, lists, commas, marks, gaps: gapsAt(marks, places) };
};

const flattened = (place: Place): readonly Place[] => [place, ...place.inner.flatMap(flattened)];

const placeOf = (text: string, node: Node, path: string, name?: Span): Place => {
  const { start, end } = node;
  const named = { start, end, path, ...(name === undefined ? {} : { name }) };
  if (node.kind === 'object') {
    let from = start + 1;
    const inner = node.members.map(({ key, value }) => {
      const opening = text.indexOf('"', from) + 1;
      const member = placeOf(text, value, `${path}/${key}`, { start: opening, end: opening + key.length });
      from = outer(member).end;
      return member;
    });
    return { ...named, kind: 'object', inner };
  }
  if (node.kind === 'array') {
    return { ...named, kind: 'array', inner: node.items.map((item, at) => placeOf(text, item, `${path}/${at}`)) };
  }
  if (!node.quoted) return { ...named, kind: 'word', inner: [] };
  return { ...named, kind: 'quoted', inner: itemsIn(text, named) };
};

/** Fewer brackets in a text are no items. */
const FEWEST_ITEMS = 3;

const itemsIn = (text: string, { start, end, path }: Span & { path: string }): readonly Place[] => {
  const found = [...text.slice(start, end).matchAll(/(\w+)\[([^\]]*)\]/g)];
  if (found.length < FEWEST_ITEMS) return [];
  return found.map(({ 1: key = '', 2: value = '', index }) => {
    const name = { start: start + index, end: start + index + key.length };
    const from = name.end + 1;
    return { kind: 'item', start: from, end: from + value.length, path: `${path}/${key}`, name, inner: [] };
  });
};

const listsIn = (node: Node): readonly (readonly Span[])[] => {
  if (node.kind === 'scalar') return [];
  if (node.kind === 'object') return node.members.flatMap(({ value }) => listsIn(value));
  return [node.items.filter(({ kind }) => kind === 'object'), ...node.items.flatMap(listsIn)];
};

/** The marks of the document that stand neither in a text nor in a name. */
const marksIn = (text: string, places: readonly Place[], { start, end }: Span): readonly number[] => {
  const inside = new Uint8Array(text.length + 1);
  for (const { kind, name, start, end } of places) {
    if (name !== undefined) inside.fill(1, name.start, name.end);
    if (kind === 'quoted') inside.fill(1, start, end);
  }
  const marks: number[] = [];
  for (let at = start; at < end; at += 1) if (inside[at] === 0 && /[{}[\]:,"]/.test(text[at] as string)) marks.push(at);
  return marks;
};

/** Both sides of each mark, but for that of a quote which is in its text. */
const gapsAt = (marks: readonly number[], places: readonly Place[]): readonly number[] => {
  const gaps = new Set(marks.flatMap((at) => [at, at + 1]));
  for (const { kind, name, start, end } of places) {
    for (const at of [name?.start, name?.end, ...(kind === 'quoted' ? [start, end] : [])]) gaps.delete(at ?? -1);
  }
  return [...gaps];
};

// ---- a page of HTML ---------------------------------------------------------------------------------------------------

/** The rows of its tables that have a name and a value. */
const pageLayout = (text: string): Layout => {
  const rows = [...text.matchAll(/<tr>(<td[^<>]*>)([^<>]*)(<\/td><td[^<>]*>)([^<>]*)<\/td><\/tr>/g)];
  const places = rows.map(
    ({ 0: whole, 1: before = '', 2: name = '', 3: between = '', 4: value = '', index }): Place => {
      const nameAt = index + '<tr>'.length + before.length;
      const start = nameAt + name.length + between.length;
      const named = { start: nameAt, end: nameAt + name.length };
      const row = { start: index, end: index + whole.length };
      return { kind: 'plain', start, end: start + value.length, path: `/${name}`, name: named, row, inner: [] };
    },
  );
  const lines = places.flatMap(({ row }) => row ?? []);
  return { text, form: 'text', places, lists: lines.length > 1 ? [lines] : [], commas: [], marks: [], gaps: [] };
};

// ---- the plain-text form of the CGMiner API ------------------------------------------------------------------------

const textLayout = (text: string): Layout | undefined => {
  const values: Place[] = [];
  const ends: number[] = [];
  const visited = visitReply(Buffer.from(text, 'latin1'), {
    member: (named, start, end) => {
      const name = { start: text.lastIndexOf(named, start), end: start - 1 };
      const path = `/${named}`;
      values.push({ kind: 'plain', start, end, path, name, inner: itemsIn(text, { start, end, path }) });
      if (text[end] === '|') ends.push(end);
    },
    text: () => {},
  });
  if (visited?.form !== 'text') return undefined;
  const commas = values.map(({ end }) => end).filter((end) => text[end] === ',');
  const marks = values.flatMap(({ name, end }) => [name?.end ?? end, end]).filter((at) => /[=,|]/.test(text[at] ?? ''));
  const gaps = values.map(({ end }) => end + 1);
  return {
    text,
    form: 'text',
    places: values.flatMap(flattened),
    lists: sectionLists(text, ends),
    commas,
    marks,
    gaps,
  };
};

/** Sections that begin with the same word. */
const sectionLists = (text: string, ends: readonly number[]): readonly (readonly Span[])[] => {
  const sections = ends.map((end, at) => ({ start: at === 0 ? 0 : (ends[at - 1] as number) + 1, end }));
  const kinds = Map.groupBy(sections, ({ start, end }) => text.slice(start, end).split(/[=,]/, 1)[0]);
  return [...kinds.values()].filter((rows) => rows.length > 1);
};
