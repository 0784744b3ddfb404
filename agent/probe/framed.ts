import type { FramedQuery } from '../drivers/driver.ts';
import type { AllowList } from './allow.ts';
import type { NoReply, Reply } from './capture.ts';
import { Connection, type Endpoint, type Receiver } from './connection.ts';
import type { Limits } from './limits.ts';
import { brokenOff, noReply, readReply } from './reply.ts';

const HEAD_BYTES = 4;

/**
 * Asks WhatsMiner API 3 one question over a connection of its own: in both directions the length of the document as four
 * bytes, the lowest first, then the document (protocols, WhatsMiner).
 */
export const askFramed = async (
  endpoint: Endpoint,
  query: FramedQuery,
  limits: Limits,
  allow: AllowList,
  signal?: AbortSignal,
): Promise<Reply | NoReply> => {
  const request = frame(allow.request(query));
  const received = new Frame();
  const ending = await new Connection(endpoint, limits, signal).ask(request, received, { keep: false, limits });
  return brokenOff(ending, limits) ?? received.reply();
};

/** What a device said that closed after these bytes. */
export const readFrame = (bytes: Uint8Array): Reply | NoReply => {
  const received = new Frame();
  received.take(Buffer.from(bytes));
  return received.reply();
};

/** The document of a frame. `code` 0 is success; -2 stands for a command that the firmware does not know, -4 for one that it does not let in. */
export const readFramed = (bytes: Uint8Array): Reply | NoReply => {
  const reply = readReply(bytes, { whole: true });
  if (reply.kind === 'no-reply') return reply;
  const { value } = reply;
  const code = typeof value === 'object' && value !== null && 'code' in value ? value.code : undefined;
  if (code === 0) return reply;
  const reason = code === -2 ? 'unsupported' : code === -4 ? 'refused' : 'unreadable';
  return noReply(reason, `the device answered with code ${JSON.stringify(code)}`, { bytes });
};

/** A request as the bytes to be sent, one character each. */
const frame = (document: string): string => {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(document.length);
  return head.toString('latin1') + document;
};

class Frame implements Receiver {
  readonly #pieces: Buffer[] = [];
  #length = 0;
  /** Of the document; undefined until its four bytes are there. */
  #announced: number | undefined;

  take(piece: Buffer): 'more' | 'done' {
    this.#pieces.push(Buffer.from(piece));
    this.#length += piece.length;
    if (this.#announced === undefined && this.#length >= HEAD_BYTES) this.#announced = this.#all().readUInt32LE(0);
    return this.whole() || this.#isNone() ? 'done' : 'more';
  }

  reply(): Reply | NoReply {
    return this.whole() ? readFramed(this.#document()) : this.#fault();
  }

  whole(): boolean {
    return this.#announced !== undefined && !this.#isNone() && this.#length >= HEAD_BYTES + this.#announced;
  }

  #document(): Buffer {
    return this.#all().subarray(HEAD_BYTES, HEAD_BYTES + (this.#announced ?? 0));
  }

  #fault(): NoReply {
    if (this.#length === 0) return noReply('truncated', 'closed without a byte of reply');
    return this.#isNone()
      ? noReply('unreachable', 'something else answers at this port', { dark: true })
      : noReply('truncated', 'closed before the reply was complete');
  }

  #all(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  /** A length of 16 MiB or more is the beginning of another protocol: its fourth byte is a letter, a mark or a blank. */
  #isNone(): boolean {
    return (this.#announced ?? 0) >= 0x1000000;
  }
}
