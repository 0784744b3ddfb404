import type { FactName, Facts } from '../../shared/facts.ts';
import type { KeyClass, Terms } from '../../shared/terms.ts';
import { isCloser } from '../baseline/approved.ts';
import { keptFacts } from '../baseline/kept.ts';
import { holderOf } from '../baseline/reference.ts';
import { type Layer, layerOf } from '../baseline/scope.ts';
import { type Adopted, heldBy, type Standing } from '../baseline/standing.ts';
import { approvedOf, describe } from './approval.ts';
import type { Approval, DeviceState, Reference } from './device.ts';
import { wholeOf } from './who-approves.ts';

/** What is approved of one fact of one device, and who says so: the layers of the baseline laid over each other. */
export interface ApprovedFact {
  readonly fact: string;
  readonly class: KeyClass;
  /** What is approved, null where that is none; of a document, the values it allows. */
  readonly value: unknown;
  readonly seen?: unknown;
  readonly approval: Approval;
  /** `site`, `group` or `device` of a document; `device` for what was learned or accepted. */
  readonly layer: Layer;
  /** `seq` of the `baseline` entry; absent while no entry names what was learned. */
  readonly seq?: number;
  /** It is known from before the device left, or had this name, and no entry names it. */
  readonly carried?: true;
  /** Name and signers of the document. */
  readonly ref_id?: string;
  readonly by?: readonly string[];
}

/** Every fact for which something is approved, by name. `watched`: what is seen of facts that no state keeps. */
export const approvedFactsOf = (
  state: DeviceState,
  orders: readonly Adopted<Terms>[],
  standing: Standing,
  nowMs: number,
  watched: Facts = {},
): readonly ApprovedFact[] => {
  const seen = { ...keptFacts(state.attested?.facts), ...watched };
  const approved = approvedOf(state, standing, seen, nowMs);
  const entries = state.reference?.entries ?? [];
  const held = [...heldBy(standing, describe(state, seen), nowMs)].filter(
    // Names of documents are those of facts, or of columns of one.
    ([name, document]) => !isCloser(holderOf(entries, wholeOf(name) as FactName), document),
  );
  const documents = held.map(([fact, { items, seq, refId }]): ApprovedFact => {
    const order = orders.find((one) => one.seq === seq);
    return {
      fact,
      class: items[0]?.class ?? 'exact',
      value: items.length === 1 ? items[0]?.value : items.map(({ value }) => value),
      ...seenOf(seen, fact),
      approval: 'signed',
      layer: layerOf(order?.terms.scope),
      seq,
      ref_id: refId,
      by: order?.by ?? [],
    };
  });
  const named = new Set(held.map(([name]) => name));
  const absent = (state.reference?.absent ?? []).map((fact) => [fact, null] as const);
  const kept = [...absent, ...Object.entries(approved?.facts ?? {})].flatMap(([fact, value]): ApprovedFact[] => {
    if (named.has(fact)) return [];
    const entry = holderOf(entries, fact as FactName);
    const { approval = 'none', seq } = entry ?? {};
    return [
      {
        fact,
        class: 'exact',
        value,
        ...seenOf(seen, fact),
        approval,
        layer: 'device',
        ...(seq === undefined ? {} : { seq }),
        ...(seq === undefined && !isWaiting(state.reference, fact as FactName) ? { carried: true as const } : {}),
      },
    ];
  });
  return [...documents, ...kept].sort((one, other) => (one.fact < other.fact ? -1 : 1));
};

/** What was learned and is named by an entry in a moment. */
const isWaiting = (reference: Reference | undefined, fact: FactName): boolean =>
  reference?.unrecorded?.some(({ facts }) => facts === 'all' || facts.includes(fact)) === true;

const seenOf = (seen: { readonly [fact: string]: unknown }, fact: string): { readonly seen?: unknown } => {
  const [whole = '', column] = fact.startsWith('pools.') ? fact.split('.') : [fact];
  const value = seen[whole];
  if (column === undefined || !Array.isArray(value)) return value === undefined ? {} : { seen: value };
  return { seen: value.map((slot: { readonly [name: string]: unknown }) => slot[column]) };
};
