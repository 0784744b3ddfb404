import { mayHoldOption, secretsOfOptions } from './command-lines.ts';
import { privateKeysIn, secretsOfPairs } from './document-secrets.ts';
import { isMadeUpWord, secretsInProse } from './prose-secrets.ts';
import { gradeOf, isSecretName, isSecretValue, mayNameSecret, passwordInLogin } from './secret-names.ts';
import { closing, isHost, MASK, type Place, passwordsOfAccounts } from './user-info.ts';

/**
 * Passwords and keys that stand inside a text of a device: in its URLs and beside them. A text is either as the device
 * means it, or as the bytes of a reply show it, with JSON's escapes of slashes and quotes.
 */

/** Whether a text could hold one: most could not. */
export const mayHoldSecret = (text: string): boolean => text.includes('@') || mayName(text);

const mayName = (text: string): boolean => mayNameSecret(text) || LOGIN.test(text) || mayHoldOption(text);

/** Where the secrets of a text stand, in order. An account is masked where it is part of a URL only. */
export const secretsIn = (text: string, options?: { readonly account?: boolean }): readonly Place[] => {
  const passwords = text.includes('@') ? passwordsOfAccounts(text, options) : [];
  if (!mayName(text)) return apart(passwords);
  const named = [...passwords, ...namedSecrets(text, options), ...quotedPasswords(text)];
  // Of an account nothing else is masked: what stands there tells who is paid.
  if (options?.account) return apart(named);
  return apart([
    ...named,
    ...passwordsOfLogins(text),
    ...secretsOfOptions(text),
    ...secretsInProse(text),
    ...secretsOfPairs(text),
    ...privateKeysIn(text),
  ]);
};

/** The places in order; of those that overlap, one that holds them all. */
const apart = (places: readonly Place[]): readonly Place[] => {
  const sorted: Place[] = [];
  for (const [start, end] of places.toSorted(([one], [other]) => one - other)) {
    const last = sorted.at(-1);
    if (last === undefined || start >= last[1]) sorted.push([start, end]);
    else sorted[sorted.length - 1] = [last[0], Math.max(last[1], end)];
  }
  return sorted;
};

/** How often a text is gone through: what was masked in it may hold together what blanks kept apart before. */
const MOST_PASSES = 4;

/** The text with `***` for each secret in it. */
export const withoutSecrets = (text: string, options?: { readonly account?: boolean }): string => {
  let masked = text;
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    const places = secretsIn(masked, options);
    const next = places.length === 0 ? masked : replaced(masked, places);
    if (next === masked) break;
    masked = next;
  }
  return masked;
};

const replaced = (text: string, places: readonly Place[]): string => {
  let masked = '';
  let at = 0;
  for (const [start, end] of places) {
    masked += `${text.slice(at, start)}${MASK}`;
    at = end;
  }
  return masked + text.slice(at);
};

// ---- beside their names ------------------------------------------------------------------------------------------------

/**
 * The mark behind what could name a secret, in quotes or not, and how its value begins; `=` also as it stands within a URL or in a
 * program. Looked for by its mark: by its name, each place of a long word would be tried.
 */
