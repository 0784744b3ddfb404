/** Twelve hexadecimal digits, locally administered: `number` makes it unique in a fleet. */
const macDigits = (number: number): string => `0212a5${number.toString(16).padStart(6, '0')}`;

/**
 * The MAC of machine `number` in the spelling of `like` (separators, case). Text that is no MAC, and MACs that identify
 * nothing (zeros, a vendor's default), are part of what a specimen shows and stay.
 */
export const macLike = (like: string, number: number): string => {
  const bare = like.replace(/[^0-9A-Fa-f]/g, '');
  const separator = /^[0-9A-Fa-f]{2}([:-])/.exec(like)?.[1] ?? '';
  if (bare.length !== 12 || like.length !== 12 + 5 * separator.length || /^(0+|000a35000000)$/i.test(bare)) return like;
  const digits = (macDigits(number).match(/../g) ?? []).join(separator);
  return /[A-F]/.test(like) ? digits.toUpperCase() : digits;
};

const isSerial = (text: string): boolean => /^(?=.*\d)[A-Za-z0-9-]{6,}$/.test(text) && !/^0+$/.test(text);

/** The serial number of machine `number`: the last twelve letters and digits of `like` drawn anew, each of its own kind. */
export const serialLike = (like: string, number: number): string => {
  if (!isSerial(like)) return like;
  const draw = drawer(`${number} ${like}`);
  const kept = Math.max(0, like.length - 12);
  const signsOf = /^([0-9a-f]+|[0-9A-F]+)$/.test(like) && /[a-f]/i.test(like) ? () => hexadecimalOf(like) : kindOf;
  return like.slice(0, kept) + [...like.slice(kept)].map((sign) => pick(signsOf(sign), sign, draw())).join('');
};

/** Numbers that follow from `seed` alone, and cheaply: a fleet draws them at every reply. */
const drawer = (seed: string): (() => number) => {
  let state = 0x811c9dc5;
  for (let at = 0; at < seed.length; at += 1) state = Math.imul(state ^ seed.charCodeAt(at), 0x01000193);
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 8;
  };
};

const hexadecimalOf = (like: string): string => (/[A-F]/.test(like) ? '0123456789ABCDEF' : '0123456789abcdef');

const kindOf = (sign: string): string => {
  if (/\d/.test(sign)) return '0123456789';
  if (/[A-Z]/.test(sign)) return 'ABCDEFGHJKLMNPQRSTUVWXYZ';
  return /[a-z]/.test(sign) ? 'abcdefghijkmnopqrstuvwxyz' : '';
};

const pick = (signs: string, sign: string, drawn: number): string => signs[drawn % signs.length] ?? sign;

/** `rig` of machine 7 is `rig-00007`; no name stays none. */
export const nameLike = (like: string, number: number): string =>
  like === '' ? like : `${like}-${String(number).padStart(5, '0')}`;

/** A pool user keeps its account; the worker part, where it has one, tells the machine. */
export const userLike = (like: string, number: number): string => (like.includes('.') ? nameLike(like, number) : like);
