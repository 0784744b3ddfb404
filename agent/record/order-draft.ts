import type { Track } from '../appraise/device.ts';
import type { Finding } from '../appraise/finding.ts';
import { isOfChange, plansLeft } from '../appraise/planned.ts';
import type { DeviceTransition } from '../appraise/storm.ts';
import type { Standing } from '../baseline/standing.ts';
import type { Transaction } from './log.ts';
import { devicesNamed, type Order, type OrderChange, type Orders } from './orders.ts';

/** The documents in force as one transaction changes them. */
export class OrderDraft {
  /** What it changed so far: takes effect once the transaction is durable. */
  readonly changes: OrderChange[] = [];
  readonly #orders: Orders | undefined;
  /** Devices with findings that a plan or waiver covers, by the entry that adopted it. */
  readonly #covered = new Map<number, Set<string>>();
  /** Plans under which devices started anew, by the entry. */
  readonly #reboots = new Set<number>();
  /** Devices that were approved as something else than a plan expects, by its id. */
  readonly #deviated = new Map<string, Set<string>>();
  /** Devices that left the configuration. */
  readonly #left = new Set<string>();

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
        if (seq !== undefined && finding.confirmedAt !== undefined) {
          if (this.#isMatch(finding, seq)) this.#covered.getOrInsertComputed(seq, () => new Set()).add(device);
          else this.#reboots.add(seq);
        }
  }

  #isMatch(finding: Finding, seq: number): boolean {
    if (seq !== finding.plan) return true;
    const terms = this.find(seq)?.terms;
    return terms?.kind !== 'plan' || isOfChange(finding, terms);
  }

  /** Notes the plans from which what is approved here differs: with the approval ends what told so. */
  noteDeviated({ device, finding }: DeviceTransition, tracks: readonly Track[]): void {
    if (finding.state !== 'approved') return;
    for (const plan of plansLeft(finding, tracks))
      this.#deviated.getOrInsertComputed(plan, () => new Set()).add(device);
  }

  /** Notes the documents whose entries hold nothing more at these devices, which left the configuration. */
  noteLeft(devices: readonly string[]): void {
    for (const device of devices) this.#left.add(device);
  }

  /** Writes with each document the devices that were noted for the first time. */
  writeNoted(tx: Transaction): void {
    if (this.#covered.size + this.#reboots.size + this.#deviated.size + this.#left.size === 0) return;
    const inForce = this.#orders?.allWith(this.changes) ?? [];
    const begun = inForce.flatMap((order): Order[] => {
      const { terms, seq } = order;
      const matched = withFresh(order.matched, this.#covered.get(seq));
      const others = terms.kind === 'plan' ? this.#deviated.get(terms.plan_id) : undefined;
      const deviated = withFresh(order.deviated, others);
      const reboots = this.#reboots.has(seq) && order.reboots === undefined ? true : undefined;
      const left = withFresh(order.left, devicesNamed(order).intersection(this.#left));
      if ((matched ?? deviated ?? reboots ?? left) === undefined) return [];
      return [
        {
          ...order,
          ...(matched && { matched }),
          ...(deviated && { deviated }),
          ...(reboots && { reboots }),
          ...(left && { left }),
        },
      ];
    });
    if (begun.length > 0) this.write(tx, { ended: [], begun });
  }
}

/** The devices with those that are not among them; undefined where all are. */
const withFresh = (
  known: readonly string[] = [],
  noted: ReadonlySet<string> = new Set(),
): readonly string[] | undefined => {
  const fresh = [...noted].filter((device) => !known.includes(device));
  return fresh.length === 0 ? undefined : [...known, ...fresh];
};
