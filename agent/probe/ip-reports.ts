import { createSocket } from 'node:dgram';

/** A datagram that came in. Neither the address nor a byte of it proves who sent it. */
export interface Datagram {
  readonly address: string;
  readonly payload: Uint8Array;
}

/** A UDP port that listens, or why it cannot. */
export type Opened =
  | { readonly kind: 'open'; readonly port: number; readonly close: () => void }
  | { readonly kind: 'refused'; readonly code: string };

/** Who is told what happens at a port. */
export interface Hearer {
  readonly datagram: (datagram: Datagram) => void;
  /** The open port failed, and is closed. */
  readonly broken: (code: string) => void;
}

/**
 * Listens for IPv4 datagrams, broadcasts among them, and never sends any. Port 0 is any free one. Programs that share
 * their ports, such as a second listener for the same reports, hear the broadcasts, too.
 */
export const openPort = (port: number, hearer: Hearer): Promise<Opened> =>
  new Promise((resolve) => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    let state: 'opening' | 'open' | 'closed' = 'opening';
    const close = () => {
      if (state !== 'closed') socket.close();
      state = 'closed';
    };
    socket.on('message', (payload, { address }) => hearer.datagram({ address, payload }));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? error.message;
      if (state === 'opening') resolve({ kind: 'refused', code });
      else hearer.broken(code);
      close();
    });
    socket.bind({ port, address: '0.0.0.0' }, () => {
      state = 'open';
      resolve({ kind: 'open', port: socket.address().port, close });
    });
  });
