import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { SimulatedDevice } from './device.ts';
import { misbehave } from './misbehave.ts';
import type { Script } from './script.ts';
import type { Watch } from './watch.ts';
import { challengeOf, opens } from './web-login.ts';

const MOST_HEAD_BYTES = 16_384;
const HEAD_END = '\r\n\r\n';

/** Headers that a plain GET may carry. */
const PLAIN = new Set([
  'host',
  'accept',
  'accept-encoding',
  'accept-language',
  'authorization',
  'connection',
  'user-agent',
]);

interface Head {
  readonly method: string;
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** Serves one HTTP connection of a device: GETs only, one after the other, each noted. */
export const serveHttp = (
  socket: Socket,
  device: SimulatedDevice,
  watch: Watch,
  stranger: (device: SimulatedDevice) => Script,
): void => {
  let kept = '';
  socket.on('data', (bytes) => {
    kept += bytes.toString('latin1');
    const end = kept.indexOf(HEAD_END);
    if (end === -1) {
      if (kept.length > MOST_HEAD_BYTES) socket.destroy();
      return;
    }
    const head = readHead(kept.slice(0, end));
    const rest = kept.slice(end + HEAD_END.length);
    kept = '';
    if (rest !== '') watch.odd(device, rest);
    const plain = [...head.headers.keys()].every((name) => PLAIN.has(name));
    watch.http(device, `${head.method} ${head.path}`, !plain);
    const keep = head.headers.get('connection')?.toLowerCase() !== 'close';
    const reply = (): string => replyTo(head, device, stranger, keep);
    if (misbehave(device.behaviour, socket, reply)) return;
    if (keep) socket.write(reply(), 'latin1');
    else socket.end(reply(), 'latin1');
  });
};

const readHead = (text: string): Head => {
  const [request = '', ...lines] = text.split('\r\n');
  const [method = '', path = ''] = request.split(' ');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { method, path, headers: new Map(headers) };
};

const replyTo = (
  { method, path, headers }: Head,
  device: SimulatedDevice,
  stranger: (device: SimulatedDevice) => Script,
  keep: boolean,
): string => {
  const script = device.behaviour === 'other-family' ? stranger(device) : device.script;
  const line = script.lines.get(`http:${path}`);
  if (device.behaviour === 'code45') return message(403, '', 'forbidden', keep);
  if (method !== 'GET') return message(405, 'Allow: GET\r\n', '', keep);
  if (line === undefined)
    return message(404, 'Content-Type: text/html\r\n', '<html><body>404 Not Found</body></html>', keep);
  if (line.auth && !opens(device, path, headers.get('authorization'))) {
    return message(401, `WWW-Authenticate: ${challengeOf(device)}\r\n`, '', keep);
  }
  return message(line.status, line.headers, device.render(line.template), keep);
};

const message = (status: number, headers: string, body: string, keep: boolean): string =>
  `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${headers}Content-Length: ${body.length}\r\n` +
  `Connection: ${keep ? 'keep-alive' : 'close'}\r\n\r\n${body}`;
