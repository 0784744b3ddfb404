import { readFileSync, statSync } from 'node:fs';

/** Far above any bundle of authorities, bytes. */
const LARGEST_PEM = 8_388_608;

/** Why a file cannot be read; `cause` where the system says so. */
interface Unread {
  readonly message: string;
  readonly cause?: unknown;
}

/** Whether a file of authorities has any: the TLS library says nothing of one without. */
export const holdsCertificate = (pem: Buffer): boolean =>
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/.test(pem.toString('latin1'));

/** The bytes of a file of certificates or keys, or why there are none; `what` it is, as in `ca file`. */
export const readPem = (what: string, file: string): Buffer | Unread => {
  try {
    // Before it is opened: reading a pipe or a device would wait, or never end.
    const stats = statSync(file);
    if (!stats.isFile() || stats.size > LARGEST_PEM)
      return { message: `${what} ${file} is no regular file, or is too large` };
    return readFileSync(file);
  } catch (cause) {
    return { message: `cannot read ${what} ${file}: ${(cause as NodeJS.ErrnoException).code}`, cause };
  }
};
