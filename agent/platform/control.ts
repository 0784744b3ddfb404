import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { FACTS, type FactName } from '../../shared/facts.ts';
import { AgentError, isRefused, noAccess } from './errors.ts';

/** One person does what two have to; it is reported. */
const breakGlass = z.strictObject({ by: z.string(), note: z.string() }).exactOptional();

const onlyFacts = z
  .array(z.enum(Object.keys(FACTS) as [FactName, ...FactName[]]))
  .min(1)
  .readonly()
  .exactOptional()
  .describe('only these; without it the whole device');

const alone = z.boolean().exactOptional().describe('one person accepts what two have to, which is reported');

const document = z.union([
  z.strictObject({ doc: z.string(), sigs: z.array(z.string()).readonly() }),
  z.strictObject({ terms: z.unknown(), by: z.string() }),
]);

/**
 * The door of a running agent for people at the gateway: a UNIX socket in the state folder, one JSON object each way.
 * Who may open the folder may ask. It reads and accepts; nothing here reaches a miner.
 */
const controlRequest = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('status') }),
  z.strictObject({
    do: z.literal('preview-accept'),
    devices: z.array(z.string()).readonly(),
    seen_only: z.boolean().exactOptional(),
    facts: onlyFacts,
    break_glass: alone,
  }),
  z.strictObject({ do: z.literal('differences'), devices: z.array(z.string()).readonly() }),
  z.strictObject({
    do: z.literal('accept'),
    devices: z.array(z.string()).readonly(),
    seen: z
      .array(z.int())
      .readonly()
      .describe('`seq` of the attestations that the person was shown, in the order of `devices`'),
    by: z.string(),
    note: z.string().exactOptional(),
    facts: onlyFacts,
    break_glass: alone,
  }),
  z.strictObject({ do: z.literal('preview-adopt'), document, break_glass: breakGlass }),
  z.strictObject({
    do: z.literal('adopt'),
    document,
    break_glass: breakGlass,
    ends: z.string().exactOptional().describe('what the person was shown that it ends, as `preview-adopt` gives it'),
  }),
  z.strictObject({ do: z.literal('orders') }),
  z.strictObject({ do: z.literal('withdraw'), name: z.string(), by: z.string(), break_glass: breakGlass }),
  z.strictObject({
    do: z.literal('close'),
    kind: z.enum(['plan', 'waiver']),
    id: z.string(),
    by: z.string(),
    break_glass: breakGlass,
  }),
  z.strictObject({ do: z.literal('plan-report'), id: z.string() }),
  z.strictObject({ do: z.literal('approved'), device: z.string() }),
  z.strictObject({
    do: z.literal('review'),
    opened_seq: z.int().min(0),
    action: z.enum(['acknowledge', 'close']),
    by: z.string(),
    note: z.string().exactOptional(),
  }),
]);

/** A request at the control socket, after parsing. */
export type ControlRequest = Readonly<z.infer<typeof controlRequest>>;

const controlReply = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), data: z.unknown() }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string(), remedy: z.string() }),
]);

type ControlReply = z.infer<typeof controlReply>;

const SOCKET = 'control.sock';

/** Longest path of a UNIX socket, bytes: 108 on Linux, 104 on other systems, with the NUL behind it. */
const LONGEST_PATH = 103;

/** Longest path of a state folder in which the door fits, bytes. */
export const LONGEST_STATE_DIR = LONGEST_PATH - Buffer.byteLength(`/${SOCKET}`);

const MOST_BYTES = 4_194_304;
const PATIENCE_MS = 30_000;

/** What is open until it is closed. */
export interface Door {
  /** Nobody is let in any more, and whoever is inside is put out. */
  readonly close: () => void;
}

/**
 * Answers requests until closed. A request that cannot be read, or fails, gets an error and nothing else happens. A socket
 * that a killed agent left behind is replaced: whoever opens the door holds the lock of the store. Throws `config.state-dir`.
 */
