import { spawnSync } from 'node:child_process';
import { createPublicKey, hash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import ssh2, { type ServerConfig } from 'ssh2';
import type { TlsIdentity } from '../simulator/tls-server.ts';

/** For `node:test`: why tests with certificates cannot run here, with the command that changes it; false where they can. */
export const WITHOUT_OPENSSL: string | false =
  spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is missing: run scripts/install-test-packages.sh';

/** The same for tests with a real SSH server. */
export const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path));
export const WITHOUT_SSHD: string | false =
  SSHD === undefined ? 'sshd is missing: run scripts/install-test-packages.sh' : false;

/** A port of a device: what it does with a connection is a test's to say; what it was sent is kept. */
export class Station implements AsyncDisposable {
  connections = 0;
  mostAtOnce = 0;
  /** Everything that came in, in order. */
  readonly heard: Buffer[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  protected constructor(behave: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#sockets.size);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      behave(socket);
    });
  }

  /** Listens at a free port, or at that one, of a loopback address. */
  static async at<T extends Station>(station: T, host = '127.0.0.1', port = 0): Promise<T> {
    await new Promise<void>((resolve) => station.#server.listen(port, host, resolve));
    return station;
  }

  /** A port whose program is this function. */
  static open(behave: (socket: Socket) => void): Promise<Station> {
    const station: Station = new Station((socket) => {
      socket.on('data', (bytes: Buffer) => void station.heard.push(bytes));
      behave(socket);
    });
    return Station.at(station);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get endpoint(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.port };
  }

  /** Resolves when the other side has closed every connection. */
  async allClosed(): Promise<void> {
    while (this.#sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A host key of an SSH server, and how people see it. */
export interface HostKey {
  readonly pem: string;
  /** As `ssh-keygen -l` prints it, behind the type. */
  readonly text: string;
}

export const hostKey = (type: 'ed25519' | 'rsa' | 'ecdsa'): HostKey => {
  const bits = type === 'rsa' ? { bits: 2048 } : type === 'ecdsa' ? { bits: 256 } : {};
  // The options of the library's declaration differ by type.
  const generate = () => ssh2.utils.generateKeyPairSync(type as 'rsa', bits as { bits: number });
  let pair = generate();
  // One of some hundred keys is written in a form that the library itself does not read.
  while (ssh2.utils.parseKey(pair.private) instanceof Error) pair = generate();
  const [name, blob = ''] = pair.public.split(' ');
  const digest = hash('sha256', Buffer.from(blob, 'base64'), 'base64').replace(/=+$/, '');
  return { pem: pair.private, text: `${name} SHA256:${digest}` };
};

/** An SSH server that lets nobody in. */
export class SshStation extends Station {
  /** Its host keys; another list is another machine from the next connection on. */
  keys: readonly HostKey[];
  /** Every message that came in beside those of the key exchange: a look sends none. */
  readonly requests: string[] = [];
  /** The methods of key exchange that each peer offered, in its order. */
  readonly offers: string[] = [];

  constructor(keys: readonly HostKey[], settings: Omit<ServerConfig, 'hostKeys'> = {}) {
    super((socket) => this.#serve(socket, settings));
    this.keys = keys;
  }

  #serve(socket: Socket, settings: Omit<ServerConfig, 'hostKeys'>): void {
    const hostKeys = this.keys.map(({ pem }) => pem);
    const server = new ssh2.Server({
      ident: 'dropbear_2019.78',
      ...settings,
      hostKeys,
      debug: (line) => this.#note(line),
    });
    server.on('connection', (client) => {
      client.on('error', () => {});
      client.on('authentication', (context) => context.reject());
    });
    server.injectSocket(socket);
  }

  #note(line: string): void {
    const [, offer] = /\(remote\) KEX method: (\S+)/.exec(line) ?? [];
    if (offer !== undefined) this.offers.push(offer);
    const [, message] = /Inbound: Received (\w+)/.exec(line) ?? [];
    if (message !== undefined) this.requests.push(message);
  }
}

/** A certificate, its key, and the digest by which a look knows it. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly spki: string;
}

/** A certificate of its own making, as miners have them; with `key`, one more for the same key. */
export const selfSigned = (key?: string): Certificate => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-certificate-'));
  const openssl = (...words: readonly string[]) => {
    const { status, stderr } = spawnSync('openssl', words, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${words.join(' ')}: ${stderr}`);
  };
  try {
    if (key !== undefined) writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
    const own = ['-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem'];
    openssl(
      'req',
      '-x509',
      '-subj',
      '/CN=miner',
      '-days',
      '2',
      '-out',
      'cert.pem',
      ...(key === undefined ? own : ['-key', 'key.pem']),
    );
    const cert = readFileSync(join(folder, 'cert.pem'), 'utf8');
    const spki = createPublicKey(cert).export({ type: 'spki', format: 'der' });
    return { cert, key: key ?? readFileSync(join(folder, 'key.pem'), 'utf8'), spki: hash('sha256', spki, 'base64url') };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** A web server behind TLS: each request that came whole is kept, and answered, or not, as a test says. */
export class HttpsStation extends Station {
  identity: TlsIdentity;
  readonly requests: string[] = [];
  answer: (request: string, socket: TLSSocket) => void = () => {};
  /** How often something was said inside TLS. */
  spoken = 0;

  constructor(identity: TlsIdentity) {
    super((socket) => {
      const inside = new TLSSocket(socket, { isServer: true, secureContext: this.identity.context });
      inside.on('error', () => {});
      let kept = '';
      inside.on('data', (bytes) => {
        this.spoken += 1;
        kept += bytes.toString('latin1');
        const head = kept.indexOf('\r\n\r\n');
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(kept)?.[1] ?? 0);
        if (head === -1 || kept.length < head + 4 + length) return;
        const request = kept;
        kept = '';
        this.requests.push(request);
        this.answer(request, inside);
      });
    });
    this.identity = identity;
  }
}

/** A TLS server. What a peer says inside is kept in `said`. */
export class TlsStation extends Station {
  said = '';
  certificate: Certificate;

  constructor(certificate: Certificate, settings: SecureContextOptions = {}) {
    super((socket) => {
      const { cert, key } = this.certificate;
      const secureContext = createSecureContext({ cert, key, ...settings });
      const inside = new TLSSocket(socket, { isServer: true, secureContext });
      inside.on('error', () => {});
      inside.on('data', (bytes) => {
        this.said += bytes.toString();
      });
    });
    this.certificate = certificate;
  }
}
