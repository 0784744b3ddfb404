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
 * Whether each entry of the list, as cgminer and its kin write it (`W:0/0,R:10.0.0.0/8`), stood in the one before, perhaps with the right
 * to write, or is the device itself. Entries are compared as they are spelled: a smaller net names somebody, and may be that of a
 * thief who shuts out everybody else.
 */
const letsInNobodyElse = (before: string, after: string): boolean => {
  const had = new Set(entriesOf(before).flatMap((entry) => [entry, readingOnly(entry)]));
  const has = entriesOf(after);
  return has.length > 0 && has.every((entry) => had.has(entry) || ITSELF.test(entry));
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
