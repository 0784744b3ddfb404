import type { Clock } from '../platform/clock.ts';
import type { Emit } from '../platform/events.ts';
import { Courier, type TargetStatus } from './courier.ts';
import type { Feed } from './feed.ts';
import type { Target } from './target.ts';
import { NOTIFY_TIMING, type NotifyTiming } from './timing.ts';

/** Who is told, and from what. */
export interface NotifierOptions {
  readonly targets: readonly Target[];
  readonly gateway: string;
  readonly feed: Feed;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly random?: () => number;
  readonly timing?: NotifyTiming;
  /** Where a target begins that is new: what is recorded of the edit that names it, it is told. Without it at the end of the log. */
  readonly from?: number;
}

/** Tells the targets of the configuration what the log says about findings, each at its own pace. */
export class Notifier {
  readonly #couriers: readonly Courier[];

  /** Throws an `AgentError` where the store cannot be read. */
  constructor({ targets, random = Math.random, timing = NOTIFY_TIMING, ...rest }: NotifierOptions) {
    for (const target of rest.feed.named(targets.map(({ name }) => name)))
      rest.emit('warn', 'notify.target-gone', {
        target,
        message: 'the configuration names it no more: it is told nothing',
        remedy: 'where nobody meant that, put it back under notify: it then is told what it missed',
      });
    this.#couriers = targets.map((target) => new Courier({ ...rest, target, random, timing }));
  }

  start(): void {
    for (const courier of this.#couriers) courier.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#couriers.map((courier) => courier.stop()));
  }

  status(): readonly TargetStatus[] {
    return this.#couriers.map((courier) => courier.status());
  }
}
