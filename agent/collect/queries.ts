import { gatewayOf } from '../../shared/index.ts';
import { bytes, type Database, integer, type Row, text } from './database.ts';

/** What the store of a collector says to a person. Times are Unix seconds. */

/** Looks at one gateway only: `<operator>/<gateway>`, or the gateway alone. */
export type Only = string | undefined;

export const isOnly =
  (only: Only) =>
  ({ gateway }: { readonly gateway: string }): boolean =>
    only === undefined || gateway === only || gateway.endsWith(`/${only}`);

/** Gateways that signed something here, or are waited for. */
export const gateways = async (database: Database): Promise<readonly string[]> => {
  const rows = await database.all('SELECT gateway FROM log UNION SELECT gateway FROM silence');
  const spokenOf = await database.all('SELECT log FROM gap UNION SELECT log FROM alarm');
  return [...new Set([...rows.map((row) => text(row.gateway)), ...spokenOf.map(({ log }) => gatewayOf(text(log)))])];
};

export interface ShownDevice {
  readonly gateway: string;
  readonly device: string;
  readonly address: string;
  readonly model: string;
  readonly firmware: string;
  readonly pool: string;
  readonly conformance: string;
  readonly approval: string;
  readonly attested_at: number;
  readonly log: string;
  readonly seq: number;
  /** Findings of the device that are open. */
  readonly findings: number;
}

/** The newest attestation of every device that a gateway looks at. */
export const devices = async (database: Database, only: Only): Promise<readonly ShownDevice[]> => {
  const rows = await database.all(`
    SELECT gateway, device, address, model, firmware, pool, conformance, approval, attested_at, log, seq,
      (SELECT count(*) FROM finding WHERE finding.gateway = device.gateway
        AND finding.device = device.device AND finding.superseded_by = '') AS findings
    FROM device WHERE has_left = 0 ORDER BY gateway, device`);
  return rows.map(deviceOf).filter(isOnly(only));
};

const deviceOf = (row: Row): ShownDevice => ({
  gateway: text(row.gateway),
  device: text(row.device),
  address: text(row.address),
  model: text(row.model),
  firmware: text(row.firmware),
  pool: text(row.pool),
  conformance: text(row.conformance),
  approval: text(row.approval),
  attested_at: integer(row.attested_at),
  log: text(row.log),
  seq: integer(row.seq),
  findings: integer(row.findings),
});

export interface ShownFinding {
  readonly gateway: string;
  /** Absent where several are concerned, or the gateway itself. */
  readonly device?: string;
  readonly id: string;
  readonly part?: string;
  readonly severity: string;
  readonly state: string;
  readonly first_observed_at: number;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly log: string;
  readonly opened_seq: number;
  /** The entry that stated it last. */
  readonly seq: number;
  /** The log that replaced the one that stated it: it was open when that ended, and is not followed any more. */
  readonly superseded_by?: string;
}

/** Findings that have not ended, newest first; `all`: also those whose log was replaced before they did. */
export const findings = async (
  database: Database,
  only: Only,
  { all = false }: { readonly all?: boolean } = {},
): Promise<readonly ShownFinding[]> => {
  const open = all ? '' : "WHERE superseded_by = ''";
  const rows = await database.all(
    `SELECT * FROM finding ${open} ORDER BY first_observed_at DESC, log, opened_seq DESC`,
  );
  return rows.map(findingOf).filter(isOnly(only));
};

const findingOf = (row: Row): ShownFinding => ({
  gateway: text(row.gateway),
  ...said('device', row.device),
  id: text(row.id),
  ...said('part', row.part),
  severity: text(row.severity),
  state: text(row.state),
  first_observed_at: integer(row.first_observed_at),
  ...valued('before', row.value_before),
  ...valued('after', row.value_after),
  log: text(row.log),
  opened_seq: integer(row.opened_seq),
  seq: integer(row.seq),
  ...said('superseded_by', row.superseded_by),
});

const said = (name: string, value: unknown): { readonly [name: string]: string } =>
  value === '' ? {} : { [name]: text(value) };

const valued = (name: string, value: unknown): { readonly [name: string]: unknown } =>
  value === '' ? {} : { [name]: JSON.parse(text(value)) };

export interface ShownGap {
  readonly gateway: string;
  readonly log: string;
  /** `lost`: they will not come, the gateway does not hold them or has replaced the log. */
  readonly kind: 'gap' | 'lost';
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly since: number;
}

