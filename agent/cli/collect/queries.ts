import { type Command, InvalidArgumentError, Option } from 'commander';
import { closest } from 'fastest-levenshtein';
import { Collector, gatewayOf } from '../../../shared/index.ts';
import type { Database } from '../../collect/database.ts';
import {
  alarms,
  devices,
  findings,
  gaps,
  gateways,
  isOnly,
  type Only,
  type ShownAlarm,
  silence,
} from '../../collect/queries.ts';
import { SqlStore } from '../../collect/sql-store.ts';
import { briefValue, shownValue } from '../../normalise/shown.ts';
import { AgentError } from '../../platform/errors.ts';
import { utcText } from '../../terms/instant.ts';
import { EXIT, type Io, printable, printJson, setExit } from '../io.ts';
import { shortened, table } from '../table.ts';
import { openForLooking, type Place, withPlace } from './place.ts';

/** A question to the store of a collector, which may run meanwhile. */
interface Query<Shown> {
  readonly name: string;
  readonly description: string;
  readonly ask: (database: Database, only: Only, asked: Asked) => Promise<readonly Shown[]>;
  /** Its own option beside those of every query. */
  readonly option?: readonly [flags: string, description: string, parse?: (text: string) => number];
  readonly heading: readonly string[];
  readonly cells: (shown: Shown) => readonly unknown[];
  /** True for what ends the verb with 1. */
  readonly counts: (shown: Shown) => boolean;
}

interface Asked {
  readonly gateway?: string;
  readonly json?: boolean;
  readonly all?: boolean;
  /** Unix seconds. */
  readonly since?: number;
}

/** `collect logs|devices|findings|gaps|silence|alarms`. */
export const queryVerbs = (collect: Command, io: Io): void => {
  add(collect, io, {
    name: 'logs',
    description: 'how far the log of every gateway is here',
    ask: logs,
    heading: ['log', 'entries', 'included', 'witnessed', ''],
    cells: ({ log, size, included, witnessed, aside }) => [log, size, included, witnessed, aside ? 'set aside' : ''],
    counts: () => false,
  });
  add(collect, io, {
    name: 'devices',
    description: 'the newest attestation of every device',
    ask: devices,
    heading: ['gateway', 'device', 'address', 'model', 'firmware', 'pool', 'conformance', 'findings', 'attested (UTC)'],
    cells: (each) => [
      each.gateway,
      each.device,
      each.address,
      shownValue(each.model),
      shownValue(each.firmware),
      shownValue(each.pool),
      each.conformance,
      each.findings,
      utcText(each.attested_at),
    ],
    counts: () => false,
  });
  add(collect, io, {
    name: 'findings',
    description: 'open findings, newest first; ends with 1 while something above info is open',
    ask: findings,
    option: ['--all', 'also those that were open when their log was replaced by another one'],
    heading: ['since (UTC)', 'severity', 'state', 'gateway', 'device', 'finding', 'before', 'after'],
    cells: (each) => [
      utcText(each.first_observed_at),
      each.severity,
      each.superseded_by === undefined ? each.state : `superseded by ${each.superseded_by}`,
      each.gateway,
      each.device ?? 'several',
      `${each.id}${each.part === undefined ? '' : ` ${each.part}`}`,
      valueText(each.before),
      valueText(each.after),
    ],
    counts: ({ severity, superseded_by }) => severity !== 'info' && superseded_by === undefined,
  });
  add(collect, io, {
    name: 'gaps',
    description: 'entries that exist, or existed, and are not here; ends with 1 where there are any',
    ask: gaps,
    heading: ['since (UTC)', 'log', 'kind', 'from', 'to (exclusive)'],
    cells: ({ since, log, kind, from, to }) => [utcText(since), log, kind, from, to],
    counts: () => true,
  });
  add(collect, io, {
    name: 'silence',
    description: 'gateways that are not heard where they should be; ends with 1 where there are any',
    ask: silence,
    heading: ['since (UTC)', 'gateway', 'expected'],
    cells: ({ since, gateway, expected }) => [utcText(since), gateway, expected],
    counts: () => true,
  });
  add(collect, io, {
    name: 'alarms',
    description:
      'forks, forged and refused messages, entries not to be used, logs set aside or signed for and never sent; ends with 1 where there are any',
    option: ['--since <instant>', 'since then only: 2026-11-26T01:00:00Z, or Unix seconds', secondsOf],
    ask: async (database, only, { since = 0 }) => (await alarms(database, only)).filter(({ at }) => at >= since),
    heading: ['at (UTC)', 'alarm', 'where', 'what'],
    cells: (alarm) => [utcText(alarm.at), alarm.kind, whereOf(alarm), whatOf(alarm)],
    counts: () => true,
  });
};

