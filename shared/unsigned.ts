/** Longer than anything that is sent beside the log: not read, as most of it is unsigned. */
const MOST_BYTES = 131_072;

/** What a payload that nobody has verified says as JSON; undefined where it is none. */
export const parseUnsigned = (payload: Uint8Array): unknown => {
  if (payload.length > MOST_BYTES) return undefined;
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    return undefined;
  }
};
