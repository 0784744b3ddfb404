import { hash } from 'node:crypto';
import {
  type Changes,
  canonicalJson,
  errorsOf,
  gatewayOf,
  isError,
  type Notice,
  type RefusedMessage,
  type Remark,
} from '../../shared/index.ts';
import { insertion, replacing, type Value, type Write } from './database.ts';

/** Refused messages that are kept; the library hands over 256 an hour at most. */
const MOST_REFUSED = 4_096;

/** What notices, refused messages and the growth of logs change of gaps, silence, alarms and evidence. */
export const eventWrites = ({ logs, notices, refused }: Changes, nowS: number): readonly Write[] => [
  ...gapWrites(notices, nowS),
  // A collector that was started since it told of a gap does not tell that it is filled.
  {
    before: 'WITH grown (log, size) AS (VALUES ',
    row: '(CAST(? AS TEXT), CAST(? AS BIGINT))',
    after: `) DELETE FROM gap WHERE kind <> 'lost' AND EXISTS
      (SELECT 1 FROM grown WHERE grown.log = gap.log AND gap.to_seq <= grown.size)`,
    rows: logs.map(({ log, size }) => [log, size]),
  },
  ...silenceWrites(logs, notices),
  alarmWrite(distinct(notices.flatMap((notice) => alarmRow(notice, nowS)))),
  ...refusedWrites(refused),
];

// ---- gaps

const KEY = ['log', 'kind', 'from_seq'];
const GAP = ['log', 'kind', 'from_seq', 'to_seq', 'since'];

/** Kind of lost entries at the end of a log that was replaced. They are told as `lost`, unless they come after all. */
const REPLACED = 'replaced';

const gapWrites = (notices: readonly Notice[], nowS: number): readonly Write[] => {
  const gaps = new Map(notices.filter((each) => each.kind === 'gap').map((each) => [each.log, each]));
  const lost = notices.filter((each) => each.kind === 'lost');
  const replaced = lost.filter(({ replacedBy }) => replacedBy !== undefined).map(({ log }) => log);
  const row = (notice: Notice & { kind: 'gap' | 'lost' }) => [
    notice.log,
    notice.kind === 'lost' && notice.replacedBy !== undefined ? REPLACED : notice.kind,
    notice.from,
    notice.to,
    nowS,
  ];
  // Of a range that grew in this transaction the last word: a statement must not meet a row twice.
  const kept = new Map([...gaps.values(), ...lost].map(row).map((each) => [`${each.slice(0, KEY.length)}`, each]));
  return [
    {
      before: 'WITH told (log, from_seq) AS (VALUES ',
      row: '(CAST(? AS TEXT), CAST(? AS BIGINT))',
      after: `) DELETE FROM gap WHERE kind = 'gap' AND EXISTS
        (SELECT 1 FROM told WHERE told.log = gap.log AND told.from_seq <> gap.from_seq)`,
      rows: [...gaps.values()].map(({ log, from }) => [log, from]),
    },
    {
      before: 'WITH replaced (log) AS (VALUES ',
      row: '(CAST(? AS TEXT))',
      after: `) DELETE FROM gap WHERE kind = 'gap' AND log IN (SELECT replaced.log FROM replaced)`,
      rows: replaced.map((log) => [log]),
    },
    // The same gap, told again by a collector that was started since, goes on.
    insertion('gap', GAP, [...kept.values()], replacing(KEY, [...KEY, 'to_seq'])),
    // Logs that have not begun can be named in any number: of each gateway one gap of such a log is enough.
    {
      before: 'WITH told (log, gateway) AS (VALUES ',
      row: '(CAST(? AS TEXT), CAST(? AS TEXT))',
      after: `) DELETE FROM gap WHERE kind = 'gap' AND NOT EXISTS (SELECT 1 FROM log WHERE log.log = gap.log)
        AND EXISTS (SELECT 1 FROM told WHERE told.log <> gap.log
          AND substr(gap.log, 1, length(told.gateway) + 1) = told.gateway || '/')`,
      rows: [...new Map([...gaps.keys()].map((log) => [gatewayOf(log), log]))].map(([gateway, log]) => [log, gateway]),
    },
  ];
};

// ---- silence

const SILENCE = ['gateway', 'expected', 'since'];

