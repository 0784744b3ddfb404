import { type Command, InvalidArgumentError } from 'commander';
import { closest } from 'fastest-levenshtein';
import ipaddr from 'ipaddr.js';
import { FACTS, type FactName } from '../../shared/facts.ts';
import { SHOWN_TO_WHOEVER } from '../config/meaning.ts';
import { ALL_PORTS, type Driver, PORTS, questionOf } from '../drivers/driver.ts';
import { DRIVERS } from '../drivers/index.ts';
import { type LookDeps, lookAt, lookDeps, type Seen, type Sight } from '../look.ts';
import { withEndpoint } from '../normalise/facts.ts';
import { shownValue } from '../normalise/shown.ts';
import { requireDriverFiles } from '../outside/load.ts';
import { systemClock } from '../platform/clock.ts';
import { AgentError } from '../platform/errors.ts';
import { readSecret } from '../platform/secrets.ts';
import { SURFACES } from '../probe/capture.ts';
import { readEndpoint } from '../probe/endpoint.ts';
import type { Limits } from '../probe/limits.ts';
import type { Target } from '../probe/target.ts';
import { isHost } from '../schedule/range.ts';
import { type Io, printable, printJson } from './io.ts';
import { wideTable } from './table.ts';
import { factText, probeJson, readingsOf } from './view.ts';

/** Options that say how to ask a device; shared by `probe` and `scan`. */
export interface AskOptions {
  readonly ports: Partial<Target['ports']>;
  readonly user: string;
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
  readonly vendorDefault?: boolean;
  readonly families?: readonly string[];
  readonly timeout: number;
  readonly driver?: readonly string[];
}

/** `probe`: one look at one device, with what could not be read and why. */
export const probeVerb = (program: Command, io: Io): void => {
  const verb = program
    .command('probe')
    .description('look once at one device and print what it says')
    .argument('<host[:port]>', 'address; with a port, that port only, with every protocol it could speak')
    .option('--json', 'print the observation as one JSON object')
    .option('--no-endpoint', 'leave out static web pages, the TLS key and the SSH host key');
  addAskOptions(verb).action((host: string, options: ProbeOptions) => probe(host, options, io));
};

type ProbeOptions = AskOptions & { readonly json?: boolean; readonly endpoint: boolean };

/** Adds the options of `AskOptions`. */
export const addAskOptions = (verb: Command): Command =>
  verb
    .option('--ports <list>', 'ports by protocol, e.g. cgminer=14028,http=18080', parsePorts, {})
    .option('--user <name>', 'account for interfaces that ask for a log-in', 'root')
    .option('--password-file <file>', 'file that holds the password of that account')
    .option('--password-env <name>', 'environment variable that holds the password of that account')
    .option(
      '--families <list>',
      'show the log-in only to these families, divided by commas; without it to whatever asks',
      namesIn,
    )
    .option('--driver <file>', DRIVER_HELP, collect)
    .option('--vendor-default', 'without a password: try the log-in that the maker of the device documents')
    .option(
      '--timeout <seconds>',
      'longest time for one device; above 30 each answer gets more in proportion',
      parseSeconds,
      DEVICE_MS / 1000,
    );

const namesIn = (text: string): readonly string[] => text.split(',').map((name) => name.trim());

/** `--driver` of every verb that asks or lists: it may be given several times. */
export const DRIVER_HELP = 'driver file of a further family (docs/write-a-driver.md); may be repeated';

export const collect = (file: string, before: readonly string[] = []): readonly string[] => [...before, file];

/** The built-in drivers, and those of the files. Throws `driver.invalid`. */
export const driversWith = (files: readonly string[] = [], others: readonly Driver[] = DRIVERS): readonly Driver[] => [
  ...others,
  ...requireDriverFiles(files, others).map(({ driver }) => driver),
];

/** The driver of a family. Throws `usage.family`, with the nearest one there is. */
export const familyNamed = (family: string, drivers: readonly Driver[]): Driver => {
  const found = drivers.find((driver) => driver.family === family);
  if (found !== undefined) return found;
  const known = drivers.map((driver) => driver.family);
  throw new AgentError({
    code: 'usage.family',
    message: `there is no family ${JSON.stringify(family)}`,
    remedy: `did you mean ${closest(family, known)}? There are: ${known.join(', ')}`,
  });
};

