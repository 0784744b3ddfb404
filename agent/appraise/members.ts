import type { Finding } from './finding.ts';

/** A finding among those that look the same. */
export interface Member extends Cover {
  readonly device: string;
  readonly atMs: number;
  /** How many had joined with it: members are in this order, and those after `told` of the parent are not told yet. */
  readonly joined: number;
  /** A store of an earlier version has none. */
  readonly times?: Times;
}

/** Since when a device shows what the parent says of it, Unix seconds. */
export type Times = Pick<Finding, 'firstObservedAt' | 'beforeAt' | 'confirmedAt'>;

/** What takes the weight off a finding, by the entry that adopted it. */
export type Cover = Pick<Finding, 'plan' | 'waiver'>;

/**
 * The findings of one storm that are not over, by device and part. A value: a change gives another one and leaves this as
 * it is. It takes the same time however many there are, as the latest holds them all and each earlier one how it differs
 * from the next (Baker, "Shallow binding makes functional arrays fast", 1991). To read an earlier one takes longer.
 */
export class Members {
  #held: Map<string, Member> | undefined;
  /** What to do to the next one to have this one; none where this one holds them. */
  #unlike: { readonly next: Members; readonly name: string; readonly member: Member | undefined } | undefined;

  private constructor(held: Map<string, Member>) {
    this.#held = held;
  }

  /** These, in the order in which they joined. */
  static of(members: Iterable<readonly [string, Member]>): Members {
    return new Members(new Map([...members].sort(([, one], [, other]) => one.joined - other.joined)));
  }

  get size(): number {
    return this.#map().size;
  }

  has(name: string): boolean {
    return this.#map().has(name);
  }

  get(name: string): Member | undefined {
    return this.#map().get(name);
  }

  values(): Iterable<Member> {
    return this.#map().values();
  }

  names(): Iterable<string> {
    return this.#map().keys();
  }

  entries(): Iterable<readonly [string, Member]> {
    return this.#map().entries();
  }

  /** With this one, in place of one of the same name. */
  with(name: string, member: Member): Members {
    return this.#changed(name, member);
  }

  without(name: string): Members {
    return this.has(name) ? this.#changed(name, undefined) : this;
  }

  /** The names in which these may differ from earlier ones; undefined where they were not made of those. */
  changesSince(earlier: Members): ReadonlySet<string> | undefined {
    const names = new Set<string>();
    let at: Members = earlier;
    while (at !== this) {
      if (at.#unlike === undefined) return undefined;
      names.add(at.#unlike.name);
      at = at.#unlike.next;
    }
    return names;
  }

  #changed(name: string, member: Member | undefined): Members {
    const next = new Members(this.#map());
    this.#handTo(next, name, member);
    return next;
  }

  /** What this one holds. It takes it over from the one that does. */
  #map(): Map<string, Member> {
    const way: Members[] = [];
    for (let at: Members = this; at.#unlike !== undefined; at = at.#unlike.next) way.push(at);
    for (const one of way.reverse()) {
      if (one.#unlike === undefined) continue;
      const { next, name, member } = one.#unlike;
      one.#unlike = undefined;
      next.#handTo(one, name, member);
    }
    return this.#held as Map<string, Member>;
  }

  #handTo(other: Members, name: string, member: Member | undefined): void {
    const held = this.#held as Map<string, Member>;
    this.#unlike = { next: other, name, member: held.get(name) };
    this.#held = undefined;
    if (member === undefined) held.delete(name);
    else held.set(name, member);
    other.#held = held;
  }
}
