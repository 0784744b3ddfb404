import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config/load.ts';
import { durationText } from '../terms/instant.ts';
import { idleDocument, isIdle, noisy, type Remark, unusedLine } from '../terms/lint.ts';
import { examples } from './examples.ts';
import { EXIT, type Io, printable, printJson, setExit } from './io.ts';
import { countedSince, documentsOf, linesOf, unusedSince } from './lint/read.ts';
import { openStore } from './look.ts';

interface LintOptions {
  readonly config: string;
  readonly days: number;
  readonly json?: boolean;
}

const DAY_S = 86_400;

/** `lint`: what is written down and matched nothing, and what makes most of the noise; from the store, the agent need not run. */
export const lintVerb = (program: Command, io: Io): void => {
  const lint = program
    .command('lint')
    .description(
      'show lines of pool lists, plans, waivers and references that matched nothing for a month, and rules that make more than a quarter of all findings; exit 1 where there are any',
    )
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--days <n>', 'how far back to look', daysOf, 30)
    .option('--json', 'print the result as one JSON object')
    .action(({ config, days, json }: LintOptions) => {
      const found = inspect(config, days, Math.floor(Date.now() / 1000), io);
      if (json) printJson(io, { ok: found.remarks.length === 0, ...found });
      else io.out.write(textOf(found));
      setExit(found.remarks.length === 0 ? EXIT.ok : EXIT.failed);
    });
  examples(lint, 'assayer lint', 'assayer lint --days 7 --json');
};

const daysOf = (text: string): number => {
  const days = Number(text);
  if (!/^\d{1,3}$/.test(text) || days < 1 || days > 400) throw new InvalidArgumentError('a whole number from 1 to 400');
  return days;
};

interface Found {
  readonly days: number;
  /** Age of the log, s; what it is too young to say is left out. */
  readonly log_age_s: number;
  readonly lines: number;
  readonly documents: number;
  readonly findings: number;
  readonly remarks: readonly Remark[];
}

const inspect = (file: string, days: number, nowS: number, io: Io): Found => {
  const { config } = loadConfig(resolve(file));
  using store = openStore(config.state_dir, io);
  const sinceS = nowS - days * DAY_S;
  const logAgeS = nowS - (store.find({ limit: 1 })[0]?.iat ?? nowS);
  const lines = linesOf(config);
  const documents = documentsOf(store, sinceS);
  const findings = countedSince(store, sinceS);
  const unused = logAgeS >= days * DAY_S ? unusedSince(store, config, sinceS) : [];
  return {
    days,
    log_age_s: logAgeS,
    lines: lines.length,
    documents: documents.length,
    findings: findings.length,
    remarks: [
      ...unused.map((line) => unusedLine(line, days)),
      ...documents.filter((each) => isIdle(each, nowS, days)).map((each) => idleDocument(each, nowS, days)),
      ...noisy(findings, documents, days),
    ],
  };
};

const textOf = ({ remarks, days, log_age_s, lines, documents, findings }: Found): string => {
  const young = log_age_s < days * DAY_S && lines > 0;
  return [
    ...remarks.flatMap(({ kind, what, name, message, remedy, owner }) => [
      `${kind.padEnd(9)}  ${what} ${printable(name)}: ${printable(message)}`,
      ...(owner === undefined ? [] : [`           owner: ${printable(owner)}`]),
      `           remedy: ${printable(remedy)}`,
    ]),
    ...(young
      ? [
          `The log is ${durationText(log_age_s)} old: which lines are not needed can be told after ${days} days (--days).`,
        ]
      : []),
    `${lines} lines, ${documents} documents, ${findings} findings of ${days} days: ${remarks.length === 0 ? 'nothing to say' : `${remarks.length} to look at`}`,
    '',
  ].join('\n');
};
