import { isIPv4 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FirmwareComponent } from '../../shared/facts.ts';
import type {
  CgminerQuery,
  FramedQuery,
  GrpcQuery,
  HandshakePort,
  HttpQuery,
  PortName,
  Query,
} from '../drivers/driver.ts';
import { isUnknownQuestion, statusOf } from '../drivers/status.ts';
import type { Clock } from '../platform/clock.ts';
import type { AllowList } from './allow.ts';
import { type NoReply, OPEN, type Reply, SILENT } from './capture.ts';
import { askCgminer } from './cgminer.ts';
import type { Endpoint } from './connection.ts';
import { documentIn, type Page } from './exchange.ts';
import { askFramed } from './framed.ts';
import { askGrpc } from './grpc.ts';
import { HttpSession } from './http.ts';
import type { Limits } from './limits.ts';
import type { Logins } from './logins.ts';
import { reach } from './reach.ts';
import { noReply } from './reply.ts';
import type { Surplus } from './surplus.ts';
import type { Interface, Target } from './target.ts';

/** What the probe stage needs from outside. An aborted `signal` makes a look reject with its reason: it is no evidence. */
export interface ProbeDeps {
  readonly limits: Limits;
  readonly allow: AllowList;
  readonly clock: Clock;
  readonly logins: Logins;
  /** Interfaces that answer more than they are asked, across looks. */
  readonly surplus?: Surplus | undefined;
  /** Told where a device closed its door after a log-in of its maker was tried. */
  readonly lockedOut?: ((where: { readonly address: string; readonly said: string }) => void) | undefined;
  /** Ports that are tried beside the usual ones where open ports are looked for. */
  readonly managementPorts?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Waits; tests pass one that does not. Rejects when the signal is aborted. */
  readonly wait?: ((ms: number, signal: AbortSignal | undefined) => Promise<void>) | undefined;
}

