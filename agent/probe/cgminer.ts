import type { CgminerQuery } from '../drivers/driver.ts';
import type { AllowList } from './allow.ts';
import type { NoReply, Reply } from './capture.ts';
import { Connection, type Endpoint, type Receiver } from './connection.ts';
import { type Parsed, parseReply } from './json.ts';
import type { Limits } from './limits.ts';
import { asReply, brokenOff, noReply } from './reply.ts';

const NUL = 0;
const CLOSING: ReadonlySet<number> = new Set([NUL, 0x0a, 0x7d, 0x7c]);

/**
 * Asks the CGMiner API one question over a connection of its own (API-README): the request in one piece without a
 * terminator, the reply up to the close. A device that never closes is taken at a complete document.
 */
export const askCgminer = async (
  endpoint: Endpoint,
  query: CgminerQuery,
  limits: Limits,
  allow: AllowList,
  signal?: AbortSignal,
): Promise<Reply | NoReply> => {
  const request = allow.request(query);
  const received = new Pieces();
  const ending = await new Connection(endpoint, limits, signal).ask(request, received, { keep: false, limits });
  if (ending.kind === 'deadline') return orTimeout(received);
  return brokenOff(ending, limits) ?? received.reply();
};

/** What had arrived at the deadline, if it is complete; the device then only forgot to close. */
const orTimeout = (received: Pieces): Reply | NoReply => {
  const reply = received.reply();
  if (reply.kind === 'reply' || reply.reason !== 'truncated') return reply;
  const bytes = received.bytes();
  return noReply('timeout', 'no complete reply', bytes.length > 0 ? { bytes, drips: true } : {});
};

/** How often it is tried whether what came so far is complete: a device that pauses at every bracket is read at the deadline. */
const MOST_TRIES = 4;

class Pieces implements Receiver {
  readonly #pieces: Buffer[] = [];
  #tries = 0;
  /** Of all pieces that came so far. */
  #parsed: Parsed | undefined;

  take(piece: Buffer): 'more' | 'perhaps' {
    this.#pieces.push(Buffer.from(piece));
    this.#parsed = undefined;
    return CLOSING.has(piece[piece.length - 1] as number) && this.#tries < MOST_TRIES ? 'perhaps' : 'more';
  }

  /** Also where nothing that may follow would be read. */
  whole(): boolean {
    this.#tries += 1;
    const { kind } = this.#parse();
    return kind === 'parsed' || kind === 'oversized';
  }

  reply(): Reply | NoReply {
    return asReply(this.bytes(), this.#parse());
  }

  #parse(): Parsed {
    this.#parsed ??= parseReply(this.bytes());
    return this.#parsed;
  }

  bytes(): Buffer {
    const [first, ...others] = this.#pieces;
    if (first !== undefined && others.length === 0) return first;
    const all = Buffer.concat(this.#pieces);
    this.#pieces.splice(0, this.#pieces.length, all);
    return all;
  }
}
