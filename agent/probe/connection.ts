import { AgentError } from '../platform/errors.ts';
import { together } from '../platform/together.ts';
import { DeviceSocket, type SocketOwner } from './device-socket.ts';
import type { Limits } from './limits.ts';
import { unwatch, type Watched, watch } from './watch.ts';

/** Where one interface of a device listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Told which IP address was connected to. */
  readonly reached?: ((address: string) => void) | undefined;
}

/** What takes the bytes of one reply. */
export interface Receiver {
  /**
   * Takes a piece of the reply; the buffer is overwritten after the call. `done`: the reply is complete. `perhaps`: it
   * looks complete, and is if nothing follows and `whole` agrees.
   */
  take(piece: Buffer): 'more' | 'perhaps' | 'done';
  whole(): boolean;
}

/** How an exchange ended. `none`: no connection came about. */
export type Ending =
  | { readonly kind: 'done' | 'closed' | 'deadline' | 'too-large' }
  | { readonly kind: 'broken'; readonly code: string }
  | { readonly kind: 'none'; readonly reason: 'unreachable' | 'timeout'; readonly detail: string };

/** A device that never closes is believed to have finished when it has been quiet for this long after a complete reply. */
const QUIET_MS = 150;

const NEVER = Number.POSITIVE_INFINITY;

/** Faults of this machine, which must not be taken for faults of a device. */
const OURS: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/**
 * One TCP connection to a device, for one exchange or, kept alive, for several in turn. `ask` settles a CGMiner
 * connection only when the socket is closed, so that a device never sees two of ours.
 */
export class Connection implements Watched, SocketOwner {
  place = 0;
  readonly signal: AbortSignal | undefined;
  readonly #socket: DeviceSocket;
  readonly #reached: Endpoint['reached'];
  #connected = false;
  #closed = false;
  #exchangeMs = 0;
  #bytesLeft = 0;
  #request = '';
  /** What is to be sent as soon as the connection stands, behind the request. */
  #early: readonly Uint8Array[] | undefined;
  #receiver: Receiver | undefined;
  #settle: ((ending: Ending) => void) | undefined;
  #fail: ((error: unknown) => void) | undefined;
  #keep = false;
  #ending: Ending | undefined;
  #strayed = false;
  /** When the device has taken too long, and when it has been quiet for long enough; on the clock of `performance`. */
  #deadlineMs: number;
  #quietMs = NEVER;
  #whenClosed: (() => void) | undefined;

  /** Starts to connect. The request of the first `ask` is written in one piece as soon as the connection stands. */
  constructor(endpoint: Endpoint, limits: Limits, signal?: AbortSignal) {
    signal?.throwIfAborted();
    this.signal = signal;
    this.#deadlineMs = performance.now() + limits.connectMs;
    this.#reached = endpoint.reached;
    this.#socket = new DeviceSocket(endpoint, this);
    watch(this);
  }

  /** Whether the device has closed, or nothing more can be asked for another reason. */
  get over(): boolean {
    return this.#closed || this.#ending !== undefined;
  }

  /** Whether bytes came that nobody had asked for. */
  get strayed(): boolean {
    return this.#strayed;
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
      if (this.#closed) this.closed();
      else if (this.#connected) this.#write();
    });
  }

  /** Writes more within the exchange under way, where the two sides talk in turn. Nothing is written once it is over. */
  send(bytes: Uint8Array): void {
    if (this.over) return;
    if (this.#connected) this.#socket.write(bytes);
    else this.#early = [...(this.#early ?? []), bytes];
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

  check(nowMs: number): void {
    if (nowMs >= this.#deadlineMs) {
      this.#end(this.#connected ? { kind: 'deadline' } : { kind: 'none', reason: 'timeout', detail: 'no connection' });
    } else if (nowMs >= this.#quietMs) {
      this.#quietMs = NEVER;
      if (this.#receiver?.whole()) this.#done();
    }
  }

  connected(): void {
    this.#connected = true;
    if (this.#reached !== undefined) this.#reached(this.#socket.remoteAddress ?? '');
    this.#deadlineMs = NEVER;
    if (this.#settle !== undefined) this.#write();
  }

  #write(): void {
    this.#deadlineMs = performance.now() + this.#exchangeMs;
    this.#socket.write(this.#request, 'latin1');
    for (const bytes of this.#early ?? []) this.#socket.write(bytes);
    this.#early = undefined;
  }

  heard(piece: Buffer): void {
    const receiver = this.#receiver;
    this.#bytesLeft -= piece.length;
    if (this.#bytesLeft < 0) this.#end({ kind: 'too-large' });
    if (this.#ending !== undefined) return;
    // Bytes that nobody asked for: whatever follows could not be told from a reply.
    const state = receiver === undefined ? 'stray' : receiver.take(piece);
    if (state === 'stray') {
      this.#strayed ||= !isLineEnds(piece);
      this.#end({ kind: 'closed' });
    } else if (state === 'done') this.#done();
    else this.#quietMs = state === 'perhaps' ? performance.now() + QUIET_MS : NEVER;
  }

  #done(): void {
    if (!this.#keep) {
      this.#end({ kind: 'done' });
      return;
    }
    this.#deadlineMs = NEVER;
    this.#quietMs = NEVER;
    const settle = this.#settle;
    this.#receiver = undefined;
    this.#settle = undefined;
    this.#fail = undefined;
    if (settle !== undefined) settling(settle);
  }

  #end(ending: Ending): void {
    this.#ending ??= ending;
    this.#socket.leave();
  }

  failed(error: NodeJS.ErrnoException): void {
    const code = error.code ?? error.message;
    if (this.#connected) this.#ending ??= { kind: 'broken', code };
    else this.#ending ??= { kind: 'none', reason: 'unreachable', detail: code };
  }

  closed(): void {
    this.#closed = true;
    unwatch(this);
    this.#whenClosed?.();
    const ending = this.#ending ?? { kind: 'closed' };
    if (this.signal?.aborted) this.#fail?.(this.signal.reason);
    else if (ending.kind === 'none' && OURS.has(ending.detail)) this.#fail?.(exhausted(ending.detail));
    else this.#settle?.(ending);
  }
}

const settling = together((settle: (ending: Ending) => void) => settle({ kind: 'done' }));

/** What careless web servers put behind a body; a reply may begin with it, too. */
const isLineEnds = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0x0a || byte === 0x0d);

const exhausted = (code: string): AgentError =>
  new AgentError({
    code: 'probe.no-socket',
    message: `this machine could not open another socket (${code})`,
    remedy: 'raise the limit of open files (LimitNOFILE= in the unit, ulimit -n) or lower probe.concurrency',
  });
