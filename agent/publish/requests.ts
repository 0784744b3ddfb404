import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, ARGS, type Data, type Refusal, requestSchema } from '../../shared/collector/messages.ts';
import { parseUnsigned } from '../../shared/unsigned.ts';
import type { Clock } from '../platform/clock.ts';
import { AgentError } from '../platform/errors.ts';
import type { Emit } from '../platform/events.ts';
import { Seldom } from '../platform/seldom.ts';
import { Allowance } from './allowance.ts';
import { answerMessage } from './messages.ts';
import type { Connection, Delivered } from './mqtt.ts';
import type { Outbox } from './outbox.ts';
import type { Timing } from './timing.ts';
import type { Topics } from './topics.ts';

/** Which of the devices that somebody wants looked at are looked at now; the others are not known here. */
export type Observe = (devices: readonly string[]) => {
  readonly asked: readonly string[];
  readonly unknown: readonly string[];
};

/** Over what requests are answered, and from what. */
export interface RequestsOptions {
  readonly connection: Pick<Connection, 'publish'>;
  readonly topics: Topics;
  /** Origin of the log. */
  readonly log: string;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly timing: Timing;
  /** What the gateway says about itself. */
  readonly report: () => Data<'status'>;
  readonly observe: Observe;
  /** Signs a checkpoint and publishes it; its size. Undefined where none may be published now. */
  readonly publishCheckpoint: () => Promise<number | undefined>;
}

type Op = keyof Timing['requestMs'];

type Outcome = { readonly data: Data } | { readonly code: Refusal };

const MOST_PAGE_BYTES = 60_000;
const READ_AT_ONCE = 32;
const MOST_IDS = 64;
/** Requests of all kinds that are read; more are dropped. */
const MOST_PER_SECOND = 100;

/**
 * Requests of collectors and auditors (mqtt.md §8). All of them only read: what is in the log, how the gateway is, or a
 * miner a little earlier than planned. Answers go to the topic of the requester, wherever it says they should go.
 */
export class Requests {
  readonly #options: RequestsOptions;
  readonly #doneMs = new Map<Op, number>();
  readonly #ids: string[] = [];
  readonly #allowance: Allowance;
  readonly #seldom: Seldom;
  #resyncing = false;
  #tiling = false;
  #stopped = false;