const NAMED = /(:=?|={1,3}>?|%(?:25){0,3}3d)(?<=([\w.-]{1,64}(?:\\?["'])?[ \t]{0,32})\1)([ \t]{0,32})(\\?["'])?/gi;
/** The name, and whether it stands in quotes. */
const NAME = /^([\w.-]+)(\\?["'])?/;
/** Names of two words: `API key`. */
const WORD_BEFORE = /\w+ $/;
const LONGEST_WORD_BEFORE = 16;

/** The value behind a `=`, up to the next name or the end of its piece; behind a `:` marks of URLs may be in it. */
const VALUE = /(?:(?![;,][\w.-]{1,64}=)(?:[^&#|\0- "']|'(?=\w)))+/y;
const VALUE_IN_URL = /(?:(?!%(?:25){0,3}2[63])[^&#|\0- "'])+/iy;
const VALUE_OF_PROSE = /(?:(?![;,][\w.-]{1,64}[:=])(?:[^\0- "']|'(?=\w)))+/y;
/** What stands behind `password:` where no password does. */
const NO_VALUE =
  /(?:\\?\/){2}|(?:empty|expired|incorrect|invalid|is|missing|must|no|none|not|please|required|too|was|wrong)\b/iy;

/** So many things a text may name; what stands behind them all is masked unread. */
const MOST_NAMED = 2048;

const namedSecrets = (text: string, { account = false } = {}): readonly Place[] => {
  const places: Place[] = [];
  let named = 0;
  for (const { 0: spelled, 1: mark = '', 2: naming = '', 3: blanks, 4: quote, index: at } of text.matchAll(NAMED)) {
    named += 1;
    if (named > MOST_NAMED) {
      places.push([at + spelled.length, text.length]);
      break;
    }
    const [, name = '', quoted] = NAME.exec(naming) ?? [];
    const index = at - naming.length;
    const start = at + spelled.length;
    if (start < (places.at(-1)?.[1] ?? 0) || /^[\d.-]+$/.test(name)) continue;
    const before = WORD_BEFORE.exec(text.slice(Math.max(0, index - LONGEST_WORD_BEFORE), index))?.[0] ?? '';
    const isSecret = isSecretName(before + name);
    const grade = gradeOf(name);
    // Before a colon of prose a word that is also an ordinary one tells nothing, `auth: user unknown`; nor before an object.
    const isProse = mark === ':' && quoted === undefined && quote === undefined;
    const isNamed = !account && !/[[{]/.test(text[start] ?? '');
    if (!isSecret && !(isNamed && (isProse ? grade === 'likely' : grade !== undefined))) continue;
    const end = quote === undefined ? endOfValue(text, start, mark) : closing(text, quote, start);
    // An account that is called so: where its password ends is told by the URL.
    if (mark === ':' && blanks === '' && text[index - 1] === '/') continue;
    const value = text.slice(start, end);
    const isTold = isSecret || (isSecretValue(value) && (!isProse || isMadeUpWord(value)));
    if (isTold && value !== '') places.push([start, end]);
  }
  return places;
};

const endOfValue = (text: string, start: number, mark: string): number => {
  const isAssigned = mark !== ':';
  NO_VALUE.lastIndex = start;
  if (!isAssigned && NO_VALUE.test(text)) return start;
  const pattern = mark.startsWith('%') ? VALUE_IN_URL : isAssigned ? VALUE : VALUE_OF_PROSE;
  pattern.lastIndex = start;
  const value = pattern.exec(text)?.[0] ?? '';
  // The backslash of a quote that JSON escapes is no part of what it ends.
  const own = value.endsWith('\\') && text[start + value.length] === '"' ? value.slice(0, -1) : value;
  // It may be the name of an account: the host of a pool stays.
  const at = isAssigned ? -1 : own.lastIndexOf('@');
  return start + (at !== -1 && isHost(own.slice(at + 1)) ? at : own.length);
};

// ---- of log-ins --------------------------------------------------------------------------------------------------------

const LOGIN = /log-?in|user|auth|credential|denied/i;
/** `bad login 'admin' 'hunter2'`. */
const QUOTED_PAIR =
  /(?:log-?in|user|auth|credential)[^'"]{0,32}\\?(["'])[^'"\\]{1,64}\\?\1[ \t/:]{1,3}(\\?["'])(?=[^'"])/gi;

const quotedPasswords = (text: string): readonly Place[] =>
  [...text.matchAll(QUOTED_PAIR)].flatMap(({ 0: spelled, 2: quote = '', index }): readonly Place[] => {
    const start = index + spelled.length;
    const end = closing(text, quote, start);
    return end > start ? [[start, end]] : [];
  });

/** `login: admin:hunter2`. */
const PAIR =
  /log[-_ ]?[io]n(?:\\?["'])?[ \t]{0,2}[:=][ \t]{0,2}(?:\\?["'])?([^:=\0- "'\\]{1,64}:(?:[^\0- "'\\]|\\\\|\\(?!"))+)/gi;

/** `login failed for admin:hunter2`. */
const PAIR_OF_ACCOUNT =
  /\b(?:account|as|for|user)[ \t]{1,4}(?:\\?["'])?([^:=\0- "'\\]{1,64}:(?:[^\0- "'\\]|\\\\|\\(?!["']))+)/gi;
/** What else has a colon there: a host with its port, an address, and a word that says what follows. */
const NO_ACCOUNT = new RegExp(
  String.raw`^(?:[^:]*\.[a-z]{2,}:\d{1,5}\b|[\da-f]*:[\da-f]*:|(?:account|client|code|device|error|group|host|id|ip|mac|mode` +
    '|pool|port|realm|reason|role|scope|service|session|type|user(?:name)?|worker):)',
  'i',
);
const LONGEST_BEFORE_ACCOUNT = 48;

const passwordsOfLogins = (text: string): readonly Place[] => [
  ...[...text.matchAll(PAIR)].flatMap(passwordOfPair),
  ...[...text.matchAll(PAIR_OF_ACCOUNT)].flatMap((found) => {
    const before = text.slice(Math.max(0, found.index - LONGEST_BEFORE_ACCOUNT), found.index);
    return /log-?[io]n|auth|credential|denied/i.test(before) && !NO_ACCOUNT.test(found[1] ?? '')
      ? passwordOfPair(found)
      : [];
  }),
];

const passwordOfPair = ({ 0: spelled, 1: pair = '', index }: RegExpExecArray): readonly Place[] => {
  const from = passwordInLogin(pair);
  const at = pair.lastIndexOf('@');
  const end = at !== -1 && isHost(pair.slice(at + 1)) ? at : pair.length;
  const start = index + spelled.length - pair.length;
  return from === undefined || from >= end ? [] : [[start + from, start + end]];
};
