import { macLike, nameLike, serialLike, userLike } from './identity.ts';
import { namedValues, type PoolList, type PoolRow, poolLists } from './members.ts';
import type { Scalar, Span } from './scan.ts';

/** A pool as somebody entered it. */
export interface Pool {
  readonly url: string;
  readonly user: string;
}

/** A pool as a device has it: what was entered, over what the row `origin` of the specimen says, in each reply in its own spelling. */
export interface PoolEntry extends Partial<Pool> {
  readonly origin?: number;
}

/** What one machine puts into its replies at one moment. */
export interface Values {
  /** Tells this machine from the others of the fleet. */
  readonly machine: number;
  /** Tells the place: the worker name belongs to it, whatever machine stands there. */
  readonly place: number;
  /** Unix seconds. */
  readonly now: number;
  /** Seconds since the fleet started, or since the last restart of this machine. */
  readonly running: number;
  readonly restarted: boolean;
  /** Undefined while the pools are those of the specimen. */
  readonly pools: readonly PoolEntry[] | undefined;
}

/** What a machine has that its specimen has not. Values are texts as they stand in JSON, without quotes. */
export interface Edit {
  readonly kind: 'set' | 'replace';
  /** `set`: name of the member; `replace`: text to look for in every value. */
  readonly what: string;
  readonly text: string;
  readonly quoted: boolean;
}

type Fill = (values: Values) => string;

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

/** UTF-8 bytes as Latin-1 characters, escaped for a JSON string. */
export const asJsonText = (text: string): string =>
  Buffer.from(JSON.stringify(text).slice(1, -1), 'utf8').toString('latin1');

/**
 * Finds what differs between machines and over time in the reply of a specimen, by the names that miners give it.
 * `growth` is how many pools somebody added (or, negative, removed); `edits` what else was changed.
 */
export const compileTemplate = (source: string, growth = 0, edits: readonly Edit[] = []): Template => {
  const text = edits.reduce(edited, resized(source, growth));
  const set = new Set(edits.filter(({ kind }) => kind === 'set').map(({ what }) => what));
  const gaps = [...poolGaps(source, text, growth), ...valueGaps(text, set)].sort(
    (one, other) => one.start - other.start,
  );
  const ends = [0, ...gaps.map(({ end }) => end)];
  const starts = [...gaps.map(({ start }) => start), text.length];
  return { texts: ends.map((end, at) => text.slice(end, starts[at])), fills: gaps.map(({ fill }) => fill) };
};

interface Gap extends Span {
  readonly fill: Fill;
}

const within = (text: string, { start, end }: Span): string => text.slice(start, end);

// ---- identity and time

const SERIALS = /^(serinum|minersn|serial|serial_no|powersn|sn|PCB SN|DNA|HDNA|miner_id|chain_sn\d+|sn\d+)$/;
const MACS = /^(mac|MAC|macaddr|macAddr|macaddress)$/;
const NAMES = /^(hostname|conf_hostname)$/;
const RUNNING = /^(Elapsed|elapsed|Uptime|uptimeSeconds|totalUptimeSeconds)$/;
const COUNTED = /^(Accepted|accepted|sharesAccepted|Getworks|getworks)$/;
const STAMPS = /^[Ww]hen$/;
const SHARES = /^(Last Share Time|lstime)$/;

/** A machine gets a share through about this often, s. */
const SHARE_S = 6;

const valueGaps = (text: string, set: ReadonlySet<string>): readonly Gap[] =>
  namedValues(text).flatMap(({ name, span }) => {
    const like = within(text, span);
    const fill = set.has(name) ? undefined : valueFill(name, like);
    return fill === undefined ? [] : [{ start: span.start, end: span.end, fill }];
  });

const valueFill = (name: string, like: string): Fill | undefined => {
  if (MACS.test(name)) return ({ machine }) => macLike(like, machine);
  if (SERIALS.test(name)) return ({ machine }) => serialLike(like, machine);
  if (NAMES.test(name)) return ({ place }) => nameLike(like, place);
  // What is 0 stays: a pool that stands by gets no share.
  if (!/^[1-9]\d*$/.test(like)) return undefined;
  const first = Number(like);
  if (RUNNING.test(name)) return ({ running, restarted }) => String(restarted ? running : first + running);
  if (COUNTED.test(name))
    return ({ running, restarted }) => String((restarted ? 0 : first) + Math.floor(running / SHARE_S));
  // A device without a clock says how long it runs; that a stamp is one shows in its size.
  if (first < 1e9) return undefined;
  if (STAMPS.test(name)) return ({ now }) => String(now);
  return SHARES.test(name) ? ({ now, running }) => String(now - (running % SHARE_S)) : undefined;
};

// ---- pools

/** How the rows of a pool list are spelled before anybody changed anything. */
interface Spelling {
  readonly urls: readonly string[];
  readonly ports: readonly string[];
  readonly users: readonly string[];
}

const spellingOf = (text: string, { rows }: PoolList): Spelling => {
  const textOf = (scalar: Scalar | undefined): string => (scalar === undefined ? '' : within(text, scalar));
  return {
    urls: rows.map(({ url }) => textOf(url)),
    ports: rows.map(({ port }) => textOf(port)),
    users: rows.map(({ user }) => textOf(user)),
  };
};

const poolGaps = (source: string, text: string, growth: number): readonly Gap[] => {
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
    ...(clone < 0 ? [] : row.numbers.flatMap((number) => gap(number, (like) => () => counted(like, clone + 1)))),
  ];
};

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
const resized = (text: string, growth: number): string =>
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
    const copies = `,${within(text, last)}`.repeat(growth);
    return text.slice(0, last.end) + copies + text.slice(last.end);
  }
  const left = rows.length + growth;
  const end = left > 0 ? rows[left - 1]?.row.end : rows[0]?.row.start;
  return text.slice(0, end) + text.slice(last.end);
};

// ---- edits

const edited = (text: string, edit: Edit): string =>
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
