import { isAheadOfTime } from '../content.ts';
import { VerificationError } from '../verification.ts';
import { cutEnvelope, gatewayOf, readHeader } from '../verify.ts';
import type { Fleet } from './fleet.ts';
import type { LogMachine } from './machine.ts';
import type { TrustAndTime } from './trust-and-time.ts';
import type { Work } from './work.ts';

/** Logs of one gateway that have entries here and are not aside. An ordinary one begins another when its store was lost or put back. */
const MOST_LOGS = 256;

/** Which logs are taken: somebody who has the key of a gateway, for a moment or for good, can name any number of them, and any number as theirs. */
export class Admission {
  readonly #fleet: Fleet;
  readonly #trusted: () => TrustAndTime;

  constructor({ fleet, trusted }: { readonly fleet: Fleet; readonly trusted: () => TrustAndTime }) {
    this.#fleet = fleet;
    this.#trusted = trusted;
  }

  /** Throws for a log that is not taken, whoever signed what it says. */
  require(log: string, nowMs: number): void {
    const { index } = this.#fleet;
    if (index.isAside(log)) throw refusal(log, 'was set aside here');
    if (isAheadOfTime(log, nowMs)) throw refusal(log, 'begins more than a day from now');
    if (!index.has(log) && index.count(log) >= MOST_LOGS)
      throw refusal(log, `is one too many, ${MOST_LOGS} logs of ${gatewayOf(log)} are here`);
  }

  /**
   * Sets aside the logs after one that goes on by a trusted key, where their own is not trusted any more or their time has not come: what was
   * signed with a stolen key, or by a wrong clock, must not hold up a gateway for ever.
   */
  async clearTheWay(log: string, work: Work): Promise<void> {
    for (const later of this.#fleet.index.allAfter(log)) {
      const machine = await this.#fleet.machine(later);
      const why = await this.#flawOf(machine, work.nowMs);
      if (why === undefined) continue;
      this.#fleet.setAside(machine);
      work.note([{ kind: 'aside', log: later, why: `${why}, and ${log} goes on` }]);
    }
  }

  async #flawOf(machine: LogMachine, nowMs: number): Promise<string | undefined> {
    if (isAheadOfTime(machine.log.log, nowMs)) return 'it begins more than a day from now';
    const kid = machine.kid ?? (await this.#storedKid(machine));
    return kid === undefined || this.#isTrusted(kid, machine.log.log, nowMs)
      ? undefined
      : 'its key is not trusted any more';
  }

  /** An earlier version did not note the key. */
  async #storedKid(machine: LogMachine): Promise<string | undefined> {
    const newest = await this.#fleet.entry(machine, machine.log.next - 1);
    return newest && readHeader(cutEnvelope(newest).header, 'miner-att+jwt');
  }

  #isTrusted(kid: string, log: string, nowMs: number): boolean {
    const key = this.#trusted().trust(nowMs).keys.get(kid);
    if (key?.role !== 'gateway' || key.revoked !== undefined) return false;
    return key.logs === undefined || key.logs.includes(gatewayOf(log));
  }
}

const refusal = (log: string, why: string): VerificationError =>
  new VerificationError('E_INCARNATION', 8, `${log} ${why}`);
