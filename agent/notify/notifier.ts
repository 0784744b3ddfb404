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
}

/** Tells the targets of the configuration what the log says about findings, each at its own pace. */
export class Notifier {
  readonly #couriers: readonly Courier[];

  /** Throws an `AgentError` where the store cannot be read. */
  constructor({ targets, random = Math.random, timing = NOTIFY_TIMING, ...rest }: NotifierOptions) {
    rest.feed.keepOnly(targets.map(({ name }) => name));
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
