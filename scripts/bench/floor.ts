import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { PortName } from '../../agent/drivers/driver.ts';
import type { BenchDevice, LogIn, Questions, Setup } from './setup.ts';

/**
 * The least that Node can do: the questions of a pools look over plain sockets, each reply read to its end and given to
 * JSON.parse. No deadlines, no checks, no masking, nothing kept.
 */
export const floorSweep = async (setup: Setup, exchanges: Exchanges): Promise<void> => {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let device = setup.devices[next++]; device !== undefined; device = setup.devices[next++]) {
      await askDevice(device, setup, exchanges);
    }
  };
  await Promise.all(Array.from({ length: Math.min(setup.concurrency, setup.devices.length) }, work));
};

/** What is asked over one connection. */
type Exchange =
  | { readonly port: PortName; readonly command: string }
  | { readonly port: PortName; readonly pages: readonly Page[] };

interface Page {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** The connections of a look by specimen. */
export type Exchanges = ReadonlyMap<string, readonly Exchange[]>;

/** The same questions in the same order; those to one web server over one connection. */
export const exchangesOf = (questions: Questions): Exchanges =>
  new Map(Object.entries(questions).map(([specimen, words]) => [specimen, words.reduce(withQuestion, [])]));

const withQuestion = (exchanges: readonly Exchange[], words: string): readonly Exchange[] => {
  const [, text = '', named] = /^(.*?)(?: @(\w+))?$/s.exec(words) ?? [];
  const [, method, path = '', body = ''] = /^(GET|POST) (\S+) ?(.*)$/s.exec(text) ?? [];
  if (method === undefined) return [...exchanges, { port: (named as PortName) ?? 'cgminer', command: text }];
  const page = { method, path, body };
  const port = (named as PortName) ?? 'http';
  const last = exchanges.at(-1);
  if (last === undefined || !('pages' in last) || last.port !== port) return [...exchanges, { port, pages: [page] }];
  return [...exchanges.slice(0, -1), { port, pages: [...last.pages, page] }];
};

const askDevice = async (
  { address, specimen }: BenchDevice,
  { ports, logIns }: Setup,
  exchanges: Exchanges,
): Promise<void> => {
  for (const exchange of exchanges.get(specimen) ?? []) {
    const port = ports[exchange.port];
    if ('command' in exchange) await askCommand(address, port, exchange.command);
    else await getPages(address, port, exchange.pages, logIns[specimen]);
  }
};

/** Read into and emptied within one turn of the event loop, by all sockets. */
const READ_BUFFER = Buffer.allocUnsafeSlow(65_536);

const reading = (host: string, port: number, take: (piece: string) => void): Socket =>
  connect({
    host,
    port,
    onread: {
      buffer: READ_BUFFER,
      callback: (length, buffer) => {
        // The buffer that was given above.
        take((buffer as Buffer).toString('utf8', 0, length));
        return true;
      },
    },
  });

/** A miner may have only one of the two interfaces; `close` follows. */
const ignoreRefusal = (): void => undefined;

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text.endsWith('\0') ? text.slice(0, -1) : text);
  } catch {
    return undefined;
  }
};

const askCommand = (host: string, port: number, request: string): Promise<void> =>
  new Promise((resolve) => {
    let text = '';
    const socket = reading(host, port, (piece) => {
      text += piece;
    });
    socket.on('connect', () => socket.write(request, 'latin1'));
    socket.on('error', ignoreRefusal);
    socket.on('close', () => {
      parse(text);
      resolve();
    });
  });

/** Requests over one connection; each digest challenge is answered as RFC 7616 has it, and none is remembered. */
const getPages = (host: string, port: number, pages: readonly Page[], logIn: LogIn | undefined): Promise<void> =>
  new Promise((resolve) => {
    let text = '';
    let at = 0;
    const socket = reading(host, port, (piece) => {
      text += piece;
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (Buffer.byteLength(text) < end + 4 + length) return;
      const message = text;
      text = '';
      if (message.startsWith('HTTP/1.1 401')) {
        ask(answer(message, pages[at]?.path ?? '', logIn));
        return;
      }
      parse(message.slice(end + 4));
      at += 1;
      if (at < pages.length) ask(opens);
      else socket.destroy();
    });
    const opens = logIn?.opens === undefined ? '' : `${logIn.opens}\r\n`;
    const ask = (header: string): void => {
      const { method, path, body } = pages[at] as Page;
      const length = method === 'POST' ? `Content-Length: ${body.length}\r\n` : '';
      const head = `${method} ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\n${header}${length}\r\n`;
      socket.write(`${head}${body}`, 'latin1');
    };
    socket.on('connect', () => ask(opens));
    socket.on('error', ignoreRefusal);
    socket.on('close', () => resolve());
  });

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

const answer = (challenge: string, path: string, { user = '', password = '' }: Partial<LogIn> = {}): string => {
  const realm = /realm="([^"]*)"/.exec(challenge)?.[1] ?? '';
  const nonce = /nonce="([^"]*)"/.exec(challenge)?.[1] ?? '';
  const response = md5(`${md5(`${user}:${realm}:${password}`)}:${nonce}:00000001:c0ffee:auth:${md5(`GET:${path}`)}`);
  return (
    `Authorization: Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${path}", ` +
    `response="${response}", qop=auth, nc=00000001, cnonce="c0ffee"\r\n`
  );
};
