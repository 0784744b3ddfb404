import { styleText } from 'node:util';
import Table from 'cli-table3';
import { type Io, isDrawable, printable } from './io.ts';

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
  middle: '  ',
};

/** Rows under a heading, as text that ends in a newline; headings are bold on a terminal. */
export const table = (io: Io, heading: readonly string[], rows: readonly (readonly string[])[]): string => {
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
