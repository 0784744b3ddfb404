import { resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Statement, statementSchema } from '../../shared/statement.ts';
import { loadSettings } from '../config/load.ts';
import { AgentError } from '../platform/errors.ts';
import type { Entry } from '../record/entry.ts';
import { firstHeld } from '../record/retention.ts';
import type { Store } from '../record/store.ts';
import type { EntryQuery } from '../record/tables/entries.ts';
import { durationText, utcText } from '../terms/instant.ts';
import { type Io, printable } from './io.ts';
import { openStore } from './look.ts';

interface LogOptions {
  readonly config: string;
  readonly raw?: boolean;
  readonly json?: boolean;
  readonly device?: string;
  readonly kind?: string;
  readonly from?: number;
  readonly number?: number;
  readonly all?: boolean;
}

/** `log`: the entries of the local evidence log; `--raw` prints the signed messages byte for byte, one per line. */
export const logVerb = (program: Command, io: Io): void => {
  program
    .command('log')
    .description('show the entries of the local evidence log')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('-n, --number <count>', 'the newest so many entries (20 unless --all, --from or --raw)', wholeNumber)
    .option('--all', 'every entry, with --raw also those that retention left alone')
    .option('--from <seq>', 'entries from this seq upwards', wholeNumber)
    .option('--device <id>', 'only entries about this device')
    .addOption(new Option('--kind <kind>', 'only entries of this kind').choices(KINDS))
    .option('--raw', 'the signed messages byte for byte, one per line: the input of `assayer verify`')
    .option('--json', 'one JSON object per line')
    .action((options: LogOptions) => showLog(options, io));
};

/** Parses an option that is a count or a `seq`. */
const wholeNumber = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('a whole number is needed');
  return Number(text);
};

const KINDS = statementSchema.options.map(({ shape }) => shape.kind.value);
const DEFAULT_NEWEST = 20;
const PAGE = 500;

const showLog = async (options: LogOptions, io: Io): Promise<void> => {
  using store = openStore(loadSettings(resolve(options.config)).config.state_dir, io);
  requireDevice(store, options);
  const asIs = options.raw === true || options.json === true;
  if (!asIs) io.out.write(`${columns('seq', 'time (UTC)', 'kind', 'what')}\n`);
  const from = options.from ?? (isWholePart(options) ? firstHeld(store) : 0);
  if (isWholePart(options)) tellLeftAlone(store, from, io);
  for (const page of pagesOf(store, options, from)) {
    const messages = page.map(({ message }) => Buffer.from(message).toString());
    io.out.write(messages.map((message) => `${asIs ? message : lineOf(JSON.parse(message) as Statement)}\n`).join(''));
    // A reader that went away is noticed between two pages.
    await turn();
  }
};

/** Without another word `--raw` is what can be verified as a chain: from where on retention removed nothing. */
const isWholePart = ({ raw, all, from, number, device, kind }: LogOptions): boolean =>
  raw === true && all !== true && [from, number, device, kind].every((choice) => choice === undefined);

const tellLeftAlone = (store: Store, from: number, io: Io): void => {
  const [first] = store.entriesFrom(0, 1);
  if (first === undefined || first.seq >= from) return;
  io.err.write(
    `retention removed entries before ${from}; those that it left alone there are not printed: --all has them\n`,
  );
};

/** A device that left the configuration is known by its entries, one that nobody saw yet by its state. */
const requireDevice = (store: Store, { device }: LogOptions): void => {
  if (device === undefined || store.find({ device, newest: 1 }).length > 0) return;
  if (store.device(device, String) !== undefined) return;
  throw new AgentError({
    code: 'usage.device',
    message: `there is no device ${JSON.stringify(device)}`,
    remedy: 'assayer status lists the devices',
  });
};

/** The entries that were asked for, in `seq` order; a page in memory at a time. */
function* pagesOf(store: Store, options: LogOptions, from: number): Generator<readonly Entry[]> {
  const { device, kind } = options;
  const filter = { ...(device === undefined ? {} : { device }), ...(kind === undefined ? {} : { kind }) };
  const wantsAll =
    options.all === true || options.from !== undefined || (options.raw === true && options.number === undefined);
  if (!wantsAll) {
    yield store.find({ ...filter, newest: options.number ?? DEFAULT_NEWEST });
    return;
  }
  let left = options.number ?? Number.POSITIVE_INFINITY;
  let query: EntryQuery = { ...filter, from, limit: PAGE };
  for (;;) {
    const page = store.find(query);
    yield page.slice(0, left);
    left -= page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE || left <= 0) return;
    query = { ...query, from: last.seq + 1 };
  }
}

const columns = (seq: string, time: string, kind: string, what: string): string =>
  `${seq.padStart(8)}  ${time.padEnd(19)}  ${kind.padEnd(11)}  ${what}`;

const lineOf = (statement: Statement): string =>
  columns(String(statement.seq), utcText(statement.iat), statement.kind, printable(summaryOf(statement)));

/** One line of what an entry says. */
export const summaryOf = (statement: Statement): string => {
  switch (statement.kind) {
    case 'session':
      return sessionSummary(statement.session);
    case 'baseline':
      return baselineSummary(statement.baseline);
    case 'attestation':
      return `${statement.subject.device}: ${statement.appraisal.conformance} (${statement.evidence.trigger})`;
    case 'finding': {
      const { device, count, id, state, severity, part } = statement.finding;
      return `${device ?? (count === 0 ? 'gateway' : `${count} device${count === 1 ? '' : 's'}`)}: ${id}${part === undefined ? '' : ` ${part}`} ${state}, ${severity}`;
    }
    case 'coverage': {
      const { observed, expected, unreachable, missed } = statement.coverage;
      return `${observed} of ${expected} observed, ${unreachable} unreachable, ${missed} missed`;
    }
    case 'change':
      return `${statement.change.type} ${statement.change.id} ${statement.change.action}`;
    case 'key':
      return statement.key.action;
  }
};

const sessionSummary = (session: Extract<Statement, { kind: 'session' }>['session']): string => {
  if (session.event !== 'clock-step') return session.event;
  const by = durationText(Math.round(Math.abs(session.delta_ms) / 1000));
  return `clock-step: ${session.delta_ms > 0 ? 'forward' : 'back'} by ${by}`;
};

const baselineSummary = (baseline: Extract<Statement, { kind: 'baseline' }>['baseline']): string => {
  if (baseline.action === 'withdrawn') return `entry ${baseline.seq} withdrawn`;
  if (baseline.action === 'adopted') return `${baseline.ref_id} version ${baseline.version} adopted`;
  const who = baseline.action === 'accepted' ? ` by ${baseline.by}` : '';
  return `${baseline.action}${who}: ${baseline.devices.length} device${baseline.devices.length === 1 ? '' : 's'}`;
};
