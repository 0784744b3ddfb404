import { DAMAGED, INCOMPLETE, type JsonObject, type JsonValue } from '../probe/capture.ts';

/**
 * A member is found by its name, so that a damaged name makes a member that is there look like one that is not sent. What
 * is left of the name tells the two apart: a name that nobody asks for and that is one damage away from a missing one.
 */

/** Bytes that damage may add to a name: at most one character of them, in as many units. */
const MOST_ADDED = 4;

/** Controls, what stands for bytes that are no UTF-8, and all that no firmware writes into a name. */
const EVERY_FOREIGN = /[^\x20-\x7e]/g;

const isForeign = (code: number): boolean => code < 0x20 || code > 0x7e;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/** The member of an object, `DAMAGED` where only the name of one is, undefined where there is none. */
export const namedIn = (object: JsonObject, name: string): JsonValue | undefined => {
  const value = object[name];
  return value === undefined && (INCOMPLETE in object || hasDamaged(object, name)) ? DAMAGED : value;
};

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
  const found: Numbered[] = [];
  if (INCOMPLETE in object) found.push({ number: 0, value: DAMAGED });
  for (const name of Object.keys(object)) {
    const digits = name.slice(before.length, name.length - behind.length);
    const isOurs = name.startsWith(before) && name.endsWith(behind) && /^[0-9]+$/.test(digits);
    if (isOurs) found.push({ number: Number(digits), value: object[name] as JsonValue });
    else if (isDamagedNumbered(name, before, behind)) found.push({ number: 0, value: DAMAGED });
  }
  return found.sort((a, b) => a.number - b.number);
};

/** Whether what is left of a name is that of a numbered member, of a number of at most two digits. */
const isDamagedNumbered = (name: string, before: string, behind: string): boolean => {
  const clean = hasForeign(name) ? name.replaceAll(EVERY_FOREIGN, '') : name;
  for (const digits of [1, 2]) {
    const length = before.length + digits + behind.length;
    if (clean.length === length && name.length !== length && isNumberedAs(clean, before, behind, 0)) return true;
    if (name.length === length && isNumberedAs(name, before, behind, 1)) return true;
  }
  return false;
};

/** Whether a name is that of a numbered member but for some characters that are flipped or none of a name. */
const isNumberedAs = (name: string, before: string, behind: string, damages: number): boolean => {
  const numberTo = name.length - behind.length;
  let left = damages;
  for (let at = 0; at < name.length; at += 1) {
    const code = name.charCodeAt(at);
    const isNumber = at >= before.length && at < numberTo;
    if (isNumber && isDigit(code)) continue;
    const ours = at < before.length ? before.charCodeAt(at) : behind.charCodeAt(at - numberTo);
    if (!isNumber && code === ours) continue;
    if (left === 0 || !(isNumber ? isFlippedDigit(code) : isFlipped(ours, code))) return false;
    left -= 1;
  }
  return left === 0;
};

const isFlippedDigit = (code: number): boolean => isForeign(code) || DIGITS.some((digit) => isFlipped(digit, code));

const DIGITS: readonly number[] = Array.from({ length: 10 }, (_, digit) => 0x30 + digit);

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

/** What the names of a huge object that have a foreign character would be with it left out, or blotted out where it is the only one. */
interface Index {
  readonly without: ReadonlySet<string>;
  readonly blotted: ReadonlySet<string>;
}

const INDEXES = new WeakMap<JsonObject, Index>();

/** Stands for any foreign character, and is one. */
const BLOT = '\0';

const indexOf = (object: JsonObject): Index => {
  const without = new Set<string>();
  const blotted = new Set<string>();
  for (const name in object) {
    if (!hasForeign(name)) continue;
    const clean = name.replaceAll(EVERY_FOREIGN, '');
    const added = name.length - clean.length;
    if (added <= MOST_ADDED) without.add(clean);
    if (added === 1) blotted.add(name.replace(EVERY_FOREIGN, BLOT));
  }
  const index = { without, blotted };
  INDEXES.set(object, index);
  return index;
};

/** The same by what damage makes of the name: it costs by the length of the name, not by the number of others. */
const isAmong = ({ without, blotted }: Index, object: JsonObject, name: string): boolean => {
  if (without.has(name)) return true;
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

const isDamaged = (other: string, name: string): boolean => {
  const added = other.length - name.length;
  if (added < 0 || added > MOST_ADDED) return false;
  return added === 0 ? isOneAway(other, name) : hasForeign(other) && other.replaceAll(EVERY_FOREIGN, '') === name;
};

/** Whether a name has what no firmware writes into one. Nearly every name is asked and none has it: a pattern would cost more than all else here. */
export const hasForeign = (text: string): boolean => {
  for (let at = 0; at < text.length; at += 1) if (isForeign(text.charCodeAt(at))) return true;
  return false;
};

/** One character is another: one flipped bit, or a byte that is none of a name. */
const isOneAway = (other: string, name: string): boolean => {
  let at = 0;
  while (at < name.length && other.charCodeAt(at) === name.charCodeAt(at)) at += 1;
  if (at === name.length || !isFlipped(name.charCodeAt(at), other.charCodeAt(at))) return false;
  return other.slice(at + 1) === name.slice(at + 1);
};

/** Names that differ in a digit are numbered. */
const isFlipped = (ours: number, theirs: number): boolean => {
  const bits = ours ^ theirs;
  return isForeign(theirs) || ((bits & (bits - 1)) === 0 && !(isDigit(ours) && isDigit(theirs)));
};
