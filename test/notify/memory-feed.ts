import type { Feed, Place, StatedFinding, Told, Transition } from '../../agent/notify/feed.ts';
import { AgentError } from '../../agent/platform/errors.ts';

/** A transition of a finding; every member that a test does not name is as dull as can be. */
export const stated = (changes: Partial<StatedFinding> = {}): StatedFinding => ({
  id: 'pool.user-changed',
  opened_seq: 0,
  state: 'open',
  severity: 'high',
  severity_base: 'high',
  basis: 'self-reported',
  rule_version: 1,
  device: 'rig-1',
  first_observed_at: 1,
  confirmed_at: 2,
  evidence: [],
  surfaces: [],
  ...changes,
});

/** A log in memory that outlives who reads it, as the store does. */
export class MemoryFeed implements Feed {
  log = 'example.org/gw-1/1';
  /** While true the store takes no writes. */
  refusing = false;
  /** While true it cannot be read. */
  unreadable = false;
  /** How often something was made durable. */
  kept = 0;
  readonly places = new Map<string, Place>();
  readonly told = new Set<string>();
  readonly #entries: (Transition | undefined)[] = [];
  readonly #callbacks = new Set<() => void>();
  #gone: ReadonlySet<string> = new Set();

  /** Appends an entry: a transition, or something else. Gives its `seq`. */
  append(finding?: Partial<StatedFinding>, iat = Math.floor(Date.now() / 1000)): number {
    const seq = this.#entries.length;
    this.#entries.push(
      finding === undefined ? undefined : { seq, iat, finding: stated({ opened_seq: seq, ...finding }) },
    );
    for (const callback of this.#callbacks) callback();
    return seq;
  }

  size(): number {
    return this.#entries.length;
  }

  transitions(from: number, below: number): readonly Transition[] {
    if (this.unreadable) throw new AgentError({ code: 'store.io', message: 'could not be read', remedy: 'the disk' });
    return this.#entries.slice(from, below).filter((entry) => entry !== undefined);
  }

  place(target: string): Place | undefined {
    return this.places.get(target);
  }

  keep(target: string, place: Place, { begun = [], ended = [] }: Told = {}): void {
    if (this.refusing) throw new AgentError({ code: 'store.full', message: 'the disk is full', remedy: 'free space' });
    this.kept += 1;
    this.places.set(target, place);
    for (const seq of begun) this.told.add(`${target} ${seq}`);
    for (const seq of ended) this.told.delete(`${target} ${seq}`);
  }

  knows(target: string, openedSeq: number): boolean {
    return this.told.has(`${target} ${openedSeq}`);
  }

  named(targets: readonly string[]): readonly string[] {
    const gone = [...this.places.keys()].filter((target) => !targets.includes(target));
    const left = gone.filter((target) => !this.#gone.has(target));
    this.#gone = new Set(gone);
    return left;
  }

  onAppend(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }
}
