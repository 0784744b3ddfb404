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
  readonly #vain = new Map<Query['kind'], NoReply>();
  readonly #timeouts = new Map<Query['kind'], number>();
  /** Keys that the device does not look for a command under. */
  readonly #unknownKeys = new Set<CgminerQuery['key']>();
  #http: HttpSession | undefined;

  constructor(target: Target, deps: ProbeDeps) {
    this.#target = target;
    this.#deps = deps;
    this.#endsAtMs = deps.clock.monoMs() + deps.limits.deviceMs;
  }

  /** Asks one question, or says at once why that is in vain. */
  async ask(query: Query): Promise<Reply | NoReply> {
    if (query.kind === 'cgminer') return this.#cgminer(query);
    const page = await this.page(query);
    return page.kind === 'page' ? documentIn(page) : page;
  }

  /** Asks for a page as it is, whatever its status. */
  page(query: HttpQuery): Promise<Page | NoReply> {
    return this.#unlessVain('http', (endpoint) => {
      this.#http ??= new HttpSession(endpoint, this.#target.credential, {
        limits: () => this.#limits(),
        allow: this.#deps.allow,
        signal: this.#deps.signal,
      });
      return this.#http.page(query);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http?.close();
  }

  /** A question that has another key is asked by that one where the device does not know it by the first. */
  async #cgminer(query: CgminerQuery): Promise<Reply | NoReply> {
    const reply = await this.#command(query);
    const { otherwise } = query;
    if (otherwise === undefined || !isUnknown(reply) || this.#unknownKeys.has(otherwise.key)) return reply;
    const second = await this.#command(otherwise);
    if (second.kind !== 'reply' || !isUnknown(second)) return second;
    if (statusOf(second.value) === 'unknown-key') this.#unknownKeys.add(otherwise.key);
    return reply;
  }

  #command(query: CgminerQuery): Promise<Reply | NoReply> {
    return this.#unlessVain('cgminer', async (endpoint) => {
      await this.#http?.close();
      return askCgminer(endpoint, query, this.#limits(), this.#deps.allow, this.#deps.signal);
    });
  }

  async #unlessVain<T extends { readonly kind: string }>(
    kind: Query['kind'],
    send: (endpoint: Endpoint) => Promise<T | NoReply>,
  ): Promise<T | NoReply> {
    const port = this.#target.ports[kind];
    if (port === null) return noReply('unreachable', 'no port to ask');
    const vain = this.#vain.get(kind);
    if (vain !== undefined) return vain;
    if (this.#leftMs() <= 0) return noReply('timeout', 'the look took too long');
    this.#deps.signal?.throwIfAborted();
    const answer = await send({ host: this.#target.address, port });
    if (answer.kind === 'no-reply') this.#learn(kind, answer as NoReply);
    return answer;
  }

  #learn(kind: Query['kind'], answer: NoReply): void {
    if (answer.reason === 'timeout') this.#timeouts.set(kind, (this.#timeouts.get(kind) ?? 0) + 1);
    if (answer.dark || (this.#timeouts.get(kind) ?? 0) >= MOST_TIMEOUTS) {
      this.#vain.set(
        kind,
        noReply(answer.reason, `not asked again: ${answer.detail}`, answer.dark ? { dark: true } : {}),
      );
    }
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
