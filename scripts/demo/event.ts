import type { FindingStatement, Statement } from '../../shared/index.ts';

/** What the demo tells, as it happens. Members are those of `--json`. */
export type DemoEvent =
  | {
      readonly event: 'begin';
      readonly broker: string;
      readonly public_key: string;
      readonly config: string;
      readonly attach: readonly string[];
      readonly miners: number;
      readonly pids: readonly number[];
    }
  | { readonly event: 'entry'; readonly seq: number; readonly kind: Statement['kind']; readonly says: string }
  | { readonly event: 'attack'; readonly attack: string; readonly device: string; readonly says: string }
  | ({ readonly event: 'finding'; readonly seq: number } & FindingLine)
  | Summary;

/** A finding, in the words of its statement. */
export type FindingLine = Pick<
  FindingStatement['finding'],
  'id' | 'device' | 'severity' | 'state' | 'part' | 'before' | 'after' | 'opened_seq'
>;

/** A finding that came of an attack, with the time from the change to its verification. */
type CaughtLine = FindingLine & { readonly since_change_s: number };

/** How it went; the last line. */
export interface Summary {
  readonly event: 'summary';
  readonly ok: boolean;
  /** Why not. */
  readonly reason?: string;
  readonly seconds: number;
  readonly devices: number;
  readonly entries: number;
  readonly mirrors: number;
  readonly refused: number;
  readonly waiting: number;
  readonly problems: readonly string[];
  readonly log?: string;
  readonly root?: string;
  readonly caught: readonly CaughtLine[];
}

export const findingLine = ({
  id,
  device,
  severity,
  state,
  part,
  before,
  after,
  opened_seq,
}: FindingStatement['finding']): FindingLine => ({
  id,
  severity,
  state,
  opened_seq,
  ...(device === undefined ? {} : { device }),
  ...(part === undefined ? {} : { part }),
  ...(before === undefined ? {} : { before }),
  ...(after === undefined ? {} : { after }),
});
