import { closeSync, openSync, readSync } from 'node:fs';

/**
 * The write-ahead log of SQLite as it stands in its file (sqlite.org/fileformat2.html, section 4): a header, then frames, each a page with
 * the salts of the header and a checksum over all before it. SQLite reads up to the last commit before the first frame that does not fit,
 * and says nothing of what stands behind.
 */

/** What was committed, and so synced, and stands behind the place at which SQLite stops to read. */
export interface LostEnd {
  /** Frames that SQLite reads. */
  readonly read: number;
  /** Frames up to the last commit that can still be seen. */
  readonly written: number;
}

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;
/** Of a store whose header cannot be read: no other was ever made. */
const OUR_PAGE_BYTES = 4096;

type Sums = readonly [number, number];

interface Header {
  readonly pageBytes: number;
  readonly salts: string;
  readonly isLittleEndian: boolean;
  readonly sums: Sums;
}

interface Frame {
  readonly page: number;
  readonly isCommit: boolean;
  readonly salts: string;
  readonly bytes: DataView;
}

/**
 * What is lost behind the damaged place of the write-ahead log `file`; undefined where nothing is, or where that cannot be told from a last
 * transaction that a loss of power tore: with synchronous=FULL that is one, at most, and nobody was told of it. Frames under other salts
 * are left over from before a checkpoint.
 */
export const lostEndOf = (file: string): LostEnd | undefined => {
  const handle = opened(file);
  if (handle === undefined) return undefined;
  try {
    const header = parseHeader(readAt(handle, 0, HEADER_BYTES));
    const frames = framesOf(handle, header?.pageBytes ?? OUR_PAGE_BYTES);
    return lostAmong(frames, header);
  } finally {
    closeSync(handle);
  }
};

const opened = (file: string): number | undefined => {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

/** The bytes from `at` on; undefined where the file has not as many. */
const readAt = (handle: number, at: number, length: number): DataView | undefined => {
  const bytes = new Uint8Array(length);
  return readSync(handle, bytes, 0, length, at) === length ? new DataView(bytes.buffer) : undefined;
};

/** The header; undefined where it does not verify: then SQLite takes the log for empty, whatever frames follow. */
const parseHeader = (bytes: DataView | undefined): Header | undefined => {
  if (bytes === undefined) return undefined;
  const magic = bytes.getUint32(0);
  const pageBytes = bytes.getUint32(8);
  const isPageSize = pageBytes >= 512 && pageBytes <= 65_536 && (pageBytes & (pageBytes - 1)) === 0;
  if ((magic & ~1) !== MAGIC || !isPageSize) return undefined;
  const isLittleEndian = magic === MAGIC;
  const sums = summed([0, 0], bytes, { from: 0, to: 24, isLittleEndian });
  return hasSums(bytes, 24, sums) ? { pageBytes, salts: saltsAt(bytes, 16), isLittleEndian, sums } : undefined;
};

function* framesOf(handle: number, pageBytes: number): Generator<Frame> {
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  for (let at = HEADER_BYTES; ; at += frameBytes) {
    const bytes = readAt(handle, at, frameBytes);
    if (bytes === undefined) return;
    yield { page: bytes.getUint32(0), isCommit: bytes.getUint32(4) !== 0, salts: saltsAt(bytes, 8), bytes };
  }
}

/**
 * Without a header nobody can tell which frames are left over from before a checkpoint: all of them count. It is synced before the first frame
 * under it, so that no loss of power leaves frames behind a torn one.
 */
const lostAmong = (frames: Iterable<Frame>, header: Header | undefined): LostEnd | undefined => {
  const tail = new Tail();
  let sums = header?.sums;
  let at = 0;
  for (const frame of frames) {
    at += 1;
    const isOurs = frame.page !== 0 && frame.salts === (header?.salts ?? frame.salts);
    sums = isOurs && header !== undefined && sums !== undefined ? sumsBehind(frame, sums, header) : undefined;
    if (sums !== undefined && frame.isCommit) tail.restart(at);
    else if (isOurs) tail.take(frame, at);
  }
  return tail.lost();
};

/** What stands behind the last commit that SQLite reads. */
class Tail {
  #read = 0;
  #written = 0;
  #commits = 0;
  #isOfTwo = false;
  readonly #pages = new Set<number>();

  /** Frame `at` is a commit that SQLite reads. */
  restart(at: number): void {
    this.#read = at;
    this.#isOfTwo = false;
    this.#pages.clear();
  }

  take({ page, isCommit }: Frame, at: number): void {
    if (isCommit) {
      this.#commits += 1;
      this.#written = at;
    } else if (this.#commits === 0) {
      this.#isOfTwo ||= this.#pages.has(page);
      this.#pages.add(page);
    }
  }

  /**
   * A transaction has one commit, its last frame, and before that no page twice: SQLite writes over the frame of a page that it wrote too
   * early. So what shows more is of two, and the second one began when the first was synced.
   */
  lost(): LostEnd | undefined {
    const isSynced = this.#commits > 1 || (this.#commits === 1 && this.#isOfTwo);
    return isSynced ? { read: this.#read, written: this.#written } : undefined;
  }
}

/** The checksum with this frame; undefined where it is not the one that the frame states. */
const sumsBehind = ({ bytes }: Frame, before: Sums, { isLittleEndian }: Header): Sums | undefined => {
  const head = summed(before, bytes, { from: 0, to: 8, isLittleEndian });
  const sums = summed(head, bytes, { from: FRAME_HEADER_BYTES, to: bytes.byteLength, isLittleEndian });
  return hasSums(bytes, 16, sums) ? sums : undefined;
};

/** Goes on with the checksum `before` over the bytes from `from` to `to`. */
const summed = (
  before: Sums,
  bytes: DataView,
  { from, to, isLittleEndian }: { readonly from: number; readonly to: number; readonly isLittleEndian: boolean },
): Sums => {
  let [one, two] = before;
  for (let at = from; at < to; at += 8) {
    one = (one + bytes.getInt32(at, isLittleEndian) + two) | 0;
    two = (two + bytes.getInt32(at + 4, isLittleEndian) + one) | 0;
  }
  return [one, two];
};

const hasSums = (bytes: DataView, at: number, [one, two]: Sums): boolean =>
  bytes.getInt32(at) === one && bytes.getInt32(at + 4) === two;

const saltsAt = (bytes: DataView, at: number): string => `${bytes.getUint32(at)} ${bytes.getUint32(at + 4)}`;
