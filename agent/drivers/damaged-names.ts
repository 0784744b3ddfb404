import { DAMAGED, INCOMPLETE, type JsonObject, type JsonValue } from '../probe/capture.ts';

/**
 * A member is found by its name, so that a damaged name makes a member that is there look like one that is not sent. What
 * is left of the name tells the two apart: a name that nobody asks for and that is one damage away from a missing one.
 */

/** The marks of a document in JSON or as plain text. */
const MARKS = '",:=[]{|}';

/** Whether a code below 0x7f is foreign: nearly every character of every name is asked. */
const FOREIGN: readonly boolean[] = Array.from(
  { length: 0x7f },
  (_, code) => code < 0x20 || MARKS.includes(String.fromCharCode(code)),
);

/** Controls, what stands for bytes that are no UTF-8, the marks of a document, and all else that no firmware writes into a name. */
const isForeign = (code: number): boolean => code > 0x7e || FOREIGN[code] === true;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

const isLetter = (code: number): boolean => code >= 0x61 && code <= 0x7a;

const DIGITS: readonly number[] = Array.from({ length: 10 }, (_, digit) => 0x30 + digit);

const SPACE = 0x20;

/** The bit that tells a capital letter from a small one. */
const CASE = 0x20;

/** Stands for any digit of a name, and is in none. */
const DIGIT = '\uffff';
const ANY_DIGIT = DIGIT.charCodeAt(0);

/** The member of an object, `DAMAGED` where only the name of one is, undefined where there is none. */
export const namedIn = (object: JsonObject, name: string): JsonValue | undefined => {
  const value = object[name];
  return value === undefined && (INCOMPLETE in object || hasDamaged(object, name)) ? DAMAGED : value;
};

/** Whether an object has a member of which nobody knows what it says, or lost a boundary: what it does not say it may say all the same. */
export const isDoubtful = (object: JsonObject): boolean =>
  INCOMPLETE in object || Object.values(object).some((value) => typeof value === 'symbol');

/** A member whose name holds a number, and the number. */
export interface Numbered {
  readonly number: number;
  readonly value: JsonValue;
}

/**
 * The members that are named by a number, `#` in the template, in the order of the numbers. One of which only the name is
 * damaged is among them as `DAMAGED`: without it the others are not all.
 */
export const numberedIn = (object: JsonObject, template: string): readonly Numbered[] => {
  const [before = '', behind = ''] = template.split('#');
  // Of numbers with at most two digits.
  const [short, long] = [before + DIGIT + behind, before + DIGIT + DIGIT + behind];
  const found: Numbered[] = [];
  if (INCOMPLETE in object) found.push({ number: 0, value: DAMAGED });
  for (const name of Object.keys(object)) {
    const digits = name.slice(before.length, name.length - behind.length);
    const isOurs = name.startsWith(before) && name.endsWith(behind) && /^[0-9]+$/.test(digits);
    if (isOurs) found.push({ number: Number(digits), value: object[name] as JsonValue });
    else if (isDamaged(name, short) || isDamaged(name, long)) found.push({ number: 0, value: DAMAGED });
  }
  return found.sort((a, b) => a.number - b.number);
};

/** Most names that are gone through for each that is missing. The largest object of a real device has 835. */
const MOST_SCANNED = 1024;

const hasDamaged = (object: JsonObject, name: string): boolean => {
  // A driver file may ask for a name with foreign characters: the index cannot tell those from damage.
  const most = hasForeign(name) ? Number.POSITIVE_INFINITY : MOST_SCANNED;
  const known = INDEXES.get(object);
  if (known !== undefined && most === MOST_SCANNED) return isAmong(known, object, name);
  let scanned = 0;
  for (const other in object) {
    if (isDamaged(other, name)) return true;
    scanned += 1;
    if (scanned > most) return isAmong(indexOf(object), object, name);
  }
  return false;
};

