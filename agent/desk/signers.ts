import { readClaimedTerms } from '../../shared/signed-terms.ts';
import type { Terms } from '../../shared/terms.ts';
import { termsId } from '../../shared/terms.ts';
import type { Approvers } from '../config/approvers.ts';
import type { Approvals } from '../record/approvals.ts';
import type { Order } from '../record/orders.ts';

/** An approver as the configuration names them. */
export interface Named {
  readonly kid: string;
  readonly name: string;
}

/** The approvers of a configuration: those who count, and those who wait until the others have admitted them. */
export const splitApprovers = (
  { keys, names }: Approvers,
  counts: (kid: string) => boolean,
): { readonly counting: Approvers; readonly waiting: readonly Named[] } => ({
  counting: { keys: new Map([...keys].filter(([kid]) => counts(kid))), names },
  waiting: [...keys.keys()].filter((kid) => !counts(kid)).map((kid) => ({ kid, name: names.get(kid) ?? kid })),
});

/** Ids of the keys that a document admits. */
export const admittedBy = ({ terms }: Pick<Order, 'terms'>): readonly string[] =>
  terms.kind === 'reference' ? (terms.admits ?? []).map(({ kid }) => kid) : [];

/** A document in force with signatures by keys that are trusted no more. */
export interface Orphan {
  readonly kind: Terms['kind'];
  readonly id: string;
  readonly seq: number;
  /** Who signed it and is no approver any more, by the names they had. */
  readonly gone: readonly string[];
}

/** How many people approvals take at most: as many as ever counted, none where nobody ever did. `keys`: of those who count now. */
export const peopleOf = ({ keys }: Pick<Approvers, 'keys'>, { people }: Pick<Approvals, 'people'>): number =>
  Math.max(keys.size, people);

/** Whose signatures it takes where approvers are named; `people`: how many of them approvals take at most. */
export const signersOf = (people: number): string => (people === 1 ? 'the approver of this gateway' : 'two approvers');

/** Who signed a document in force and is no approver of this configuration, by the names they had then. */
export const goneSigners = ({ doc, sigs = [], by }: Order, { keys }: Pick<Approvers, 'keys'>): readonly string[] =>
  doc === undefined
    ? []
    : readClaimedTerms({ doc, sigs }).kids.flatMap((kid, at) => (keys.has(kid) ? [] : [by[at] ?? kid]));

/** Documents in force of which a signer is no approver any more. */
export const orphansOf = (orders: readonly Order[], approvers: Pick<Approvers, 'keys'>): readonly Orphan[] =>
  orders.flatMap((order) => {
    const gone = goneSigners(order, approvers);
    return gone.length === 0 ? [] : [{ kind: order.terms.kind, id: termsId(order.terms), seq: order.seq, gone }];
  });
