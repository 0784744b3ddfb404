/**
 * RFC 8785 canonical JSON text of a value that is JSON. A value without canonical form (a lone surrogate, a number
 * that is not finite, an undefined member) is an error: the caller parsed it or built it, neither may happen.
 */
export const canonicalJson = (value: unknown): string => {
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
      return Array.isArray(value) ? canonicalList(value) : canonicalObject(value as { [name: string]: unknown });
    default:
      throw new NotCanonicalizable(`${typeof value} is not JSON`);
  }
};

/** The bytes of `canonicalJson`: what is signed and hashed. */
export const canonicalBytes = (value: unknown): Buffer => Buffer.from(canonicalJson(value));

/** A value has no canonical form. */
export class NotCanonicalizable extends Error {}

// Printable ASCII without quote and backslash is its own JSON; nearly all text of a statement is.
const PLAIN = /^[ !#-[\]-~]*$/;

const canonicalText = (text: string): string => {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new NotCanonicalizable('a lone surrogate has no UTF-8 form');
  return JSON.stringify(text);
};

const canonicalList = (list: readonly unknown[]): string => {
  let json = '[';
  for (let index = 0; index < list.length; index++) {
    if (index > 0) json += ',';
    json += canonicalJson(list[index]);
  }
  return `${json}]`;
};

const canonicalObject = (object: { readonly [name: string]: unknown }): string => {
  // The default order of `sort` is by UTF-16 code units, as RFC 8785 §3.2.3 wants it.
  const names = Object.keys(object).sort();
  let json = '{';
  let separator = '';
  for (const name of names) {
    json += `${separator}${canonicalText(name)}:${canonicalJson(object[name])}`;
    separator = ',';
  }
  return `${json}}`;
};
