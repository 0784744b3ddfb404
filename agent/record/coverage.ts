import { createHash } from 'node:crypto';

/** How a period ended for one scope: every expected device counted once. Instants are Unix seconds. */
export interface Coverage {
  readonly fromAt: number;
  readonly toAt: number;
  readonly scope: 'gateway' | `tenant:${string}`;
  readonly expected: number;
  readonly observed: number;
  readonly unreachable: number;
  /** Ids, sorted. */
  readonly missed: readonly string[];
  readonly polls: ReadonlyMap<string, { readonly due: number; readonly ok: number }>;
  /** b64u digest of the current attestations (attestation.md §4). */
  readonly stateSha256: string;
}

/**
 * The current attestation of every device: its leaf hash and whether it says `unreachable`. Kept along with the log, so
 * that the end of a period need not read it.
 */
export class Attested {
  /** Leaf hash of each device, b64u. */
  readonly #leaves = new Map<string, string>();
  readonly #unreachable = new Set<string>();
  #sorted: string[] | undefined;

  /** A new attestation of the device entered the log. */
  set(device: string, attestation: { readonly leaf: Uint8Array; readonly unreachable: boolean }): void {
    if (!this.#leaves.has(device)) this.#sorted = undefined;
    this.#leaves.set(device, Buffer.from(attestation.leaf).toString('base64url'));
    if (attestation.unreachable) this.#unreachable.add(device);
    else this.#unreachable.delete(device);
  }

  /** The device left the configuration. */
  delete(device: string): void {
    if (this.#leaves.delete(device)) this.#sorted = undefined;
    this.#unreachable.delete(device);
  }

  has(device: string): boolean {
    return this.#leaves.has(device);
  }

  isUnreachable(device: string): boolean {
    return this.#unreachable.has(device);
  }

  /** `state_sha256` over the attested devices among `expected`. */
  sha256(expected: ReadonlySet<string>): string {
    this.#sorted ??= [...this.#leaves.keys()].sort();
    // A device id and base64url need no escapes, so this is the canonical JSON of the pair.
    const pairs = this.#sorted
      .filter((device) => expected.has(device))
      .map((device) => `["${device}","${this.#leaves.get(device)}"]`);
    return createHash('sha256')
      .update(`[${pairs.join(',')}]`)
      .digest('base64url');
  }
}

/** What happened in one period of one scope: who gave a valid look, and how many polls were due and succeeded. */
export class CoveragePeriod {
  readonly fromAt: number;
  readonly #observed = new Set<string>();
  readonly #polls = new Map<string, { due: number; ok: number }>();

  constructor(fromAt: number) {
    this.fromAt = fromAt;
  }

  /** A poll of `schedule` that was due is over; `ok` when it gave a valid look. */
  polled(schedule: string, ok: boolean): void {
    const polls = this.#polls.get(schedule) ?? { due: 0, ok: 0 };
    this.#polls.set(schedule, { due: polls.due + 1, ok: polls.ok + (ok ? 1 : 0) });
  }

  /**
   * The newest valid look at the device agrees with its current attestation or awaits confirmation; `false` when a later
   * look of the period does not.
   */
  observed(device: string, agrees = true): void {
    if (agrees) this.#observed.add(device);
    else this.#observed.delete(device);
  }

  /** Closes the period. Every expected device is counted once: unreachable as attested, else observed, else missed. */
  close(end: {
    readonly toAt: number;
    readonly scope: Coverage['scope'];
    readonly expected: ReadonlySet<string>;
    readonly attested: Attested;
  }): Coverage {
    let unreachable = 0;
    let observed = 0;
    const missed: string[] = [];
    for (const device of end.expected) {
      if (end.attested.isUnreachable(device)) unreachable += 1;
      else if (this.#observed.has(device)) observed += 1;
      else missed.push(device);
    }
    return {
      // A clock that was set back in between would put the beginning behind the end.
      fromAt: Math.min(this.fromAt, end.toAt),
      toAt: end.toAt,
      scope: end.scope,
      expected: end.expected.size,
      observed,
      unreachable,
      missed: missed.sort(),
      polls: this.#polls,
      stateSha256: end.attested.sha256(end.expected),
    };
  }
}
