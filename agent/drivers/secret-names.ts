import { MASK } from './user-info.ts';

/** Whatever stands under a name that ends in one of these words is a secret. Anything may be glued to them: `wifipass`. */
const CERTAIN = `pass passcode passphrase passwd password psk pswd psw pwd salt secret token cookie jwt sessionid
  accesskey apikey authkey privatekey privkey wifikey wpakey`;
/** With one of these anywhere, or with one of those or its plural, the value shows whether it is one. */
const LIKELY = `credential creds csrf sessid totp wpspin activationkey clientkey contractkey encryptionkey licen[cs]ekey masterkey secretkey securitykey sessionkey sharedkey
  signingkey sshkey unlockkey wepkey wlankey`;
/** With one of these where nothing follows. `pw` is also power, `auth` a switch, and an object tells what a session is like. */
const LAST = `auth authorization bearer community passes session stok _pw adminpw ftppw httppw loginpw mailpw mqttpw poolpw proxypw
  rootpw rpcpw smtppw sshpw stapw userpw vpnpw webpw wifipw wlanpw`;
/** Whoever knows the address of one may send to it: with its token it is a secret, in the whole URL, too. */
const WEBHOOK = /webhooks?(?:_?(?:address|ur[il]))?_$/;
/** The last words of names that speak of a secret which is not there, or of what passed: `pass_rate`. */
const TELLING = `age algorithm at attempts changed check chips cores count date disabled? enabled? endpoint error expir[a-z]*
  fail failed file filter format freq host id in info interval len length level limit max min mode name num number path pct
  percent policy protected rate ratio required result retries set size state stats status through thru time total ttl type
  ur[il] valid voltage`;
/** What is spelled like `pass` and is none; `chip_freqs_test_pass_7` is what each chip gave in a test (WhatsMiner). */
const OTHER = /(?:(?<=_)by_|band|by|com|high|low|over|sur|tres|under)pass(?:es)?(?=[_\d])|(?<=_test_)pass(?=_\d)/g;
/** Where one word of the lists may be spelled as two: `pass_word`, `session_id`, `api_key`, `web_hook`. */
const WITHIN =
  /(?<=web)_(?=hooks?_)|(?<=wps)_(?=pin_)|(?<=pass)_(?=(?:code|phrase|wd|word)s?_)|(?<=sess(?:ion)?)_(?=id_)|_(?=keys?_)/g;

/** The words of a name without its numbers: `_wifi_pass_` of `wifiPass2`. */
const wordsOf = (name: string): string =>
  `_${name.replace(/(?<=[a-z\d])(?=[A-Z])/g, '_').toLowerCase()}_`
    .replace(/[^a-z\d\x80-\uffff]+/g, '_')
    .replace(OTHER, '')
    .replace(/[_\d]+/g, '_')
    .replace(WITHIN, '');

const oneOf = (words: string): string => `(?:${words.split(/\s+/).join('|')})`;
const IS_CERTAIN = new RegExp(`${oneOf(CERTAIN)}(?:_?(?:hash|key|value))?_$`);
const IS_LIKELY = new RegExp(`${oneOf(`${CERTAIN} ${LIKELY}`)}s?_`);
const IS_POSSIBLE = new RegExp(`${oneOf(LAST)}s?_$`);
const IS_TELLING = new RegExp(`_${oneOf(TELLING)}_$`);
/** What is left of every such word where a name spells it as two. */
const ANYWHERE = new RegExp(
  oneOf(`${CERTAIN} ${LIKELY} ${LAST} hook`.replace(/[\w[\]]+(?=(?:key|pw)\b)|(?:id|pin)\b/g, '')),
  'i',
);

/** Whether such a name could stand somewhere in a text. */
export const mayNameSecret = (text: string): boolean => ANYWHERE.test(text);

/** How surely a name is that of a secret: whatever its value is, or where the value shows it. `auth` is only a possible one. */
export const gradeOf = (name: string): 'certain' | 'likely' | 'possible' | undefined => {
  if (!mayNameSecret(name)) return undefined;
  const words = wordsOf(name);
  if (IS_CERTAIN.test(words) && /[\w. -]$/.test(name)) return 'certain';
  if (WEBHOOK.test(words)) return 'likely';
  if (IS_TELLING.test(words)) return undefined;
  if (IS_LIKELY.test(words)) return 'likely';
  return IS_POSSIBLE.test(words) ? 'possible' : undefined;
};

/** Whether a member of this name holds a secret: its value is never kept, shown or made a fact. */
export const isSecretName = (name: string): boolean => gradeOf(name) === 'certain';

/** What stands under such names and is none: a switch, short numbers, the kind of a log-in, a mask, or a public key. */
const SWITCH =
  /^(['"]?)(?:\d?|\*+|true|false|null|none|on|off|yes|no|enabled?|disabled?|active|inactive|required|optional|un(?:set|known)|set|open|ok|invalid|valid|expired|basic|digest|bearer|jwt|oauth2?|wep|wpa[23]?(?:[-_/ ]?(?:wpa[23]|psk|sae|mixed|personal|enterprise))*|psk|sae|md5|sha\d{0,3})\1[})\],;]*$/i;
const NUMBERS = /^-?\d{1,5}(?:\.\d{1,6})?[})\],;]*$|^\[[\d\s,.-]*\]$/;
const PUBLIC_KEY = /^[["'\\\s]*(?:ssh-(?:dss|ed25519|rsa)|ecdsa-sha2-\w+)(?![\w-])/;

/** Whether what stands under a name that may be one of a secret is one. In a text marks may follow. */
export const isSecretValue = (spelled: string): boolean =>
  !(SWITCH.test(spelled) || NUMBERS.test(spelled) || PUBLIC_KEY.test(spelled));

/** Whether a member holds a secret, by its name and its value as JSON spells it. */
export const holdsSecret = (name: string, spelled: string): boolean => {
  const grade = gradeOf(name);
  return grade !== undefined && isSecretValue(spelled) && (grade !== 'possible' || !/^(?:\[\s*)?\{/.test(spelled));
};

/** Whether a member of this name may hold an account together with its password: `login`. */
export const isLoginName = (name: string): boolean => /log[-_ ]?[io]n\d*$/i.test(name);

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
