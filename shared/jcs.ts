/** A value has no canonical form. */
export class NotCanonicalizable extends Error {}

/** A value is nested deeper than anything signed here. */
export class TooDeep extends Error {}

/** Far above the depth of any statement, far below the end of the stack. */
const MAX_DEPTH = 256;

/**
 * RFC 8785 canonical JSON text of a value that is JSON. Throws `NotCanonicalizable` for a value without canonical form
 * (a lone surrogate, a number that is not finite, an undefined member) and `TooDeep` for one nested beyond reason.
 */
export const canonicalJson = (value: unknown): string => {
  if (!isOrdered(value, 0)) return writeCanonical(value, 0);
  // Members in order: what the platform writes is canonical, but for lone surrogates, which it escapes.
  const json = JSON.stringify(value);
  return json.includes('\\ud') ? writeCanonical(value, 0) : json;
};

/** The bytes of `canonicalJson`: what is signed and hashed. */
export const canonicalBytes = (value: unknown): Buffer => Buffer.from(canonicalJson(value));

/** True if the value is JSON and the members of all its objects stand in canonical order. */
const isOrdered = (value: unknown, depth: number): boolean => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (value === null) return true;
      if (depth === MAX_DEPTH) return false;
      return Array.isArray(value)
        ? value.every((item) => isOrdered(item, depth + 1))
        : areMembersOrdered(membersOf(value), depth + 1);
    default:
      return false;
  }
};

/** An object by its own enumerable names, as JSON.stringify sees it. */
type Members = { readonly [name: string]: unknown };
const membersOf = (object: object): Members => object as Members;

const areMembersOrdered = (members: Members, depth: number): boolean => {
  let before: string | undefined;
  for (const name of Object.keys(members)) {
    if (before !== undefined && before >= name) return false;
    if (!isOrdered(members[name], depth)) return false;
    before = name;
  }
  return true;
};

const writeCanonical = (value: unknown, depth: number): string => {
  switch (typeof value) {
    case 'string':
      return writeText(value);
    case 'number':
      if (!Number.isFinite(value)) throw new NotCanonicalizable(`${value} is not a JSON number`);
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth === MAX_DEPTH) throw new TooDeep(`deeper than ${MAX_DEPTH}`);
      return Array.isArray(value) ? writeList(value, depth + 1) : writeObject(membersOf(value), depth + 1);
    default:
      throw new NotCanonicalizable(`${typeof value} is not JSON`);
  }
};

// Printable ASCII without quote and backslash is its own JSON; nearly all text of a statement is.
const PLAIN = /^[ !#-[\]-~]*$/;

const writeText = (text: string): string => {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new NotCanonicalizable('a lone surrogate has no UTF-8 form');
  return JSON.stringify(text);
};

const writeList = (list: readonly unknown[], depth: number): string => {
  let json = '[';
  for (let index = 0; index < list.length; index++) {
    if (index > 0) json += ',';
    json += writeCanonical(list[index], depth);
  }
  return `${json}]`;
};

const writeObject = (members: Members, depth: number): string => {
  // The default order of `sort` is by UTF-16 code units, as RFC 8785 §3.2.3 wants it.
  const names = Object.keys(members).sort();
  let json = '{';
  let separator = '';
  for (const name of names) {
    json += `${separator}${writeText(name)}:${writeCanonical(members[name], depth)}`;
    separator = ',';
  }
  return `${json}}`;
};
