import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Store } from '../../agent/record/store.ts';
import type { CatchUp } from './catch-up.ts';
import { compare } from './compare.ts';
import type { Report } from './report.ts';
import type { Site } from './site.ts';

/** How a run came to its end. */
export interface Settled {
  readonly hasCaughtUp: boolean;
  /** What catching up took after the last fault. */
  readonly lastMs: number;
  /** How the processes ended that were asked to. */
  readonly endings: readonly string[];
}

/** What a run left behind, when everything has ended. */
export interface Remains
  extends Settled,
    Pick<Report, 'seed' | 'seconds' | 'isolated' | 'faults' | 'skipped' | 'ends'>,
    Pick<Site, 'program' | 'gateway' | 'collector'> {
  readonly catchUp: CatchUp;
  readonly folder: string;
}

const PAGE = 500;
/** What a collector has to say of entries whose time cannot be right, theirs or its own. */
const BY_CLOCKS: ReadonlySet<string> = new Set(['E_FUTURE', 'E_TIME_WINDOW']);

/** Compares the stores, has the log verified, and says what is wrong. */
export const judge = (remains: Remains): Omit<Report, 'restored'> => {
  const { gateway, collector, catchUp, lastMs, seed, seconds, isolated, faults, skipped, ends } = remains;
  using store = Store.openReadOnly(gateway.stateDir);
  using database = collector.database();
  using plainDatabase = collector.plainDatabase();
  const log = originOf(store);
  const one = database.prepare('SELECT bytes FROM entry WHERE log = ? AND seq = ?');
  const ours = compare(entriesOf(store), (seq) => one.get(log, seq)?.bytes as Uint8Array | undefined);
  const all = Number(database.prepare('SELECT count(*) AS count FROM entry').get()?.count);
  const plainOne = plainDatabase.prepare('SELECT bytes FROM entry WHERE seq = ?');
  const plain = compare(
    entriesOf(store, gateway.acknowledged()),
    (seq) => plainOne.get(seq)?.bytes as Uint8Array | undefined,
  );
  const quarantined: { [code: string]: number } = {};
  for (const { remarks } of database.prepare("SELECT remarks FROM entry WHERE status = 'quarantined'").all()) {
    for (const { code } of JSON.parse(String(remarks)) as { readonly code: string }[]) {
      if (code.startsWith('E_')) quarantined[code] = (quarantined[code] ?? 0) + 1;
    }
  }
  const alarms = database.prepare('SELECT kind, log, detail FROM alarm').all();
  const report = {
    seed,
    seconds,
    isolated,
    faults,
    skipped,
    ours: {
      ...ours,
      foreign: all - ours.stored - ours.differing,
      duplicates: collector.told.duplicate ?? 0,
      refused: collector.told.refused ?? 0,
      quarantined,
      longest_catch_up_s: tenths(catchUp.longestMs),
      last_catch_up_s: tenths(lastMs),
    },
    plain: { ...plain, duplicates: collector.plainDuplicates },
    ends,
  };
  return {
    ...report,
    problems: [...problemsOf(report, remains), ...alarms.map((alarm) => `alarm: ${JSON.stringify(alarm)}`)],
  };
};

const problemsOf = ({ ours, ends }: Omit<Report, 'problems' | 'restored'>, remains: Remains): readonly string[] => {
  const strange = Object.keys(ours.quarantined).filter((code) => !BY_CLOCKS.has(code));
  const verification = verified(remains);
  return [
    ...(ours.written === 0 ? ['nothing was written'] : []),
    ...(remains.hasCaughtUp ? [] : ['the collector did not catch up in time']),
    ...(ours.lost + ours.differing === 0 ? [] : [`lost or not as they were written: ${ours.first.join(', ')}`]),
    ...(ours.foreign === 0 ? [] : [`${ours.foreign} entries are stored that are not in the log`]),
    ...(ours.refused === 0 ? [] : [`the collector refused ${ours.refused} messages`]),
    ...(strange.length === 0 ? [] : [`quarantined: ${strange.join(', ')}`]),
    ...(verification === undefined ? [] : [`the log does not verify: ${verification}`]),
    ...ends.filter(isOurs).map(({ name, how, last }) => `${name} ended by itself, ${how}: ${last}`),
    ...remains.endings.filter((ending) => !ending.endsWith(' exit code 0')).map((ending) => `asked to end, ${ending}`),
  ];
};

/** A broker that ends by itself is not ours to mend; what has an excuse is told, and no failure. */
const isOurs = ({ name, excuse }: Report['ends'][number]): boolean =>
  excuse === undefined && (name === 'agent' || name === 'collector');

/** `assayer verify` on what `assayer log --raw` prints; what it says where that is not OK. */
const verified = ({ program: [node = '', ...words], gateway, folder }: Remains): string | undefined => {
  const file = join(folder, 'messages.jsonl');
  const fd = openSync(file, 'w');
  const raw = spawnSync(node, [...words, 'log', '--raw', '-c', gateway.config], {
    stdio: ['ignore', fd, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(fd);
  if (raw.status !== 0) return raw.stderr;
  const { status, stdout, stderr } = spawnSync(node, [...words, 'verify', file, '--key', gateway.keyFile], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return status === 0 && `${stdout}${stderr}`.endsWith('\nOK\n') ? undefined : `${stdout}${stderr}`.slice(-400);
};

/** What every entry says; a log that was begun anew in the run would be another one. */
export const originOf = (store: Store): string => {
  const [first] = store.entriesFrom(0, 1);
  return first === undefined ? '' : String(JSON.parse(Buffer.from(first.message).toString()).log);
};

export function* entriesOf(store: Store, below = Number.POSITIVE_INFINITY) {
  for (let from = 0; ; ) {
    const page = store.entriesFrom(from, PAGE);
    for (const entry of page) if (entry.seq < below) yield entry;
    const last = page.at(-1);
    if (last === undefined || last.seq >= below) return;
    from = last.seq + 1;
  }
}

const tenths = (ms: number): number => Math.round(ms / 100) / 10;
