import { asJsonText, type Fill, type Gap, within } from './gap.ts';
import { userLike } from './identity.ts';
import { isPlain, type PoolList, type PoolRow, poolLists } from './members.ts';
import type { Scalar } from './scan.ts';

/** A pool as somebody entered it. */
export interface Pool {
  readonly url: string;
  readonly user: string;
}

/** A pool as a device has it: what was entered, over what the row `origin` of the specimen says, in each reply in its own spelling. */
export interface PoolEntry extends Partial<Pool> {
  readonly origin?: number;
}

/** How the rows of a pool list are spelled before anybody changed anything. */
interface Spelling {
  readonly urls: readonly string[];
  readonly ports: readonly string[];
  readonly users: readonly string[];
}

const spellingOf = (text: string, list: PoolList): Spelling => {
  const rows = list.rows.toSorted((one, other) => one.slot - other.slot);
  const textOf = (scalar: Scalar | undefined): string => (scalar === undefined ? '' : within(text, scalar));
  return {
    urls: rows.map(({ url }) => textOf(url)),
    ports: rows.map(({ port }) => textOf(port)),
    users: rows.map(({ user }) => textOf(user)),
  };
};

/** Where the pools stand in `text`, which was made of `source` by `resized`. */
export const poolGaps = (source: string, text: string, growth: number): readonly Gap[] => {
  const spellings = poolLists(source).map((list) => spellingOf(source, list));
  return poolLists(text).flatMap((list, nth) => {
    const spelling = spellings[nth] ?? spellingOf(text, list);
    return list.rows.flatMap((row, at) => rowGaps(text, row, spelling, at - firstClone(list, growth)));
  });
};

/** Index of the first row that was copied from the one before. */
const firstClone = ({ flat, rows }: PoolList, growth: number): number =>
  flat || growth <= 0 ? Number.POSITIVE_INFINITY : rows.length - growth;

/** `clone` is how many copied rows stand before this one; negative in a row that is no copy. */
const rowGaps = (text: string, row: PoolRow, spelling: Spelling, clone: number): readonly Gap[] => {
  const gap = (scalar: Scalar | undefined, filler: (like: string) => Fill): readonly Gap[] =>
    scalar === undefined ? [] : [{ start: scalar.start, end: scalar.end, fill: filler(within(text, scalar)) }];
  const { slot } = row;
  const portApart = row.port !== undefined;
  return [
    ...gap(
      row.url,
      (like) =>
        ({ pools }) =>
          pools === undefined ? like : urlText(pools[slot], spelling, portApart),
    ),
    ...gap(
      row.port,
      (like) =>
        ({ pools }) =>
          pools === undefined ? like : portText(pools[slot], spelling, like),
    ),
    ...gap(
      row.user,
      (like) =>
        ({ pools, place }) =>
          pools === undefined ? userLike(like, place) : userText(pools[slot], spelling, place),
    ),
    ...gap(
      row.host,
      (like) =>
        ({ pools }) =>
          pools === undefined ? like : hostText(pools[slot], spelling, like),
    ),
    ...gap(
      row.active,
      (like) =>
        ({ pools }) =>
          pools === undefined || pools[slot] !== undefined ? like : (INACTIVE[like] ?? like),
    ),
    ...(clone < 0 ? [] : row.numbers.flatMap((number) => gap(number, (like) => () => counted(like, clone + 1)))),
  ];
};

/** Nobody works for a place without a pool. */
const INACTIVE: { readonly [active: string]: string } = { true: 'false', True: 'False' };

const counted = (like: string, further: number): string => (/^\d+$/.test(like) ? String(Number(like) + further) : like);

const HOST_PORT = /^(?:[a-z0-9+]+:\/\/)?([^/:]+)(?::(\d+))?/i;

const urlText = (pool: PoolEntry | undefined, { urls }: Spelling, portApart: boolean): string => {
  if (pool?.url === undefined) return urls[pool?.origin ?? -1] ?? '';
  return asJsonText(portApart ? (HOST_PORT.exec(pool.url)?.[1] ?? '') : pool.url);
};

const portText = (pool: PoolEntry | undefined, { ports }: Spelling, like: string): string =>
  pool?.url === undefined ? (ports[pool?.origin ?? -1] ?? like) : (HOST_PORT.exec(pool.url)?.[2] ?? '3333');

const userText = (pool: PoolEntry | undefined, { users }: Spelling, place: number): string =>
  pool?.user === undefined ? userLike(users[pool?.origin ?? -1] ?? '', place) : asJsonText(pool.user);

/** Empty where the device is not connected. */
const hostText = (pool: PoolEntry | undefined, { urls }: Spelling, like: string): string => {
  const url = pool?.url ?? urls[pool?.origin ?? -1];
  if (url === undefined || like === '') return '';
  const [, host = '', port = '3333'] = HOST_PORT.exec(url) ?? [];
  return asJsonText(like.includes(':') ? `${host}:${port}` : host);
};

/** The text with `growth` rows more, or fewer, in every pool list that can have them. */
export const resized = (text: string, growth: number): string =>
  growth === 0
    ? text
    : poolLists(text)
        .filter(({ flat }) => !flat)
        .reverse()
        .reduce((whole, { rows }) => resizedList(whole, rows, growth), text);

const resizedList = (text: string, rows: readonly PoolRow[], growth: number): string => {
  const last = rows.at(-1)?.row;
  if (last === undefined) return text;
  if (growth > 0) {
    const copies = `${isPlain(text) ? '|' : ','}${within(text, last)}`.repeat(growth);
    return text.slice(0, last.end) + copies + text.slice(last.end);
  }
  const left = rows.length + growth;
  const end = left > 0 ? rows[left - 1]?.row.end : rows[0]?.row.start;
  return text.slice(0, end) + text.slice(last.end);
};
