import { isSecretName } from './secret-names.ts';
import { closing, type Place } from './user-info.ts';

/** Passwords that a text of a device hands to a program: `cgminer -o … -u acct -p x`, `--pass x`, `-O acct:x`, `curl -u acct:x`. */

/** An option stands alone: behind a blank, a mark, or the end of a line as JSON writes it. */
const BEFORE = String.raw`(?<=^|[\0- "'(]|\\[nrt])`;

const ANY = new RegExp(`${BEFORE}--?[a-z]`, 'i');
const OPTION = new RegExp(String.raw`${BEFORE}(--?)([a-z][\w-]{0,63})(?:=|[ \t]{1,4})(\\?["'])?`, 'gi');

/** Whether an option could stand in a text. */
export const mayHoldOption = (text: string): boolean => text.includes('-') && ANY.test(text);

/** That a program is told an account or a pool: elsewhere `-p` is a port, a process or a path. */
const ACCOUNT = new RegExp(
  String.raw`${BEFORE}(?:-[uUO]|--(?:user|userpass|url)|-o[ =]{1,4}\\?["']?[^\0- "']{0,64}:(?:\\?/|\d))`,
);

/** Whose accounts have a password behind a colon: that of a pool may have a worker or a wallet there. */
const CURL = /\bcurl(?:\.exe)?(?![\w.-])/i;

/** The next word, where it is neither another option nor what a manual writes for one: `--pass <password>`. */
const WORD = /(?![-<[])(?:[^\0- "'\\]|\\\\|\\(?!"))+/y;
/** How prose about an option goes on: `use --password to set it`. */
const PROSE = /^(?:and|flag|for|has|is|missing|must|not?|option|or|requires?|required|to|was|with)[.,;:)]?$/i;

/** Where options of a command line hand over a secret. */
export const secretsOfOptions = (text: string): readonly Place[] => {
  if (!mayHoldOption(text)) return [];
  const hasAccount = ACCOUNT.test(text);
  const curlAt = CURL.exec(text)?.index ?? text.length;
  const places: Place[] = [];
  for (const { 0: spelled, 1: dashes, 2: name = '', 3: quote, index } of text.matchAll(OPTION)) {
    const start = index + spelled.length;
    if (start < (places.at(-1)?.[1] ?? 0)) continue;
    const isShort = dashes === '-' && /^(?:p|P|pw)$/.test(name);
    const isPair =
      name === 'O' || /^user-?pass$/i.test(name) || (index > curlAt && /^(?:u|U|user|proxy-user)$/.test(name));
    if (!(isPair || (isShort ? hasAccount : isOfSecret(name)))) continue;
    const end = quote === undefined ? endOfWord(text, start) : closing(text, quote, start);
    // Of `account:password` the account stays.
    const from = isPair ? endOfAccount(text.slice(start, end)) : 0;
    if (start + from < end) places.push([start + from, end]);
  }
  return places;
};

const isOfSecret = (name: string): boolean => name.length > 2 && !/^(?:no|ask)-/i.test(name) && isSecretName(name);

const endOfWord = (text: string, start: number): number => {
  WORD.lastIndex = start;
  const word = WORD.exec(text)?.[0] ?? '';
  return PROSE.test(word) ? start : start + word.length;
};

const endOfAccount = (pair: string): number => {
  const colon = pair.indexOf(':');
  return colon === -1 || pair.startsWith('//', colon + 1) ? pair.length : colon + 1;
};
