import cliProgress from 'cli-progress';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { PORTS } from '../drivers/driver.ts';
import { lookAt, type NoSight } from '../look.ts';
import type { Observation } from '../normalise/observation.ts';
import { shownValue } from '../normalise/shown.ts';
import { AgentError } from '../platform/errors.ts';
import { Semaphore } from '../probe/limits.ts';
import { parseRange } from '../schedule/range.ts';
import { devicesBlock } from './devices-block.ts';
import { EXIT, type Io, isDrawable, printable, printJson, setExit } from './io.ts';
import { listen, parseListenSeconds, parseReportPorts, type ReportPorts } from './listen.ts';
import { type AskOptions, addAskOptions, askDeps, loginOf } from './probe.ts';
import { shortened, table } from './table.ts';
import { factText, mainPool, probeJson } from './view.ts';

interface ScanOptions extends AskOptions {
  readonly json?: boolean;
  readonly yaml?: boolean;
  readonly concurrency: number;
  /** Seconds; true where none were told. */
  readonly listen?: number | true;
  readonly listenPorts?: ReportPorts;
}

/** An address that answered: read, recognised but silent (most of all without a log-in), or answering without being recognised. */
type Found =
  | { readonly kind: 'seen'; readonly address: string; readonly observation: Observation }
  | ({ readonly kind: 'silent'; readonly family: string } & Unread)
  | ({ readonly kind: 'unknown' } & Unread);

/** Why nothing could be read at an address that answered. */
interface Unread {
  readonly address: string;
  readonly reason: NoSight;
  readonly detail: string;
}

/** `scan`: finds and identifies miners in ranges of addresses, or hears of them. Ctrl-C prints what was found so far, and ends with 1. */
export const scanVerb = (program: Command, io: Io): void => {
  const verb = program
    .command('scan')
    .description(
      'find and identify miners in one or more ranges of addresses, or listen for their IP reports; Ctrl-C ends a search with what was found so far, and with 1',
    )
    .argument('[range...]', '10.20.14.0/24, 10.20.14.10-10.20.14.90 or one address')
    .option(
      '--json',
      'print every address that answered, if only in part, or each different report at once, as one JSON object per line; where nothing could be read, `unread` says why, and `family` is there where the device was recognised',
    )
    .option('--yaml', 'print a devices: block for the configuration')
    .option('--concurrency <count>', 'most addresses asked at the same time', parseConcurrency, 64);
  addAskOptions(verb)
    .addOption(listenOption())
    .addOption(listenPortsOption())
    .action((ranges: readonly string[], options: ScanOptions) => scanOrListen(ranges, options, io));
};

const listenOption = (): Option =>
  new Option(
    '--listen [seconds]',
    'ask nobody: listen for the reports that devices broadcast when their IP-report button is pressed (60 s unless told); they can be forged, and are hints only',
  )
    .argParser(parseListenSeconds)
    .conflicts(['concurrency', 'driver', 'ports', 'user', 'passwordFile', 'passwordEnv', 'vendorDefault', 'timeout']);

const listenPortsOption = (): Option =>
  new Option(
    '--listen-ports <list>',
    'listen for these reports only, on these UDP ports, e.g. whatsminer=8888,goldshell=1314',
  ).argParser(parseReportPorts);

const scanOrListen = (ranges: readonly string[], options: ScanOptions, io: Io): Promise<void> => {
  const { listen: seconds, listenPorts: ports } = options;
  if (seconds === undefined && ranges.length === 0) {
    throw new AgentError({
      code: 'usage.range',
      message: 'no range of addresses is given',
      remedy: 'assayer scan 10.20.14.0/24, or, to listen for IP reports: assayer scan --listen',
    });
  }
  if (seconds === undefined && ports === undefined) return scan(ranges, options, io);
  if (seconds === undefined || ranges.length > 0) {
    throw new AgentError({
      code: 'usage.listen',
      message:
        seconds === undefined ? '--listen-ports goes with --listen only' : '--listen asks nobody, and takes no range',
      remedy: 'assayer scan --listen [seconds], or without it: assayer scan <range>',
    });
  }
  return listen({ seconds: seconds === true ? 60 : seconds, ports, json: options.json, yaml: options.yaml }, io);
};

