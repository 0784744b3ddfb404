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
  /** Label `tenant` of those whose attestation has one. */
  readonly #tenants = new Map<string, string>();
  readonly #unreachable = new Set<string>();
  #sorted: string[] | undefined;

  /** A new attestation of the device entered the log. */
  set(
    device: string,
    {
      leaf,
      unreachable,
      tenant,
    }: { readonly leaf: Uint8Array; readonly unreachable: boolean; readonly tenant?: string | undefined },
  ): void {
    if (!this.#leaves.has(device)) this.#sorted = undefined;
    this.#leaves.set(device, Buffer.from(leaf).toString('base64url'));
    if (unreachable) this.#unreachable.add(device);
    else this.#unreachable.delete(device);
    if (tenant === undefined) this.#tenants.delete(device);
    else this.#tenants.set(device, tenant);
  }

  /** The device left the configuration. */
  delete(device: string): void {
    if (this.#leaves.delete(device)) this.#sorted = undefined;
    this.#unreachable.delete(device);
    this.#tenants.delete(device);
  }

  has(device: string): boolean {
    return this.#leaves.has(device);
  }

  isUnreachable(device: string): boolean {
    return this.#unreachable.has(device);
  }

  /** Label `tenant` of the current attestation: whoever verifies knows no other. */
  tenant(device: string): string | undefined {
    return this.#tenants.get(device);
  }

  /** `state_sha256` over the attested devices among `expected`. */
  sha256(expected: ReadonlySet<string>): string {
    this.#sorted ??= [...this.#leaves.keys()].sort();
    const digest = createHash('sha256').update('[');
    let piece = '';
    let separator = '';
    for (const device of this.#sorted) {
      if (!expected.has(device)) continue;
      // A device id and base64url need no escapes, so this is the canonical JSON of the pair.
      piece += `${separator}["${device}","${this.#leaves.get(device)}"]`;
      separator = ',';
      if (piece.length < PIECE) continue;
      digest.update(piece);
      piece = '';
    }
    return digest.update(`${piece}]`).digest('base64url');
  }
}

/** How much text is digested at once: all of a large fleet would be megabytes. */
const PIECE = 16_384;

/** Polls of one scope, by schedule. */
type Polls = Map<string, { readonly due: number; readonly ok: number }>;

const NO_POLLS: Polls = new Map();

/** What happened in one period: who gave a valid look, and how many polls were due and succeeded. */
export class CoveragePeriod {
  readonly fromAt: number;
  readonly #observed = new Set<string>();
  readonly #refused = new Set<string>();
  #isBlind = false;
  readonly #polls = new Map<Coverage['scope'], Polls>();

  constructor(fromAt: number) {
    this.fromAt = fromAt;
  }

  /** A poll of `schedule` that was due is over; `ok` when it gave a valid look. `tenant`: label of the place. */
  polled(schedule: string, ok: boolean, tenant?: string): void {
    this.#count('gateway', schedule, ok);
    if (tenant !== undefined) this.#count(`tenant:${tenant}`, schedule, ok);
  }

  #count(scope: Coverage['scope'], schedule: string, ok: boolean): void {
    const polls = this.#polls.getOrInsertComputed(scope, () => new Map());
    const before = polls.get(schedule) ?? { due: 0, ok: 0 };
    polls.set(schedule, { due: before.due + 1, ok: before.ok + (ok ? 1 : 0) });
  }

  /**
   * The newest valid look at the device agrees with its current attestation or awaits confirmation; `false` when a later
   * look of the period does not.
   */
  observed(device: string, agrees = true): void {
    if (agrees) this.#observed.add(device);
    else this.#observed.delete(device);
  }

  /** A look at the device contradicted its attestation, and the store refused to say so: nothing affirms it for this period. */
  refused(device: string): void {
    this.#refused.add(device);
  }

  /** For longer than lies between two looks nobody looked, or nothing was kept: no device was observed throughout. */
  blind(): void {
    this.#isBlind = true;
  }

  /**
   * Closes the period for a scope. Every expected device is counted once: unreachable as attested, else observed, else missed. Of one
   * that has no attestation yet nothing could be affirmed, whatever was seen of it.
   */
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
      else if (end.attested.has(device) && this.#isObserved(device)) observed += 1;
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
      polls: this.#polls.get(end.scope) ?? NO_POLLS,
      stateSha256: end.attested.sha256(end.expected),
    };
  }

  #isObserved(device: string): boolean {
    return !this.#isBlind && this.#observed.has(device) && !this.#refused.has(device);
  }
}
