import { AgentError } from '../platform/errors.ts';

/** The tables of one log: its entries and what they cite. */
const LOG = `
  -- The log. A pruned entry keeps its row and leaf hash and loses its message.
  CREATE TABLE entries (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    device TEXT,
    iat INTEGER NOT NULL,
    message BLOB,
    leaf BLOB NOT NULL
  ) STRICT;
  CREATE INDEX entries_by_device ON entries (device, seq) WHERE device IS NOT NULL;
  CREATE INDEX entries_held ON entries (seq, iat) WHERE message IS NOT NULL;
  CREATE INDEX entries_of_baseline ON entries (seq) WHERE kind = 'baseline';

  -- Replies that an entry cites, masked. keep_until is NULL where they are kept as long as the entry.
  CREATE TABLE captures (
    seq INTEGER NOT NULL,
    query TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    bytes BLOB NOT NULL,
    keep_until INTEGER,
    PRIMARY KEY (seq, query)
  ) STRICT;
  CREATE INDEX captures_ending ON captures (keep_until) WHERE keep_until IS NOT NULL;

  CREATE TABLE disclosures (
    digest TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    text TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX disclosures_by_seq ON disclosures (seq);
`;

/**
 * How long agents had run on this store when a row was written, seconds; NULL in a row of a store of version 6 or older, whose instant stands
 * for it. Retention goes by it and by no wall clock: one that is wrong once would remove evidence for good.
 */
const RAN = `
  ALTER TABLE entries ADD COLUMN ran_s INTEGER;
  DROP INDEX entries_held;
  CREATE INDEX entries_held ON entries (seq, coalesce(ran_s, iat)) WHERE message IS NOT NULL;
`;

/** Each of these tables is put aside as `<table>_<incarnation>` when another log replaces this one. */
const LOG_TABLES = ['entries', 'captures', 'disclosures'] as const;

/** Puts the log aside and begins an empty one. Only names change: however long it is, it takes no time. */
export const retireTables = (incarnation: number): string => `
  DROP INDEX entries_by_device;
  DROP INDEX entries_held;
  DROP INDEX entries_of_baseline;
  DROP INDEX captures_ending;
  DROP INDEX disclosures_by_seq;
  ${LOG_TABLES.map((table) => `ALTER TABLE ${table} RENAME TO ${table}_${incarnation};`).join(' ')}
  ${LOG}
  ${RAN}
  INSERT OR IGNORE INTO stale_mirrors (tenant, device)
    SELECT '', device FROM newest UNION SELECT tenant, device FROM newest;
  DELETE FROM newest;
  DELETE FROM orders;
  DELETE FROM departures;
  DELETE FROM cursors;
  -- What is open is said again in the new log, and told again under its names there.
  UPDATE notify_places SET next = 0, skipped = json_set(skipped, '$.ended', json('[]'));
  DELETE FROM notify_told;
  DELETE FROM findings WHERE device = '' AND open = 1;
  DELETE FROM storms;
  DELETE FROM storm_members;
  -- Of what is open about the clock, the former log alone has the beginning.
  DELETE FROM meta WHERE name IN ('tree', 'untrusted-clock');
  UPDATE meta SET value = '0' WHERE name = 'held-from';
`;

/**
 * The tables of the store, as migrations: the n-th takes `user_version` n to n + 1. They are only ever appended to.
 * Instants are Unix seconds.
 */
