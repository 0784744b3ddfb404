import { inflateSync } from 'node:zlib';

/** Most that a datagram may unfold to, bytes; real reports have two thousand. */
const MOST_INFLATED_BYTES = 262_144;

/** The zlib data unpacked; undefined where they are damaged, cut off or unfold to more than 256 KiB. */
export const inflateBounded = (packed: Uint8Array): Uint8Array | undefined => {
  try {
    return inflateSync(packed, { maxOutputLength: MOST_INFLATED_BYTES });
  } catch {
    return undefined;
  }
};
