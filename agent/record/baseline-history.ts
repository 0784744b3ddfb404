import type { FactName, Facts } from '../../shared/facts.ts';
import type { AttestationStatement, BaselineStatement } from '../../shared/statement.ts';
import { absencesOf } from '../appraise/absences.ts';
import type { DeviceState, ReferenceEntry } from '../appraise/device.ts';
import type { Absent } from '../baseline/absent.ts';
import { factsOfClaims } from '../baseline/claims.ts';
import { keptFacts } from '../baseline/kept.ts';
import { holderOf } from '../baseline/reference.ts';
import type { Store } from './store.ts';

/** What gave a device its reference, read from the log once more: for when an entry is withdrawn and the former ones hold again. */

/** One item of a `baseline` entry, with the facts that it gives. */
export interface GivenFacts {
  readonly entry: ReferenceEntry;
  readonly claims: Facts;
  readonly absent: Absent;
}

/**
 * By device, the items of its `baseline` entries in the order of `log`, the one in the store, without those of `withdrawn`, and
 * without those from before it left the configuration and came back: verifiers let go of these.
 */
export const givenFacts = (
  store: Store,
  log: string,
  states: readonly DeviceState[],
  withdrawn: ReadonlySet<number>,
): ReadonlyMap<string, readonly GivenFacts[]> => {
  const known = new Map(states.map((state) => [state.id, state]));
  const ended = new Set([...withdrawn, ...endedIn(store)]);
  const given = new Map<string, GivenFacts[]>();
  for (const { seq, message } of store.baselineEntries()) {
    if (ended.has(seq)) continue;
    const { baseline } = statementOf(message);
    for (const item of itemsOf(baseline)) {
      const state = known.get(item.device);
      if (state === undefined || seq < (state.firstSeq ?? 0)) continue;
      const facts = item.facts as readonly FactName[] | undefined;
      const entry = { seq, approval: item.approval, ...(facts === undefined ? {} : { facts }) };
      const claims = (item.log ?? log) === log ? claimsIn(store, item.seq) : undefined;
      const one = { entry, ...(claims ?? heldNow(state, seq)) };
      given.set(item.device, [...(given.get(item.device) ?? []), one]);
    }
  }
  return given;
};

/** Entries that a later one withdrew, or whose document a later version replaced. */
const endedIn = (store: Store): readonly number[] => {
  const ended: number[] = [];
  const versions = new Map<string, number>();
  for (const { seq, message } of store.baselineEntries()) {
    const { baseline } = statementOf(message);
    if (baseline.action === 'withdrawn') ended.push(baseline.seq);
    if (baseline.action !== 'adopted') continue;
    ended.push(...[versions.get(baseline.ref_id)].filter((former) => former !== undefined));
    versions.set(baseline.ref_id, seq);
  }
  return ended;
};

/** Our own statement. */
const statementOf = (message: Uint8Array): BaselineStatement =>
  JSON.parse(Buffer.from(message).toString()) as BaselineStatement;

interface Item {
  readonly device: string;
  /** `seq` of the attestation. */
  readonly seq: number;
  readonly log?: string | undefined;
  readonly approval: ReferenceEntry['approval'];
  readonly facts?: readonly string[] | undefined;
}

const itemsOf = (baseline: BaselineStatement['baseline']): readonly Item[] => {
  switch (baseline.action) {
    case 'learned':
    case 'accepted':
      return baseline.devices.map((item) => ({ ...item, approval: baseline.approval }));
    case 'adopted':
      return entriesIn(baseline.doc).map((entry) => ({ ...entry, approval: 'signed' as const }));
    case 'withdrawn':
      return [];
  }
};

/** The document was verified when it was adopted. A log that replaced another one states it again, with the entries of that one. */
const entriesIn = (doc: string | undefined): readonly Omit<Item, 'approval'>[] =>
  doc === undefined
    ? []
    : ((JSON.parse(doc) as { readonly entries?: readonly Omit<Item, 'approval'>[] }).entries ?? []);

/** What an attestation says of the device. */
type Said = Pick<GivenFacts, 'claims' | 'absent'>;

const claimsIn = (store: Store, seq: number): Said | undefined => {
  const entry = store.entry(seq);
  if (entry?.kind !== 'attestation') return undefined;
  // Our own statement.
  const { evidence } = JSON.parse(Buffer.from(entry.message).toString()) as AttestationStatement;
  const claims = evidence.claims === undefined ? undefined : factsOfClaims(evidence.claims);
  return claims === undefined ? undefined : { claims, absent: absencesOf(evidence.readings ?? {}) };
};

/** Where the attestation is pruned, redacted or in a former log: what the entry holds now; what it held before is not known. */
const heldNow = ({ reference }: DeviceState, seq: number): Said => {
  const facts = keptFacts(reference?.facts);
  const isOfEntry = (fact: FactName): boolean => holderOf(reference?.entries ?? [], fact)?.seq === seq;
  const names = (Object.keys(facts) as FactName[]).filter(isOfEntry);
  return {
    claims: Object.fromEntries(names.map((fact) => [fact, facts[fact]])) as Facts,
    absent: reference?.absent?.filter(isOfEntry) ?? [],
  };
};
