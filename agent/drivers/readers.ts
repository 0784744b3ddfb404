import { ABSENT, type Closed, present, type Reading, standingIn, unknown } from '../../shared/facts.ts';
import type { JsonObject, JsonValue, NoReply } from '../probe/capture.ts';
import { namedIn } from './damaged-names.ts';
import type { Replies, Source } from './driver.ts';
import { numberText } from './number-text.ts';
import { type Status, statusOf } from './status.ts';

/**
 * How a driver says where a fact stands: a query, a JSON Pointer (RFC 6901) and a reader. Everything read here comes
 * from the device and is untrusted; whatever has the wrong shape is `unknown: unreadable`, never a default.
 */

/** From the value at a place in a reply to a reading. */
export type Reader<T> = (value: JsonValue) => Reading<T>;

/** One JSON Pointer, or several for firmwares that spell the same member differently; the first that exists is read. */
export type Pointer = string | readonly string[];

/** One member name, or the spellings seen in the field. */
export type MemberName = string | readonly string[];

/** Not what the driver expects at this place. */
export const UNREADABLE: Reading<never> = unknown('unreadable');

// ---- replies ---------------------------------------------------------------------------------------------------------

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object a value is, or a value of another kind as `undefined`. */
export const asObject = (value: JsonValue | undefined): JsonObject | undefined => (isObject(value) ? value : undefined);

/** The array a value is, or a value of another kind as `undefined`. */
export const asArray = (value: JsonValue | undefined): readonly JsonValue[] | undefined =>
  Array.isArray(value) ? value : undefined;

/** What the status of a reply says about every fact in it. */
const MEANING: { readonly [Said in Exclude<Status, 'answer'>]: Reading<never> } = {
  denied: unknown('refused'),
  'unknown-command': unknown('unsupported'),
  'unknown-key': unknown('unsupported'),
  'no-devices': ABSENT,
  error: UNREADABLE,
  unclear: UNREADABLE,
};

/** The whole reply to a query, or why there is none. A query that was not asked in this look is `unsupported`. */
export const answer = (replies: Replies, query: string): Reading<JsonValue> => {
  const reply = replies.get(query);
  if (reply === undefined) return unknown('unsupported');
  if (reply.kind === 'no-reply') return whyNone(reply);
  const status = statusOf(reply.value);
  return status === 'answer' ? present(reply.value) : MEANING[status];
};

/** No connection is no connection, whether it was refused or nobody answered the attempt. */
const whyNone = ({ reason, dark, elsewhere, withheld }: NoReply): Reading<never> => {
  if (dark === true) return unknown('unreachable');
  return elsewhere === true || withheld === true ? { kind: 'unknown', reason, elsewhere: true } : unknown(reason);
};

// ---- places ----------------------------------------------------------------------------------------------------------

/** The names and places that a JSON Pointer leads through. */
export const tokens = (pointer: string): readonly (string | number)[] => {
  if (pointer !== '' && !pointer.startsWith('/')) throw new Error(`not a JSON Pointer: ${pointer}`);
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((token) => (/^(0|[1-9][0-9]*)$/.test(token) ? Number(token) : token));
};

/** Missing last member: the device has no such thing. A section, or what stands above, missing or of the wrong kind: wrong shape. */
const walk = (root: JsonValue, path: readonly (string | number)[], named: FindMember): Reading<JsonValue> => {
  let value: JsonValue = root;
  for (let depth = 0; depth < path.length; depth += 1) {
    const token = path[depth] as string | number;
    let next: JsonValue | undefined;
    if (Array.isArray(value) && typeof token === 'number') next = value[token];
    else if (isObject(value)) next = named(value, String(token));
    else return UNREADABLE;
    if (next === undefined) return depth < path.length - 1 || isSectionOf(root, token, depth) ? UNREADABLE : ABSENT;
    value = next;
  }
  return present(value);
};

/**
 * Whether a place is the section of a reply of the CGMiner API: without it a reply answers another question, or is empty and
 * answers none. That there is nothing to tell is an empty section, or a code in the status.
 */
const isSectionOf = (root: JsonValue, token: string | number, depth: number): boolean =>
  depth === 0 &&
  isObject(root) &&
  (root.STATUS !== undefined || Object.keys(root).length === 0) &&
  /^[A-Z]{2,}$/.test(String(token));

type FindMember = (object: JsonObject, name: string) => JsonValue | undefined;

const spelled: FindMember = (object, name) => object[name];

/** One after the other. */
const FIND_MEMBER: readonly FindMember[] = [spelled, namedIn];

