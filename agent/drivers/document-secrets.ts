import { gradeOf, isSecretName, isSecretValue } from './secret-names.ts';
import { closing, type Place } from './user-info.ts';

/** Secrets of a text of a device that holds a document of its own: pairs of name and value, elements, and private keys. */

/** How the member of a pair is named that holds the name, and how the one that holds the value. */
const NAMING = 'name|key|field|id|label|option|param(?:eter)?|setting';
const VALUED = 'value|val|default';
const HALF = new RegExp(`^(?:(${NAMING})|${VALUED})$`, 'i');

/** Which half of a pair a member of this name may be: `{"name":"password","value":"x"}`. */
export const halfOfPair = (name: string): 'name' | 'value' | undefined => {
  if (!HALF.test(name)) return undefined;
  return HALF.exec(name)?.[1] === undefined ? 'value' : 'name';
};

/** One half of a pair; or where an object or an element begins or ends, behind `<` with its name. */
const PART = new RegExp(
  String.raw`\b(?:(${NAMING})|${VALUED})(?:\\?["'])?[ \t]{0,32}[:=][ \t]{0,32}(\\?["'])?|<([\w:.-]{1,64})|[<>{}]`,
  'gi',
);
const UNQUOTED = /[^\0- "'&,;<>[\]{}\\]*/y;

/** Where the values of names stand that are those of secrets: of pairs, of attributes, and of elements. */
export const secretsOfPairs = (text: string): readonly Place[] => {
  const places: Place[] = [];
  let name: string | undefined;
  let values: Place[] = [];
  let end = 0;
  for (const { 0: spelled, 1: naming, 2: quote, 3: element, index } of text.matchAll(PART)) {
    if (index < end) continue;
    const start = index + spelled.length;
    if (element === undefined && !'<>{}'.includes(spelled)) {
      end = quote === undefined ? endOfWord(text, start) : closing(text, quote, start);
      if (naming === undefined) values.push([start, end]);
      else if (quote !== undefined || spelled.includes('=')) name = surerOf(name, text.slice(start, end));
      continue;
    }
    if (spelled === '>' && name !== undefined) values.push(...contentAt(text, start));
    places.push(...secretValues(text, name, values));
    name = element && surerOf(undefined, element);
    values = [];
  }
  return [...places, ...secretValues(text, name, values)];
};

/** Of the names of one thing the one that tells that it is a secret, if any does. */
const surerOf = (known: string | undefined, name: string): string | undefined =>
  (known === undefined || isSecretName(name)) && gradeOf(name) !== undefined ? name : known;

const secretValues = (text: string, name: string | undefined, values: readonly Place[]): readonly Place[] => {
  if (name === undefined) return [];
  const isSecret = isSecretName(name);
  return values.filter(
    ([start, end]) =>
      start < end && !'[{'.includes(text[start] as string) && (isSecret || isSecretValue(text.slice(start, end))),
  );
};

const endOfWord = (text: string, start: number): number => {
  UNQUOTED.lastIndex = start;
  return start + (UNQUOTED.exec(text)?.[0].length ?? 0);
};

const CDATA = '<![CDATA[';
const LONGEST_CONTENT = 4096;

/** What stands in an element up to its end. Without one it is none: `--pass <password> to set it`. */
const contentAt = (text: string, at: number): readonly Place[] => {
  const isData = text.startsWith(CDATA, at);
  const start = isData ? at + CDATA.length : at;
  const content = text.slice(start, start + LONGEST_CONTENT);
  const length = content.indexOf(isData ? ']]>' : '<');
  return isData || /^<\\?\//.test(content.slice(length, length + 3)) ? [[start, start + length]] : [];
};

const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----/g;

/** Where private keys stand, without the lines that begin and end them. Without an end all that follows is one. */
export const privateKeysIn = (text: string): readonly Place[] => {
  const places: Place[] = [];
  for (const { 0: spelled, index } of text.matchAll(PRIVATE_KEY)) {
    const start = index + spelled.length;
    if (start < (places.at(-1)?.[1] ?? 0)) continue;
    const end = text.indexOf('-----END', start);
    places.push([start, end === -1 ? text.length : end]);
  }
  return places.filter(([start, end]) => start < end);
};
