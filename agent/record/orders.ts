import type { FactName, Facts } from '../../shared/facts.ts';
import { type Plan, type ReferenceTerms, type Terms, termsId, type Waiver } from '../../shared/terms.ts';
import type { Absent } from '../baseline/absent.ts';
import { type Adopted, NOTHING_STANDING, type Standing, standingOf } from '../baseline/standing.ts';
import type { Approvals } from './approvals.ts';
import type { Transaction } from './log.ts';
import type { Store } from './store.ts';

/** A document in force as the store keeps it: with the message that approvers signed, where they did. */
export interface Order<Of extends Terms = Terms> extends Adopted<Of> {
  readonly doc?: string;
  readonly sigs?: readonly string[];
  /** Devices with a finding that the plan or waiver covered. */
  readonly matched?: readonly string[];
  /** It covered that devices started anew for its firmware, which says nothing of the change itself. */
  readonly reboots?: true;
  /** Devices named by its entries that left the configuration since: the entries hold nothing at them, also where they are back. */
  readonly left?: readonly string[];
  /** Devices that changed to something else than the plan expects, which was approved: nothing is open any more that says so. */
  readonly deviated?: readonly string[];
  /** The plan was held against the devices after its window, Unix seconds. */
  readonly reportedAt?: number;
}

/** Whether the plan or waiver covered anything. */
export const hasCovered = ({ matched = [], reboots }: Order): boolean => matched.length > 0 || reboots === true;

/** Devices of which a reference document approves what an attestation claims. */
export const devicesNamed = ({ terms }: Pick<Order, 'terms'>): ReadonlySet<string> =>
  new Set(terms.kind === 'reference' ? terms.entries?.map(({ device }) => device) : []);

/** Name under which the store keeps what was ended; `Approvals` keeps it where the store may be lost. */
const ENDED = 'ended-orders';

/** A device of which a document approves what an attestation claims. */
export interface ApprovedEntry {
  readonly device: string;
  readonly claims: Facts;
  readonly absent: Absent;
  /** Only these; without it all that is claimed. */
  readonly facts?: readonly FactName[];
}

/** What is to be written of a document that is adopted. */
export interface Adoption {
  readonly order: Omit<Order, 'seq'>;
  /** The version before of the same document. */
  readonly replaces: Order | undefined;
  readonly entries: readonly ApprovedEntry[];
  /** Devices with findings that it ends. */
  readonly settles: readonly string[];
  /** One person did what two have to. */
  readonly breakGlass: { readonly by: string; readonly note: string } | undefined;
}

/** What a transaction did to the orders: takes effect once it is durable. */
export interface OrderChange {
  readonly ended: readonly Order[];
  readonly begun: readonly Order[];
}

const NO_CHANGE: OrderChange = { ended: [], begun: [] };

/** Reference documents, plans and waivers that the log holds and nothing has ended. */
export class Orders {
  /** What has to be remembered of them beyond the store. */
  readonly approvals: Approvals;
  #orders: readonly Order[] = [];
  #standing: Standing = NOTHING_STANDING;

  private constructor(orders: readonly Order[], approvals: Approvals) {
    this.approvals = approvals;
    this.#take(orders);
  }

  static read(store: Store, approvals: Approvals): Orders {
    // Both written by `write`.
    approvals.noteEnded(store.meta(ENDED, (text) => JSON.parse(text) as readonly string[]) ?? []);
    return new Orders(
      store.orders((text) => JSON.parse(text) as Order),
      approvals,
    );
  }

  get standing(): Standing {
    return this.#standing;
  }

  all(): readonly Order[] {
    return this.#orders;
  }

  /** The one of this kind and name. */
  find(kind: Terms['kind'], id: string): Order | undefined {
    return this.#orders.find(({ terms }) => terms.kind === kind && termsId(terms) === id);
  }

  /** Whether a document with this digest was ended here. */
  hasEnded(sha256: string): boolean {
    return this.approvals.hasEnded(sha256);
  }

  /** The latest version of a reference of this name that was ended here; 0 where there was none. */
  endedVersion(refId: string): number {
    const prefix = `${refId} `;
    return Math.max(
      0,
      ...this.approvals.ended
        .filter((note) => note.startsWith(prefix))
        .map((note) => Number(note.slice(prefix.length))),
    );
  }

  /** Writes the last of `changes`, all of one transaction; `take` each of them once it is durable. */
  write(tx: Transaction, changes: readonly OrderChange[]): void {
    const { ended, begun } = changes.at(-1) ?? NO_CHANGE;
    for (const { seq } of ended) tx.removeOrder(seq);
    for (const order of begun) tx.saveOrder(order.seq, JSON.stringify(order));
    if (ended.length > 0) tx.saveMeta(ENDED, JSON.stringify([...this.approvals.ended, ...changes.flatMap(endedBy)]));
  }

  take(change: OrderChange): void {
    this.approvals.noteEnded(endedBy(change));
    this.#take(changed(this.#orders, change));
  }

  /** Takes the same documents, named by their entries in the log that replaced the former one. */
  carry(orders: readonly Order[]): void {
    this.#take(orders);
  }

  /** What would be in force after these changes. */
  standingWith(changes: readonly OrderChange[]): Standing {
    return standing(this.allWith(changes));
  }

  allWith(changes: readonly OrderChange[]): readonly Order[] {
    return changes.reduce(changed, this.#orders);
  }

  #take(orders: readonly Order[]): void {
    this.#orders = orders.toSorted((one, other) => one.seq - other.seq);
    this.#standing = standing(this.#orders);
  }
}

/** What is remembered of an ended document: its digest, and of a reference also the version, because a later one must be higher. */
const notesOf = ({ sha256, terms }: Order): readonly string[] =>
  terms.kind === 'reference' ? [sha256, `${terms.ref_id} ${terms.version}`] : [sha256];

/** What is remembered of what a change ended: one that was adopted again, by another entry, goes on. */
const endedBy = ({ ended, begun }: OrderChange): readonly string[] =>
  ended.filter(({ sha256 }) => !begun.some((one) => one.sha256 === sha256)).flatMap(notesOf);

const changed = (orders: readonly Order[], { ended, begun }: OrderChange): readonly Order[] => {
  const gone = new Set([...ended, ...begun].map(({ seq }) => seq));
  return [...orders.filter(({ seq }) => !gone.has(seq)), ...begun];
};

const standing = (orders: readonly Order[]): Standing =>
  standingOf({
    references: orders.filter((order): order is Order<ReferenceTerms> => order.terms.kind === 'reference'),
    plans: orders.filter((order): order is Order<Plan> => order.terms.kind === 'plan'),
    waivers: orders.filter((order): order is Order<Waiver> => order.terms.kind === 'waiver'),
  });
