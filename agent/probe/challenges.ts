import type { Challenge } from './http-auth.ts';

/** The last Digest challenge of a device: its parameters as text, because there is one for each device, and its uses. */
interface Kept {
  readonly parameters: string;
  uses: number;
}

/** How a device ends a nonce: it says that it is stale, as RFC 7616 wants it, or refuses the answer without a word. */
type Ending = 'told' | 'untold';

/** The Digest challenges of devices across looks, by door. */
export class Challenges {
  readonly #kept = new Map<string, Kept>();
  readonly #endings = new Map<string, Ending>();

  /** The challenge of an earlier look, to be answered before the device asks again, and how often that makes it. */
  answering(door: string): { readonly challenge: Challenge; readonly count: number } | undefined {
    const kept = this.#kept.get(door);
    if (kept === undefined) return undefined;
    kept.uses += 1;
    return {
      challenge: { scheme: 'digest', parameters: new Map(JSON.parse(kept.parameters) as [string, string][]) },
      count: kept.uses,
    };
  }

  keep(door: string, { parameters }: Challenge): void {
    this.#kept.set(door, { parameters: JSON.stringify([...parameters]), uses: 0 });
  }

  /** Whether its nonce is another than that of the challenge that was answered last. */
  isAnother(door: string, { parameters }: Challenge): boolean {
    const kept = this.#kept.get(door);
    if (kept === undefined) return false;
    return new Map(JSON.parse(kept.parameters) as [string, string][]).get('nonce') !== parameters.get('nonce');
  }

  /** The next answer waits for a question. Whoever refuses now may be another device, which says of no nonce that it is stale. */
  forget(door: string): void {
    this.#kept.delete(door);
    if (this.#endings.get(door) === 'told') this.#endings.delete(door);
  }

  /** Whether a nonce of the device ended without a word, and none ever with one. */
  endsUntold(door: string): boolean {
    return this.#endings.get(door) === 'untold';
  }

  endedTold(door: string): void {
    this.#endings.set(door, 'told');
  }

  /** A device that says of nonces that they are stale says nothing of those that it forgot when it was started anew. */
  endedUntold(door: string): void {
    if (this.#endings.get(door) === undefined) this.#endings.set(door, 'untold');
  }
}
