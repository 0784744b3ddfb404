import { createHash } from 'node:crypto';
import type { SimulatedDevice } from './device.ts';
import { type Answer, type Request, requestText } from './http-server.ts';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** The nonce of a device: the same while the fleet runs, as with small web servers that count no uses. */
const nonceOf = (device: SimulatedDevice): string => md5(`nonce of ${device.id}`);

/** The value of `WWW-Authenticate` with which a device asks for its log-in by a scheme of HTTP. */
const challengeOf = (device: SimulatedDevice): string | undefined => {
  const { auth } = device.script.device;
  switch (auth?.kind) {
    case 'digest':
      return `Digest realm="${auth.realm}", nonce="${nonceOf(device)}", qop="auth"`;
    case 'basic':
      return `Basic realm="${auth.realm}"`;
    case 'bearer':
      return `Bearer realm="${auth.realm}"`;
    default:
      return undefined;
  }
};

/** What a device answers to a request that needs a log-in and carries none that it knows. */
export const refusal = (device: SimulatedDevice): Answer => {
  const { auth } = device.script.device;
  if (auth?.kind === 'login' && auth.denied !== undefined)
    return { status: 200, headers: '', body: textOf(device, auth.denied) };
  const challenge = challengeOf(device);
  return { status: 401, headers: challenge === undefined ? '' : `WWW-Authenticate: ${challenge}\r\n`, body: '' };
};

/** The answer to a request that opens a session, or tries to; undefined for any other. */
export const loginReply = (device: SimulatedDevice, request: Request): Answer | undefined => {
  const { auth } = device.script.device;
  if (auth?.kind !== 'login') return undefined;
  const [method, path = ''] = auth.request.split(' ');
  if (request.method !== method || request.path.split('?', 1)[0] !== path.split('?', 1)[0]) return undefined;
  if (requestText(request) !== auth.request) return { status: 401, headers: '', body: '' };
  const headers = Object.entries(auth.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return { status: 200, headers: headers.join(''), body: auth.file === undefined ? '' : textOf(device, auth.file) };
};

const textOf = (device: SimulatedDevice, file: string): string =>
  Buffer.from(device.script.specimen.files.get(file) ?? []).toString('latin1');

/** Whether a request carries what opens the device. */
export const isInside = (device: SimulatedDevice, { path, headers }: Request): boolean => {
  const { auth } = device.script.device;
  const header = headers.get('authorization');
  switch (auth?.kind) {
    case 'basic':
      return header === `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}`;
    case 'bearer':
      return header === `Bearer ${auth.password}`;
    case 'digest':
      return header?.startsWith('Digest ') === true && isDigestFor(device, path, header);
    case 'key':
      return headers.get(auth.header.toLowerCase()) === auth.password;
    case 'login': {
      const colon = auth.opens.indexOf(':');
      return headers.get(auth.opens.slice(0, colon).toLowerCase()) === auth.opens.slice(colon + 1).trim();
    }
    default:
      return false;
  }
};

/** RFC 7616 §3.4 with MD5 and qop auth, as `challengeOf` asked. */
const isDigestFor = (device: SimulatedDevice, path: string, header: string): boolean => {
  const { auth } = device.script.device;
  if (auth?.kind !== 'digest') return false;
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
