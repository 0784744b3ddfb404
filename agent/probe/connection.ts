import { connect, type Socket } from 'node:net';
import { AgentError } from '../platform/errors.ts';
import type { Limits } from './limits.ts';

/** Where one interface of a device listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What takes the bytes of one reply. */
export interface Receiver {
  /**
   * Takes a piece of the reply; the buffer is overwritten after the call. `done`: the reply is complete. `perhaps`: it
   * looks complete, and is if nothing follows and `whole` agrees.
   */
  readonly take: (piece: Buffer) => 'more' | 'perhaps' | 'done';
  readonly whole: () => boolean;
}

/** How an exchange ended. `none`: no connection came about. */
export type Ending =
  | { readonly kind: 'done' | 'closed' | 'deadline' | 'too-large' }
  | { readonly kind: 'broken'; readonly code: string }
  | { readonly kind: 'none'; readonly reason: 'unreachable' | 'timeout'; readonly detail: string };

/** A device that never closes is believed to have finished when it has been quiet for this long after a complete reply. */
const QUIET_MS = 150;

/** Faults of this machine, which must not be taken for faults of a device. */
const OURS: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** One buffer for all sockets: it is read into and emptied within one turn of the event loop. */
const READ_BUFFER = Buffer.allocUnsafeSlow(65_536);

/**
 * One TCP connection to a device, for one exchange or, kept alive, for several in turn. `ask` settles a CGMiner
 * connection only when the socket is closed, so that a device never sees two of ours.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #signal: AbortSignal | undefined;
  #connected = false;
  #closed = false;
  #exchangeMs = 0;
  #bytesLeft = 0;
  #request = '';
  #receiver: Receiver | undefined;
  #settle: ((ending: Ending) => void) | undefined;
  #fail: ((error: unknown) => void) | undefined;
  #keep = false;
  #ending: Ending | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #whenClosed: (() => void) | undefined;

  /** Starts to connect. The request of the first `ask` is written in one piece as soon as the connection stands. */
  constructor({ host, port }: Endpoint, limits: Limits, signal?: AbortSignal) {
    signal?.throwIfAborted();
    this.#signal = signal;
    this.#socket = connect({
      host,
      port,
      // One attempt: racing two address families would be two connections to one device.
      autoSelectFamily: false,
      onread: { buffer: READ_BUFFER, callback: (length, buffer) => this.#read(buffer as Buffer, length) },
    });
    this.#deadline = setTimeout(
      () => this.#end({ kind: 'none', reason: 'timeout', detail: 'no connection' }),
      limits.connectMs,
    );
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    this.#socket.on('close', () => this.#onClose());
    if (signal !== undefined) connectionsOf(signal).add(this);
  }

  /** Whether the device has closed, or nothing more can be asked for another reason. */
  get over(): boolean {
    return this.#closed || this.#ending !== undefined;
  }

  /** Writes `request` and hands the reply to `receiver`. With `keep` a complete reply leaves the connection open. */
  ask(request: string, receiver: Receiver, { keep, limits }: { keep: boolean; limits: Limits }): Promise<Ending> {
    this.#request = request;
    this.#receiver = receiver;
    this.#keep = keep;
    this.#exchangeMs = limits.exchangeMs;
    this.#bytesLeft = limits.maxReplyBytes;
    return new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
      if (this.#closed) this.#onClose();
      else if (this.#connected) this.#write();
    });
  }

  /** Closes; resolves when the socket is gone. */
  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenClosed = resolve;
      this.#end({ kind: 'closed' });
    });
  }

  /** Gives up at once; a pending `ask` rejects with the reason of the signal. */
  abort(): void {
    this.#end({ kind: 'closed' });
  }

  #onConnect(): void {
    this.#connected = true;
    clearTimeout(this.#deadline);
    if (this.#settle !== undefined) this.#write();
  }

  #write(): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#end({ kind: 'deadline' }), this.#exchangeMs);
    this.#socket.write(this.#request, 'latin1');
  }

  #read(buffer: Buffer, length: number): boolean {
    const receiver = this.#receiver;
    this.#bytesLeft -= length;
    if (this.#bytesLeft < 0) this.#end({ kind: 'too-large' });
    if (this.#ending !== undefined) return true;
    // Bytes that nobody asked for: whatever follows could not be told from a reply.
    const state = receiver === undefined ? 'stray' : receiver.take(buffer.subarray(0, length));
    if (state === 'stray') this.#end({ kind: 'closed' });
    else if (state === 'done') this.#done();
    else this.#expectMore(state === 'perhaps');
    return true;
  }

  #expectMore(perhapsNothing: boolean): void {
    if (this.#quiet !== undefined) clearTimeout(this.#quiet);
    this.#quiet = undefined;
    if (perhapsNothing) this.#quiet = setTimeout(() => this.#onQuiet(), QUIET_MS);
  }

  #onQuiet(): void {
    if (this.#receiver?.whole()) this.#done();
  }

  #done(): void {
    if (!this.#keep) {
      this.#end({ kind: 'done' });
      return;
    }
    clearTimeout(this.#deadline);
    const settle = this.#settle;
    this.#receiver = undefined;
    this.#settle = undefined;
    this.#fail = undefined;
    settle?.({ kind: 'done' });
  }

  #end(ending: Ending): void {
    this.#ending ??= ending;
    this.#socket.destroy();
  }

  #onError(error: NodeJS.ErrnoException): void {
    const code = error.code ?? error.message;
    if (this.#connected) this.#ending ??= { kind: 'broken', code };
    else this.#ending ??= { kind: 'none', reason: 'unreachable', detail: code };
  }

  #onClose(): void {
    this.#closed = true;
    clearTimeout(this.#deadline);
    if (this.#quiet !== undefined) clearTimeout(this.#quiet);
    if (this.#signal !== undefined) connectionsOf(this.#signal).delete(this);
    this.#whenClosed?.();
    const ending = this.#ending ?? { kind: 'closed' };
    if (this.#signal?.aborted) this.#fail?.(this.#signal.reason);
    else if (ending.kind === 'none' && OURS.has(ending.detail)) this.#fail?.(exhausted(ending.detail));
    else this.#settle?.(ending);
  }
}

const exhausted = (code: string): AgentError =>
  new AgentError({
    code: 'probe.no-socket',
    message: `this machine could not open another socket (${code})`,
    remedy: 'raise the limit of open files (LimitNOFILE= in the unit, ulimit -n) or lower probe.concurrency',
  });

const CONNECTIONS = new WeakMap<AbortSignal, Set<Connection>>();

/** The open connections that end with a signal: one listener for all, since there are as many as devices being asked. */
const connectionsOf = (signal: AbortSignal): Set<Connection> => {
  let open = CONNECTIONS.get(signal);
  if (open === undefined) {
    open = new Set();
    CONNECTIONS.set(signal, open);
    const all = open;
    signal.addEventListener('abort', () => {
      for (const connection of all) connection.abort();
    });
  }
  return open;
};