const asList = <T>(one: T | readonly T[]): readonly T[] => (Array.isArray(one) ? one : [one as T]);

/**
 * Finds the first of some places in a value. The pointers are split once, when the driver is made. One spelling may be
 * the other one with damage: only where none is there it matters what is left of their names.
 */
export const place = (pointer: Pointer): ((root: JsonValue) => Reading<JsonValue>) => {
  const paths = asList<string>(pointer).map(tokens);
  return (root) => {
    let found: Reading<JsonValue> = ABSENT;
    for (const named of FIND_MEMBER) {
      for (const path of paths) {
        found = walk(root, path, named);
        if (found.kind === 'present') return found;
      }
    }
    return found;
  };
};

/** The first spelling of a member that an object has. */
export const memberOf = (object: JsonObject, name: MemberName): JsonValue | undefined => {
  if (typeof name === 'string') return namedIn(object, name);
  for (const named of FIND_MEMBER) {
    for (const spelling of name) {
      const value = named(object, spelling);
      if (value !== undefined) return value;
    }
  }
  return undefined;
};

/** What a reader makes of a member of an object; one that is not there is absent. */
export const memberIn = <T>(object: JsonObject, name: MemberName, reader: Reader<T>): Reading<T> => {
  const value = memberOf(object, name);
  return value === undefined ? ABSENT : reader(value);
};

// ---- sources ---------------------------------------------------------------------------------------------------------

/** A fact at one place of the reply to one query. */
export const at = <T, const Name extends string>(query: Name, pointer: Pointer, reader: Reader<T>): Source<T, Name> => {
  const find = place(pointer);
  return {
    queries: [query],
    read: (replies) => {
      const reply = answer(replies, query);
      if (reply.kind !== 'present') return reply;
      const found = find(reply.value);
      return found.kind === 'present' ? reader(found.value) : found;
    },
  };
};

/** An answer that was lost on its way: the device has it and would give it in another look. */
export const isLost = (reading: Reading<unknown>): boolean =>
  reading.kind === 'unknown' &&
  reading.elsewhere !== true &&
  (reading.reason === 'timeout' || reading.reason === 'truncated' || reading.reason === 'unreadable');

/** Why the surface of a reading is closed, where it is: another one may stand in for it. */
export const closedBy = (reading: Reading<unknown>): Closed | undefined => {
  if (reading.kind !== 'unknown') return undefined;
  if (reading.elsewhere === true) return 'elsewhere';
  return reading.reason === 'refused' || reading.reason === 'unreachable' ? reading.reason : undefined;
};

/** The queries of several sources, each once. */
export const queriesOf = <T, Name extends string>(sources: readonly Source<T, Name>[]): readonly Name[] => [
  ...new Set(sources.flatMap(({ queries }) => queries)),
];

/** Without a value: absent only where every surface that could say so was open; a closed one may have what the others lack. */
const gapOf = <T>(readings: readonly Reading<T>[]): Reading<T> =>
  readings.find((reading) => reading.kind === 'unknown' && reading.reason !== 'unsupported') ??
  readings.find(({ kind }) => kind === 'absent') ??
  unknown('unsupported');

/**
 * The first source that has the fact; where none has it, why the first closed one is closed, else `absent`. An answer
 * that was lost ends the search: two surfaces may spell the same thing differently, and reading the second because the
 * first was late would look like a change. What is read because a surface is closed says that it stands in.
 */
export const firstOf = <T, const Name extends string>(...sources: readonly Source<T, Name>[]): Source<T, Name> => ({
  ...inTurn(sources, standingIn),
  places: sources.flatMap((source) => source.places ?? [source]),
});

/**
 * The same where the sources spell the fact alike, so that none stands in for another. A lost answer ends the search here,
 * too: of a member with two values the other surface would say which one it is.
 */
export const alike = <T, const Name extends string>(...sources: readonly Source<T, Name>[]): Source<T, Name> =>
  inTurn(sources, (reading) => reading);

const inTurn = <T, const Name extends string>(
  sources: readonly Source<T, Name>[],
  found: (reading: Reading<T>, closed: Closed | undefined) => Reading<T>,
): Source<T, Name> => ({
  queries: queriesOf(sources),
  read: (replies) => {
    const gaps: Reading<T>[] = [];
    let closed: Closed | undefined;
    for (const source of sources) {
      const reading = source.read(replies);
      if (reading.kind === 'present') return found(reading, closed);
      if (isLost(reading)) return reading;
      closed ??= closedBy(reading);
      gaps.push(reading);
    }
    return gapOf(gaps);
  },
});

