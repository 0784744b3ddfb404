import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { errorsOf, isError, type Report, type TrustSource, trustKey } from '../../shared/index.ts';
import { SqlStore } from '../collect/sql-store.ts';
import { type SigningCollector, signingCollector } from '../collect/witness.ts';
import { Worker } from '../collect/worker.ts';
import { systemClock } from '../platform/clock.ts';
import { AgentError } from '../platform/errors.ts';
import { jsonEvents } from '../platform/events.ts';
import { boundHeap } from '../platform/heap.ts';
import { asideVerbs } from './collect/aside.ts';
import { jsonOf, linesOf } from './collect/lines.ts';
import { LiveTable } from './collect/live-table.ts';
import {
  type CollectOptions,
  idOf,
  manifestOf,
  requireSeparate,
  settingsOf,
  shareOf,
  trustOf,
  unboundOf,
} from './collect/options.ts';
import { openForWriting, withPlace } from './collect/place.ts';
import { queryVerbs } from './collect/queries.ts';
import { EXIT, type Io, isDrawable, printable, printJson, setExit } from './io.ts';

/** `collect`: the collector. Verifies, stores, and only then acknowledges what gateways publish, until Ctrl-C or SIGTERM. */
export const collectVerb = (program: Command, io: Io): void => {
  const collect = withPlace(
    program
      .command('collect')
      .description('collect what gateways publish: verify, store, acknowledge; or ask what was collected')
      .helpCommand(true)
      // An option behind a query belongs to the query.
      .enablePositionalOptions()
      .argument('<broker-url...>', 'mqtts://host:8883; more than one are tried in this order')
      .option('--id <collector>', 'id of this collector, as gateways have it under mqtt.collectors')
      .option(
        '--trust <file>',
        'trust the keys in this file, or in the .json files of this folder; repeatable',
        oneMore,
      )
      .addOption(
        new Option('--authority <file>', 'trust whom the manifest names that this key has signed').conflicts('trust'),
      )
      .option('--manifest <file>', 'that manifest, where the broker does not deliver it'),
  )
    .option('--gateways <ids>', 'serve these gateways only: gw-1,gw-2')
    .addOption(new Option('--shard <i/n>', 'serve part i of n of the fleet, for several workers').conflicts('gateways'))
    .option('--client-id <id>', 'MQTT client id; default: the id, with --shard id-<i>of<n>')
    .option('--cosign <file>', 'cosign checkpoints and issue markers of time with the key in this file, made if absent')
    .option('--observer', 'no gateway waits for this collector: acknowledge nothing')
    .option('--prefix <prefix>', 'topic prefix', 'attest')
    .option('--ca <file>', 'PEM file of the authorities that may sign the certificate of the broker')
    .option('--cert <file>', 'PEM file of the client certificate')
    .option('--key <file>', 'PEM file of the key of the client certificate')
    .option('--username <name>', 'MQTT user name; default: the id, when a password is given')
    .option('--password-file <file>', 'file that holds the MQTT password')
    .option('--insecure', 'allow plain MQTT beyond the loopback')
    .addOption(new Option('--tls-min <version>', 'oldest TLS version accepted').choices(['1.2', '1.3']).default('1.3'))
    .addOption(
      new Option('--protocol <version>', 'MQTT version; auto asks for 5, falls back to 3.1.1')
        .choices(['auto', '5', '3.1.1'])
        .default('auto'),
    )
    .option(
      '--until-idle <seconds>',
      'end when nothing came, or no broker was there (at least 30), for so long',
      secondsOf,
    )
    .option('--json', 'one JSON object for every message and notice, a line each')
    .addOption(
      new Option('--log-level <level>', 'least level of events on stderr')
        .choices(['error', 'warn', 'info', 'debug'])
        .default('info'),
    )
    .action((urls: readonly string[], options: CollectOptions) => run(urls, options, io));
  queryVerbs(collect, io);
  asideVerbs(collect, io);
};

const oneMore = (file: string, before: readonly string[] = []): readonly string[] => [...before, file];

const secondsOf = (text: string): number => {
  const value = Number(text);
  if (!(value > 0 && value <= 86_400)) throw new InvalidArgumentError('a number of seconds, at most 86400');
  return value;
};

const DRAW_MS = 1_000;
/** A run that is to end when nothing comes waits for a connection for so long, at least. */
const AWAY_MS = 30_000;
const MOST_NAMED = 16;

