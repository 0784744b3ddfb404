import { createHash } from 'node:crypto';
import type { SimulatedDevice } from './device.ts';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** The nonce of a device: the same while the fleet runs, as with small web servers that count no uses. */
const nonceOf = (device: SimulatedDevice): string => md5(`nonce of ${device.id}`);

/** The value of `WWW-Authenticate` with which a device asks for its log-in. */
export const challengeOf = (device: SimulatedDevice): string => {
  const { auth } = device.script.device;
  switch (auth?.kind) {
    case 'digest':
      return `Digest realm="${auth.realm}", nonce="${nonceOf(device)}", qop="auth"`;
    case 'basic':
      return `Basic realm="${auth.realm}"`;
    default:
      return `Bearer realm="${auth?.realm ?? ''}"`;
  }
};

/** Whether an `Authorization` header opens the device. */
export const opens = (device: SimulatedDevice, path: string, header: string | undefined): boolean => {
  const { auth } = device.script.device;
  if (auth === undefined || header === undefined) return false;
  switch (auth.kind) {
    case 'basic':
      return header === `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}`;
    case 'bearer':
      return header === `Bearer ${auth.password}`;
    case 'digest':
      return header.startsWith('Digest ') && isDigestFor(device, path, header);
  }
};

/** RFC 7616 §3.4 with MD5 and qop auth, as `challengeOf` asked. */
const isDigestFor = (device: SimulatedDevice, path: string, header: string): boolean => {
  const { auth } = device.script.device;
  if (auth === undefined) return false;
  const member = (name: string): string =>
    new RegExp(`[ ,]${name}=(?:"([^"]*)"|([^\\s,"]+))`)
      .exec(header)
      ?.slice(1)
      .find((found) => found !== undefined) ?? '';
  const secret = md5(`${auth.user}:${auth.realm}:${auth.password}`);
  const asked = md5(`GET:${path}`);
  const parts = [secret, nonceOf(device), member('nc'), member('cnonce'), 'auth', asked];
  return (
    member('username') === auth.user &&
    member('realm') === auth.realm &&
    member('nonce') === nonceOf(device) &&
    member('uri') === path &&
    member('qop') === 'auth' &&
    member('response') === md5(parts.join(':'))
  );
};
