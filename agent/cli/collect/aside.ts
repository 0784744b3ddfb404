import type { Command } from 'commander';
import type { ListedLog } from '../../../shared/index.ts';
import { SqlStore } from '../../collect/sql-store.ts';
import { AgentError } from '../../platform/errors.ts';
import { accountName } from '../ask.ts';
import { type Io, printable, printJson } from '../io.ts';
import { isWanted } from '../terms/decision.ts';
import { openForLooking, openForWriting, type Place, withPlace } from './place.ts';

interface AsideOptions extends Place {
  readonly by?: string;
  readonly note: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** What a person decides about a log at a collector. */
interface Decision {
  readonly name: string;
  readonly description: string;
  readonly kind: 'aside' | 'reinstated';
  readonly follows: string;
  readonly question: string;
  readonly done: string;
}

const DECISIONS: readonly Decision[] = [
  {
    name: 'set-aside',
    description: 'keep a log as evidence only, so that the gateway is followed in its other logs',
    kind: 'aside',
    follows:
      'its messages are refused, its devices and findings are shown no more, and other logs need not come after it',
    question: 'Set this log aside?',
    done: 'set aside',
  },
  {
    name: 'reinstate',
    description: 'let a log count again that was set aside',
    kind: 'reinstated',
    follows: 'its messages are taken again, and logs that were begun before it are replaced by it',
    question: 'Let this log count again?',
    done: 'reinstated',
  },
];

/** `collect set-aside|reinstate`: a wrong past is mended by a person, under a name. A collector that runs knows of it within a minute. */
export const asideVerbs = (collect: Command, io: Io): void => {
  for (const decision of DECISIONS) {
    withPlace(collect.command(decision.name).description(decision.description))
      .argument('<log>', 'the log, as `assayer collect logs` shows it: example.org/gw-1/1795339200')
      .requiredOption('--note <text>', 'why; it is shown with the alarm')
      .option('--by <name>', 'who decides it; without it the account of this process')
      .option('-y, --yes', 'do not ask after it was shown what follows')
      .option('--json', 'print what follows as text on stderr, and the result as JSON')
      .action((log: string, options: AsideOptions) => decide(log, decision, options, io));
  }
};

const decide = async (
  log: string,
  { kind, follows, question, done }: Decision,
  options: AsideOptions,
  io: Io,
): Promise<void> => {
  const listed = await listedOf(log, options);
  if (listed === undefined || (listed.aside === true) === (kind === 'aside')) throw unfit(log, listed === undefined);
  const lines = [`${log}: ${listed.size} entries`, follows];
  if (!(await isWanted(lines, { question, done }, options, io))) return;
  const { by = accountName(), note } = options;
  const why = `${by}: ${note}`;
  await using database = await openForWriting(options);
  await new SqlStore(database, Date.now).commit({ logs: [], notices: [{ kind, log, why }], refused: [] });
  if (options.json) printJson(io, { log, size: listed.size, aside: kind === 'aside', why });
  else io.out.write(`${printable(log)} is ${done}\n`);
};

/** Looked for without making a store where there is none. */
const listedOf = async (log: string, place: Place): Promise<ListedLog | undefined> => {
  await using database = await openForLooking(place);
  return (await new SqlStore(database, Date.now).logs()).find((each) => each.log === log);
};

const unfit = (log: string, isUnknown: boolean): AgentError =>
  new AgentError({
    code: 'usage.log',
    message: isUnknown ? `there is no log ${JSON.stringify(log)} here` : `that is so already of ${log}`,
    remedy: 'assayer collect logs shows the logs that are here, and which of them are set aside',
  });