/**
 * The same where the sources are as good as each other: a measured value, which differs from look to look anyway, or two
 * questions of which a device answers one. Whichever answers.
 */
export const anyOf = <T, const Name extends string>(...sources: readonly Source<T, Name>[]): Source<T, Name> => ({
  queries: queriesOf(sources),
  read: (replies) => {
    const readings = sources.map((source) => source.read(replies));
    return readings.find(({ kind }) => kind === 'present') ?? gapOf(readings);
  },
});

/** What names the thing otherwise than the source before it, as a model does where there is no serial: never compared with what that says. */
export const insteadOf = <T, const Name extends string>(source: Source<T, Name>): Source<T, Name> => ({
  ...source,
  read: (replies) => standingIn(source.read(replies), 'absent'),
});

/** What every device of the family tells: where it is not, it was lost. */
export const always = <T, const Name extends string>(source: Source<T, Name>): Source<T, Name> => ({
  ...source,
  read: (replies) => {
    const reading = source.read(replies);
    return reading.kind === 'absent' ? UNREADABLE : reading;
  },
});

/** A fact made of several replies. The function sees of each query the whole reply, or why there is none. */
export const joined = <T, const Name extends string>(
  queries: readonly Name[],
  read: (replies: { readonly [Query in Name]: Reading<JsonValue> }) => Reading<T>,
): Source<T, Name> => ({
  queries,
  read: (replies) => {
    const answers = {} as { [Query in Name]: Reading<JsonValue> };
    for (const query of queries) answers[query] = answer(replies, query);
    return read(answers);
  },
});

/** The reading of a present value, or the reason there is none, unchanged. What is made of a value that stands in stands in. */
export const whenPresent = <A, B>(reading: Reading<A>, next: (value: A) => Reading<B>): Reading<B> =>
  reading.kind === 'present' ? standingIn(next(reading.value), reading.standsIn) : reading;

// ---- readers ---------------------------------------------------------------------------------------------------------

/** A number, or its usual spellings as text (`"7,903.7"`, `" 42 "`). Null stands for the bare `nan` of some firmwares. */
const numberIn = (value: JsonValue): Reading<number> => {
  if (typeof value === 'number') return Number.isFinite(value) ? present(value) : UNREADABLE;
  if (value === null) return ABSENT;
  if (typeof value !== 'string') return UNREADABLE;
  const trimmed = value.trim();
  if (trimmed === '') return ABSENT;
  const plain = /^-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$/.test(trimmed) ? trimmed.replaceAll(',', '') : trimmed;
  return /^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[-+]?[0-9]+)?$/i.test(plain) ? finite(Number(plain)) : UNREADABLE;
};

const finite = (value: number): Reading<number> => (Number.isFinite(value) ? present(value) : UNREADABLE);

const safe = (value: number): Reading<number> => (Number.isSafeInteger(value) ? present(value) : UNREADABLE);

/** Text, without the white space around it. Empty is absent. */
export const text: Reader<string> = (value) => {
  if (value === null) return ABSENT;
  if (typeof value !== 'string') return UNREADABLE;
  const trimmed = value.trim();
  return trimmed === '' ? ABSENT : present(trimmed);
};

/** Text, where some firmwares send a number or a boolean. A number is the text that the device wrote (`numberText`). */
export const scalarText: Reader<string> = (value) => {
  if (typeof value === 'boolean') return present(String(value));
  if (typeof value !== 'number') return text(value);
  const spelled = numberText(value);
  return Number.isFinite(value) ? present(spelled) : UNREADABLE;
};

/** Text of a serial number; words that stand for "none" and rows of zeros are absent. */
export const serial: Reader<string> = (value) =>
  whenPresent(text(value), (found) =>
    /^(unknown|none|null|nil|n\/?a|undefined|-+|0+|f+|x+)$/i.test(found) ? ABSENT : present(found),
  );

/** A whole number, also as text. */
export const integer: Reader<number> = (value) => {
  const reading = numberIn(value);
  return reading.kind !== 'present' || Number.isSafeInteger(reading.value) ? reading : UNREADABLE;
};

/** A whole number from 0. */
export const count: Reader<number> = (value) => {
  const reading = integer(value);
  return reading.kind === 'present' && reading.value < 0 ? UNREADABLE : reading;
};

/** A number times a factor, rounded: `scaled(1e9)` reads GH/s as H/s, `scaled(1)` rounds. */
export const scaled =
  (factor: number): Reader<number> =>
  (value) =>
    whenPresent(numberIn(value), (found) => safe(Math.round(found * factor)));

