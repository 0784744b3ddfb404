/**
 * The tables of a collector, for SQLite and PostgreSQL alike, as migrations: the n-th takes the version in `meta` from n to
 * n + 1. They are only ever appended to. Instants named `…_at` and `since` are Unix seconds.
 */

/** How a database spells what the two spell differently. */
export interface Dialect {
  readonly integer: string;
  readonly bytes: string;
  /** Behind a table. */
  readonly strict: string;
}

/** A log is written `<gateway>/<incarnation>`. */
const incarnationIn = (table: string): string => `CAST(substr(${table}.log, length(${table}.gateway) + 2) AS BIGINT)`;

/** `which`: the logs that may replace one. */
const superseding = (which: string): string => {
  const later = `FROM log AS later WHERE later.gateway = finding.gateway AND ${which}
    AND ${incarnationIn('later')} > ${incarnationIn('finding')}`;
  return `UPDATE finding
  SET superseded_by = (SELECT later.log ${later} ORDER BY ${incarnationIn('later')} LIMIT 1)
  WHERE superseded_by = '' AND EXISTS (SELECT 1 ${later})`;
};

/**
 * Ends the open findings of logs that another one replaced: nobody states anything about them any more. A further condition on
 * `finding` may follow.
 */
export const SUPERSEDING = superseding('later.size > 0 AND later.aside = 0');

export const MIGRATIONS: readonly ((dialect: Dialect) => string)[] = [
  ({ integer, bytes, strict }) => `
  -- The state of each log. The library compares revisions, and reads and writes the text of the state.
  CREATE TABLE log (
    log TEXT PRIMARY KEY,
    gateway TEXT NOT NULL,
    revision ${integer} NOT NULL,
    size ${integer} NOT NULL,
    state TEXT NOT NULL,
    stored_at ${integer} NOT NULL
  ) ${strict};
  CREATE TABLE log_device (
    log TEXT NOT NULL,
    device TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (log, device)
  ) ${strict};

  -- Every entry in its place, as received.
  CREATE TABLE entry (
    log TEXT NOT NULL,
    seq ${integer} NOT NULL,
    kind TEXT NOT NULL,
    device TEXT,
    status TEXT NOT NULL,
    remarks TEXT NOT NULL,
    iat ${integer} NOT NULL,
    received_at ${integer} NOT NULL,
    leaf ${bytes} NOT NULL,
    bytes ${bytes} NOT NULL,
    PRIMARY KEY (log, seq)
  ) ${strict};
  CREATE INDEX entry_quarantined ON entry (log, seq) WHERE status = 'quarantined';

  -- What the newest attestation says of each device. has_left: the gateway does not look at it any more.
  CREATE TABLE device (
    gateway TEXT NOT NULL,
    device TEXT NOT NULL,
    log TEXT NOT NULL,
    incarnation ${integer} NOT NULL,
    seq ${integer} NOT NULL,
    has_left ${integer} NOT NULL,
    attested_at ${integer} NOT NULL,
    conformance TEXT NOT NULL,
    approval TEXT NOT NULL,
    address TEXT NOT NULL,
    model TEXT NOT NULL,
    firmware TEXT NOT NULL,
    pool TEXT NOT NULL,
    PRIMARY KEY (gateway, device)
  ) ${strict};

  -- Findings that have not ended, as they were last stated in entry seq.
  CREATE TABLE finding (
    log TEXT NOT NULL,
    opened_seq ${integer} NOT NULL,
    gateway TEXT NOT NULL,
    seq ${integer} NOT NULL,
    id TEXT NOT NULL,
    device TEXT NOT NULL,
    part TEXT NOT NULL,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,
    first_observed_at ${integer} NOT NULL,
    value_before TEXT NOT NULL,
    value_after TEXT NOT NULL,
    PRIMARY KEY (log, opened_seq)
  ) ${strict};

  -- Entries that are missing, from inclusive, to exclusive. kind: gap, or lost where they will not come.
  CREATE TABLE gap (
    log TEXT NOT NULL,
    kind TEXT NOT NULL,
    from_seq ${integer} NOT NULL,
    to_seq ${integer} NOT NULL,
    since ${integer} NOT NULL,
    PRIMARY KEY (log, kind, from_seq)
  ) ${strict};

  CREATE TABLE silence (
    gateway TEXT NOT NULL,
    expected TEXT NOT NULL,
    since ${integer} NOT NULL,
    PRIMARY KEY (gateway, expected)
  ) ${strict};

  -- What nobody may miss: forks with both signed pieces, checkpoints that do not agree, logs that were replaced.
  CREATE TABLE alarm (
    digest TEXT PRIMARY KEY,
    at ${integer} NOT NULL,
    kind TEXT NOT NULL,
    log TEXT NOT NULL,
    detail TEXT NOT NULL,
    first_bytes ${bytes},
    second_bytes ${bytes}
  ) ${strict};

  -- Messages that were kept out, the newest some thousand of them.
  CREATE TABLE refused (
    digest TEXT PRIMARY KEY,
    at ${integer} NOT NULL,
    topic TEXT NOT NULL,
    remarks TEXT NOT NULL,
    bytes ${bytes} NOT NULL
  ) ${strict};
  `,
  () => `
  -- The log whose beginning ended a finding, because the one that stated it was replaced; empty for one that is open.
  ALTER TABLE finding ADD COLUMN superseded_by TEXT NOT NULL DEFAULT '';
  CREATE INDEX finding_open ON finding (gateway) WHERE superseded_by = '';
  CREATE INDEX log_of_gateway ON log (gateway);
  ${superseding('later.size > 0')};
  `,
  ({ integer }) => `
  -- 1: evidence only; nothing has to come after it.
  ALTER TABLE log ADD COLUMN aside ${integer} NOT NULL DEFAULT 0;
  -- Whoever has a key can name any number of logs: one of which there is no entry is none.
  DELETE FROM log WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.log = log.log);
  `,
  ({ integer }) => `
  -- Counts up as alarms are written: several may be of one second.
  ALTER TABLE alarm ADD COLUMN nth ${integer} NOT NULL DEFAULT 0;
  CREATE INDEX alarm_nth ON alarm (nth);
  `,
];