export const serveControl = (
  stateDir: string,
  answer: (request: ControlRequest) => Promise<unknown>,
): Promise<Door> => {
  const path = join(stateDir, SOCKET);
  const inside = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    inside.add(socket);
    socket.on('close', () => inside.delete(socket));
    receive(socket, answer);
  });
  const close = (): void => {
    server.close();
    for (const socket of inside) socket.destroy();
  };
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void => reject(noDoor(path, cause));
    server.once('error', failed);
    try {
      rmSync(path, { force: true });
      server.listen(path, () => {
        server.off('error', failed);
        chmodSync(path, 0o600);
        resolve({ close });
      });
    } catch (cause) {
      failed(cause);
    }
  });
};

const receive = (socket: Socket, answer: (request: ControlRequest) => Promise<unknown>): void => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const reply = (what: ControlReply): void => void socket.end(JSON.stringify(what));
  socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    // What is too much is read to its end and dropped: a socket closed over unread bytes would lose the reply.
    if (bytes <= MOST_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  });
  socket.on('end', async () => {
    if (bytes > MOST_BYTES) reply(refusal(tooLarge(bytes)));
    else reply(await replyTo(Buffer.concat(chunks).toString(), answer));
  });
};

const replyTo = async (text: string, answer: (request: ControlRequest) => Promise<unknown>): Promise<ControlReply> => {
  try {
    return { ok: true, data: await answer(parseRequest(text)) };
  } catch (error) {
    return refusal(error instanceof AgentError ? error : unexpected(error));
  }
};

const refusal = ({ code, message, remedy }: AgentError): ControlReply => ({ ok: false, code, message, remedy });

const parseRequest = (text: string): ControlRequest => {
  const parsed = controlRequest.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new AgentError({
    code: 'control.unknown',
    message: 'the agent does not know this request',
    remedy: 'use the assayer of the same version as the agent that runs',
  });
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const tooLarge = (bytes: number): AgentError =>
  new AgentError({
    code: 'control.too-large',
    message: `a request of ${bytes} bytes is not read, at most ${MOST_BYTES} are`,
    remedy: 'name fewer devices at once',
  });

const unexpected = (error: unknown): AgentError =>
  new AgentError({
    code: 'control.failed',
    message: error instanceof Error ? error.message : String(error),
    remedy: 'look at the log lines of the agent',
  });

const noDoor = (path: string, cause: unknown): AgentError =>
  new AgentError({
    code: 'config.state-dir',
    message: `cannot make the socket ${path}: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`,
    remedy: `choose a state_dir with a path of at most ${LONGEST_STATE_DIR} bytes, on a file system that holds sockets, that the agent may write to`,
    cause,
  });

/** Asks a running agent. Throws `agent.not-running`, `agent.no-access`, `agent.no-answer`, or what the agent answered. */
export const askAgent = async (stateDir: string, request: ControlRequest): Promise<unknown> => {
  const reply = controlReply.safeParse(parseJson(await exchange(stateDir, JSON.stringify(request))));
  if (!reply.success) throw noAnswer(stateDir);
  if (reply.data.ok) return reply.data.data;
  throw new AgentError(reply.data);
};

const exchange = (stateDir: string, line: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(join(stateDir, SOCKET));
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    socket.on('connect', () => socket.end(line));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', (cause: NodeJS.ErrnoException) => reject(noEntry(stateDir, cause)));
    socket.on('end', () => resolve(text));
    socket.on('close', () => reject(noAnswer(stateDir)));
  });

const noEntry = (stateDir: string, cause: NodeJS.ErrnoException): AgentError => {
  if (isRefused(cause)) return noAccess(`the agent in ${stateDir} may not be asked`, cause);
  // What was refused on the way is an agent that ended, or hangs; a missing or dead socket is none at all.
  if (cause.code === 'ECONNRESET' || cause.code === 'EPIPE') return noAnswer(stateDir);
  return new AgentError({
    code: 'agent.not-running',
    message: `no agent runs in ${stateDir}`,
    remedy: 'start it: assayer run -c <configuration>',
    cause,
  });
};

const noAnswer = (stateDir: string): AgentError =>
  new AgentError({
    code: 'agent.no-answer',
    message: `the agent in ${stateDir} does not answer`,
    remedy: 'look at its log lines; if it hangs, restart it',
  });