/** Entries that are known to exist, or to have existed, and are not here. */
export const gaps = async (database: Database, only: Only): Promise<readonly ShownGap[]> => {
  const rows = await database.all(`
    SELECT gap.log, kind, from_seq, to_seq, since, coalesce(size, 0) AS size
    FROM gap LEFT JOIN log ON log.log = gap.log ORDER BY gap.log, from_seq`);
  return rows.map(gapOf).filter(isOnly(only));
};

const gapOf = (row: Row): ShownGap => {
  const kind = row.kind === 'gap' ? 'gap' : 'lost';
  const from = integer(row.from_seq);
  const log = text(row.log);
  return {
    gateway: gatewayOf(log),
    log,
    kind,
    // Some of them may have come since.
    from: row.kind === 'lost' ? from : Math.max(from, integer(row.size)),
    to: integer(row.to_seq),
    since: integer(row.since),
  };
};

export interface ShownSilence {
  readonly gateway: string;
  /** What should have been heard. */
  readonly expected: string;
  readonly since: number;
}

/** Gateways of which nothing was heard where something should have been. */
export const silence = async (database: Database, only: Only): Promise<readonly ShownSilence[]> => {
  const rows = await database.all('SELECT gateway, expected, since FROM silence ORDER BY since, gateway');
  return rows
    .map((row) => ({ gateway: text(row.gateway), expected: text(row.expected), since: integer(row.since) }))
    .filter(isOnly(only));
};

/** Something that a gateway key signed and should not have, or that somebody else wrote. */
export interface ShownAlarm {
  readonly kind:
    | 'fork'
    | 'checkpoint'
    | 'witnessed'
    | 'replaced'
    | 'lost'
    | 'aside'
    | 'reinstated'
    | 'unbegun'
    | 'quarantined'
    | 'refused';
  readonly at: number;
  /** Absent for a refused message: nobody it names has signed it. */
  readonly log?: string;
  readonly topic?: string;
  readonly seq?: number;
  readonly detail: unknown;
  /** The signed pieces, or the message itself, b64. */
  readonly proof: readonly string[];
}

/** Newest first; those of one second by when they were written. */
export const alarms = async (database: Database, only: Only): Promise<readonly ShownAlarm[]> => {
  const all = [
    ...(await database.all('SELECT * FROM alarm ORDER BY at DESC, nth DESC')).map(alarmOf),
    ...(await unbegun(database)),
    ...(await database.all("SELECT * FROM entry WHERE status = 'quarantined'")).map(quarantinedOf),
    ...(await database.all('SELECT * FROM refused')).map(refusedOf),
  ];
  return all
    .filter((alarm) => isOnly(only)({ gateway: gatewayOfAlarm(alarm) }))
    .sort((one, other) => other.at - one.at);
};

/** Logs that somebody signed for under the key of a gateway that is at another one, and of which nothing comes. While the gap is there. */
const unbegun = async (database: Database): Promise<readonly ShownAlarm[]> => {
  const known = await database.all('SELECT DISTINCT gateway FROM log');
  const gateways = new Set(known.map(({ gateway }) => text(gateway)));
  const rows = await database.all(`
    SELECT * FROM gap WHERE kind = 'gap' AND NOT EXISTS (SELECT 1 FROM log WHERE log.log = gap.log)`);
  return rows
    .filter(({ log }) => gateways.has(gatewayOf(text(log))))
    .map((row) => ({
      kind: 'unbegun',
      at: integer(row.since),
      log: text(row.log),
      detail: { from: integer(row.from_seq), to: integer(row.to_seq) },
      proof: [],
    }));
};

const gatewayOfAlarm = ({ log, topic = '' }: ShownAlarm): string =>
  log === undefined ? `/${topic.split('/').at(topic.split('/').indexOf('v1') + 1)}` : gatewayOf(log);

const alarmOf = (row: Row): ShownAlarm => ({
  kind: text(row.kind) as ShownAlarm['kind'],
  at: integer(row.at),
  log: text(row.log),
  detail: JSON.parse(text(row.detail)),
  proof: [row.first_bytes, row.second_bytes].filter((each) => each !== null).map(proofOf),
});

const quarantinedOf = (row: Row): ShownAlarm => ({
  kind: 'quarantined',
  at: integer(row.received_at),
  log: text(row.log),
  seq: integer(row.seq),
  detail: { remarks: JSON.parse(text(row.remarks)) },
  proof: [proofOf(row.bytes)],
});

const refusedOf = (row: Row): ShownAlarm => ({
  kind: 'refused',
  at: integer(row.at),
  topic: text(row.topic),
  detail: { remarks: JSON.parse(text(row.remarks)) },
  proof: [proofOf(row.bytes)],
});

const proofOf = (value: unknown): string => Buffer.from(bytes(value)).toString('base64');