/** °C, as number or text, in milli-°C. */
export const temperatureMc: Reader<number> = (value) =>
  scaled(1000)(typeof value === 'string' ? value.trim().replace(/(°\s*)?C$/i, '') : value);

const FLAGS: ReadonlyMap<string, boolean> = new Map(
  [
    ['true', 'yes', 'y', 'on', 'enable', 'enabled', '1'].map((word) => [word, true] as const),
    ['false', 'no', 'n', 'off', 'disable', 'disabled', '0'].map((word) => [word, false] as const),
  ].flat(),
);

/** Yes or no, in the spellings of the field. */
export const flag: Reader<boolean> = (value) => {
  if (typeof value === 'boolean') return present(value);
  if (value === null || (typeof value === 'string' && value.trim() === '')) return ABSENT;
  if (typeof value !== 'string' && typeof value !== 'number') return UNREADABLE;
  const known = FLAGS.get(String(value).trim().toLowerCase());
  return known === undefined ? UNREADABLE : present(known);
};

/** Addresses that boards carry before anyone gave them one; they identify nothing. */
const FACTORY_MACS: ReadonlySet<string> = new Set(['000000000000', 'ffffffffffff', '000a35000000', '123456789012']);

/** A MAC address in any spelling, as `aa:bb:cc:dd:ee:ff`. All-zero and factory values are absent. */
export const mac: Reader<string> = (value) =>
  whenPresent(text(value), (found) => {
    const hex = found.replace(/[\s:.-]/g, '').toLowerCase();
    if (!/^[0-9a-f]{12}$/.test(hex)) return UNREADABLE;
    if (FACTORY_MACS.has(hex)) return ABSENT;
    return present((hex.match(/../g) ?? []).join(':'));
  });

/** A list of texts: an array, or one text with commas, semicolons or blanks between. Blank elements are dropped, none left is absent. */
export const textList: Reader<readonly string[]> = (value) => {
  if (value === null) return ABSENT;
  const parts = typeof value === 'string' ? value.split(/[\s,;]+/) : asArray(value);
  if (parts === undefined || !parts.every((part) => typeof part === 'string')) return UNREADABLE;
  const kept = parts.map((part) => part.trim()).filter((part) => part !== '');
  return kept.length === 0 ? ABSENT : present(kept);
};

/** A list read element by element; an element that is absent is left out, one that cannot be read spoils the list. */
export const listOf =
  <T>(reader: Reader<T>): Reader<readonly T[]> =>
  (value) => {
    const elements = asArray(value);
    if (elements === undefined) return value === null ? ABSENT : UNREADABLE;
    const values: T[] = [];
    for (const element of elements) {
      const reading = reader(element);
      if (reading.kind === 'unknown') return reading;
      if (reading.kind === 'present') values.push(reading.value);
    }
    return values.length === 0 ? ABSENT : present(values);
  };

/** One of the words a firmware uses, in ours. A word the driver does not know is kept as it is. */
export const worded =
  (words: { readonly [theirs: string]: string }): Reader<string> =>
  (value) =>
    whenPresent(scalarText(value), (found) =>
      present((Object.hasOwn(words, found) ? words[found] : undefined) ?? found),
    );

/** Multipliers of hash-rate units; the rest of the unit (`H/s`, `Sol/s`) is the algorithm's. */
const PREFIX: { readonly [prefix: string]: number } = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  p: 1e15,
  e: 1e18,
};

/** How many H/s (Sol/s …) one of a textual unit is: `GH/s`, `GHS`, `GH`, `KSol/s`, `TH`. */
export const rateFactor = (unit: string): number | undefined => {
  const prefix = /^([kmgtpe]?)(h|hash|sol)s?(\/s|ps)?$/i.exec(unit.trim())?.[1];
  return prefix === undefined ? undefined : PREFIX[prefix.toLowerCase()];
};

/** A rate as text that says its own unit: `21632.89GH/s`, `841.2 KSol/s`. */
export const rateText: Reader<number> = (value) =>
  whenPresent(text(value), (found) => {
    const [, amount = '', unit = ''] = /^([0-9.,]+)\s*([a-z/]+)$/i.exec(found) ?? [];
    const factor = rateFactor(unit);
    return factor === undefined || unit === '' ? UNREADABLE : scaled(factor)(amount);
  });

/** W, as number or text with its unit: `3200 W`. */
export const watts: Reader<number> = (value) =>
  scaled(1)(typeof value === 'string' ? value.trim().replace(/\s*W(atts?)?$/i, '') : value);
