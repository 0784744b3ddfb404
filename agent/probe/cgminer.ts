import type { CgminerQuery } from '../drivers/driver.ts';
import type { AllowList } from './allow.ts';
import type { NoReply, Reply } from './capture.ts';
import { Connection, type Endpoint, type Receiver } from './connection.ts';
import { parseReply } from './json.ts';
import type { Limits } from './limits.ts';
import { brokenOff, noReply, readReply } from './reply.ts';

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
  if (ending.kind === 'deadline') return orTimeout(received.bytes());
  return brokenOff(ending, limits) ?? readReply(received.bytes(), { whole: false });
};

/** What had arrived at the deadline, if it is complete; the device then only forgot to close. */
const orTimeout = (bytes: Uint8Array): Reply | NoReply => {
  const reply = readReply(bytes, { whole: false });
  if (reply.kind === 'reply' || reply.reason !== 'truncated') return reply;
  return noReply('timeout', 'no complete reply', bytes.length > 0 ? { bytes } : {});
};

class Pieces implements Receiver {
  readonly #pieces: Buffer[] = [];

  take(piece: Buffer): 'more' | 'perhaps' {
    this.#pieces.push(Buffer.from(piece));
    return CLOSING.has(piece[piece.length - 1] as number) ? 'perhaps' : 'more';
  }

  whole(): boolean {
    return parseReply(this.bytes()).kind === 'parsed';
  }

  bytes(): Buffer {
    const [first] = this.#pieces;
    return this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces);
  }
}
