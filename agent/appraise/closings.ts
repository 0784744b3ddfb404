import type { KeyedChange } from './keyed.ts';

/** Which way a switch of access closes the device, so that a finding can tell a way in that was shut from one that was made. */

/** The value with which nobody comes in that way, by key. What else decides about access (a cloud's address, a source of updates) has none. */
const SHUT: ReadonlyMap<string, boolean> = new Map([
  ['api_write', false],
  ['api_switch', false],
  ['ssh', false],
  ['telnet', false],
  ['cloud', false],
  ['web_auth', true],
]);

/** Whether the change only shuts a way in. One of which the reference knows that there was none (`null`) was not open. */
export const closes = ({ key, before, after }: KeyedChange): boolean => {
  if (key === 'api_allow')
    return typeof before === 'string' && typeof after === 'string' && letsInNobodyElse(before, after);
  const shut = SHUT.get(key);
  return shut !== undefined && before === !shut && after === shut;
};

/**
 * Whether the list of who may call, as cgminer and its kin write it (`W:0/0,R:10.0.0.0/8`), lets in nobody who was not in. The first entry
 * that names a caller decides, so that what is left stands in its order, perhaps without the right to write, and what went from before it
 * gave that right: any other entry may have kept somebody from one behind it. Of the device itself nothing is asked. Entries are compared as
 * they are spelled: a smaller net names somebody, and may be that of a thief who shuts out everybody else.
 */
const letsInNobodyElse = (before: string, after: string): boolean => {
  const left = entriesOf(after);
  const others = left.filter((entry) => !ITSELF.test(entry));
  let next = 0;
  for (const entry of entriesOf(before)) {
    if (next === others.length || ITSELF.test(entry)) continue;
    if (others[next] === entry || others[next] === readingOnly(entry)) next += 1;
    else if (!entry.startsWith('W:')) return false;
  }
  return left.length > 0 && next === others.length;
};

const entriesOf = (list: string): readonly string[] =>
  list
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    // Without a group it is that of those who only read.
    .map((entry) => (/^[a-z]:/i.test(entry) ? entry : `R:${entry}`));

const readingOnly = (entry: string): string => entry.replace(/^W:/, 'R:');

const ITSELF = /^[A-Z]:127\.0\.0\.1(?:\/32)?$/;
