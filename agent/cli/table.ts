import { styleText } from 'node:util';
import Table from 'cli-table3';
import { type Io, isDrawable, printable } from './io.ts';

const GAP = '  ';

const BARE = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: GAP,
};

type Rows = readonly (readonly string[])[];

/**
 * Rows under a heading, as text that ends in a newline; headings are bold on a terminal. Where that is too narrow, the columns that
 * fit are the table, and the others stand below each row, each behind its heading.
 */
export const table = (io: Io, heading: readonly string[], rows: Rows): string => {
  const { columns = 0 } = io.out;
  const fitting = fittingColumns(columns, [heading, ...rows]);
  // A terminal that does not say how wide it is says 0.
  if (columns === 0 || fitting === heading.length) return wideTable(io, heading, rows);
  const leading = (row: readonly string[]): readonly string[] => row.slice(0, fitting);
  const [head, ...lines] = wideTable(io, leading(heading), rows.map(leading)).split('\n');
  const below = (row: readonly string[]): readonly string[] =>
    row.slice(fitting).flatMap((cell, at) => (cell === '' ? [] : [labelled(cell, heading[fitting + at] ?? '')]));
  return `${[head, ...rows.flatMap((row, at) => [lines[at], ...filled(below(row), columns)])].join('\n')}\n`;
};

const labelled = (cell: string, heading: string): string => (heading === '' ? cell : `${heading}: ${cell}`);

/** How many columns from the left fit, at least one. */
const fittingColumns = (columns: number, rows: Rows): number => {
  const widths = (rows[0] ?? []).map((_, at) => rows.reduce((most, row) => Math.max(most, row[at]?.length ?? 0), 0));
  let width = 0;
  const beyond = widths.findIndex((one, at) => {
    width += one + (at === 0 ? 0 : GAP.length);
    return width > columns;
  });
  return beyond === -1 ? widths.length : Math.max(1, beyond);
};

const INDENT = '    ';

/** Texts on as few lines as have room for them; one that is longer than a line is left to the terminal. */
const filled = (texts: readonly string[], columns: number): readonly string[] => {
  const lines: string[] = [];
  for (const text of texts) {
    const last = lines.at(-1);
    const longer = `${last}${GAP}${text}`;
    if (last !== undefined && longer.length <= columns) lines[lines.length - 1] = longer;
    else lines.push(`${INDENT}${text}`);
  }
  return lines;
};

/** The same, on one line each whatever there is room for. */
export const wideTable = (io: Io, heading: readonly string[], rows: Rows): string => {
  // The package asks standard output, and the environment, what this writer can show.
  const bold = (word: string): string => styleText('bold', word, { validateStream: false });
  const grid = new Table({
    head: isDrawable(io.out) ? heading.map(bold) : [...heading],
    chars: BARE,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows) grid.push([...row]);
  return `${grid
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
};

/** An instant in a row, to the minute. */
export const utc = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ');

/** Longest text of a device in a row of many devices, characters. */
const MOST = 60;

/** A text of a device, so short that one device does not make the table too wide for all. */
export const shortened = (text: string, most = MOST): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

/** Most of a list that is shown. */
const MOST_ITEMS = 10;

/** The first of a list of lines, and how many there are beside them. */
export const firstOf = (items: readonly string[], more = 'more'): readonly string[] =>
  items.length > MOST_ITEMS ? [...items.slice(0, MOST_ITEMS), `  … and ${items.length - MOST_ITEMS} ${more}`] : items;

/** A number of things, in words. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Most names in a line. */
const MOST_NAMED = 3;

/** The first of these names, and how many there are beside them. */
export const namesText = (names: readonly string[]): string => {
  const named = names.slice(0, MOST_NAMED).map(printable).join(', ');
  return names.length > MOST_NAMED ? `${named} and ${names.length - MOST_NAMED} more` : named;
};
