/** The restricted data model of statements (attestation.md §2): what a signed document may hold, and how much of it. */

export const MAX_MESSAGE_BYTES = 32_768;
/** A trust manifest names every gateway of a fleet. With topic and properties it fits the 256 KiB that brokers are set to take. */
export const MAX_MANIFEST_BYTES = 245_760;
export const MAX_DEPTH = 8;
export const MAX_ITEMS = 512;
export const MAX_TEXT_BYTES = 1_024;

/** Members whose text may be longer, by name. */
const LONG_TEXT_BYTES: { readonly [name: string]: number } = { doc: 20_480, note: 8_192 };

/** Lists that may be longer, by name: the keys of a manifest. */
const LONG_LIST_ITEMS: { readonly [name: string]: number } = { keys: 1_024 };

export const MEMBER_NAME = /^[a-z_][a-z0-9_.-]{0,63}$/;

/** Most bytes of the text of a member. */
export const maxTextBytes = (name: string): number =>
  Object.hasOwn(LONG_TEXT_BYTES, name) ? (LONG_TEXT_BYTES[name] ?? MAX_TEXT_BYTES) : MAX_TEXT_BYTES;

/** Most items of the list of a member. */
export const maxItems = (name: string): number =>
  Object.hasOwn(LONG_LIST_ITEMS, name) ? (LONG_LIST_ITEMS[name] ?? MAX_ITEMS) : MAX_ITEMS;

/**
 * What breaks the data model in a JSON value, in words that name the member; undefined when nothing does. Depth counts
 * objects and lists, the top one is 1.
 */
export const modelProblem = (value: unknown, name = '', depth = 1): string | undefined => {
  switch (typeof value) {
    case 'string':
      return textProblem(value, name);
    case 'number':
      return Number.isSafeInteger(value) ? undefined : `${name}: ${value} is not an integer within ±(2^53-1)`;
    case 'boolean':
      return undefined;
    case 'object':
      if (value === null) return undefined;
      if (depth > MAX_DEPTH) return `${name}: deeper than ${MAX_DEPTH}`;
      return Array.isArray(value) ? listProblem(value, name, depth) : objectProblem(value, depth);
    default:
      return `${name}: ${typeof value} is not JSON`;
  }
};

const textProblem = (text: string, name: string): string | undefined => {
  const most = maxTextBytes(name);
  // UTF-8 never has more than three bytes for one UTF-16 unit, so most texts need no counting.
  if (text.length * 3 <= most || Buffer.byteLength(text) <= most) return undefined;
  return `${name}: text longer than ${most} bytes`;
};

const listProblem = (list: readonly unknown[], name: string, depth: number): string | undefined => {
  const most = maxItems(name);
  if (list.length > most) return `${name}: more than ${most} items`;
  for (const item of list) {
    const problem = modelProblem(item, name, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
};

const objectProblem = (object: object, depth: number): string | undefined => {
  for (const [name, member] of Object.entries(object)) {
    if (!MEMBER_NAME.test(name)) return `${JSON.stringify(name)} is not a member name`;
    const problem = modelProblem(member, name, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
};
