import type { JsonValue } from '../probe/capture.ts';

/** Most of a reply that words are looked for in. The largest of a real device has 67,285 characters. */
const MOST_SAID = 131_072;

const SAID = new WeakMap<object, string>();

/**
 * A reply as one text, for words that may stand anywhere in it. Several families look for theirs in every reply, and
 * identification asks them again after each question: the text is made once.
 */
export const saidIn = (reply: JsonValue | undefined): string =>
  typeof reply === 'object' && reply !== null
    ? SAID.getOrInsertComputed(reply, (said) => JSON.stringify(said).slice(0, MOST_SAID))
    : String(reply ?? null).slice(0, MOST_SAID);
