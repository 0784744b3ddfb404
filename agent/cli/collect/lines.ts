import { errorsOf, type Notice, type Placed, type Report } from '../../../shared/index.ts';
import { bare } from '../../collect/events-kept.ts';

/** What came of a call, as JSON lines: one for each verdict, one for each notice. */
export const jsonOf = ({ verdicts, notices }: Report, atMs: number): readonly object[] => [
  ...verdicts.map((placed) => verdictJson(placed, atMs)),
  ...notices.map((notice) => noticeJson(notice, atMs)),
];

const verdictJson = ({ status, statement, topic, remarks }: Placed, atMs: number): object => ({
  at: seconds(atMs),
  event: 'message',
  status,
  ...(statement === undefined ? { topic } : { log: statement.log, seq: statement.seq, kind: statement.kind }),
  ...(remarks.length === 0 ? {} : { remarks: remarks.map(bare) }),
});

const noticeJson = (notice: Notice, atMs: number): object => {
  const { kind, ...members } = notice;
  const named = Object.entries(members).map(([name, value]) => namedJson(name, value));
  return { at: seconds(atMs), event: kind, ...Object.fromEntries(named) };
};

/** As in everything that the verbs print: `at` and `…_at` are Unix seconds, names are snake_case. */
const namedJson = (name: string, value: unknown): readonly [name: string, value: unknown] => {
  switch (name) {
    case 'at':
      // Of a fork: the `seq`, or the size of the two checkpoints.
      return ['position', value];
    case 'atS':
      return ['witnessed_at', value];
    case 'sinceMs':
      return ['since', seconds(Number(value))];
    case 'replacedBy':
      return ['replaced_by', value];
    default:
      return [name, jsonValue(value)];
  }
};

/** Signed pieces are JSON or text themselves, and are told as the text that they are. */
const jsonValue = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return value.map((each) => (isRemark(each) ? bare(each) : each));
  return isRemark(value) ? bare(value) : value;
};

const isRemark = (value: unknown): value is Parameters<typeof bare>[0] =>
  typeof value === 'object' && value !== null && 'code' in value && 'step' in value;

/** What a person should read of it, one line each; ordinary entries and heartbeats are counted, not told. */
export const linesOf = ({ verdicts, notices }: Report): readonly string[] => [
  ...verdicts.flatMap(verdictLine),
  ...notices.flatMap(noticeLine),
];

const verdictLine = ({ status, statement, topic, remarks }: Placed): readonly string[] => {
  if (status !== 'refused' && status !== 'quarantined') return [];
  const where = statement === undefined ? topic : `${statement.log} entry ${statement.seq}`;
  return [`${where}: ${status}, ${remarks.map(({ code, detail }) => `${code} ${detail}`).join('; ')}`];
};

const noticeLine = (notice: Notice): readonly string[] => {
  switch (notice.kind) {
    case 'gap':
      return [`${notice.log}: entries ${rangeText(notice)} are missing, ${notice.waiting} later ones wait`];
    case 'filled':
      return [`${notice.log}: the missing entries came, ${notice.next} are here`];
    case 'lost':
      return [
        notice.replacedBy === undefined
          ? `${notice.log}: entries ${rangeText(notice)} are lost, the gateway does not hold them any more`
          : `${notice.log}: entries ${rangeText(notice)} are lost, ${notice.replacedBy} has replaced this log`,
      ];
    case 'fork':
      return [`${notice.log}: FORK at ${notice.at}, ${notice.remark.detail}: the gateway key signed two histories`];
    case 'checkpoint':
    case 'witnessed':
      return errorsOf(notice).map(
        ({ code, detail }) => `${notice.log}: ${WHAT[notice.kind]} of ${notice.size} entries, ${code} ${detail}`,
      );
    case 'restart':
      return [`${notice.log}: the agent started again, entry ${notice.seq}`];
    case 'incarnation':
      return [`${notice.log}: begins${notice.former === undefined ? '' : `, in place of ${notice.former}`}`];
    case 'aside':
      return [`${notice.log}: set aside, ${notice.why}`];
    case 'reinstated':
      return [`${notice.log}: counts again, ${notice.why}`];
    case 'silent':
      return [`${notice.gateway}: silent, no ${notice.of} since ${new Date(notice.sinceMs).toISOString()}`];
    case 'heard':
      return [`${notice.gateway}: ${notice.of} heard again`];
    case 'presence':
      return [`${notice.gateway}: says ${notice.state}`];
    case 'manifest':
      return [`manifest ${notice.version} is in force`];
  }
};

const WHAT = { checkpoint: 'checkpoint', witnessed: 'cosigned checkpoint' } as const;

const rangeText = ({ from, to }: { readonly from: number; readonly to: number }): string =>
  to - from === 1 ? `${from}` : `${from} to ${to - 1}`;

const seconds = (ms: number): number => Math.floor(ms / 1000);
