import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Query } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import type { BenchDevice, Setup } from './setup.ts';

/**
 * The least that Node can do: the questions of a pools look over plain sockets, each reply read to its end and given to
 * JSON.parse. No deadlines, no checks, no masking, nothing kept.
 */
export const floorSweep = async (setup: Setup): Promise<void> => {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let device = setup.devices[next++]; device !== undefined; device = setup.devices[next++]) {
      await askDevice(device, setup);
    }
  };
  await Promise.all(Array.from({ length: Math.min(setup.concurrency, setup.devices.length) }, work));
};

/** What a pools look asks a family, by interface. */
const QUESTIONS: ReadonlyMap<string, { readonly commands: readonly string[]; readonly paths: readonly string[] }> =
  new Map(
    DRIVERS.map(({ family, queries }) => {
      const due = Object.values(queries).filter(({ cadence }) => cadence === 'pools');
      return [family, { commands: due.flatMap(commandOf), paths: due.flatMap(pathOf) }];
    }),
  );

function commandOf(query: Query): readonly string[] {
  return query.kind === 'cgminer' ? [`{"${query.key}":"${query.command}"}`] : [];
}

function pathOf(query: Query): readonly string[] {
  return query.kind === 'http' ? [query.path] : [];
}

const askDevice = async ({ address, family }: BenchDevice, { ports, credential }: Setup): Promise<void> => {
  const { commands = [], paths = [] } = QUESTIONS.get(family) ?? {};
  for (const command of commands) await askCommand(address, ports.cgminer, command);
  if (paths.length > 0) await getPages(address, ports.http, paths, credential);
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

/** GETs over one connection; a digest challenge is answered as RFC 7616 has it. */
const getPages = (
  host: string,
  port: number,
  paths: readonly string[],
  credential: Setup['credential'],
): Promise<void> =>
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
        ask(answer(message, paths[at] ?? '', credential));
        return;
      }
      parse(message.slice(end + 4));
      at += 1;
      if (at < paths.length) ask('');
      else socket.destroy();
    });
    const ask = (header: string): void =>
      void socket.write(`GET ${paths[at]} HTTP/1.1\r\nHost: ${host}:${port}\r\n${header}\r\n`, 'latin1');
    socket.on('connect', () => ask(''));
    socket.on('error', ignoreRefusal);
    socket.on('close', () => resolve());
  });

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

const answer = (challenge: string, path: string, { user, password }: Setup['credential']): string => {
  const realm = /realm="([^"]*)"/.exec(challenge)?.[1] ?? '';
  const nonce = /nonce="([^"]*)"/.exec(challenge)?.[1] ?? '';
  const response = md5(`${md5(`${user}:${realm}:${password}`)}:${nonce}:00000001:c0ffee:auth:${md5(`GET:${path}`)}`);
  return (
    `Authorization: Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${path}", ` +
    `response="${response}", qop=auth, nc=00000001, cnonce="c0ffee"\r\n`
  );
};