const run = async (urls: readonly string[], options: CollectOptions, io: Io): Promise<void> => {
  boundHeap();
  const settings = settingsOf(urls, options);
  const id = idOf(options);
  const leftOut: { readonly file: string; readonly message: string }[] = [];
  const trust = trustOf(options, (file, message) => leftOut.push({ file, message }));
  const share = shareOf(options);
  const manifest = manifestOf(options);
  const signing = options.cosign === undefined ? undefined : signingCollector(options.cosign, id);
  if (signing !== undefined) requireSeparate(signing, trust);
  await using database = await openForWriting(options);
  const clock = systemClock();
  const isLive = isDrawable(io.out) && options.json !== true;
  const tally = new Tally();
  const news: string[] = [];
  const emit = jsonEvents(isLive ? newsFrom(news) : io.err, options.logLevel, clock.wallMs);
  if (signing !== undefined)
    emit('info', 'collect.cosigns', { kid: signing.kid, jwk: signing.jwk, vkey: signing.vkey });
  const remedy = 'move it out of the folder of --trust, or put the public key there that it should be';
  for (const each of leftOut) emit('warn', 'collect.no-key', { ...each, remedy });
  const unbound = unboundOf(trust);
  if (unbound.length > 0) {
    emit('warn', 'collect.keys-unbound', {
      message: `${unbound.length} of the trusted keys name no gateway: who has one of them can speak for every gateway`,
      remedy:
        'copy gateway.jwk.json from its gateway again, the agent notes there whose it is when it starts; or add "logs":["<operator>/<gateway>"]',
      kids: unbound.slice(0, MOST_NAMED),
    });
  }
  const worker = await Worker.open({
    id,
    settings,
    trust: trustingItself(trust, signing),
    share,
    ...(options.clientId === undefined ? {} : { clientId: options.clientId }),
    mode: options.observer === true ? 'observer' : 'required',
    store: new SqlStore(database, clock.wallMs),
    requireStore: () => database.requireThere?.(),
    clock,
    emit,
    ...(signing === undefined ? {} : { signing }),
    tell: (report) => {
      tally.count(report);
      if (options.json) for (const line of jsonOf(report, clock.wallMs())) printJson(io, line);
      else if (isLive) news.push(...linesOf(report));
      else for (const line of linesOf(report)) io.out.write(`${printable(line)}\n`);
    },
  });
  const stopping = new AbortController();
  signalled(() => {
    stopping.abort();
    worker.stop();
  });
  if (manifest !== undefined) requireTaken(await worker.read('trust', manifest));
  // A terminal that closes sends it, too: there it ends the collector, as it does everywhere else.
  if (!isLive) process.on('SIGHUP', () => worker.renew());
  const table = isLive ? new LiveTable(io, id, worker) : undefined;
  let wasAway = false;
  const endAway = (): void => {
    wasAway = true;
    const { message = 'no connection came about', remedy = 'look at the broker' } = worker.connection.lastError ?? {};
    emit('error', 'collect.no-broker', { message, remedy });
    worker.stop();
  };
  const beside = watch(worker, { ...options, endAway }, stopping.signal, async () => {
    table?.tell(news.splice(0));
    await table?.draw();
  });
  try {
    await worker.run();
  } finally {
    stopping.abort();
    await beside;
    table?.end();
  }
  if (options.json !== true) io.out.write(`${tally.text()}\n`);
  // A service that was told to end has not failed because somebody forged a message meanwhile.
  setExit(options.untilIdle === undefined || (tally.isClean && !wasAway) ? EXIT.ok : EXIT.failed);
};

/** Beside the work: the table, and the end of a run that was to last until nothing comes. */
const watch = async (
  worker: Worker,
  { untilIdle, endAway }: Pick<CollectOptions, 'untilIdle'> & { readonly endAway: () => void },
  signal: AbortSignal,
  draw: () => Promise<void>,
): Promise<void> => {
  while (!signal.aborted) {
    const sinceMs = performance.now();
    // The store that fails meanwhile is the loop's business; the table shows it.
    await draw().catch(() => {});
    if (untilIdle !== undefined && worker.idleMs() >= untilIdle * 1000) worker.stop();
    else if (untilIdle !== undefined && worker.awayMs() >= Math.max(AWAY_MS, untilIdle * 1000)) endAway();
    // A large fleet is drawn more seldom, so that looking costs a tenth at most.
    const restMs = Math.max(DRAW_MS, 10 * (performance.now() - sinceMs));
    const looksMs = untilIdle === undefined ? restMs : Math.min(restMs, untilIdle * 250);
    await delay(looksMs, undefined, { signal }).catch(() => {});
  }
};

/** Events among the lines of the table, which would otherwise be written over. */
const newsFrom = (news: string[]) => ({
  write: (line: string) => {
    const { level, event, at: _at, ...members } = JSON.parse(line);
    news.push(`${level} ${event} ${JSON.stringify(members)}`);
  },
});

/** Its own markers of time come back to it, and entries name them: where keys are given by hand, its own is one of them. */
const trustingItself = (trust: TrustSource, signing: SigningCollector | undefined): TrustSource => {
  if (signing === undefined || trust.kind === 'authority') return trust;
  const own = trustKey({ kid: signing.kid, jwk: signing.jwk, role: 'collector' });
  return { kind: 'keys', keys: new Map([[own.kid, own], ...trust.keys]) };
};

const requireTaken = ({ verdicts }: Report): void => {
  const [refused] = verdicts;
  if (refused === undefined) return;
  throw new AgentError({
    code: 'usage.manifest',
    message: `the manifest is refused: ${refused.remarks.map(({ code, detail }) => `${code} ${detail}`).join('; ')}`,
    remedy: 'get the newest manifest from your authority, and its key',
  });
};

/** Ctrl-C and SIGTERM end it in good order; a second one does not wait. */
const signalled = (stop: () => void): void => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      process.once(signal, () => process.exit(EXIT.failed));
      stop();
    });
  }
};

/** What came in this run. */
class Tally {
  readonly #status: { [status: string]: number } = {};
  isClean = true;

  count({ verdicts, notices }: Report): void {
    for (const { status } of verdicts) this.#status[status] = (this.#status[status] ?? 0) + 1;
    const errors = [...verdicts.flatMap(({ remarks }) => remarks.filter(isError)), ...notices.flatMap(errorsOf)];
    if (errors.length > 0 || notices.some(({ kind }) => kind === 'lost')) this.isClean = false;
  }

  text(): string {
    const counts = Object.entries(this.#status).map(([status, count]) => `${count} ${status}`);
    return counts.length === 0 ? 'no messages' : `messages: ${counts.join(', ')}`;
  }
}
