import { createReadStream } from 'node:fs';
import { type Command, Option } from 'commander';
import {
  isError,
  LogVerifier,
  type Remark,
  type Statement,
  type TrustedKeys,
  type Verdict,
  VerificationError,
  verifyMessage,
} from '../../shared/index.ts';
import { AgentError } from '../platform/errors.ts';
import { examples } from './examples.ts';
import { EXIT, type Io, printable, printJson, setExit } from './io.ts';
import { collect } from './probe.ts';
import { leftOutOn, trustedKeys } from './trusted-keys.ts';

interface VerifyOptions {
  readonly keys?: readonly string[];
  readonly key?: readonly string[];
  readonly each?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

/** `verify`: offline verification of messages, one per line, as `log --raw` or `mosquitto_sub` print them. */
export const verifyVerb = (program: Command, io: Io): void => {
  const verify = program
    .command('verify')
    .description('verify messages offline: signatures, chain, clocks, references, appraisals')
    .argument('<file>', 'file of messages, one per line, optionally after their topic; - for standard input')
    .option(
      '--keys <file>',
      'trust the public key in this file, a JWK as `init` and `keys new` write it, or all in this folder; repeatable',
      collect,
    )
    .addOption(new Option('--key <file>', 'the same').argParser(collect).hideHelp())
    .option('--each', 'verify every message on its own, without the chain: for the mirror topics')
    .option('--strict', 'warnings fail too')
    .option('--json', 'print the result as one JSON object')
    .action(async (file: string, options: VerifyOptions) => {
      const tally = new Tally();
      const keys = keysOf(options, io);
      const verifier = new LogVerifier({ keys, start: 'any', window: MOST_REMEMBERED });
      for await (const line of linesOf(file, io)) {
        tally.line += 1;
        if (line.length === 0) continue;
        tally.messages += 1;
        const { bytes, topic } = splitTopic(line);
        const carried = carriedBy(topic);
        if (carried === 'hints') tally.skip();
        else if (options.each || carried === 'mirrors') tally.take([verifyOne(bytes, topic, keys)]);
        else tally.takeChain(verifier.accept(bytes, { topic, nowMs: Date.now() }));
      }
      if (!options.each) tally.takeChain(verifier.finish());
      report(tally, verifier, options, io);
    });
  examples(
    verify,
    'assayer log --raw > messages.jsonl',
    'assayer verify messages.jsonl --keys gateway.jwk.json --keys alice.jwk.json',
    'assayer verify messages.jsonl --keys keys/ --json',
  );
};

/** Throws `usage.key` where nobody is trusted: every message would be refused. */
const keysOf = ({ keys = [], key = [] }: VerifyOptions, io: Io): TrustedKeys => {
  const places = [...keys, ...key];
  if (places.length > 0) return trustedKeys(places, leftOutOn(io));
  throw new AgentError({ code: 'usage.key', message: 'no key is trusted', remedy: GIVE_KEYS });
};

const GIVE_KEYS =
  'give with --keys the gateway.jwk.json of the gateway; where the log holds documents of approvers, the .jwk.json of each of them too, or the folder with all of them';

/** Entries that are remembered for citations, 45 bytes each. */
const MOST_REMEMBERED = 2_000_000;

/** Longest line kept whole: a longer one cannot be a message, and is refused by its length. */
const MOST_LINE = 262_144;

/** The lines of a file as bytes, without their ends. */
async function* linesOf(file: string, io: Io): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of file === '-' ? io.input : piecesOf(file)) {
    rest = Buffer.concat([rest, Buffer.from(chunk as Buffer)]);
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      yield rest.subarray(0, end);
      rest = rest.subarray(end + 1);
    }
    if (rest.length > MOST_LINE) rest = rest.subarray(0, MOST_LINE);
  }
  if (rest.length > 0) yield rest;
}

async function* piecesOf(file: string): AsyncGenerator<unknown> {
  try {
    yield* createReadStream(file);
  } catch (cause) {
    throw new AgentError({
      code: 'usage.file',
      message: `cannot read ${file}: ${(cause as NodeJS.ErrnoException).code}`,
      remedy: 'name a file made by: assayer log --raw > messages.jsonl',
      cause,
    });
  }
}

/** `mosquitto_sub -v` prints the topic first. */
const splitTopic = (line: Buffer): { readonly bytes: Buffer; readonly topic?: string } => {
  const space = line.indexOf(0x20);
  const head = space > 0 ? line.subarray(0, space).toString() : '';
  return /^[^{}"\s]+\/v1\/[^{}"\s]+$/.test(head) ? { bytes: line.subarray(space + 1), topic: head } : { bytes: line };
};

/** What a topic carries (mqtt.md §2): the log, single entries again for displays, or hints that nobody signed. */
const carriedBy = (topic: string | undefined): 'log' | 'mirrors' | 'hints' => {
  if (topic === undefined || topic.endsWith('/log')) return 'log';
  return /\/(?:dev|finding)\/[^/]+$|\/coverage$/.test(topic) ? 'mirrors' : 'hints';
};

const verifyOne = (bytes: Buffer, topic: string | undefined, keys: TrustedKeys): Verdict => {
  try {
    const { statement, leaf } = verifyMessage(bytes, { keys, topic });
    return { status: 'unchained', remarks: [], bytes, statement, leaf };
  } catch (problem) {
    if (!(problem instanceof VerificationError)) throw problem;
    return { status: 'refused', remarks: [problem], bytes };
  }
};