/** The last word of a transaction counts. A collector that was started since it told of silence does not tell its end. */
const silenceWrites = (logs: Changes['logs'], notices: readonly Notice[]): readonly Write[] => {
  const silent = new Map<string, number | undefined>();
  for (const { log, entries } of logs) {
    if (entries.some(({ statement }) => statement.kind === 'coverage'))
      silent.set(`${gatewayOf(log)} coverage`, undefined);
  }
  for (const notice of notices) {
    if (notice.kind === 'silent') silent.set(`${notice.gateway} ${notice.of}`, notice.sinceMs);
    if (notice.kind === 'heard') silent.set(`${notice.gateway} ${notice.of}`, undefined);
    if (notice.kind === 'checkpoint' && !notice.remarks.some(isError)) {
      silent.set(`${gatewayOf(notice.log)} heartbeat`, undefined);
    }
  }
  const begun = [...silent].filter(([, sinceMs]) => sinceMs !== undefined);
  return [
    insertion(
      'silence',
      SILENCE,
      begun.map(([key, sinceMs]) => [...key.split(' '), seconds(sinceMs ?? 0)]),
      ' ON CONFLICT DO NOTHING',
    ),
    {
      before: 'WITH heard (gateway, expected) AS (VALUES ',
      row: '(CAST(? AS TEXT), CAST(? AS TEXT))',
      after: `) DELETE FROM silence WHERE EXISTS
        (SELECT 1 FROM heard WHERE heard.gateway = silence.gateway AND heard.expected = silence.expected)`,
      rows: [...silent].filter(([, sinceMs]) => sinceMs === undefined).map(([key]) => key.split(' ')),
    },
  ];
};

// ---- alarms and evidence

const ALARM = ['digest', 'at', 'kind', 'log', 'detail', 'first_bytes', 'second_bytes', 'nth'];

/** One that is there stays as it is, unless there is more to say of it: then it is news, and its time is that of the news. */
const alarmWrite = (rows: readonly (readonly Value[])[]): Write => ({
  ...insertion(
    'alarm',
    ALARM,
    rows.map((row, index) => [...row, index + 1]),
    replacing(['digest'], ['digest', 'at', 'detail', 'nth'], ' WHERE alarm.detail <> excluded.detail'),
  ),
  row: '(?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(nth), 0) FROM alarm) + CAST(? AS BIGINT))',
});

const alarmRow = (notice: Notice, nowS: number): readonly (readonly Value[])[] => {
  switch (notice.kind) {
    case 'fork': {
      const { log, at, first, second, remark } = notice;
      return [[...headOf(notice.kind, log, { position: at, ...bare(remark) }, nowS), first ?? null, second]];
    }
    case 'checkpoint':
    case 'witnessed': {
      const { kind, log, size, remarks } = notice;
      if (errorsOf(notice).length === 0) return [];
      return [[...headOf(kind, log, { size, remarks: remarks.map(bare) }, nowS), null, null]];
    }
    case 'incarnation': {
      const { log, former, held, prior } = notice;
      if (former === undefined && prior === null) return [];
      const known = former === undefined ? {} : { former, held: held ?? 0 };
      return [[...headOf('replaced', log, { ...known, prior }, nowS), null, null]];
    }
    case 'aside':
    case 'reinstated': {
      const { kind, log, why } = notice;
      // It may be done again.
      return [[...headOf(kind, log, { why, at: nowS }, nowS), null, null]];
    }
    case 'lost': {
      const { log, from, to, replacedBy } = notice;
      const range = { from, ...(replacedBy === undefined ? {} : { replaced_by: replacedBy }) };
      // Where it ends may grow, as often as the gateway likes: it is the same range.
      return [[...headOf(notice.kind, log, { ...range, to }, nowS, range), null, null]];
    }
    default:
      return [];
  }
};

/** Whoever can publish can deliver the same again and again: it is one alarm. `same` is what tells it from others. */
const headOf = (kind: string, log: string, detail: object, nowS: number, same = detail): readonly Value[] => [
  hash('sha256', canonicalJson({ kind, log, detail: same }), 'base64url'),
  nowS,
  kind,
  log,
  JSON.stringify(detail),
];

const REFUSED = ['digest', 'at', 'topic', 'remarks', 'bytes'];

const refusedWrites = (refused: readonly RefusedMessage[]): readonly Write[] => {
  const rows = refused.map(({ topic, bytes, remarks, receivedAtMs }) => [
    hash('sha256', Buffer.concat([Buffer.from(`${topic}\n`), bytes]), 'base64url'),
    seconds(receivedAtMs),
    topic,
    JSON.stringify(remarks.map(bare)),
    bytes,
  ]);
  const oldest = `DELETE FROM refused WHERE digest IN
    (SELECT digest FROM refused ORDER BY at DESC, digest LIMIT 1000000 OFFSET ${MOST_REFUSED})`;
  return [
    insertion('refused', REFUSED, distinct(rows), ' ON CONFLICT DO NOTHING'),
    { before: oldest, row: '', after: '', rows: rows.length === 0 ? [] : [[]] },
  ];
};

const distinct = (rows: readonly (readonly Value[])[]): readonly (readonly Value[])[] => [
  ...new Map(rows.map((row) => [row[0], row])).values(),
];

/** A remark without what an error of JavaScript has beside it. */
export const bare = ({ code, step, detail }: Remark): Pick<Remark, 'code' | 'step' | 'detail'> => ({
  code,
  step,
  detail,
});

export const seconds = (ms: number): number => Math.floor(ms / 1000);