const add = <Shown>(collect: Command, io: Io, query: Query<Shown>): void => {
  const verb = withPlace(collect.command(query.name).description(query.description));
  const [flags, description, parse] = query.option ?? [];
  if (flags !== undefined)
    verb.addOption(
      parse === undefined ? new Option(flags, description) : new Option(flags, description).argParser(parse),
    );
  verb
    .option('--gateway <id>', 'of this gateway only')
    .option('--json', 'one JSON object per line')
    .action(async (options: Place & Asked) => {
      await using database = await openForLooking(options);
      const { gateway } = options;
      const shown = await query.ask(database, gateway, options);
      if (shown.length === 0 && gateway !== undefined) await requireKnown(database, gateway);
      if (options.json) for (const one of shown) printJson(io, one);
      else
        io.out.write(
          table(
            io,
            query.heading,
            shown.map((one) => query.cells(one).map((cell) => printable(`${cell}`))),
          ),
        );
      setExit(shown.some(query.counts) ? EXIT.failed : EXIT.ok);
    });
};

/** Nothing to show of a gateway is good news only where there is such a gateway. Throws `usage.gateway`. */
const requireKnown = async (database: Database, gateway: string): Promise<void> => {
  const known = await gateways(database);
  if (known.some((each) => isOnly(gateway)({ gateway: each }))) return;
  // Of one whose key is trusted nowhere there may be refused messages.
  if ((await alarms(database, gateway)).length > 0) return;
  const spelled = gateway.includes('/') ? known : known.map((each) => each.slice(each.indexOf('/') + 1));
  const nearest = spelled.length === 0 ? '' : `did you mean "${closest(gateway, spelled)}"? `;
  throw new AgentError({
    code: 'usage.gateway',
    message: `nothing is here of a gateway ${JSON.stringify(gateway)}, not even that it is silent`,
    remedy: `${nearest}assayer collect logs shows the gateways of which there are entries; one that was never heard is known once assayer collect silence shows it`,
  });
};

/** An instant as a person or a script writes it, Unix seconds. */
const secondsOf = (text: string): number => {
  const seconds = /^\d{1,12}$/.test(text) ? Number(text) : Math.floor(Date.parse(text) / 1000);
  if (Number.isNaN(seconds)) throw new InvalidArgumentError('an instant: 2026-11-26T01:00:00Z, or Unix seconds');
  return seconds;
};

const logs = async (database: Database, only: Only) => {
  const store = new SqlStore(database, Date.now);
  const collector = await Collector.open({ id: 'reader', store, trust: { kind: 'keys', keys: new Map() } });
  const all = (await collector.logs()).map(({ log, size, root, included, witnessed, aside }) => ({
    gateway: gatewayOf(log),
    log,
    ...(aside === undefined ? {} : { aside }),
    size,
    ...(root === undefined ? {} : { root }),
    included,
    witnessed,
  }));
  return all.filter(isOnly(only));
};

const whereOf = ({ log, topic, seq }: ShownAlarm): string =>
  `${log ?? topic ?? ''}${seq === undefined ? '' : ` entry ${seq}`}`;

const whatOf = ({ detail }: ShownAlarm): string => {
  const {
    remarks = [detail],
    why,
    ...rest
  } = detail as { readonly remarks?: readonly unknown[]; readonly why?: string };
  if (why !== undefined) return shortened(why, 100);
  const texts = (remarks as readonly { readonly code?: string; readonly detail?: string }[]).map(
    ({ code, detail: why }) => (code === undefined ? '' : `${code} ${why ?? ''}`),
  );
  const said = texts.filter((each) => each !== '').join('; ');
  return shortened(said === '' ? JSON.stringify(rest) : said, 100);
};

const valueText = (value: unknown): string => (value === undefined ? '' : shortened(briefValue(value)));
