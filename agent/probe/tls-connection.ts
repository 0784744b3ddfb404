import { setImmediate as turn } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import type { Ending, Endpoint, Receiver } from './connection.ts';
import { converse } from './dialogue.ts';
import type { Limits } from './limits.ts';
import { beginTls, keyOf } from './tls.ts';

/** Who is expected behind a TLS port: whoever proves to hold this key; without one, whoever answers. */
export interface TlsPeer {
  readonly key: string | undefined;
}

/** The platform hands on within a few turns what it has decrypted when the other side closes. */
const MOST_TURNS = 16;

/**
 * One TCP connection to a device with TLS over it, for one exchange. Nobody vouches for the certificate of a miner, so
 * none is believed: where the key of the device is known, nothing is sent to another one, and where it is not, what is
 * sent is safe from who listens and not from who answers. Deadline and byte limit hold for handshake and reply together.
 */
export class TlsConnection {
  over = false;
  /** It is closed with the reply: nothing can follow. */
  readonly strayed = false;
  readonly #endpoint: Endpoint;
  readonly #peer: TlsPeer;
  readonly #signal: AbortSignal | undefined;

  constructor(endpoint: Endpoint, peer: TlsPeer, signal: AbortSignal | undefined) {
    this.#endpoint = endpoint;
    this.#peer = peer;
    this.#signal = signal;
  }

  /** Makes the handshake, writes `request` and hands the reply to `receiver`. */
  async ask(request: string, receiver: Receiver, { limits }: { readonly limits: Limits }): Promise<Ending> {
    this.over = true;
    let close = (): void => {};
    const said = { secure: false, stranger: false, whole: false, goodbye: false };
    try {
      const ending = await converse(this.#endpoint, { limits, signal: this.#signal }, (wire) => {
        const handshake = beginTls(wire);
        const { socket } = handshake;
        close = handshake.close;
        socket.on('secureConnect', () => {
          said.secure = true;
          said.stranger = !this.#isExpected(socket);
          if (said.stranger) wire.hangUp();
          else socket.write(request, 'latin1');
        });
        socket.on('data', (piece: Buffer) => {
          if (said.stranger || said.whole || receiver.take(piece) !== 'done') return;
          said.whole = true;
          wire.hangUp();
        });
        socket.on('end', () => {
          said.goodbye = true;
          wire.hangUp();
        });
        return handshake;
      });
      for (let left = MOST_TURNS; left > 0 && !said.whole && !said.goodbye; left -= 1) await turn();
      return meaningOf(ending, said);
    } finally {
      close();
    }
  }

  /** Every connection is gone when its exchange is over. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #isExpected(socket: TLSSocket): boolean {
    return this.#peer.key === undefined || keyOf(socket) === this.#peer.key;
  }
}

interface Said {
  /** The handshake was made. */
  readonly secure: boolean;
  /** With another key than the one that is known. */
  readonly stranger: boolean;
  /** The reply came in whole. */
  readonly whole: boolean;
  /** The device said that nothing follows, which nobody on the way can say in its place. */
  readonly goodbye: boolean;
}

const meaningOf = (ending: Ending, { secure, stranger, whole, goodbye }: Said): Ending => {
  if (stranger) return unreachable('another TLS key than the one that this device is known by: nothing was sent');
  if (whole) return { kind: 'done' };
  if (ending.kind !== 'closed' && ending.kind !== 'broken') return ending;
  if (!secure) return unreachable('no TLS at this port');
  return goodbye ? { kind: 'closed' } : { kind: 'broken', code: 'closed within TLS' };
};

const unreachable = (detail: string): Ending => ({ kind: 'none', reason: 'unreachable', detail });