/** The entry lies below the first one given of its log, or below what is remembered: nothing was chained to it. */
const isBelowBeginning = ({ code, step }: Remark): boolean => code === 'I_UNCHECKED' && step === 8;

interface Note extends Pick<Remark, 'code' | 'step' | 'detail'> {
  /** Line of the input at which it was noticed. */
  readonly line: number;
  readonly log?: string;
  readonly seq?: number;
}

/** What the messages came to. */
class Tally {
  /** Lines read so far, and how many of them were messages. */
  line = 0;
  messages = 0;
  /** Entries of a log that were not chained. */
  outside = 0;
  /** The first entry of each log that was not given from its beginning. */
  readonly begins = new Map<string, number>();
  readonly status: { [status: string]: number } = {};
  readonly kinds: { [kind: string]: number } = {};
  readonly codes: { [code: string]: number } = {};
  readonly notes: Note[] = [];

  takeChain(verdicts: readonly Verdict[]): void {
    this.outside += verdicts.filter(({ remarks }) => remarks.some(isBelowBeginning)).length;
    this.take(verdicts);
  }

  take(verdicts: readonly Verdict[]): void {
    for (const { status, statement, remarks } of verdicts) {
      this.status[status] = (this.status[status] ?? 0) + 1;
      if (statement !== undefined && status !== 'duplicate')
        this.kinds[statement.kind] = (this.kinds[statement.kind] ?? 0) + 1;
      for (const remark of remarks) this.#note(remark, statement);
      if (statement !== undefined && remarks.some(({ code }) => code === 'I_START'))
        this.begins.set(statement.log, statement.seq);
    }
  }

  /** A message that is not signed and proves nothing, such as presence. */
  skip(): void {
    this.status.unsigned = (this.status.unsigned ?? 0) + 1;
  }

  #note({ code, step, detail }: Remark, statement: Statement | undefined): void {
    this.codes[code] = (this.codes[code] ?? 0) + 1;
    if (this.notes.length >= MOST_NOTES) return;
    this.notes.push({
      line: this.line,
      code,
      step,
      detail,
      ...(statement === undefined ? {} : { log: statement.log, seq: statement.seq }),
    });
  }
}

/** Remarks kept one by one; all are counted. */
const MOST_NOTES = 1000;
/** Codes that every entry of an ordinary log may carry: counted, not listed. */
const QUIET = new Set(['W_CLOCK', 'I_DUPLICATE']);

const report = (tally: Tally, verifier: LogVerifier, options: VerifyOptions, io: Io): void => {
  const codes = Object.keys(tally.codes);
  // What lies below the first message of its log stands outside the chain: nothing says that it is complete.
  const outside = options.each ? 0 : tally.outside;
  const failed =
    outside > 0 ||
    codes.some((code) => code.startsWith('E_') || code === 'W_GAP') ||
    (options.strict === true && codes.some((code) => code.startsWith('W_')));
  const empty = tally.messages === (tally.status.unsigned ?? 0);
  setExit(empty ? EXIT.usage : failed ? EXIT.failed : EXIT.ok);
  const logs = verifier.ends().map((end) => {
    const begins_at = tally.begins.get(end.log);
    return { ...end, ...(begins_at === undefined ? {} : { begins_at }) };
  });
  if (options.json) {
    const { messages, status, kinds, notes } = tally;
    const remedy = remedyOf(tally);
    const result = { ok: !failed && !empty, messages, status, kinds, codes: tally.codes, logs, remarks: notes };
    printJson(io, { ...result, ...(remedy === undefined ? {} : { remedy }) });
    return;
  }
  for (const note of tally.notes) if (isError(note) || !QUIET.has(note.code)) io.out.write(`${noteText(note)}\n`);
  for (const { log, size, root, begins_at } of logs) {
    const from = begins_at === undefined ? '' : `, begins at seq ${begins_at}: nothing before it was given`;
    io.out.write(
      `${printable(log)}: verified up to ${size} entries${root === undefined ? '' : `, root ${root}`}${from}\n`,
    );
  }
  io.out.write(
    `${tally.messages} message${tally.messages === 1 ? '' : 's'}: ${countsText(tally.status)}${codes.length === 0 ? '' : ` (${countsText(tally.codes)})`}\n`,
  );
  if (outside > 0) {
    io.out.write(`${outside} entries come after a later one and were not chained: give each log in order of seq\n`);
  }
  const remedy = remedyOf(tally);
  if (remedy !== undefined) io.out.write(`remedy: ${remedy}\n`);
  io.out.write(empty ? 'nothing to verify\n' : failed ? 'FAILED\n' : 'OK\n');
};

/** What a signature by nobody who is trusted most often means: a key that was not given. */
const remedyOf = ({ codes }: Tally): string | undefined =>
  codes.E_KEY_UNKNOWN === undefined ? undefined : `${GIVE_KEYS}; or do not trust it`;

const noteText = ({ line, code, step, detail, log, seq }: Note): string =>
  printable(`line ${line}: ${code} (step ${step})${log === undefined ? '' : ` ${log} entry ${seq}`}: ${detail}`);

const countsText = (counts: { readonly [name: string]: number }): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
