import { setImmediate as turn } from 'node:timers/promises';
import type { Notification } from '../../shared/notification.ts';
import type { Clock } from '../platform/clock.ts';
import { AgentError } from '../platform/errors.ts';
import type { Emit } from '../platform/events.ts';
import { type Sender, skippedBody, transitionBody } from './body.ts';
import { isEnd, isFor, withSkipped } from './choice.ts';
import { deliver } from './deliver.ts';
import type { Feed, Place, Told, Transition } from './feed.ts';
import type { Outcome } from './outcome.ts';
import { describeTarget, type Target } from './target.ts';
import type { NotifyTiming } from './timing.ts';

/** Whom a courier tells, and from what. */
export interface CourierOptions {
  readonly target: Target;
  readonly gateway: string;
  readonly feed: Feed;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly random: () => number;
  readonly timing: NotifyTiming;
  /** Where a new target begins; without it at the end of the log. */
  readonly from?: number;
}

/** What `assayer status` shows of a target. Instants are Unix milliseconds. */
export interface TargetStatus {
  readonly target: string;
  readonly to: string;
  /** `failing`: what it was to be told last could not be told, and is tried again. */
  readonly state: 'waiting' | 'telling' | 'failing';
  readonly deliveredAtMs?: number;
  /** Since when nothing could be told, why, and what to do. */
  readonly failure?: { readonly sinceMs: number; readonly message: string; readonly remedy: string };
}

/** Entries that are looked at in one go. */
const PAGE = 500;
/** So many entries that are no concern of a target are looked at again after a crash. */
const LEAD = 2000;

/**
 * Tells one target what the log says about findings: one thing after the other, each until it succeeds. Its place in the log
 * is durable before it goes on, so that after a crash at most the last thing is told again. It reads the log and changes
 * nothing in it; nobody waits for it.
 */
export class Courier {
  readonly #options: CourierOptions;
  readonly #sender: Sender;
  readonly #leaving = new AbortController();
  readonly #breaking = new AbortController();
  #place: Place;
  #savedNext: number;
  #running: Promise<void> | undefined;
  #wake: () => void = () => {};
  #news = true;
  #telling = false;
  #failures = 0;
  #failure: TargetStatus['failure'];
  #alarmed = false;
  #deliveredAtMs: number | undefined;
  #unsubscribe: () => void = () => {};

  /** Throws an `AgentError` where the store cannot be read. */
  constructor(options: CourierOptions) {
    const { feed, target, gateway, emit, from = feed.size() } = options;
    this.#options = options;
    this.#sender = { target: target.name, gateway, log: feed.log };
    const known = feed.place(target.name);
    // What happened before anybody wanted to know is no news.
    this.#place = known ?? { next: from };
    this.#savedNext = this.#place.next;
    if (known !== undefined) return;
    this.#keep(this.#place);
    emit('info', 'notify.target-new', { target: target.name, to: describeTarget(target), from: this.#place.next });
  }

  start(): void {
    this.#unsubscribe = this.#options.feed.onAppend(() => {
      this.#news = true;
      this.#wake();
    });
    this.#running = this.#run();
  }

  /** Waits for what is under way, for a while; what it then breaks off is told again after the next start. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#leaving.abort();
    this.#wake();
    const late = setTimeout(() => this.#breaking.abort(), this.#options.timing.stopMs);
    await this.#running;
    clearTimeout(late);
    if (this.#place.next !== this.#savedNext) this.#keep(this.#place);
  }

  status(): TargetStatus {
    const { target } = this.#options;
    return {
      target: target.name,
      to: describeTarget(target),
      state: this.#failure !== undefined ? 'failing' : this.#telling ? 'telling' : 'waiting',
      ...(this.#deliveredAtMs === undefined ? {} : { deliveredAtMs: this.#deliveredAtMs }),
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    };
  }

  async #run(): Promise<void> {
    while (!this.#leaving.signal.aborted) {
      const waitMs = await this.#step();
      if (waitMs !== 'more') await this.#rest(waitMs);
    }
  }

  /** After a failure for `ms`, whatever comes; else until something comes, and a little longer for what comes with it. */
  async #rest(ms: number | undefined): Promise<void> {
    const { gatherMs } = this.#options.timing;
    const { promise, resolve } = Promise.withResolvers<void>();
    let timer = ms === undefined ? undefined : setTimeout(resolve, ms);
    this.#wake = () => {
      if (this.#leaving.signal.aborted) resolve();
      else if (ms === undefined) timer ??= setTimeout(resolve, gatherMs);
    };
    if (this.#news || this.#leaving.signal.aborted) this.#wake();
    await promise;
    clearTimeout(timer);
  }

