import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { AgentError } from './errors.ts';

/**
 * The door of a running agent for people at the gateway: a UNIX socket in the state folder, one JSON object per line each
 * way. Who may open the folder may ask. It reads and accepts; nothing here reaches a miner.
 */
export type ControlRequest =
  | { readonly do: 'status' }
  | { readonly do: 'preview-accept'; readonly devices: readonly string[] }
  | {
      readonly do: 'accept';
      readonly devices: readonly string[];
      /** `seq` of the attestations that the person was shown, in the order of `devices`. */
      readonly seen: readonly number[];
      readonly by: string;
      readonly note?: string;
    };

export type ControlReply =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly remedy: string };

const SOCKET = 'control.sock';
const MOST_BYTES = 1_048_576;
const PATIENCE_MS = 30_000;

/** Answers requests until closed. A request that cannot be read, or fails, gets an error and nothing else happens. */
export const serveControl = (
  stateDir: string,
  answer: (request: ControlRequest) => Promise<unknown>,
): Promise<Server> => {
  const path = join(stateDir, SOCKET);
  rmSync(path, { force: true });
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.length > MOST_BYTES) socket.destroy();
    });
    socket.on('end', async () => socket.end(JSON.stringify(await replyTo(text, answer))));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve(server);
    });
  });
};

const replyTo = async (text: string, answer: (request: ControlRequest) => Promise<unknown>): Promise<ControlReply> => {
  try {
    return { ok: true, data: await answer(JSON.parse(text) as ControlRequest) };
  } catch (error) {
    const { code, message, remedy } = error instanceof AgentError ? error : unexpected(error);
    return { ok: false, code, message, remedy };
  }
};

const unexpected = (error: unknown) => ({
  code: 'control.failed',
  message: error instanceof Error ? error.message : String(error),
  remedy: 'look at the log lines of the agent',
});

/** Asks a running agent. Throws `agent.not-running`, or what the agent answered. */
export const askAgent = async (stateDir: string, request: ControlRequest): Promise<unknown> => {
  const reply = JSON.parse(await exchange(stateDir, JSON.stringify(request))) as ControlReply;
  if (reply.ok) return reply.data;
  throw new AgentError(reply);
};

const exchange = (stateDir: string, line: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(join(stateDir, SOCKET));
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('no answer')));
    socket.on('connect', () => socket.end(line));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', (cause) => reject(notRunning(stateDir, cause)));
    socket.on('end', () => (text === '' ? reject(notRunning(stateDir)) : resolve(text)));
  });

const notRunning = (stateDir: string, cause?: Error): AgentError =>
  new AgentError({
    code: 'agent.not-running',
    message: `no agent answers in ${stateDir}`,
    remedy: 'start it: assayer run -c <configuration>',
    cause,
  });
