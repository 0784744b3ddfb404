import type { Finding } from '../appraise/finding.ts';
import { isOfChange } from '../appraise/planned.ts';
import type { DeviceTransition } from '../appraise/storm.ts';
import type { Standing } from '../baseline/standing.ts';
import type { Transaction } from './log.ts';
import type { Order, OrderChange, Orders } from './orders.ts';

/** The documents in force as one transaction changes them. */
export class OrderDraft {
  /** What it changed so far: takes effect once the transaction is durable. */
  readonly changes: OrderChange[] = [];
  readonly #orders: Orders | undefined;
  /** Devices with findings that a plan or waiver covers, by the entry that adopted it. */
  readonly #covered = new Map<number, Set<string>>();

  /** Without `orders` no documents are kept here, and none can be changed. */
  constructor(orders: Orders | undefined) {
    this.#orders = orders;
  }

  /** The document that entry `seq` adopted, where the transaction found it in force. */
  find(seq: number): Order | undefined {
    return this.#orders?.all().find((order) => order.seq === seq);
  }

  /** Writes a change. Gives what is in force with it, and with those before it. */
  write(tx: Transaction, change: OrderChange): Standing {
    if (this.#orders === undefined) throw new Error('no documents are kept here');
    this.changes.push(change);
    this.#orders.write(tx, this.changes);
    return this.#orders.standingWith(this.changes);
  }

  /** Notes the plans and waivers that cover these findings. */
  noteCovered(transitions: readonly DeviceTransition[]): void {
    for (const { device, finding } of transitions)
      for (const seq of [finding.plan, finding.waiver])
        if (seq !== undefined && finding.confirmedAt !== undefined && this.#isMatch(finding, seq))
          this.#covered.getOrInsertComputed(seq, () => new Set()).add(device);
  }

  #isMatch(finding: Finding, seq: number): boolean {
    if (seq !== finding.plan) return true;
    const terms = this.find(seq)?.terms;
    return terms?.kind !== 'plan' || isOfChange(finding, terms);
  }

  /** Writes with each plan and waiver the devices that it covered for the first time. */
  writeCovered(tx: Transaction): void {
    if (this.#covered.size === 0) return;
    const inForce = this.#orders?.allWith(this.changes) ?? [];
    const begun = inForce.flatMap((order) => {
      const fresh = [...(this.#covered.get(order.seq) ?? [])].filter(
        (device) => order.matched?.includes(device) !== true,
      );
      return fresh.length === 0 ? [] : [{ ...order, matched: [...(order.matched ?? []), ...fresh] }];
    });
    if (begun.length > 0) this.write(tx, { ended: [], begun });
  }
}
