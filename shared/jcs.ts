/** Far above the depth of any statement, far below the end of the stack. */
const MAX_DEPTH = 256;

/**
 * RFC 8785 canonical JSON text of a value that is JSON. Throws `NotCanonicalizable` for a value without canonical form
 * (a lone surrogate, a number that is not finite, an undefined member) and `TooDeep` for one nested beyond reason.
 */
export const canonicalJson = (value: unknown, depth = 0): string => {
  switch (typeof value) {
    case 'string':
      return canonicalText(value);
    case 'number':
      if (!Number.isFinite(value)) throw new NotCanonicalizable(`${value} is not a JSON number`);
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth === MAX_DEPTH) throw new TooDeep(`deeper than ${MAX_DEPTH}`);
      // What is neither null nor a list is read by its own enumerable names, as JSON.stringify does.
      return Array.isArray(value)
        ? canonicalList(value, depth + 1)
        : canonicalObject(value as { readonly [name: string]: unknown }, depth + 1);
    default:
      throw new NotCanonicalizable(`${typeof value} is not JSON`);
  }
};

/** The bytes of `canonicalJson`: what is signed and hashed. */
export const canonicalBytes = (value: unknown): Buffer => Buffer.from(canonicalJson(value));

/** A value has no canonical form. */
export class NotCanonicalizable extends Error {}

/** A value is nested deeper than anything signed here. */
export class TooDeep extends Error {}

// Printable ASCII without quote and backslash is its own JSON; nearly all text of a statement is.
const PLAIN = /^[ !#-[\]-~]*$/;

const canonicalText = (text: string): string => {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new NotCanonicalizable('a lone surrogate has no UTF-8 form');
  return JSON.stringify(text);
};

const canonicalList = (list: readonly unknown[], depth: number): string => {
  let json = '[';
  for (let index = 0; index < list.length; index++) {
    if (index > 0) json += ',';
    json += canonicalJson(list[index], depth);
  }
  return `${json}]`;
};

const canonicalObject = (object: { readonly [name: string]: unknown }, depth: number): string => {
  // The default order of `sort` is by UTF-16 code units, as RFC 8785 §3.2.3 wants it.
  const names = Object.keys(object).sort();
  let json = '{';
  let separator = '';
  for (const name of names) {
    json += `${separator}${canonicalText(name)}:${canonicalJson(object[name], depth)}`;
    separator = ',';
  }
  return `${json}}`;
};
