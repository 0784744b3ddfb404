import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { misbehave } from './misbehave.ts';
import { prefixAt } from './script.ts';
import { speaker, type Visit } from './visit.ts';
import { isInside, loginReply, refusal } from './web-login.ts';

const MOST_HEAD_BYTES = 16_384;
const HEAD_END = '\r\n\r\n';

/** Headers that a plain request may carry beside those of the log-in. */
const PLAIN = new Set([
  'host',
  'accept',
  'accept-encoding',
  'accept-language',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'cookie',
  'user-agent',
]);

/** A request as it came. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** What a device answers: whole lines of headers, each with its end. */
export interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Serves one HTTP connection of a device: requests one after the other, each noted. */
export const serveHttp = (socket: Socket, visit: Visit): void => {
  const { device, watch } = visit;
  let kept = '';
  socket.on('data', (bytes) => {
    kept += bytes.toString('latin1');
    const end = kept.indexOf(HEAD_END);
    if (end === -1) {
      if (!/^[A-Z]/.test(kept)) {
        // What is no request is refused at its first byte; whoever does not know the port means the other API.
        watch.command({ ...visit, port: 'cgminer' }, kept);
        kept = '';
        socket.end(message({ status: 400, headers: '', body: '' }, false), 'latin1');
        return;
      }
      if (kept.length > MOST_HEAD_BYTES) socket.destroy();
      return;
    }
    const head = readHead(kept.slice(0, end));
    const bodyEnd = end + HEAD_END.length + Number(head.headers.get('content-length') ?? 0);
    if (kept.length < bodyEnd) return;
    const request = { ...head, body: kept.slice(end + HEAD_END.length, bodyEnd) };
    const rest = kept.slice(bodyEnd);
    kept = '';
    if (rest !== '') watch.odd(device, rest);
    watch.http(visit, requestText(request), !isPlain(request, visit));
    const keep = request.headers.get('connection')?.toLowerCase() !== 'close';
    const reply = (): string => message(replyTo(request, visit), keep);
    if (misbehave(device.behaviour, socket, reply)) return;
    if (keep) socket.write(reply(), 'latin1');
    else socket.end(reply(), 'latin1');
  });
};

const readHead = (text: string): Omit<Request, 'body'> => {
  const [request = '', ...lines] = text.split('\r\n');
  const [method = '', path = ''] = request.split(' ');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { method, path, headers: new Map(headers) };
};

/** `GET /path`, `POST /path body`. */
export const requestText = ({ method, path, body }: Request): string => `${method} ${path} ${body}`.trimEnd();

const isPlain = ({ method, headers, body }: Request, { device }: Visit): boolean => {
  const { auth } = device.script.device;
  const key = auth?.kind === 'key' ? auth.header : auth?.kind === 'login' ? auth.opens.split(':', 1)[0] : undefined;
  const known = [...headers.keys()].every((name) => PLAIN.has(name) || name === key?.toLowerCase());
  return known && (method === 'POST' || body === '');
};

const replyTo = (request: Request, visit: Visit): Answer => {
  const { device, port } = visit;
  if (device.behaviour === 'code45') return { status: 403, headers: '', body: 'forbidden' };
  if (device.behaviour === 'busy') return { status: 503, headers: '', body: 'busy' };
  const login = loginReply(device, request);
  if (login !== undefined) return login;
  const { method, path } = request;
  const line = speaker(visit).lines.get(`${prefixAt('http', port)}${method === 'GET' ? path : requestText(request)}`);
  if (line === undefined) return nothingAt(request, visit);
  if (line.auth && !isInside(device, request)) return refusal(device);
  return { status: line.status, headers: line.headers, body: device.render(line.template) };
};

/** A device that answers no POST at all says so; else there is no such path. */
const nothingAt = ({ method }: Request, visit: Visit): Answer => {
  const answersPosts = [...speaker(visit).lines.keys()].some((question) => question.includes(':POST '));
  if (method !== 'GET' && !answersPosts) return { status: 405, headers: 'Allow: GET\r\n', body: '' };
  return { status: 404, headers: 'Content-Type: text/html\r\n', body: '<html><body>404 Not Found</body></html>' };
};

const message = ({ status, headers, body }: Answer, keep: boolean): string =>
  `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${headers}Content-Length: ${body.length}\r\n` +
  `Connection: ${keep ? 'keep-alive' : 'close'}\r\n\r\n${body}`;
