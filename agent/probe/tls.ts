import { hash } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import type { FirmwareComponent } from '../../shared/facts.ts';
import type { Endpoint } from './connection.ts';
import { asStream, converse, type Wire } from './dialogue.ts';
import type { Limits } from './limits.ts';

/**
 * What the handshake offers: a miner may know no newer version, and have a key that is short by the standards of today. Not
 * DHE, where the device chooses a number to calculate with.
 */
const OFFER = {
  minVersion: 'TLSv1',
  ciphers: 'DEFAULT:!DHE:@SECLEVEL=0',
  ecdhCurve: 'X25519:P-256:P-384:P-521',
} as const;

/** TLS over a wire to a device: its socket, what hears the device for it, and the way to end both when the dialogue is over. */
interface Handshake {
  readonly socket: TLSSocket;
  readonly hear: (piece: Buffer) => void;
  readonly close: () => void;
}

/** Begins a handshake, in which no certificate is believed: nobody vouches for that of a miner. A failure hangs up. */
export const beginTls = (wire: Wire): Handshake => {
  const stream = asStream(wire);
  const socket = connect({ ...OFFER, socket: stream, rejectUnauthorized: false });
  socket.on('error', wire.hangUp);
  const close = () => {
    stream.destroy();
    socket.destroy();
  };
  return { socket, hear: (piece) => void stream.push(piece), close };
};

/**
 * The key that the device shows, and proves to hold, in a TLS handshake: SHA-256 (b64u) of its SubjectPublicKeyInfo. It is
 * the key that makes an endpoint the same one: a certificate that was renewed for it changes nothing. No certificate is
 * believed, none is shown, and nothing is said once the handshake is made. Nothing where there was none.
 */
export const askTlsKey = async (
  endpoint: Endpoint,
  { limits, signal }: { readonly limits: Limits; readonly signal?: AbortSignal | undefined },
): Promise<readonly FirmwareComponent[]> => {
  let key: string | undefined;
  let close = (): void => {};
  try {
    await converse(endpoint, { limits, signal }, (wire) => {
      const handshake = beginTls(wire);
      close = handshake.close;
      handshake.socket.on('secureConnect', () => {
        wire.hangUp();
        key = keyOf(handshake.socket);
      });
      return handshake;
    });
  } finally {
    close();
  }
  return key === undefined ? [] : [{ name: 'tls.key', value: key }];
};

/** The key that the peer proved to hold, as above; undefined for one of a kind that is not known here. */
export const keyOf = (socket: TLSSocket): string | undefined => {
  try {
    const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' });
    return key === undefined ? undefined : hash('sha256', key, 'base64url');
  } catch {
    return undefined;
  }
};