/** What is left of the names of a huge object, and those with a single foreign character with it blotted out. */
interface Index {
  readonly left: ReadonlySet<string>;
  readonly blotted: ReadonlySet<string>;
}

const INDEXES = new WeakMap<JsonObject, Index>();

/** Stands for any foreign character, and is one. */
const BLOT = '\0';

const indexOf = (object: JsonObject): Index => {
  const left = new Set<string>();
  const blotted = new Set<string>();
  for (const name in object) {
    const clean = withForeignAs('', name);
    left.add(withoutSpaces(clean));
    if (name.length - clean.length === 1) blotted.add(withForeignAs(BLOT, name));
  }
  const index = { left, blotted };
  INDEXES.set(object, index);
  return index;
};

const withForeignAs = (other: string, name: string): string =>
  name
    .split('')
    .map((character) => (isForeign(character.charCodeAt(0)) ? other : character))
    .join('');

const withoutSpaces = (name: string): string => name.replaceAll(' ', '').toLowerCase();

/** The same by what damage makes of the name: it costs by the length of the name, not by the number of others. */
const isAmong = ({ left, blotted }: Index, object: JsonObject, name: string): boolean => {
  if (left.has(withoutSpaces(name))) return true;
  for (let at = 0; at < name.length; at += 1) {
    const [before, behind, code] = [name.slice(0, at), name.slice(at + 1), name.charCodeAt(at)];
    if (blotted.has(before + BLOT + behind)) return true;
    for (let bit = 1; bit < 0x80; bit *= 2) {
      const flipped = code ^ bit;
      if (isFlipped(code, flipped) && Object.hasOwn(object, before + String.fromCharCode(flipped) + behind))
        return true;
    }
  }
  return false;
};

const isDamaged = (other: string, name: string): boolean =>
  isLeftOf(other, name) || (other.length === name.length && isOneAway(other, name));

/** Nothing but letter case, spaces and bytes that are none of a name tells a name from another. */
const isLeftOf = (other: string, name: string): boolean => {
  let at = 0;
  for (let there = 0; there < other.length; there += 1) {
    const theirs = other.charCodeAt(there);
    if (theirs === SPACE || isForeign(theirs)) continue;
    while (name.charCodeAt(at) === SPACE) at += 1;
    if (at === name.length || !isSameLetter(name.charCodeAt(at), theirs)) return false;
    at += 1;
  }
  while (name.charCodeAt(at) === SPACE) at += 1;
  return at === name.length;
};

/** Whether a name has what no firmware writes into one. Nearly every name is asked and none has it: a pattern would cost more than all else here. */
export const hasForeign = (text: string): boolean => {
  for (let at = 0; at < text.length; at += 1) if (isForeign(text.charCodeAt(at))) return true;
  return false;
};

/** One character is another: one flipped bit, or a byte that is none of a name. */
const isOneAway = (other: string, name: string): boolean => {
  let isFound = false;
  for (let at = 0; at < name.length; at += 1) {
    const ours = name.charCodeAt(at);
    const theirs = other.charCodeAt(at);
    if (isSame(ours, theirs)) continue;
    if (isFound || !isFlipped(ours, theirs)) return false;
    isFound = true;
  }
  return isFound;
};

const isSame = (ours: number, theirs: number): boolean => ours === theirs || (ours === ANY_DIGIT && isDigit(theirs));

const isSameLetter = (ours: number, theirs: number): boolean =>
  isSame(ours, theirs) || ((ours ^ theirs) === CASE && isLetter(ours | CASE));

/** Names that differ in a digit are numbered. */
const isFlipped = (ours: number, theirs: number): boolean => {
  if (ours === ANY_DIGIT) return isForeign(theirs) || DIGITS.some((digit) => isFlipped(digit, theirs));
  const bits = ours ^ theirs;
  return isForeign(theirs) || ((bits & (bits - 1)) === 0 && !(isDigit(ours) && isDigit(theirs)));
};
