/** Longest text taken from a device, code points (attestation.md §2). */
const MOST_CODE_POINTS = 256;

/** C0, C1 and DEL controls, bidi controls, and the mark that decoding left where bytes were no UTF-8. */
const UNWANTED = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd]/u;
const UNWANTED_ALL = new RegExp(UNWANTED, 'gu');

const isCleanText = (text: string): boolean =>
  text.length <= MOST_CODE_POINTS && text.isWellFormed() && !UNWANTED.test(text);

/** A text of a device as it may be stored, shown and signed. Its exact bytes are bound by the digest of the capture. */
export const sanitiseText = (text: string): string => {
  if (isCleanText(text)) return text;
  const clean = text.toWellFormed().replace(UNWANTED_ALL, '\ufffd');
  return clean.length <= MOST_CODE_POINTS ? clean : [...clean].slice(0, MOST_CODE_POINTS).join('');
};

/** A value of a fact with every text in it sanitised, and whether any needed it. The same value if none did. */
export const sanitise = <T>(value: T): { readonly value: T; readonly touched: boolean } => {
  // Nearly every value is clean, and looking costs a tenth of copying.
  if (isClean(value)) return { value, touched: false };
  let touched = false;
  const clean = (part: unknown): unknown => {
    if (typeof part === 'string') {
      const text = sanitiseText(part);
      // A mark that was there before stands for something of the device's, too.
      if (text !== part || text.includes('\ufffd')) touched = true;
      return text;
    }
    if (Array.isArray(part)) return part.map(clean);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [name, clean(member)]));
  };
  // Cleaning changes texts only: the shape stays that of T.
  const cleaned = clean(value) as T;
  return touched ? { value: cleaned, touched } : { value, touched };
};

const isClean = (part: unknown): boolean => {
  if (typeof part === 'string') return isCleanText(part);
  if (typeof part !== 'object' || part === null) return true;
  if (Array.isArray(part)) return part.every(isClean);
  for (const name in part) if (!isClean((part as { [name: string]: unknown })[name])) return false;
  return true;
};
