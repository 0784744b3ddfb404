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

const hasDamaged = (object: JsonObject, name: string): boolean => {
  for (const other in object) if (isDamaged(other, name)) return true;
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
