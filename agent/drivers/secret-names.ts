import { MASK } from './user-info.ts';

/** Words that name a secret. */
const WORD =
  '(?:pass(?:[-_ ]?(?:word|wd|phrase|code))?|pwd|psw|psk|token|secret|salt|cookie|jwt|session[-_ ]?id' +
  '|(?:access|api|auth|private|wifi|wpa)[-_ ]?key)';

/** How members are named that hold secrets, in any family: `pass`, `Passwd`, `wifiPass`, `pass_1`, `token_hash` … */
const SECRET = new RegExp(`${WORD}(?:[-_ ]?(?:hash|key|value))?[-_. \\d]*$`, 'i');

/** What each chip gave in a test (WhatsMiner): `chip_freqs_test_pass_7`. */
const OF_A_TEST = /test[-_ ]pass[-_ ]\d+$/i;

/** Whether a member of this name holds a secret: its value is never kept, shown or made a fact. */
export const isSecretName = (name: string): boolean => SECRET.test(name) && !OF_A_TEST.test(name);

/** Words that name a secret, or what is said of one: `passwords`, `private_key_pem`, `Password (hidden)`, `password_set`. */
const SOMEWHERE = new RegExp(
  '(?:pass_?(?:word|wd|phrase|code)|pwd|psw|psk|secret|token|jwt|cookie|credential|csrf|sess(?:ion)?_?id' +
    '|(?:access|api|auth|client|encryption|master|private|secret|security|session|shared|signing|unlock|wep|wifi|wlan|wpa)' +
    '_?key)s?(?=_|$)',
);
/** Words that name one where nothing follows. `pw` is also power, and `auth` a switch. */
const LAST =
  /(?:pass(?:_?es)?|(?:^|_)(?:admin|login|pool|root|user|web|wifi)?pw|auth|authorization|bearer|session|salt|stok)s?_?$/;
/** Last words that tell that a name speaks of the secret, which is not there. */
const TELLING = new RegExp(
  '_(?:age|algorithm|at|attempts|changed|check|count|date|enabled?|disabled?|endpoint|error|expir[a-z]*|file|format|host|id|in' +
    '|interval|len|length|level|limit|max|min|mode|name|path|policy|protected|required|retries|set|size|state|status|time|ttl' +
    '|type|ur[il]|valid)_?$',
);

const wordsOf = (name: string): string =>
  name
    .replace(/(?<=[a-z\d])(?=[A-Z])/g, '_')
    .toLowerCase()
    .replace(/[^a-z\x80-\uffff]+/g, '_');

const isSpoken = (words: string): boolean => SOMEWHERE.test(words) && !TELLING.test(words);

/** Whether a member of this name may hold a secret: its value shows which. */
export const mayBeSecretName = (name: string): boolean => {
  if (!mayNameSecret(name)) return false;
  const words = wordsOf(name);
  return LAST.test(words) || isSpoken(words);
};

/** What stands under such names and is none: a switch, short numbers, the kind of a log-in, or a mask. */
const SWITCH =
  /^(['"]?)(?:\d?|\*+|true|false|null|none|on|off|yes|no|enabled?|disabled?|active|inactive|required|optional|un(?:set|known)|set|open|ok|invalid|valid|expired|basic|digest|bearer|jwt|oauth2?|wep|wpa[23]?(?:[-_/ ]?(?:wpa[23]|psk|sae|mixed|personal|enterprise))*|psk|sae|md5|sha\d{0,3})\1[})\],;]*$/i;
const NUMBERS = /^-?\d{1,5}(?:\.\d{1,6})?[})\],;]*$|^\[[\d\s,.-]*\]$/;

/** Whether what stands under a name that may be one of a secret is one. In a text marks may follow. */
export const isSecretValue = (spelled: string): boolean => !(SWITCH.test(spelled) || NUMBERS.test(spelled));

const OBJECTS = /^(?:\[\s*)?\{/;

/** Whether a member holds a secret, by its name and its value as JSON spells it. What a session is like is told by other names. */
export const holdsSecret = (name: string, spelled: string): boolean =>
  mayBeSecretName(name) && isSecretValue(spelled) && (isSpoken(wordsOf(name)) || !OBJECTS.test(spelled));

/** `login`: what stands there may be `account:password`. */
const LOGIN = /log[-_ ]?[io]n\d*$/i;

/** Whether a member of this name may hold an account together with its password. */
export const isLoginName = (name: string): boolean => LOGIN.test(name);

/** A time, an address with its port, a URL; and the address of a wallet behind the name of a coin, as some pools want it. */
const NO_LOGIN = /^(?:[\d.]+:\d+\b|[^:]*:\\?\/|(?:[A-Z]{2,5}|bitcoincash|ecash|kaspa|nexa):\w{25,}(?:\W|$))/;

/** Where the password begins in the text of such a member. Undefined where it has none. */
export const passwordInLogin = (text: string): number | undefined =>
  /^[^:\0- ]+:[^\0- ]/.test(text) && !NO_LOGIN.test(text) ? text.indexOf(':') + 1 : undefined;

/** The text of a member as it may be a fact: `***` where it is a secret, and the account alone of a log-in. */
export const withoutSecretOf = (name: string, value: unknown, text: string): string => {
  if (holdsSecret(name, typeof value === 'string' ? `"${value}"` : text)) return MASK;
  const from = isLoginName(name) ? passwordInLogin(text) : undefined;
  return from === undefined ? text : `${text.slice(0, from)}${MASK}`;
};

const ANYWHERE = new RegExp(`${WORD}|pw|secret|token|credential|csrf|sess|bearer|auth|key|stok`, 'i');

/** Whether such a name could stand somewhere in a text. */
export const mayNameSecret = (text: string): boolean => ANYWHERE.test(text);
