import type { Facts } from '../../shared/facts.ts';
import { type Plan, type ReferenceTerms, type Terms, termsId, type Waiver } from '../../shared/terms.ts';
import { type Adopted, NOTHING_STANDING, type Standing, standingOf } from '../baseline/standing.ts';
import type { Transaction } from './log.ts';
import type { Store } from './store.ts';

/** A document in force as the store keeps it: with the message that approvers signed, where they did. */
export interface Order<Of extends Terms = Terms> extends Adopted<Of> {
  readonly doc?: string;
  readonly sigs?: readonly string[];
  /** Devices with a finding that the plan or waiver covered. */
  readonly matched?: readonly string[];
  /** The plan was held against the devices after its window, Unix seconds. */
  readonly reportedAt?: number;
}

/** Documents that were ended here and are not taken up again, however often they are handed over. The oldest are forgotten. */
const MOST_ENDED = 4096;
const ENDED = 'ended-orders';

/** What is to be written of a document that is adopted. */
export interface Adoption {
  readonly order: Omit<Order, 'seq'>;
  /** The version before of the same document. */
  readonly replaces: Order | undefined;
  /** Devices whose attested claims it approves. */
  readonly entries: readonly { readonly device: string; readonly claims: Facts }[];
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
  #orders: readonly Order[] = [];
  #ended: readonly string[];
  #standing: Standing = NOTHING_STANDING;

  private constructor(orders: readonly Order[], ended: readonly string[]) {
    this.#ended = ended;
    this.#take(orders);
  }

  static read(store: Store): Orders {
    // Written by `writeOrders`.
    const ended = store.meta(ENDED, (text) => JSON.parse(text) as readonly string[]) ?? [];
    return new Orders(
      store.orders((text) => JSON.parse(text) as Order),
      ended,
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
    return this.#ended.includes(sha256);
  }

  /** The latest version of a reference of this name that was ended here; 0 where there was none. */
  endedVersion(refId: string): number {
    const prefix = `${refId} `;
    return Math.max(
      0,
      ...this.#ended.filter((note) => note.startsWith(prefix)).map((note) => Number(note.slice(prefix.length))),
    );
  }

  /** Writes the last of `changes`, all of one transaction; `take` each of them once it is durable. */
  write(tx: Transaction, changes: readonly OrderChange[]): void {
    const { ended, begun } = changes.at(-1) ?? NO_CHANGE;
    for (const { seq } of ended) tx.removeOrder(seq);
    for (const order of begun) tx.saveOrder(order.seq, JSON.stringify(order));
    const all = changes.flatMap((change) => change.ended);
    if (ended.length > 0) tx.saveMeta(ENDED, JSON.stringify(this.#endedWith(all)));
  }

  take(change: OrderChange): void {
    this.#ended = this.#endedWith(change.ended);
    this.#take(changed(this.#orders, change));
  }

  /** The same documents under the entries of a log that replaced the one that held them. */
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

  #endedWith(ended: readonly Order[]): readonly string[] {
    return [...this.#ended, ...ended.flatMap(({ sha256, terms }) => [sha256, ...versionNote(terms)])].slice(
      -MOST_ENDED,
    );
  }

  #take(orders: readonly Order[]): void {
    this.#orders = orders.toSorted((one, other) => one.seq - other.seq);
    this.#standing = standing(this.#orders);
  }
}

/** Kept beside the digests: versions of a name do not go back. */
const versionNote = (terms: Terms): readonly string[] =>
  terms.kind === 'reference' ? [`${terms.ref_id} ${terms.version}`] : [];

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