const parsePorts = (text: string): AskOptions['ports'] =>
  Object.fromEntries(
    text.split(',').map((pair) => {
      const [name, port, ...rest] = pair.split('=');
      if (name === undefined || !Object.hasOwn(ALL_PORTS, name) || rest.length > 0) {
        throw new InvalidArgumentError(
          `write ${Object.keys(ALL_PORTS).join('=<port>, or ')}=<port>, divided by commas`,
        );
      }
      return [name, parsePort(port ?? '')];
    }),
  );

const parsePort = (text: string): number => {
  if (!isPort(text)) throw new InvalidArgumentError(`"${text}" is not a port`);
  return Number(text);
};

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;

const parseSeconds = (text: string): number => {
  const seconds = Number(text);
  if (!(seconds >= 1 && seconds <= 600)) throw new InvalidArgumentError('1 to 600 seconds');
  return seconds;
};

const probe = async (host: string, options: ProbeOptions, io: Io): Promise<void> => {
  const target = { ...parseHost(host, options.ports), ...loginOf(options, io) };
  const deps = askDeps(options);
  const seen = await lookAt(target, undefined, 'full', deps);
  if (seen.kind === 'nothing') throw notSeen(host, seen);
  const sight = options.endpoint ? await withItsEndpoint(seen, target, deps) : seen;
  if (options.json) printJson(io, probeJson(sight.observation, sight.recognised?.by));
  else io.out.write(sightTable(sight, io));
};

/** Which ports are open is tried by the agent, in its own time: one look need not knock at all of them. */
const SHOWING = SURFACES.filter((surface) => surface !== 'ports' && surface !== 'login');

const withItsEndpoint = async (sight: Seen, target: Target, deps: LookDeps): Promise<Seen> => {
  const reading = await readEndpoint(target, sight.driver, SHOWING, deps);
  return { ...sight, observation: withEndpoint(sight.observation, [...reading.values()].flat()) };
};

/** The deadlines of the configuration's defaults, ms. */
const EXCHANGE_MS = 8000;
const DEVICE_MS = 30_000;

/** How `probe` and `scan` look: every driver, the deadlines of the configuration's defaults, the total from the options. */
export const askDeps = ({ timeout, driver }: AskOptions, signal?: AbortSignal) =>
  lookDeps({
    drivers: driversWith(driver),
    limits: limitsFor({ timeout }),
    clock: systemClock(),
    signal,
  });

/** The limits of one look, the total from the options. */
export const limitsFor = ({ timeout }: Pick<AskOptions, 'timeout'>): Limits => ({
  connectMs: 3000,
  ...deadlines(timeout * 1000),
  maxReplyBytes: 1_048_576,
});

/** Who gives a slow device more time means each of its answers: their deadline grows in proportion. */
const deadlines = (deviceMs: number) => ({
  deviceMs,
  exchangeMs: Math.max(EXCHANGE_MS, Math.round((deviceMs * EXCHANGE_MS) / DEVICE_MS)),
});

/** `10.0.0.7`, `miner.example`, `fd00::7`, `10.0.0.7:4028`, `[fd00::7]:80`. */
export const parseHost = (text: string, ports: AskOptions['ports']): Pick<Target, 'address' | 'ports'> => {
  const [, address, port] = ipaddr.IPv6.isValid(text) ? [text, text] : splitPort(text);
  if (address === undefined || !isHost(address)) {
    throw new AgentError({
      code: 'usage.host',
      message: `"${text}" is not a host or host:port`,
      remedy: 'write for example 10.20.14.7, 10.20.14.7:4028, miner7.example or [fd00::7]:80',
    });
  }
  if (port === undefined) return { address, ports: { ...ALL_PORTS, ...ports } };
  // But for TLS, whose log-in goes to no port that somebody wrote for something else.
  const names = Object.keys(PORTS).filter((name) => name !== 'https');
  return { address, ports: Object.fromEntries(names.map((name) => [name, Number(port)])) };
};

const splitPort = (text: string): readonly (string | undefined)[] => {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const [whole, inBrackets, plain, port] = parts ?? [];
  return port !== undefined && !isPort(port) ? [] : [whole, inBrackets ?? plain, port];
};

