import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** Keys and certificates for tests, made with openssl in `folder`: a CA, a server for 127.0.0.1 and names, clients. */
export class Authority {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    const files = ['-keyout', 'ca.key', '-out', 'ca.pem'];
    this.#openssl('req', '-x509', ...P256, '-days', '2', '-subj', '/CN=test authority', ...files);
  }

  get ca(): string {
    return join(this.#folder, 'ca.pem');
  }

  /** A certificate for `name`; `san` is its subjectAltName, e.g. `IP:127.0.0.1`. The common name may be another one. */
  issue(name: string, san: string, { commonName = name, days = 2 } = {}): Pair {
    this.#request(name, commonName);
    writeFileSync(join(this.#folder, `${name}.ext`), `subjectAltName=${san}\n`);
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', `${days}`, '-extfile', `${name}.ext`];
    this.#openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`);
    return this.#pair(name);
  }

  /** A certificate that is valid from the first year to the second. */
  issueFor(name: string, san: string, [from, to]: readonly [number, number]): Pair {
    this.#request(name, name);
    const section = [
      'database = index.txt',
      'serial = serial',
      'new_certs_dir = .',
      'default_md = sha256',
      'policy = p',
    ];
    const text = [
      '[ca]',
      'default_ca = c',
      '[c]',
      ...section,
      '[p]',
      'commonName = supplied',
      '[x]',
      `subjectAltName=${san}`,
    ];
    writeFileSync(join(this.#folder, 'ca.conf'), `${text.join('\n')}\n`);
    writeFileSync(join(this.#folder, 'index.txt'), '');
    writeFileSync(join(this.#folder, 'serial'), '1000\n');
    const dates = ['-startdate', `${from}0101000000Z`, '-enddate', `${to}0101000000Z`, '-extensions', 'x'];
    const by = ['-batch', '-config', 'ca.conf', '-cert', 'ca.pem', '-keyfile', 'ca.key', '-notext', ...dates];
    this.#openssl('ca', ...by, '-in', `${name}.csr`, '-out', `${name}.pem`);
    return this.#pair(name);
  }

  #request(name: string, commonName: string): void {
    const subject = `/CN=${commonName.replaceAll('/', '\\/')}`;
    this.#openssl('req', ...P256, '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  }

  #pair(name: string): Pair {
    return { cert: join(this.#folder, `${name}.pem`), key: join(this.#folder, `${name}.key`) };
  }

  #openssl(...args: string[]): void {
    const result = spawnSync('openssl', args, { cwd: this.#folder, encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`openssl ${args.join(' ')}: ${result.stderr}`);
  }
}
