import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';

/** A write-ahead log of SQLite, taken apart to be damaged (sqlite.org/fileformat2.html, section 4.1). */

const HEADER_BYTES = 32;
export const FRAME_BYTES = 24 + 4096;

/** Where frame `at` begins, from 0. */
export const frameAt = (at: number): number => HEADER_BYTES + at * FRAME_BYTES;

interface Frame {
  readonly page: number;
  readonly isCommit: boolean;
}

/** The frames that were written since the last checkpoint. */
export const framesIn = (bytes: Buffer): readonly Frame[] => {
  const frames: Frame[] = [];
  const isOurs = (at: number): boolean =>
    bytes.subarray(frameAt(at) + 8, frameAt(at) + 16).equals(bytes.subarray(16, 24));
  for (let at = 0; frameAt(at + 1) <= bytes.length && isOurs(at); at += 1) {
    const start = frameAt(at);
    frames.push({ page: bytes.readUInt32BE(start), isCommit: bytes.readUInt32BE(start + 4) !== 0 });
  }
  return frames;
};

/** For each transaction, the frame with which it begins and the one after its last. */
export const transactionsIn = (frames: readonly Frame[]): readonly (readonly [from: number, to: number])[] => {
  const ends = frames.flatMap(({ isCommit }, at) => (isCommit ? [at + 1] : []));
  return ends.map((end, at) => [ends[at - 1] ?? 0, end]);
};

/** A copy with `length` bytes from `at` on overwritten. */
export const overwritten = (bytes: Buffer, at: number, { length = 100, by = 0xa5 } = {}): Buffer =>
  Buffer.from(bytes).fill(by, at, at + length);

/** How many frames were written since the last checkpoint. */
export const framesOf = (file: string): number => framesIn(readFileSync(file)).length;

/** Overwrites 100 bytes at the start of a frame, from 0. */
export const damageFrame = (file: string, at: number): void => {
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(100, 0xa5), 0, 100, frameAt(at));
  closeSync(handle);
};

/** Writes `bytes` in the place of a file. */
export const put = (file: string, bytes: Buffer): void => writeFileSync(file, bytes, { mode: 0o600 });