/**
 * The log-in of the options, if one was given, and to whom it is shown; where to whoever asks for it, that is said. Throws
 * `config.secret` when the password cannot be read, `usage.family`.
 */
export const loginOf = (
  { families, ...options }: AskOptions,
  io: Pick<Io, 'err'>,
): Pick<Target, 'credential' | 'vendorDefault' | 'families'> => {
  const shownTo = families === undefined ? {} : { families: namedFamilies(families, driversWith(options.driver)) };
  if (options.passwordFile === undefined && options.passwordEnv === undefined)
    return { ...shownTo, ...(options.vendorDefault === true ? { vendorDefault: true } : {}) };
  const password = readSecret({ password_file: options.passwordFile, password_env: options.passwordEnv });
  if (families === undefined)
    io.err.write(
      `the password ${SHOWN_TO_WHOEVER}\n  remedy: name the families that you have there: --families antminer-stock\n`,
    );
  return { ...shownTo, credential: { user: options.user, password: () => password } };
};

const namedFamilies = (families: readonly string[], drivers: readonly Driver[]): readonly string[] =>
  families.map((family) => familyNamed(family, drivers).family);

const notSeen = (host: string, { reason, detail, family, isUntold }: Extract<Sight, { kind: 'nothing' }>): AgentError =>
  new AgentError({
    code: `probe.${reason}`,
    message: `${family === undefined ? host : `${host} (${family})`}: ${reason}, ${detail}`,
    remedy: isUntold === true ? ASK_AGAIN : REMEDY[reason],
  });

const CHECK_LINE = 'check address, ports (--ports) and that the device is on';
const ASK_AGAIN =
  'ask it again: it is a miner, and an answer that tells which did not arrive whole, or it is of a family that this version does not know; a slow one gets more time with --timeout';
const CHECK_DEVICE = 'it answers, but not as a miner this version knows; check that it is one, and its firmware';

const REMEDY: { readonly [Reason in Extract<Sight, { kind: 'nothing' }>['reason']]: string } = {
  unreachable: CHECK_LINE,
  timeout: `${CHECK_LINE}; a slow one gets more time with --timeout`,
  refused: 'give a read-only log-in: --user, --password-file; or let the API of the device answer this address',
  truncated: CHECK_DEVICE,
  unreadable: CHECK_DEVICE,
};

const sightTable = ({ driver, observation, capture }: Seen, io: Io): string => {
  const names = (Object.keys(FACTS) as FactName[]).filter(
    (name) => observation.facts[name] !== undefined && name !== 'pools',
  );
  const facts = names.map((name) => [name, printable(factText(name, observation.facts))]);
  const slots = (observation.facts.pools ?? []).map(({ slot, url, user, proxy, status, active }) => [
    `pools ${slot}`,
    printable(
      [url, user, proxy === undefined ? undefined : `by ${proxy}`, status, active ? 'active' : undefined]
        .filter((word) => word !== undefined)
        .map(shownValue)
        .join('  '),
    ),
  ]);
  const readings = Object.entries(readingsOf(observation)).map(([fact, reading]) => [fact, reading]);
  return [
    `${observation.address}: ${driver.title}\n`,
    wideTable(io, ['fact', 'value'], [...facts, ...slots]),
    ...(readings.length === 0 ? [] : [wideTable(io, ['not present', 'why'], readings)]),
    ...silences(driver, capture).map((rows) => wideTable(io, ['not answered', 'why'], rows)),
  ].join('\n');
};

/** The questions that gave nothing, but for what the device does not know, by what came instead; no table where there are none. */
const silences = ({ queries }: Driver, { replies }: Seen['capture']): readonly (readonly (readonly string[])[])[] => {
  const silent = [...replies].flatMap(([name, reply]) => {
    const query = queries[name];
    if (query === undefined || reply.kind === 'reply' || reply.reason === 'unsupported') return [];
    return [{ question: questionOf(query), why: printable(`${reply.reason}: ${reply.detail}`) }];
  });
  const rows = [...Map.groupBy(silent, ({ why }) => why)].map(([why, [first, ...others]]) => [
    `${first?.question}${others.length === 0 ? '' : ` and ${others.length} more`}`,
    why,
  ]);
  return rows.length === 0 ? [] : [rows];
};
