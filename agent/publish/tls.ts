import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Credentials } from './credentials.ts';

/** TLS 1.3, and for 1.2, where an operator allows it, ECDHE with AEAD only. */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');

/** What the operator says about TLS. */
export interface TlsSettings {
  readonly credentials: Credentials;
  readonly tlsMin: '1.2' | '1.3';
}

/** Host name and chain are always verified; there is no setting and no environment variable that turns it off. */
export const tlsOptions = ({ credentials: { ca, cert, key }, tlsMin }: TlsSettings) => ({
  ...(ca === undefined ? {} : { ca }),
  ...(cert === undefined || key === undefined ? {} : { cert, key }),
  minVersion: `TLSv${tlsMin}` as const,
  ciphers: CIPHERS,
  rejectUnauthorized: true,
});

/** How far an attempt came, for whoever has to explain its end. */
export interface Progress {
  /** What it waits for. */
  waitsFor: 'TCP connection' | 'TLS handshake' | 'CONNACK';
  /** The dates in the certificate that the other side showed, whatever became of it. */
  certificate?: { readonly validFrom: string; readonly validTo: string };
}

/** Follows a socket from its first packet on. */
export const follow = (socket: Socket, tls: boolean): Progress => {
  const progress: Progress = { waitsFor: 'TCP connection' };
  socket.once('connect', () => {
    progress.waitsFor = tls ? 'TLS handshake' : 'CONNACK';
  });
  socket.once('secureConnect', () => {
    progress.waitsFor = 'CONNACK';
  });
  // A certificate that is refused is gone with its socket: it is looked at before it is judged.
  socket.prependOnceListener('secure', () => {
    const { valid_from, valid_to } = (socket as TLSSocket).getPeerCertificate();
    if (valid_to !== undefined) progress.certificate = { validFrom: valid_from, validTo: valid_to };
  });
  return progress;
};
