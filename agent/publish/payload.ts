/** Longer than anything that is sent to a gateway: not read, as most of it is unsigned. */
const MOST_BYTES = 131_072;

/** What a payload says as JSON; undefined where it is none. */
export const parseJson = (payload: Uint8Array): unknown => {
  if (payload.length > MOST_BYTES) return undefined;
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    return undefined;
  }
};
