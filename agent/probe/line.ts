import type { CgminerQuery, HttpQuery, Query } from '../drivers/driver.ts';
import { isUnknownQuestion, statusOf } from '../drivers/status.ts';
import type { Clock } from '../platform/clock.ts';
import type { AllowList } from './allow.ts';
import type { NoReply, Reply } from './capture.ts';
import { askCgminer } from './cgminer.ts';
import type { Endpoint } from './connection.ts';
import { documentIn, HttpSession, type Page } from './http.ts';
import type { Limits } from './limits.ts';
import { noReply } from './reply.ts';
import type { Target } from './target.ts';

/** What the probe stage needs from outside. An aborted `signal` makes a look reject with its reason: it is no evidence. */
export interface ProbeDeps {
  readonly limits: Limits;
  readonly allow: AllowList;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** An interface that let two questions run into the deadline is not asked a third in the same look. */
const MOST_TIMEOUTS = 2;

/** All talk with one device during one look: never two connections, one deadline, no interface asked in vain. */
export class Line implements AsyncDisposable {
  readonly #target: Target;
  readonly #deps: ProbeDeps;
  readonly #endsAtMs: number;
  /** Why an interface need not be asked any more. */
  readonly #vain: { [Kind in Query['kind']]?: NoReply } = {};
  readonly #timeouts = { cgminer: 0, http: 0 };
  /** Keys that the device does not look for a command under. */
  #unknownKeys: readonly CgminerQuery['key'][] = [];
  #http: HttpSession | undefined;

  constructor(target: Target, deps: ProbeDeps) {
    this.#target = target;
    this.#deps = deps;
    this.#endsAtMs = deps.clock.monoMs() + deps.limits.deviceMs;
  }

  /** Asks one question, or says at once why that is in vain. */
  ask(query: Query): Promise<Reply | NoReply> {
    if (query.kind === 'http') return this.#document(query);
    return query.otherwise === undefined ? this.#command(query) : this.#byEitherKey(query, query.otherwise);
  }

  async #document(query: HttpQuery): Promise<Reply | NoReply> {
    const page = await this.page(query);
    return page.kind === 'page' ? documentIn(page) : page;
  }

  /** Asks for a page as it is, whatever its status. */
  async page(query: HttpQuery): Promise<Page | NoReply> {
    const endpoint = this.#endpoint('http');
    if ('reason' in endpoint) return endpoint;
    this.#http ??= new HttpSession(endpoint, this.#target.credential, {
      limits: () => this.#limits(),
      allow: this.#deps.allow,
      signal: this.#deps.signal,
    });
    const page = await this.#http.page(query);
    if (page.kind === 'no-reply') this.#learn('http', page);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http?.close();
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
    const endpoint = this.#endpoint('cgminer');
    if ('reason' in endpoint) return endpoint;
    if (this.#http !== undefined) await this.#http.close();
    const { allow, signal } = this.#deps;
    const reply = await askCgminer(endpoint, query, this.#limits(), allow, signal);
    if (reply.kind === 'no-reply') this.#learn('cgminer', reply);
    return reply;
  }

  /** Where to ask, or why that would be in vain. */
  #endpoint(kind: Query['kind']): Endpoint | NoReply {
    const port = this.#target.ports[kind];
    if (port === null) return noReply('unreachable', 'no port to ask');
    const vain = this.#vain[kind];
    if (vain !== undefined) return vain;
    if (this.#leftMs() <= 0) return noReply('timeout', 'the look took too long');
    this.#deps.signal?.throwIfAborted();
    return { host: this.#target.address, port };
  }

  #learn(kind: Query['kind'], { reason, dark, detail }: NoReply): void {
    if (reason === 'timeout') this.#timeouts[kind] += 1;
    if (!dark && this.#timeouts[kind] < MOST_TIMEOUTS) return;
    this.#vain[kind] = noReply(reason, `not asked again: ${detail}`, dark ? { dark } : {});
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
