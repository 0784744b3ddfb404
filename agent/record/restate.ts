import type { BaselineContent } from '../../shared/statement.ts';
import { type DeviceState, NONE, orNone, withLearned, writeDevice } from '../appraise/device.ts';
import type { Built } from './entry.ts';
import type { Transaction } from './log.ts';
import type { Order } from './orders.ts';
import { buildAdopted } from './statement.ts';
import type { Store } from './store.ts';

/** What is in force in a log that another one replaces, and how that one says it again (attestation.md §4, `baseline`). */

type Named = Extract<BaselineContent['baseline'], { devices: unknown }>;
type Item = Named['devices'][number];

/** One `baseline` entry to be written: what the former one said, of the devices for which it is still in force. */
interface Page {
  readonly baseline: Named;
  /** `seq` of the former entry; undefined for what was learned and no entry named yet. */
  readonly former: number | undefined;
}

/** What of the former log is in force. */
export interface InForce {
  readonly pages: readonly Page[];
  readonly states: readonly DeviceState[];
  readonly orders: readonly Order[];
  /** Whether its document is published as a digest only. */
  readonly isWithheld: (order: Order) => boolean;
}

/** So much of a `baseline` statement surely fits beside the other members of a message, bytes. */
const MOST_BYTES = 24_000;
const MOST_ITEMS = 256;

/** What is to be said again, read before the log is put aside. Each item names the log that holds what it cites. */
export const restatement = (store: Store, states: readonly DeviceState[], log: string): readonly Page[] => {
  const inForce = new Map<number, Set<string>>();
  for (const { id, reference } of states) {
    for (const { seq } of reference?.entries ?? []) inForce.set(seq, (inForce.get(seq) ?? new Set()).add(id));
  }
  const named = [...inForce].sort(([one], [other]) => one - other);
  return [
    ...named.flatMap(([seq, devices]) => restated(store, { seq, devices, log })),
    ...paged({ action: 'learned', approval: 'none', devices: states.flatMap((state) => unrecorded(state, log)) }),
  ];
};

const restated = (
  store: Store,
  { seq, devices, log }: { readonly seq: number; readonly devices: ReadonlySet<string>; readonly log: string },
): readonly Page[] => {
  const entry = store.entry(seq);
  if (entry?.kind !== 'baseline') return [];
  // Our own statement.
  const { baseline } = JSON.parse(Buffer.from(entry.message).toString()) as BaselineContent;
  if (baseline.action !== 'learned' && baseline.action !== 'accepted') return [];
  const items = baseline.devices.filter(({ device }) => devices.has(device)).map((item) => ({ log, ...item }));
  return paged({ ...baseline, devices: items }, seq);
};

const unrecorded = ({ id, reference }: DeviceState, log: string): readonly Item[] =>
  (reference?.unrecorded ?? []).flatMap(({ seq, facts }) =>
    seq === undefined ? [] : [{ device: id, seq, log, ...(facts === 'all' ? {} : { facts: [...facts] }) }],
  );

const paged = (baseline: Named, former?: number): readonly Page[] => {
  const pages: Item[][] = [];
  let bytes = MOST_BYTES;
  for (const item of baseline.devices) {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1;
    bytes += size;
    if (bytes > MOST_BYTES || (pages.at(-1)?.length ?? MOST_ITEMS) >= MOST_ITEMS) {
      pages.push([]);
      bytes = size;
    }
    pages.at(-1)?.push(item);
  }
  return pages.map((devices) => ({ baseline: { ...baseline, devices }, former }));
};

/**
 * Says it again, and saves the devices as they are known in the new log: with their references, without anything that
 * points into the former one. Each is attested again at its next full look.
 */
export const restate = (
  tx: Transaction,
  { pages, states, orders, isWithheld }: InForce,
): { readonly states: readonly DeviceState[]; readonly orders: readonly Order[] } => {
  const renumbered = orders.map((order) => ({
    ...order,
    former: order.seq,
    seq: tx.append(buildAdopted(order, isWithheld(order))),
  }));
  const orderSeqs = new Map(renumbered.map(({ former, seq }) => [former, seq]));
  const carriedOrders = renumbered.map(({ former: _, ...order }) => order);
  for (const order of carriedOrders) tx.saveOrder(order.seq, JSON.stringify(order));
  const seqs = new Map<string, number>();
  for (const { baseline, former } of pages) {
    const seq = tx.append(builtOf(baseline));
    for (const { device } of baseline.devices) seqs.set(`${device} ${former ?? ''}`, seq);
  }
  const carried = states.map((state) =>
    inNewLog(withOrderSeqs(state, orderSeqs), (former) =>
      former === undefined ? seqs.get(`${state.id} `) : (seqs.get(`${state.id} ${former}`) ?? orderSeqs.get(former)),
    ),
  );
  for (const state of carried) tx.saveDevice(state.id, writeDevice(state));
  return { states: carried, orders: carriedOrders };
};

/** Findings name the plan or waiver that covers them by its entry. */
const withOrderSeqs = (state: DeviceState, seqs: ReadonlyMap<number, number>): DeviceState => {
  const renamed = (seq: number | undefined): number | undefined => (seq === undefined ? undefined : seqs.get(seq));
  const tracks = state.tracks.map((track) => {
    const { plan, waiver, ...finding } = track.finding;
    const [newPlan, newWaiver] = [renamed(plan), renamed(waiver)];
    return {
      ...track,
      finding: {
        ...finding,
        ...(newPlan === undefined ? {} : { plan: newPlan }),
        ...(newWaiver === undefined ? {} : { waiver: newWaiver }),
      },
    };
  });
  return { ...state, tracks };
};

const builtOf = (baseline: Named): Built<BaselineContent> => ({
  content: { kind: 'baseline', baseline },
  replies: [],
  disclosures: [],
});

const inNewLog = (state: DeviceState, seqOf: (former: number | undefined) => number | undefined): DeviceState => {
  const learned = seqOf(undefined);
  const renamed = withoutSeqs(state, seqOf);
  return learned === undefined ? renamed : withLearned(renamed, learned);
};

const withoutSeqs = (state: DeviceState, seqOf: (former: number) => number | undefined): DeviceState => {
  const { reference, firstSeq: _first, ...known } = state;
  const entries = reference?.entries.flatMap((entry) => {
    const seq = seqOf(entry.seq);
    return seq === undefined ? [] : [{ ...entry, seq }];
  });
  const tracks = state.tracks.map((track) => {
    const { openedSeq: _opened, parent: _parent, ...finding } = track.finding;
    // What the former log said of it is not what this one begins with.
    const { said: _said, ...rest } = track;
    return { ...rest, finding };
  });
  return {
    ...known,
    tracks: orNone(tracks),
    closed: NONE,
    ...(reference === undefined ? {} : { reference: { ...reference, entries: entries ?? [] } }),
    ...(state.attested === undefined ? {} : { attested: attestedBefore(state.attested), referenceChanged: true }),
  };
};

/** That a device was dark was said in the former log; in this one it is said when it is seen to be. */
const attestedBefore = ({
  seq: _seq,
  ...known
}: NonNullable<DeviceState['attested']>): DeviceState['attested'] & {} => ({
  ...known,
  reachable: true,
});
