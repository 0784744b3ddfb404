import { setTimeout as delay } from 'node:timers/promises';
import { ATTACKS, type Attack } from './attack.ts';
import type { Child } from './child.ts';
import type { Ledger, SeenFinding } from './ledger.ts';
import { MINERS } from './miners.ts';

/** The attacker strikes once everything is learned, or after this, ms. */
const LATEST_MS = 25_000;
/** Time to look at the fleet before, and between two attacks, ms. */
const PAUSE_MS = 3000;
const LOOK_MS = 200;

/** An attack that has begun. */
export interface Struck {
  readonly attack: Attack;
  readonly begunAtMs: number;
  /** When the miner could first be seen changed. */
  doneAtMs?: number;
}

/** A finding that came of an attack. */
export interface Caught extends SeenFinding {
  readonly attack: Attack;
  /** From the change to the verified finding. */
  readonly seconds: number;
}

/** The attacker: nobody presses a key. */
export class Story {
  readonly struck: Struck[] = [];
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Carries out every attack; ends early, without an error, when `signal` does. */
  async play(fleet: Child, signal: AbortSignal, tell: (struck: Struck) => void): Promise<void> {
    try {
      await this.#untilLearned(signal);
      for (const attack of ATTACKS) {
        await delay(PAUSE_MS, undefined, { signal });
        if (!(await this.#strike(attack, fleet, tell))) return;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #untilLearned(signal: AbortSignal): Promise<void> {
    const latest = Date.now() + LATEST_MS;
    while (this.#ledger.learned.size < MINERS.length && Date.now() < latest)
      await delay(LOOK_MS, undefined, { signal });
  }

  /** False where the fleet has ended, which is reported by whoever watches the processes. */
  async #strike(attack: Attack, fleet: Child, tell: (struck: Struck) => void): Promise<boolean> {
    const struck: Struck = { attack, begunAtMs: Date.now() };
    this.struck.push(struck);
    fleet.tell(attack.name);
    const answer = await fleet.nextLine();
    if (answer === undefined) return false;
    struck.doneAtMs = JSON.parse(answer).at_ms;
    tell(struck);
    return true;
  }

  /** What came of the attacks so far. */
  caught(): readonly Caught[] {
    return this.struck.flatMap(({ attack, doneAtMs }) => {
      if (doneAtMs === undefined) return [];
      const seen = [...this.#ledger.findings.values()].find(
        ({ finding, verifiedAtMs }) =>
          finding.id === attack.rule && finding.device === attack.miner && verifiedAtMs >= doneAtMs,
      );
      return seen === undefined ? [] : [{ ...seen, attack, seconds: (seen.verifiedAtMs - doneAtMs) / 1000 }];
    });
  }

  /** Attacks, begun or still to come, of which no verified finding tells. */
  missing(): readonly Attack[] {
    const caught = new Set(this.caught().map(({ attack }) => attack));
    return ATTACKS.filter((attack) => !caught.has(attack));
  }
}