  constructor(options: RequestsOptions) {
    this.#options = options;
    this.#seldom = new Seldom(options.clock);
    this.#allowance = new Allowance(MOST_PER_SECOND, options.clock.monoMs());
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Takes what came on `cmd/<col>`. What was kept, expired, came before or cannot be read is dropped. */
  async take(collector: string, message: Delivered): Promise<void> {
    const { clock, emit, topics } = this.#options;
    if (message.retained || this.#stopped || this.#allowance.take(clock.monoMs()) > 0) return;
    const request = requestSchema.safeParse(parseUnsigned(message.payload)).data;
    if (request === undefined) return;
    const { id, op, args } = request;
    if (request.expires_at * 1000 < clock.wallMs()) {
      // A clock that is wrong on either side looks like this.
      emit('debug', 'uplink.request', { collector, op: op.slice(0, 64), outcome: 'expired' });
      return;
    }
    if (this.#isKnown(`${collector} ${id}`)) return;
    const answering: Answering = { collector, id, correlation: message.correlation };
    const isAimed = message.responseTopic !== undefined && message.responseTopic !== topics.rsp(collector);
    const outcome = isAimed ? refuse('E_REPLY_TOPIC') : await this.#carryOut(op, args, answering);
    const told = 'code' in outcome ? outcome.code : 'ok';
    this.#tell({ collector, op: op.slice(0, 64), outcome: told });
    // The pages of its own are the answer.
    if ('data' in outcome && op === 'resync') return;
    await this.#answer(answering, 'code' in outcome ? { id, ok: false, ...outcome } : page(id, 1, true, outcome.data));
  }

  /** What was asked is a line for developers; once a minute, for each outcome, it is one for all, with how many came since. */
  #tell(request: { readonly collector: string; readonly op: string; readonly outcome: Refusal | 'ok' }): void {
    const { emit } = this.#options;
    const untold = request.outcome === 'E_BUSY' ? undefined : this.#seldom.take(request.outcome);
    if (untold === undefined) emit('debug', 'uplink.request', request);
    else emit('info', 'uplink.request', { ...request, ...(untold === 0 ? {} : { untold }) });
  }

  #isKnown(id: string): boolean {
    if (this.#ids.includes(id)) return true;
    this.#ids.push(id);
    if (this.#ids.length > MOST_IDS) this.#ids.shift();
    return false;
  }

  async #carryOut(op: string, args: unknown, answering: Answering): Promise<Outcome> {
    try {
      switch (op) {
        case 'resync':
          return await this.#resync(args, answering);
        case 'tiles':
          return await this.#tiles(args);
        case 'status':
          return this.#isEarly('status') ? refuse('E_BUSY') : { data: this.#options.report() };
        case 'observe':
          return this.#observe(args);
        case 'checkpoint':
          return await this.#checkpoint();
        default:
          return refuse('E_OP');
      }
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      return refuse('E_STORE');
    }
  }

  async #checkpoint(): Promise<Outcome> {
    const size = this.#isEarly('checkpoint') ? undefined : await this.#options.publishCheckpoint();
    return size === undefined ? refuse('E_BUSY') : { data: { size } };
  }

  /** True while the last one of its kind is too recent; else this one counts. */
  #isEarly(op: Op): boolean {
    const { clock, timing } = this.#options;
    const nowMs = clock.monoMs();
    if (nowMs - (this.#doneMs.get(op) ?? Number.NEGATIVE_INFINITY) < timing.requestMs[op]) return true;
    this.#doneMs.set(op, nowMs);
    return false;
  }

  #observe(args: unknown): Outcome {
    const { data } = ARGS.observe.safeParse(args);
    if (data === undefined) return refuse('E_ARGS');
    return this.#isEarly('observe') ? refuse('E_BUSY') : { data: this.#options.observe(data.devices) };
  }

  /** What joins the tree over the entries that somebody has to the one at a later size, where entries between were pruned. */
  async #tiles(args: unknown): Promise<Outcome> {
    const { outbox, log } = this.#options;
    const { data: range } = ARGS.tiles.safeParse(args);
    if (range === undefined || range.from >= range.to || range.to > outbox.size()) return refuse('E_ARGS');
    if (this.#tiling || this.#isEarly('tiles')) return refuse('E_BUSY');
    this.#tiling = true;
    try {
      const roots = await outbox.tiles(range.from, range.to);
      return { data: { log, ...range, hashes: roots.map((root) => Buffer.from(root).toString('base64url')) } };
    } finally {
      this.#tiling = false;
    }
  }

  /** Entries verbatim, page by page, to this requester only. */
  async #resync(args: unknown, answering: Answering): Promise<Outcome> {
    const { outbox, timing } = this.#options;
    const { data: range } = ARGS.resync.safeParse(args);
    if (range === undefined || range.from >= Math.min(range.to, outbox.size())) return refuse('E_ARGS');
    if (this.#resyncing) return refuse('E_BUSY');
    this.#resyncing = true;
    try {
      const to = Math.min(range.to, outbox.size());
      let from = range.from;
      for (let number = 1; ; number += 1) {
        const { entries, next } = this.#page(from, to);
        const sent = await this.#answer(answering, page(answering.id, number, next >= to, { entries }));
        if (sent === 'oversize') return refuse('E_SIZE');
        if (next >= to || sent !== 'acknowledged') return { data: { entries: [] } };
        from = next;
        await delay(timing.pageMs);
        if (this.#stopped) return { data: { entries: [] } };
      }
    } finally {
      this.#resyncing = false;
    }
  }

  /** As many entries as fit, at least one; those that retention removed are passed over. */
  #page(from: number, to: number): { readonly entries: readonly string[]; readonly next: number } {
    const entries: string[] = [];
    let bytes = 0;
    let next = from;
    while (next < to) {
      const read = this.#options.outbox.entriesFrom(next, READ_AT_ONCE).filter(({ seq }) => seq < to);
      for (const { seq, message } of read) {
        const text = Buffer.from(message).toString('utf8');
        bytes += Buffer.byteLength(JSON.stringify(text)) + 1;
        if (entries.length > 0 && bytes > MOST_PAGE_BYTES) return { entries, next: seq };
        entries.push(text);
        next = seq + 1;
      }
      if (read.length < READ_AT_ONCE) return { entries, next: to };
    }
    return { entries, next };
  }

  async #answer({ collector, correlation }: Answering, answer: Answer): Promise<string> {
    const { connection, topics } = this.#options;
    const payload = Buffer.from(JSON.stringify(answer));
    const { kind } = await connection.publish(topics.rsp(collector), payload, answerMessage(correlation));
    return kind;
  }
}

/** Whom an answer goes to. */
interface Answering {
  readonly collector: string;
  readonly id: string;
  readonly correlation: Uint8Array | undefined;
}

const refuse = (code: Refusal): Outcome => ({ code });

const page = (id: string, number: number, last: boolean, data: Data): Answer => ({
  id,
  page: number,
  last,
  ok: true,
  data,
});