const MIGRATIONS: readonly string[] = [
  `${LOG}
  -- The newest attestation of each device that is in the configuration.
  CREATE TABLE newest (
    device TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- What the agent knows of each device, as JSON of the appraise stage.
  CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Newest state of each finding that was ever stated or confirmed. device is '' for the parent of a storm.
  CREATE TABLE findings (
    device TEXT NOT NULL,
    rule TEXT NOT NULL,
    part TEXT NOT NULL,
    first_observed_at INTEGER NOT NULL,
    open INTEGER NOT NULL,
    finding TEXT NOT NULL,
    PRIMARY KEY (device, rule, part, first_observed_at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX findings_by_time ON findings (open, first_observed_at);

  -- Uplink: number of entries from 0 that a reader confirmed.
  CREATE TABLE cursors (
    reader TEXT PRIMARY KEY,
    next INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- From where on every entry still has its message: checkpoints say so.
  INSERT INTO meta (name, value)
    SELECT 'held-from', CAST(coalesce(max(seq) + 1, 0) AS TEXT) FROM entries WHERE message IS NULL;
  `,
  `
  -- Documents of approvers, plans and waivers in force, by the entry that adopted them, as JSON of the record stage.
  CREATE TABLE orders (
    seq INTEGER PRIMARY KEY,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS entries_of_baseline ON entries (seq) WHERE kind = 'baseline';
  `,
  `
  -- Label tenant of that attestation; '' where it has none.
  ALTER TABLE newest ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
  UPDATE newest SET tenant = coalesce(
    (SELECT json_extract(CAST(message AS TEXT), '$.subject.labels.tenant') FROM entries WHERE seq = newest.seq), ''
  );

  -- Retained messages of devices that left, or of their former tenants, to be cleared at the broker. tenant is '' for the
  -- topic without one.
  CREATE TABLE stale_mirrors (
    tenant TEXT NOT NULL,
    device TEXT NOT NULL,
    PRIMARY KEY (tenant, device)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- How far each target of notify was told the log; skipped is JSON: what it was not told.
  CREATE TABLE notify_places (
    target TEXT PRIMARY KEY,
    next INTEGER NOT NULL,
    skipped TEXT
  ) STRICT, WITHOUT ROWID;

  -- Findings that a target was told of, and not of their end.
  CREATE TABLE notify_told (
    target TEXT NOT NULL,
    opened_seq INTEGER NOT NULL,
    PRIMARY KEY (target, opened_seq)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- What is about the gateway, or about many devices, is named by the entry that opened it.
  UPDATE OR IGNORE findings SET part = CAST(json_extract(finding, '$.openedSeq') AS TEXT)
    WHERE device = '' AND json_extract(finding, '$.openedSeq') IS NOT NULL;
  `,
  `
  ${RAN}
  ALTER TABLE findings ADD COLUMN ran_s INTEGER;
  `,
  `
  -- Present storms without their members, as JSON of the record stage.
  CREATE TABLE storms (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    storm TEXT NOT NULL
  ) STRICT;

  CREATE TABLE storm_members (
    storm INTEGER NOT NULL,
    name TEXT NOT NULL,
    member TEXT NOT NULL,
    PRIMARY KEY (storm, name)
  ) STRICT, WITHOUT ROWID;

  -- They were one value with all of their members; those that were not told yet are the last that joined.
  INSERT INTO storm_members (storm, name, member)
    SELECT storm.id, one.key, json_set(json_remove(one.value, '$.untold'), '$.joined', row_number() OVER (
      PARTITION BY storm.id ORDER BY json_extract(one.value, '$.untold') IS NOT NULL, one.id
    ))
    FROM meta, json_each(meta.value, '$.storms') AS storm, json_each(storm.value, '$.members') AS one
    WHERE meta.name = 'storms';
  INSERT INTO storms (id, key, storm)
    SELECT storm.id, storm.key, CASE
      WHEN json_type(storm.value, '$.parent') IS NULL THEN json_remove(storm.value, '$.members')
      ELSE json_set(json_remove(storm.value, '$.members'), '$.parent.told', (
        SELECT count(*) FROM json_each(storm.value, '$.members') AS one WHERE json_extract(one.value, '$.untold') IS NULL
      ))
    END
    FROM meta, json_each(meta.value, '$.storms') AS storm
    WHERE meta.name = 'storms';
  DELETE FROM meta WHERE name = 'storms';
  `,
  `
  -- Where in the log a device last left the configuration: what baseline entries gave its name before gives it nothing any more.
  CREATE TABLE departures (
    device TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO departures (device, seq)
    SELECT gone.value, max(entries.seq)
    FROM entries, json_each(CAST(entries.message AS TEXT), '$.session.removed') AS gone
    WHERE entries.message IS NOT NULL AND entries.kind = 'session'
    GROUP BY gone.value;
  `,
];

/** The part of a connection that versions need: `store.ts` is the only one that knows SQLite itself. */
interface Versioned {
  exec(sql: string): void;
  prepare(sql: string): { get(): { readonly [column: string]: unknown } | undefined };
}

/** Brings the store to the version of this program, a transaction per step. Throws `store.version` where it is newer. */
export const migrate = (db: Versioned, file: string): void => {
  for (let version = versionOf(db); version < MIGRATIONS.length; version += 1) {
    db.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[version]} PRAGMA user_version = ${version + 1}; COMMIT;`);
  }
  requireVersion(db, file);
};

/** Throws `store.version` unless the store has the version of this program. `isDamaged`: what would have brought it to that stood in its lost end. */
export const requireVersion = (db: Versioned, file: string, isDamaged: () => boolean = () => false): void => {
  const version = versionOf(db);
  if (version === MIGRATIONS.length) return;
  throw new AgentError({
    code: 'store.version',
    message: `the store ${file} has version ${version}, this program knows ${MIGRATIONS.length}`,
    remedy:
      version > MIGRATIONS.length ? 'use the newer release that wrote it' : isDamaged() ? AFTER_DAMAGE : UP_TO_DATE,
  });
};

const UP_TO_DATE = 'start the agent once, it brings the store up to date: assayer run';
const AFTER_DAMAGE =
  'its end is damaged: check the disk (dmesg, smartctl); the next start keeps the damaged file and begins another log: docs/backup.md';

const versionOf = (db: Versioned): number => Number(db.prepare('PRAGMA user_version').get()?.user_version);
