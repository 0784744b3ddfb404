import { generateKeyPairSync, hash, sign } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { serveHttp } from './http-server.ts';
import type { Visit } from './visit.ts';

/** Serves HTTP through TLS, with a certificate that the device made itself. */
export const serveHttps = (socket: Socket, visit: Visit): void => {
  identity ??= selfSigned('Simulated miner');
  const secure = new TLSSocket(socket, { isServer: true, secureContext: identity.context });
  // A peer that hangs up in the middle is what peers do.
  secure.on('error', () => socket.destroy());
  // The connection that can be reset is the one below.
  secure.resetAndDestroy = () => {
    socket.resetAndDestroy();
    return secure;
  };
  serveHttp(secure, visit);
};

/** One for all devices of a process, made when the first one is spoken to. */
let identity: TlsIdentity | undefined;

/** What a TLS server shows itself with, and the digest of its key by which a look knows it. */
export interface TlsIdentity {
  readonly context: SecureContext;
  readonly key: string;
}

/** A new key with a certificate that it signed itself (RFC 5280). Node can make the one and not the other. */
export const selfSigned = (name: string): TlsIdentity => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = element(0x30, objectId('2a8648ce3d040302'));
  const subject = element(0x30, element(0x31, element(0x30, objectId('550403'), element(0x0c, Buffer.from(name)))));
  const time = (text: string): Buffer => element(0x17, Buffer.from(text));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const body = element(
    0x30,
    element(0xa0, element(0x02, Buffer.of(2))),
    element(0x02, Buffer.of(1)),
    ecdsaWithSha256,
    subject,
    element(0x30, time('200101000000Z'), time('491231235959Z')),
    subject,
    spki,
  );
  const signature = element(0x03, Buffer.of(0), sign('sha256', body, privateKey));
  const certificate = element(0x30, body, ecdsaWithSha256, signature);
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n');
  const context = createSecureContext({
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  });
  return { context, key: hash('sha256', spki, 'base64url') };
};

/** An element of DER: its tag, how long it is, and what is in it. */
const element = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
};

const objectId = (hex: string): Buffer => element(0x06, Buffer.from(hex, 'hex'));
