import type { Command } from 'commander';
import { incarnationOf, isFormer } from '../../../shared/content.ts';
import type { ListedLog } from '../../../shared/index.ts';
import type { Database } from '../../collect/database.ts';
import { gaps } from '../../collect/queries.ts';
import { SqlStore } from '../../collect/sql-store.ts';
import { AgentError } from '../../platform/errors.ts';
import { accountName } from '../ask.ts';
import { type Io, printable, printJson } from '../io.ts';
import { isWanted } from '../terms/decision.ts';
import { openForLooking, openForWriting, type Place, withPlace } from './place.ts';

interface AsideOptions extends Place {
  readonly allAfter?: string;
  readonly by?: string;
  readonly note: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** What a person decides about logs at a collector. */
interface Decision {
  readonly name: string;
  readonly description: string;
  readonly kind: 'aside' | 'reinstated';
  readonly follows: string;
  readonly question: (what: string) => string;
  readonly done: string;
}

const DECISIONS: readonly Decision[] = [
  {
    name: 'set-aside',
    description: 'keep logs as evidence only, so that the gateway is followed in its other logs',
    kind: 'aside',
    follows:
      'what it says is refused from then on, its devices and findings are shown no more, and other logs need not come after it',
    question: (what) => `Set ${what} aside?`,
    done: 'set aside',
  },
  {
    name: 'reinstate',
    description: 'let logs count again that were set aside',
    kind: 'reinstated',
    follows: 'its messages are taken again, and logs that were begun before it are replaced by it',
    question: (what) => `Let ${what} count again?`,
    done: 'reinstated',
  },
];

/** `collect set-aside|reinstate`: a wrong past is mended by a person, under a name. A collector that runs knows of it within a minute. */
export const asideVerbs = (collect: Command, io: Io): void => {
  for (const decision of DECISIONS) {
    withPlace(collect.command(decision.name).description(decision.description))
      .argument('[logs...]', 'logs as `assayer collect logs` shows them: example.org/gw-1/1795339200')
      .option('--all-after <log>', 'every later log of the same gateway that this can be said of, too')
      .requiredOption('--note <text>', 'why; it is shown with the alarm')
      .option('--by <name>', 'who decides it; without it the account of this process')
      .option('-y, --yes', 'do not ask after it was shown what follows')
      .option('--json', 'print what follows as text on stderr, and the result as JSON, a line for each log')
      .action((logs: readonly string[], options: AsideOptions) => decide(logs, decision, options, io));
  }
};

const decide = async (
  named: readonly string[],
  { kind, follows, question, done }: Decision,
  options: AsideOptions,
  io: Io,
): Promise<void> => {
  const isAside = kind === 'aside';
  const logs = await chosen(named, isAside, options);
  const lines = logs.map(({ log, size }) => `${log}: ${size} entries`);
  const what = logs.length === 1 ? 'this log' : `these ${logs.length} logs`;
  const follow = logs.length === 1 ? follows : `of each: ${follows}`;
  if (!(await isWanted([...lines, follow], { question: question(what), done }, options, io))) return;
  const { by = accountName(), note } = options;
  const why = `${by}: ${note}`;
  const notices = logs.map(({ log }) => ({ kind, log, why }));
  await using database = await openForWriting(options);
  await new SqlStore(database, Date.now).commit({ logs: [], notices, refused: [] });
  for (const { log, size } of logs) {
    if (options.json) printJson(io, { log, size, aside: isAside, why });
    else io.out.write(`${printable(log)} is ${done}\n`);
  }
};

/** The logs that were meant, oldest first. Looked for without making a store where there is none. */
const chosen = async (
  named: readonly string[],
  isAside: boolean,
  { allAfter, ...place }: Place & Pick<AsideOptions, 'allAfter'>,
): Promise<readonly ListedLog[]> => {
  await using database = await openForLooking(place);
  const listed = await knownIn(database);
  const isFit = ({ aside }: ListedLog): boolean => (aside === true) !== isAside;
  for (const log of allAfter === undefined ? named : [...named, allAfter]) {
    const found = listed.find((each) => each.log === log);
    if (found === undefined) throw unfit(`there is no log ${JSON.stringify(log)} here`);
    if (log !== allAfter && !isFit(found)) throw unfit(`that is so already of ${log}`);
  }
  const isMeant = (each: ListedLog): boolean =>
    named.includes(each.log) || (allAfter !== undefined && isFormer(allAfter, each.log) && isFit(each));
  const logs = listed.filter(isMeant).toSorted((one, other) => incarnationOf(one.log) - incarnationOf(other.log));
  if (logs.length > 0) return logs;
  throw unfit(
    allAfter === undefined ? 'no log is named' : `there is no log after ${allAfter} of which that is not so already`,
  );
};

/** The logs that are here, and those that somebody only spoke of. */
const knownIn = async (database: Database): Promise<readonly ListedLog[]> => {
  const stored = await new SqlStore(database, Date.now).logs();
  const isStored = new Set(stored.map(({ log }) => log));
  const spokenOf = (await gaps(database, undefined)).filter(({ log, kind }) => kind === 'gap' && !isStored.has(log));
  const names = new Set(spokenOf.map(({ log }) => log));
  return [...stored, ...[...names].map((log) => ({ log, size: 0 }))];
};

const unfit = (message: string): AgentError =>
  new AgentError({
    code: 'usage.log',
    message,
    remedy:
      'assayer collect logs shows the logs that are here and which are set aside, assayer collect gaps those that are only spoken of',
  });
