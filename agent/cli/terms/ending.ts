import type { BaselineStatement } from '../../../shared/index.ts';
import { describe } from '../../appraise/approval.ts';
import { type DeviceState, readDevice } from '../../appraise/device.ts';
import { speaksOf } from '../../baseline/scope.ts';
import { admittedBy } from '../../desk/signers.ts';
import type { Order } from '../../record/orders.ts';
import type { StoredFinding } from '../../record/tables/findings.ts';
import { summaryOf } from '../../terms/summary.ts';
import { devicesOf, findingsIn } from '../findings/stored.ts';
import type { Io } from '../io.ts';
import { openStore } from '../look.ts';
import { counted, firstOf, utc } from '../table.ts';

/** What ends with a document or an acceptance, and what follows: lines for the person who is asked whether it shall. */

/** A plan or waiver that is closed before its time. */
export const closingLines = (order: Order, stateDir: string, nowS: number, io: Io): readonly string[] => {
  using store = openStore(stateDir, io);
  const covered = findingsIn(store, { open: true }).filter(
    ({ finding: { plan, waiver } }) => plan === order.seq || waiver === order.seq,
  );
  const { kind } = order.terms;
  return [
    ...summaryOf(order.terms, nowS),
    ...(covered.length === 0
      ? [`Ends now. It covers no finding that is open; what is found from now on counts as if there were no ${kind}.`]
      : [
          `Ends now. ${counted(covered.length, 'open finding')} that it covers count${covered.length === 1 ? 's' : ''} again at the next look that shows what they are about, as if there were no ${kind}:`,
          ...firstOf(covered.map(findingLine)),
        ]),
  ];
};

const findingLine = (found: StoredFinding): string => {
  const { openedSeq, ruleId, part, severityBase } = found.finding;
  const devices = devicesOf(found);
  const where = devices.length === 1 ? devices[0] : counted(devices.length, 'device');
  return `  ${openedSeq ?? ''} ${severityBase} ${ruleId}${part === undefined ? '' : ` ${part}`}, ${where}`;
};

/** A reference document that is withdrawn. */
export const withdrawalLines = (order: Order, stateDir: string, nowS: number, io: Io): readonly string[] => [
  ...summaryOf(order.terms, nowS),
  ...(admittedBy(order).length === 0 ? [] : ['Whom it admits counts as an approver no longer.']),
  ...fallBack(stateDir, io, (state) => {
    const named = state.reference?.entries.some(({ seq }) => seq === order.seq) === true;
    const { terms } = order;
    return named || (terms.kind === 'reference' && terms.values !== undefined && speaksOf(terms, describe(state, {})));
  }),
];

/** An entry of the log by which devices were learned or accepted; undefined where it is none. */
export const entryLines = (seq: number, stateDir: string, io: Io): readonly string[] | undefined => {
  using store = openStore(stateDir, io);
  const entry = store.entry(seq);
  if (entry?.kind !== 'baseline') return undefined;
  // Our own statement.
  const { baseline } = JSON.parse(Buffer.from(entry.message).toString()) as BaselineStatement;
  const by = 'by' in baseline && baseline.by !== undefined ? ` by ${baseline.by}` : '';
  const note = 'note' in baseline && baseline.note !== undefined ? `: ${baseline.note}` : '';
  return [
    `Entry ${seq}, ${utc(entry.iat)} UTC: ${baseline.action}${by}${note}`,
    ...fallBack(stateDir, io, ({ reference }) => reference?.entries.some((one) => one.seq === seq) === true),
  ];
};

const fallBack = (stateDir: string, io: Io, holds: (state: DeviceState) => boolean): readonly string[] => {
  using store = openStore(stateDir, io);
  const devices = [...store.devices(readDevice)].filter(holds).map(({ id }) => id);
  if (devices.length === 0) return ['Ends now. It holds no value of any device that is known.'];
  const touched = new Set(devices);
  const open = findingsIn(store, { open: true }).filter((found) =>
    devicesOf(found).some((device) => touched.has(device)),
  );
  return [
    `Ends now. ${counted(devices.length, 'device')} fall${devices.length === 1 ? 's' : ''} back on what else the log holds: another document, or what was accepted or learned`,
    'before; without any, what they show next is learned, but for what a finding speaks of. Where they show something else than that, it is a',
    'finding from the next look on:',
    ...firstOf(devices.map((device) => `  ${device}`)),
    ...(open.length === 0
      ? []
      : [
          `${counted(open.length, 'finding')} there ${open.length === 1 ? 'is' : 'are'} open. What shows is then held against what is left: where that is the same, the finding ends:`,
          ...firstOf(open.map(findingLine)),
        ]),
  ];
};
