/** How members are named that hold secrets, in any family: `pass`, `Passwd`, `wifiPass`, `Mpassword1`, `token_hash` … */
const SECRET =
  /(?:pass(?:word|wd|phrase)?|pwd|psw|psk|token|secret|salt|(?:api|private)_?key)(?:[-_ ]?(?:hash|key|value))?\d*$/i;

/** Whether a member of this name holds a secret: its value is never kept, shown or made a fact. */
export const isSecretName = (name: string): boolean => SECRET.test(name);
