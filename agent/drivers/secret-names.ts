/** Words that name a secret. */
const WORD =
  '(?:pass(?:word|wd|phrase|code)?|pwd|psw|psk|token|secret|salt|cookie|jwt|session[-_ ]?id' +
  '|(?:access|api|auth|private|wifi|wpa)[-_ ]?key)';

/** How members are named that hold secrets, in any family: `pass`, `Passwd`, `wifiPass`, `Mpassword1`, `token_hash` … */
const SECRET = new RegExp(`${WORD}(?:[-_ ]?(?:hash|key|value))?\\d*$`, 'i');
const ANYWHERE = new RegExp(WORD, 'i');

/** Whether a member of this name holds a secret: its value is never kept, shown or made a fact. */
export const isSecretName = (name: string): boolean => SECRET.test(name);

/** Whether such a name could stand somewhere in a text. */
export const mayNameSecret = (text: string): boolean => ANYWHERE.test(text);