/** Waits as `deps` has it: by default so long as the clock on the wall says. */
export const waitFor = async (ms: number, { wait, signal }: Pick<ProbeDeps, 'wait' | 'signal'>): Promise<void> => {
  if (ms <= 0) return;
  if (wait !== undefined) return wait(ms, signal);
  signal?.throwIfAborted();
  await delay(ms, undefined, { signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
};

/** The interface that a question goes to. */
export const interfaceOf = ({ kind, port }: Pick<Query, 'kind' | 'port'>): Interface => `${kind} ${port}`;

/** What a handshake shows of a device; nothing where none came about. */
export type Handshake = (
  endpoint: Endpoint,
  deps: Pick<ProbeDeps, 'limits' | 'signal'>,
) => Promise<readonly FirmwareComponent[]>;

/** SSH, telnet, web, CGMiner API, WhatsMiner API 3, FluxOS, a known remote control, gRPC. */
const MANAGEMENT_PORTS: readonly number[] = [22, 23, 80, 443, 4028, 4433, 8080, 8889, 50_051];

/** A port of a neighbour answers at once; a first packet that got lost is sent again after a second, ms. */
const MOST_OF_CONNECT_MS = 1500;

/** What a port does about a connection: a firewall leaves it without an answer, and so does a packet that got lost. */
export type PortAnswer = typeof OPEN | typeof SILENT | 'refused';

/** More than any handshake needs, bytes. */
const MOST_OF_HANDSHAKE = 65_536;

/** An interface that let two questions run into the deadline is not asked a third in the same look. */
const MOST_TIMEOUTS = 2;

/** What is known of an interface that did not answer: how often it took too long, and why it need not be asked any more. */
interface Silence {
  readonly timeouts: number;
  readonly vain: NoReply | undefined;
}

/** All talk with one device during one look: never two connections, one deadline, no interface asked in vain. */
export class Line implements AsyncDisposable {
  readonly #target: Target;
  readonly #deps: ProbeDeps;
  readonly #endsAtMs: number;
  /** Interfaces that did not answer; most looks know none. */
  #silent: Map<Interface, Silence> | undefined;
  /** Keys that the device does not look for a command under. */
  #unknownKeys: readonly CgminerQuery['key'][] = [];
  readonly #pauseMs: number;
  /** Whether a connection to the CGMiner API was made in this look. */
  #wasConnected = false;
  /** Sessions by port; at most one holds a connection. Many looks need none. */
  #web: Map<PortName, HttpSession> | undefined;
  #reached = '';
  /** An IPv4 address is spelled in one way: what it leads to need not be asked. */
  readonly #noteReached: Endpoint['reached'];

  constructor(target: Target, deps: ProbeDeps, { pauseMs = 0 }: { readonly pauseMs?: number | undefined } = {}) {
    this.#pauseMs = pauseMs;
    this.#target = target;
    this.#deps = deps;
    this.#noteReached = isIPv4(target.address) ? undefined : (address) => this.#reach(address);
    this.#endsAtMs = deps.clock.monoMs() + deps.limits.deviceMs;
  }

  /** Asks one question, or says at once why that is in vain. */
  ask(query: Query): Promise<Reply | NoReply> {
    if (query.kind === 'http') return this.#document(query);
    if (query.kind === 'framed') return this.#framed(query);
    if (query.kind === 'grpc') return this.#call(query);
    return query.otherwise === undefined ? this.#command(query) : this.#byEitherKey(query, query.otherwise);
  }

  async #document(query: HttpQuery): Promise<Reply | NoReply> {
    const page = await this.page(query);
    return page.kind === 'page' ? documentIn(page, query) : page;
  }

  /** Asks for a page as it is, whatever its status. */
  async page(query: HttpQuery): Promise<Page | NoReply> {
    const endpoint = this.#endpoint(query);
    if ('reason' in endpoint) return endpoint;
    if (this.#web !== undefined) await this.#hangUp(query.port);
    const session = this.#sessionAt(query.port, endpoint);
    const page = await session.page(query);
    if (page.kind === 'no-reply' && page.waits !== true) this.#learn(query, page);
    return page;
  }

  /** Makes a handshake at one of the ports where nothing is asked; without such a port it shows nothing. */
  async handshake(name: HandshakePort, make: Handshake): Promise<readonly FirmwareComponent[]> {
    const port = this.#target.ports[name] ?? null;
    if (port === null || this.#leftMs() <= 0) return [];
    this.#deps.signal?.throwIfAborted();
    await this.#hangUp();
    const limits = { ...this.#limits(), maxReplyBytes: MOST_OF_HANDSHAKE };
    return make({ host: this.#target.address, port }, { limits, signal: this.#deps.signal });
  }

  /** The ports at which devices are managed, and those that the operator names. */
  managementPorts(): readonly number[] {
    const own = Object.values(this.#target.ports).filter((port) => port !== null && port !== undefined);
    return [...new Set([...MANAGEMENT_PORTS, ...own, ...(this.#deps.managementPorts ?? [])])].sort((a, b) => a - b);
  }

  /** What a port does about a connection, over which nothing is sent; undefined where no time is left to find out. */
  async knock(port: number): Promise<PortAnswer | undefined> {
    const leftMs = Math.min(this.#leftMs(), MOST_OF_CONNECT_MS, this.#deps.limits.connectMs);
    if (leftMs <= 0) return undefined;
    this.#deps.signal?.throwIfAborted();
    await this.#hangUp();
    const said = await reach({ host: this.#target.address, port }, leftMs);
    if (said === OPEN) return OPEN;
    return said === 'ECONNREFUSED' ? 'refused' : SILENT;
  }

  #sessionAt(port: PortName, endpoint: Endpoint): HttpSession {
    this.#web ??= new Map();
    const open = this.#web.get(port);
    if (open !== undefined) return open;
    const { allow, logins, signal, surplus } = this.#deps;
    const tls = port === 'https' ? { key: this.#target.tlsKey } : undefined;
    const deps = { limits: () => this.#limits(), allow, logins, signal, surplus, tls };
    const session = new HttpSession(endpoint, this.#target.credential, deps);
    this.#web.set(port, session);
    return session;
  }

  /** Before another interface is asked: a device never sees two connections of ours. */
  async #hangUp(but?: PortName): Promise<void> {
    for (const [port, session] of this.#web ?? []) if (port !== but) await session.close();
  }

  /** The IP address that was connected to last, where the target is a name, or is spelled otherwise. */
  get reached(): string | undefined {
    return this.#reached === '' || this.#reached === this.#target.address ? undefined : this.#reached;
  }

  /** A connection that the device closed at once tells no address. An IPv4 address that is written as one of IPv6 is the same one. */
  #reach(address: string): void {
    if (address !== '') this.#reached = address.replace(/^::ffff:(?=[\d.]+$)/i, '');
  }

  /** Whether there may be something to close. */
  get isOpen(): boolean {
    return this.#web !== undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#hangUp();
  }

  async #framed(query: FramedQuery): Promise<Reply | NoReply> {
    const endpoint = this.#endpoint(query);
    if ('reason' in endpoint) return endpoint;
    await this.#hangUp();
    const { allow, signal } = this.#deps;
    const reply = await askFramed(endpoint, query, this.#limits(), allow, signal);
    if (reply.kind === 'no-reply') this.#learn(query, reply);
    return reply;
  }

  async #call(query: GrpcQuery): Promise<Reply | NoReply> {
    const endpoint = this.#endpoint(query);
    if ('reason' in endpoint) return endpoint;
    await this.#hangUp();
    const { allow, logins, signal } = this.#deps;
    const deps = { limits: () => this.#limits(), allow, logins, signal };
    const reply = await askGrpc(endpoint, query, this.#target.credential, deps);
    if (reply.kind === 'no-reply' && reply.waits !== true) this.#learn(query, reply);
    return reply;
  }

  /** A device that does not know a question by the first key is asked by the second. */
  async #byEitherKey(query: CgminerQuery, otherwise: CgminerQuery): Promise<Reply | NoReply> {
    const reply = await this.#command(query);
    if (!isUnknown(reply) || this.#unknownKeys.includes(otherwise.key)) return reply;
    const second = await this.#command(otherwise);
    if (second.kind !== 'reply' || !isUnknown(second)) return second;
    if (statusOf(second.value) === 'unknown-key') this.#unknownKeys = [...this.#unknownKeys, otherwise.key];
    return reply;
  }

  async #command(query: CgminerQuery): Promise<Reply | NoReply> {
    const endpoint = this.#endpoint(query);
    if ('reason' in endpoint) return endpoint;
    if (this.#web !== undefined) await this.#hangUp();
    if (this.#wasConnected && this.#pauseMs > 0) await this.#pause();
    this.#wasConnected = true;
    const { allow, signal } = this.#deps;
    const reply = await askCgminer(endpoint, query, this.#limits(), allow, signal);
    if (reply.kind === 'no-reply') this.#learn(query, reply);
    return reply;
  }

  /** Leaves the device alone for as long as its family wants, within what is left of the look. */
  #pause(): Promise<void> {
    return waitFor(Math.min(this.#pauseMs, this.#leftMs()), this.#deps);
  }

  /** Where to ask, or why that would be in vain. */
  #endpoint(query: Query): Endpoint | NoReply {
    const port = this.#target.ports[query.port] ?? null;
    if (port === null) return noReply('unreachable', 'no port to ask');
    const vain = this.#silent?.get(interfaceOf(query))?.vain;
    if (vain !== undefined) return vain;
    if (this.#leftMs() <= 0) return noReply('timeout', 'the look took too long', { unasked: true });
    this.#deps.signal?.throwIfAborted();
    return { host: this.#target.address, port, reached: this.#noteReached };
  }

  #learn(query: Query, { reason, dark, detail }: NoReply): void {
    const name = interfaceOf(query);
    this.#silent ??= new Map();
    const timeouts = (this.#silent.get(name)?.timeouts ?? 0) + (reason === 'timeout' ? 1 : 0);
    const isVain = dark === true || timeouts >= MOST_TIMEOUTS;
    const vain = isVain ? noReply(reason, `not asked again: ${detail}`, dark ? { dark } : {}) : undefined;
    this.#silent.set(name, { timeouts, vain });
  }

  #leftMs(): number {
    return this.#endsAtMs - this.#deps.clock.monoMs();
  }

  /** The limits of one exchange, within what is left of the look. */
  #limits(): Limits {
    const { limits } = this.#deps;
    const leftMs = Math.max(1, this.#leftMs());
    if (leftMs >= limits.exchangeMs && leftMs >= limits.connectMs) return limits;
    return {
      ...limits,
      connectMs: Math.min(limits.connectMs, leftMs),
      exchangeMs: Math.min(limits.exchangeMs, leftMs),
    };
  }
}

const isUnknown = (reply: Reply | NoReply): boolean => reply.kind === 'reply' && isUnknownQuestion(reply.value);
