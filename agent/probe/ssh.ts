import { hash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Algorithms, Client } from 'ssh2';
import type { FirmwareComponent } from '../../shared/facts.ts';
import type { Endpoint } from './connection.ts';
import { asStream, converse, type Speaker, type Wire } from './dialogue.ts';
import type { Limits } from './limits.ts';

/**
 * What the key exchange offers, always in the same order: of several host keys a device shows the first that it has. No group exchange:
 * there the device chooses a number to calculate with, as large as it likes. What only old devices speak comes last.
 */
const OFFER: Algorithms = {
  serverHostKey: [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
    'ssh-rsa',
  ],
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group14-sha1',
    'diffie-hellman-group1-sha1',
  ],
  cipher: ['aes128-ctr', 'aes256-ctr', 'aes128-cbc', 'aes256-cbc', '3des-cbc'],
  hmac: ['hmac-sha2-256', 'hmac-sha2-512', 'hmac-sha1', 'hmac-md5'],
  compress: ['none'],
};

/** Who we say we are. */
const IDENT = 'assayer';

/**
 * The SSH server of a device as it shows itself before anybody logs in: the software that it names, and the host key that
 * it proves to hold, as OpenSSH prints it. The key exchange is all that is made: no user is named, and the connection ends
 * where the first request of a log-in would go out. Nothing is sent to what does not first name itself an SSH server.
 */
export const askSshKey = async (
  endpoint: Endpoint,
  { limits, signal }: { readonly limits: Limits; readonly signal?: AbortSignal | undefined },
): Promise<readonly FirmwareComponent[]> => {
  let inquiry: Inquiry | undefined;
  const begin = (wire: Wire): Speaker => {
    inquiry = new Inquiry(wire);
    return inquiry;
  };
  try {
    await converse(endpoint, { limits, signal }, begin);
    return inquiry?.found() ?? [];
  } finally {
    inquiry?.close();
  }
};

/** The identification string (RFC 4253 §4.2); other lines may come before it. */
const IDENTIFICATION = /^(SSH-(?:2\.0|1\.99)-[\x20-\x7e]+)\r?\n/m;
/** A server that has not named itself after this many bytes is none. */
const MOST_BEFORE = 8192;

class Inquiry implements Speaker {
  readonly #wire: Wire;
  #before = Buffer.alloc(0);
  #software: string | undefined;
  #key: string | undefined;
  #stream: Duplex | undefined;
  #fault: unknown;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  hear(piece: Buffer): void {
    if (this.#stream !== undefined) {
      this.#stream.push(piece);
      return;
    }
    this.#before = Buffer.concat([this.#before, piece]);
    this.#software = IDENTIFICATION.exec(this.#before.toString('latin1'))?.[1];
    if (this.#software !== undefined) this.#exchangeKeys();
    else if (this.#before.length > MOST_BEFORE) this.#wire.hangUp();
  }

  /** The library is loaded when the first device names itself: most have no open SSH port, and a start should not wait for it. */
  #exchangeKeys(): void {
    const stream = asStream(this.#wire);
    this.#stream = stream;
    stream.push(this.#before);
    import('ssh2')
      .then((ssh) => this.#start(new ssh.default.Client(), stream))
      .catch((fault: unknown) => {
        this.#fault = fault;
        this.#wire.hangUp();
      });
  }

  #start(client: Client, stream: Duplex): void {
    let key: Buffer | undefined;
    client.on('error', this.#wire.hangUp);
    // The signature of the key holds, and the library would now ask for the service of log-ins.
    client.on('handshake', () => {
      this.#wire.hangUp();
      this.#key = key === undefined ? undefined : fingerprint(key);
    });
    client.connect({
      sock: stream,
      ident: IDENT,
      username: '',
      authHandler: [],
      algorithms: OFFER,
      readyTimeout: 0,
      hostVerifier: (shown: Buffer) => {
        key = shown;
        return true;
      },
    });
  }

  found(): readonly FirmwareComponent[] {
    // That the library cannot be loaded or started is our own mistake.
    if (this.#fault !== undefined) throw this.#fault;
    return [
      ...(this.#key === undefined ? [] : [{ name: 'ssh.host-key', value: this.#key }]),
      ...(this.#software === undefined ? [] : [{ name: 'ssh.software', value: this.#software }]),
    ];
  }

  close(): void {
    this.#stream?.destroy();
  }
}

/** `ssh-ed25519 SHA256:…`: the type, and the digest by which people and tools compare keys. */
const fingerprint = (key: Buffer): string => {
  const type = key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
  return `${type} SHA256:${hash('sha256', key, 'base64').replace(/=+$/, '')}`;
};