const scan = async (ranges: readonly string[], options: ScanOptions, io: Io): Promise<void> => {
  const addresses = addressesOf(ranges);
  const target = { ports: { ...PORTS, ...options.ports }, ...loginOf(options, io) };
  const interrupted = new AbortController();
  let isCancelled = false;
  let looked = 0;
  const interrupt = () => {
    isCancelled = true;
    interrupted.abort();
  };
  process.once('SIGINT', interrupt);
  const bar = progressBar(io, addresses.length);
  const found: Found[] = [];
  const bound = new Semaphore(options.concurrency);
  const deps = askDeps(options, interrupted.signal);
  const look = (address: string) => lookAt({ address, ...target }, undefined, 'full', deps);
  try {
    await Promise.all(
      addresses.map((address) =>
        bound.run(async () => {
          if (interrupted.signal.aborted) return;
          const one = await lookOnce(address, look);
          if (one === 'dropped') return;
          if (one !== 'nothing') found.push(one);
          looked += 1;
          bar?.increment();
        }),
      ),
    );
  } finally {
    // What one look fails with, such as too few files, ends the others, too; what was found is worth printing either way.
    interrupted.abort();
    bar?.stop();
    process.off('SIGINT', interrupt);
    report(
      found.sort((a, b) => order.compare(a.address, b.address)),
      options,
      io,
    );
    if (isCancelled) {
      io.err.write(`interrupted: ${looked} of ${addresses.length} addresses were looked at\n`);
      setExit(EXIT.failed);
    }
  }
};

const order = new Intl.Collator('en', { numeric: true });

const lookOnce = async (
  address: string,
  look: (address: string) => ReturnType<typeof lookAt>,
): Promise<Found | 'nothing' | 'dropped'> => {
  try {
    const sight = await look(address);
    if (sight.kind === 'seen') return { kind: 'seen', address, observation: sight.observation };
    const { reason, detail, family, drips, isUntold } = sight;
    // One that was recognised is there, though it may be silent now.
    if (family !== undefined) return { kind: 'silent', address, family, reason, detail };
    const isSilent = drips !== true && isUntold !== true && (reason === 'unreachable' || reason === 'timeout');
    return isSilent ? 'nothing' : { kind: 'unknown', address, reason, detail };
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') return 'dropped';
    throw error;
  }
};

const addressesOf = (ranges: readonly string[]): readonly string[] => {
  const parsed = ranges.map((text) => ({ text, range: parseRange(text) }));
  for (const { range } of parsed) {
    if (range.kind === 'bad')
      throw new AgentError({ code: 'usage.range', message: range.message, remedy: range.remedy });
  }
  return [...new Set(parsed.flatMap(({ range }) => (range.kind === 'good' ? range.addresses : [])))];
};

const parseConcurrency = (text: string): number => {
  if (!/^\d{1,4}$/.test(text) || Number(text) < 1 || Number(text) > 1024)
    throw new InvalidArgumentError('a whole number from 1 to 1024 is needed');
  return Number(text);
};

/** Progress belongs to people: on standard error, and only on a terminal. */
const progressBar = (io: Io, total: number): cliProgress.SingleBar | undefined => {
  if (!isDrawable(io.err)) return undefined;
  const bar = new cliProgress.SingleBar(
    {
      stream: process.stderr,
      format: 'scanning [{bar}] {value}/{total} addresses, {eta_formatted} left',
      clearOnComplete: true,
      // Its own way to end at Ctrl-C would draw the bar once more into what is printed then.
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(total, 0);
  return bar;
};

const report = (found: readonly Found[], options: ScanOptions, io: Io): void => {
  const devices = found.filter((one) => one.kind !== 'unknown');
  if (options.json) {
    for (const one of found) printJson(io, one.kind === 'seen' ? probeJson(one.observation) : unreadJson(one));
  } else if (options.yaml) {
    const addresses = devices.map(({ address }) => address);
    io.out.write(devicesBlock(addresses, options.ports));
  } else {
    io.out.write(table(io, ['address', 'family', 'model', 'firmware', 'hash rate', 'pool', 'mac'], devices.map(rowOf)));
  }
  for (const one of found) {
    if (one.kind === 'unknown')
      io.err.write(`${one.address}: answers, but is not recognised: ${printable(one.detail)}\n`);
    if (one.kind === 'silent')
      io.err.write(`${one.address}: ${one.family}, but nothing can be read: ${printable(one.detail)}\n`);
  }
  io.err.write(`${devices.length} device${devices.length === 1 ? '' : 's'} found\n`);
};

/** An address that answered, in a form that nobody takes for an observation. */
const unreadJson = (one: Exclude<Found, { kind: 'seen' }>): object => ({
  address: one.address,
  ...(one.kind === 'silent' ? { family: one.family } : {}),
  unread: { reason: one.reason, detail: printable(one.detail) },
});

/** Pools that could not be read are no device without pools. */
const unreadText = (gap: string | undefined): string =>
  gap === undefined || gap === 'absent' ? '' : `unknown: ${gap}`;

const rowOf = (device: Exclude<Found, { kind: 'unknown' }>): readonly string[] => {
  if (device.kind === 'silent') return [device.address, device.family, '', '', '', '', ''];
  const { address, observation } = device;
  const { facts } = observation;
  return [
    address,
    facts.family ?? '',
    shortened(shownValue(facts['identity.model'] ?? '')),
    shortened(shownValue(facts['firmware.version'] ?? facts['firmware.build'] ?? '')),
    factText('telemetry.hashrate_hs', facts),
    facts.pools === undefined ? unreadText(observation.gaps.get('pools')) : mainPool(facts),
    shownValue(facts['identity.mac'] ?? ''),
  ].map(printable);
};