  /** Tells the next thing. `more`: perhaps there is another one; a number: to be tried again after so long, ms. */
  async #step(): Promise<'more' | number | undefined> {
    try {
      this.#news = false;
      const due = await this.#due();
      if (due === undefined) return undefined;
      const { notification, after, told } = due;
      this.#telling = true;
      const outcome = await deliver(this.#options.target, notification, {
        nowMs: this.#options.clock.wallMs(),
        signal: this.#breaking.signal,
      });
      this.#telling = false;
      return this.#settle(outcome, notification, { after, told });
    } catch (error) {
      this.#telling = false;
      if (!(error instanceof AgentError)) throw error;
      return this.#failed({ message: error.message, remedy: error.remedy });
    }
  }

  /** What is to be told now: first that something was passed over, then the oldest that was not; undefined for nothing. */
  async #due(): Promise<{ notification: Notification; after: Place; told: Told } | undefined> {
    const before = this.#place.skipped?.count ?? 0;
    const transition = await this.#pass();
    const { skipped, next } = this.#place;
    if (skipped !== undefined && skipped.count > before) this.#saySkipped(skipped.count);
    if (skipped !== undefined)
      return { notification: skippedBody(skipped, { next, sender: this.#sender }), after: { next }, told: {} };
    if (transition === undefined) return undefined;
    const { finding, seq } = transition;
    return {
      notification: transitionBody(transition, this.#sender),
      after: { next: seq + 1 },
      told: { [isEnd(finding) ? 'ended' : 'begun']: [finding.opened_seq] },
    };
  }

  /** Passes over what is no concern of the target and what waited too long; gives the first that is to be told. */
  async #pass(): Promise<Transition | undefined> {
    const { feed } = this.#options;
    while (this.#place.next < feed.size() && !this.#leaving.signal.aborted) {
      const below = Math.min(feed.size(), this.#place.next + PAGE);
      const { found, skipped, ended } = this.#look(below);
      const isNews = skipped !== this.#place.skipped || ended.length > 0;
      this.#place = { next: found?.seq ?? below, ...(skipped === undefined ? {} : { skipped }) };
      // Once for a page: each time costs the disk.
      if (isNews || this.#place.next - this.#savedNext >= LEAD) this.#keep(this.#place, { ended });
      if (found !== undefined) return found;
      // A long log is read in pieces: the event loop goes on.
      await turn();
    }
    return undefined;
  }

  /** What there is up to `below`: the first to be told, what was passed over before it, and findings whose end is not told. */
  #look(below: number): { found?: Transition; skipped: Place['skipped']; ended: readonly number[] } {
    const { feed, target, clock } = this.#options;
    const oldest = Math.floor(clock.wallMs() / 1000) - target.max_age_s;
    const ended = new Set<number>();
    let { skipped } = this.#place;
    for (const transition of feed.transitions(this.#place.next, below)) {
      const { finding, iat } = transition;
      const known = !ended.has(finding.opened_seq) && feed.knows(target.name, finding.opened_seq);
      const isWanted = isFor(target, finding, known);
      if (isWanted && iat >= oldest) return { found: transition, skipped, ended: [...ended] };
      if (isWanted) skipped = withSkipped(skipped, transition, known);
      if (known && isEnd(finding)) ended.add(finding.opened_seq);
    }
    return { skipped, ended: [...ended] };
  }

  #saySkipped(count: number): void {
    const { target, emit } = this.#options;
    emit('warn', 'notify.skipped', {
      target: target.name,
      count,
      message: `waited longer than ${target.max_age_s} s: counted in one delivery`,
    });
  }

  #settle(
    outcome: Outcome,
    { type, data: { delivery } }: Notification,
    { after, told }: { readonly after: Place; readonly told: Told },
  ): 'more' | number | undefined {
    const { target, emit, clock } = this.#options;
    if (outcome.kind === 'stopped') return undefined;
    if (outcome.kind === 'failed') return this.#failed(outcome);
    emit('debug', 'notify.delivered', { target: target.name, type, delivery, detail: outcome.detail });
    this.#deliveredAtMs = clock.wallMs();
    this.#recovered();
    this.#place = after;
    this.#keep(after, told);
    return 'more';
  }

  #recovered(): void {
    const { target, emit, clock } = this.#options;
    if (this.#failure !== undefined)
      emit('info', 'notify.goes-on', {
        target: target.name,
        after_s: Math.round((clock.wallMs() - this.#failure.sinceMs) / 1000),
      });
    this.#failure = undefined;
    this.#failures = 0;
    this.#alarmed = false;
  }

  /** Once is enough for a warning, and once more for a person, when it lasts: in between it is the same again. */
  #failed({ message, remedy, afterMs = 0 }: { message: string; remedy: string; afterMs?: number }): number {
    const { target, emit, clock, random, timing } = this.#options;
    const backoffMs = Math.min(timing.backoffCapMs, timing.backoffBaseMs * 2 ** this.#failures);
    const isNews = this.#failure?.message !== message;
    const lasts = backoffMs === timing.backoffCapMs && !this.#alarmed;
    this.#failures += 1;
    this.#failure = { sinceMs: this.#failure?.sinceMs ?? clock.wallMs(), message, remedy };
    if (lasts) this.#alarmed = true;
    const waitMs = Math.min(timing.backoffCapMs, Math.max(backoffMs * (0.8 + 0.2 * random()), afterMs));
    emit(lasts ? 'error' : isNews ? 'warn' : 'debug', 'notify.failed', {
      target: target.name,
      to: describeTarget(target),
      message,
      remedy,
      again_in_s: Math.ceil(waitMs / 1000),
    });
    return waitMs;
  }

  /** A store that takes no writes now only means that more is told again after a crash; the log reports the failure. */
  #keep(place: Place, told: Told = {}): void {
    try {
      this.#options.feed.keep(this.#options.target.name, place, told);
      this.#savedNext = place.next;
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
    }
  }
}
