import { incarnationOf } from '../../shared/content.ts';
import {
  type AcceptedEntry,
  type AttestationStatement,
  type FindingStatement,
  gatewayOf,
  type Statement,
} from '../../shared/index.ts';
import { insertion, replacing, type Value, type Write } from './database.ts';
import { SUPERSEDING } from './schema.ts';

/** An entry, as far as it says how devices and findings stand. */
export type Stated = Pick<AcceptedEntry, 'seq' | 'status' | 'statement'>;

/** What entries change of the current state of devices and of the open findings. Quarantined ones change nothing. */
export const standingWrites = (entries: readonly Stated[]): readonly Write[] => {
  const devices = new Map<string, readonly Value[]>();
  const findings = new Map<string, readonly Value[] | undefined>();
  for (const { status, statement } of entries) {
    if (status !== 'chained') continue;
    for (const row of deviceRows(statement)) {
      const key = `${row[0]} ${row[1]}`;
      if (isNewer(row, devices.get(key))) devices.set(key, row);
    }
    if (statement.kind === 'finding') {
      const { log, finding } = statement;
      findings.set(`${log} ${finding.opened_seq}`, ENDED.has(finding.state) ? undefined : findingRow(statement));
    }
  }
  const ended = [...findings].filter(([, row]) => row === undefined).map(([key]) => keyOf(key));
  const open = [...findings.values()].filter((row) => row !== undefined);
  // Also for a finding of a former log: it may come after the beginning of the one that replaced it.
  const begun = entries.filter(({ seq }) => seq === 0).map(({ statement }) => gatewayOf(statement.log));
  const concerned = new Set([...begun, ...open.map(([log]) => gatewayOf(`${log}`))]);
  return [
    insertion('device', DEVICE, [...devices.values()], replacing(['gateway', 'device'], DEVICE, IF_NEWER)),
    insertion('finding', FINDING, open, replacing(['log', 'opened_seq'], FINDING)),
    {
      before: 'WITH ended (log, opened_seq) AS (VALUES ',
      row: '(CAST(? AS TEXT), CAST(? AS BIGINT))',
      after: `) DELETE FROM finding WHERE EXISTS
        (SELECT 1 FROM ended WHERE ended.log = finding.log AND ended.opened_seq = finding.opened_seq)`,
      rows: ended,
    },
    supersedingWrite([...concerned]),
  ];
};

/** Ends the findings of the logs of these gateways that another one replaced. */
export const supersedingWrite = (gateways: readonly string[]): Write => ({
  before: 'WITH concerned (gateway) AS (VALUES ',
  row: '(CAST(? AS TEXT))',
  after: `) ${SUPERSEDING} AND finding.gateway IN (SELECT concerned.gateway FROM concerned)`,
  rows: gateways.map((gateway) => [gateway]),
});

const ENDED: ReadonlySet<string> = new Set(['resolved', 'approved', 'incident-closed']);

const DEVICE = [
  'gateway',
  'device',
  'log',
  'incarnation',
  'seq',
  'has_left',
  'attested_at',
  'conformance',
  'approval',
  'address',
  'model',
  'firmware',
  'pool',
];

// Entries of a former incarnation may come after those of the one that replaced it.
const IF_NEWER = ' WHERE (excluded.incarnation, excluded.seq) > (device.incarnation, device.seq)';

const isNewer = (row: readonly Value[], than: readonly Value[] | undefined): boolean => {
  const [one, other] = [row, than ?? []].map((each) => [Number(each[3] ?? -1), Number(each[4] ?? -1)] as const);
  if (one === undefined || other === undefined) return true;
  return one[0] === other[0] ? one[1] > other[1] : one[0] > other[0];
};

const deviceRows = (statement: Statement): readonly (readonly Value[])[] => {
  if (statement.kind === 'attestation') {
    const { subject } = statement;
    const former = subject.formerly === undefined ? [] : [leftRow(statement, subject.formerly)];
    return [...former, attestedRow(statement)];
  }
  if (statement.kind !== 'session' || !('removed' in statement.session)) return [];
  return (statement.session.removed ?? []).map((device) => leftRow(statement, device));
};

const placeOf = ({ log, seq }: Statement, device: string): readonly Value[] => [
  gatewayOf(log),
  device,
  log,
  incarnationOf(log),
  seq,
];

const leftRow = (statement: Statement, device: string): readonly Value[] => [
  ...placeOf(statement, device),
  1,
  statement.iat,
  '',
  '',
  '',
  '',
  '',
  '',
];

const attestedRow = (statement: AttestationStatement): readonly Value[] => {
  const { subject, evidence, appraisal, reference, iat } = statement;
  const claims = (evidence.claims ?? {}) as {
    readonly identity?: { readonly model?: string };
    readonly firmware?: { readonly version?: string; readonly build?: string };
    readonly pools?: readonly { readonly url: string; readonly active?: boolean }[];
  };
  const { identity, firmware, pools = [] } = claims;
  return [
    ...placeOf(statement, subject.device),
    0,
    iat,
    appraisal.conformance,
    reference?.approval ?? 'none',
    ...[
      evidence.address,
      identity?.model,
      firmware?.version ?? firmware?.build,
      (pools.find(({ active }) => active) ?? pools[0])?.url,
    ].map((said) => plain(said ?? '')),
  ];
};

const FINDING = [
  'log',
  'opened_seq',
  'gateway',
  'seq',
  'id',
  'device',
  'part',
  'severity',
  'state',
  'first_observed_at',
  'value_before',
  'value_after',
];

const findingRow = ({ log, seq, finding }: FindingStatement): readonly Value[] => [
  log,
  finding.opened_seq,
  gatewayOf(log),
  seq,
  finding.id,
  finding.device ?? '',
  plain(finding.part ?? ''),
  finding.severity,
  finding.state,
  finding.first_observed_at,
  plain(valueText(finding.before)),
  plain(valueText(finding.after)),
];

const valueText = (value: unknown): string => (value === undefined ? '' : JSON.stringify(value));

/** PostgreSQL keeps no NUL in a text, and what a device says may hold one: the entry has it as it was. */
const plain = (said: string): string => said.replaceAll('\0', '\u{FFFD}');

const keyOf = (key: string): readonly Value[] => {
  const [log = '', seq = ''] = key.split(' ');
  return [log, Number(seq)];
};
