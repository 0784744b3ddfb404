import { Duplex } from 'node:stream';
import { Connection, type Ending, type Endpoint } from './connection.ts';
import type { Limits } from './limits.ts';

/** One side of a dialogue: takes what the device says. */
export interface Speaker {
  /** A piece of what came in; it is the speaker's to keep. */
  readonly hear: (piece: Buffer) => void;
}

/** What a speaker has to speak with. */
export interface Wire {
  readonly send: (bytes: Uint8Array) => void;
  /** Ends the dialogue at once: nothing that is sent after it leaves this machine. */
  readonly hangUp: () => void;
}

/**
 * Lets two sides talk over one connection, until one of them hangs up. Deadline, byte limit and the end of the socket are
 * those of any other exchange.
 */
export const converse = (
  endpoint: Endpoint,
  { limits, signal }: { readonly limits: Limits; readonly signal?: AbortSignal | undefined },
  begin: (wire: Wire) => Speaker,
): Promise<Ending> => {
  const connection = new Connection(endpoint, limits, signal);
  const speaker = begin({ send: (bytes) => connection.send(bytes), hangUp: () => void connection.close() });
  const receiver = {
    take: (piece: Buffer): 'more' => {
      // The buffer of the connection is overwritten after the call.
      speaker.hear(Buffer.from(piece));
      return 'more';
    },
    whole: () => false,
  };
  return connection.ask('', receiver, { keep: false, limits });
};

/** A wire as the stream that a protocol library speaks over. Destroy it when the dialogue is over. */
export const asStream = ({ send }: Wire): Duplex =>
  new Duplex({
    // What is heard is pushed as it comes.
    read: () => {},
    write: (chunk: Buffer, _encoding, written) => {
      send(chunk);
      written();
    },
  });
