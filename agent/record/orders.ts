import { type Plan, type ReferenceTerms, type Terms, termsId, type Waiver } from '../../shared/terms.ts';
import { type Adopted, NOTHING_STANDING, type Standing, standingOf } from '../baseline/standing.ts';
import type { Transaction } from './log.ts';
import type { Store } from './store.ts';

/** A document in force as the store keeps it: with the message that approvers signed, where they did. */
export interface Order<Of extends Terms = Terms> extends Adopted<Of> {
  readonly doc?: string;
  readonly sigs?: readonly string[];
}

/** Reference documents, plans and waivers that the log holds and nothing has ended. */
export class Orders {
  #orders: readonly Order[];
  #standing: Standing = NOTHING_STANDING;

  constructor(orders: readonly Order[]) {
    this.#orders = orders;
    this.#standing = standing(orders);
  }

  static read(store: Store): Orders {
    // Written by `saveOrder`.
    return new Orders(store.orders((text) => JSON.parse(text) as Order));
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

  /** After a transaction that wrote this became durable. */
  replace(ended: readonly number[], begun: readonly Order[]): void {
    this.#orders = [...this.#orders.filter(({ seq }) => !ended.includes(seq)), ...begun];
    this.#standing = standing(this.#orders);
  }
}

const standing = (orders: readonly Order[]): Standing =>
  standingOf({
    references: orders.filter((order): order is Order<ReferenceTerms> => order.terms.kind === 'reference'),
    plans: orders.filter((order): order is Order<Plan> => order.terms.kind === 'plan'),
    waivers: orders.filter((order): order is Order<Waiver> => order.terms.kind === 'waiver'),
  });

export const saveOrder = (tx: Transaction, order: Order): void => tx.saveOrder(order.seq, JSON.stringify(order));
