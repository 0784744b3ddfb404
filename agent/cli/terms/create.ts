import { type Command, InvalidArgumentError } from 'commander';
import { parse } from 'yaml';
import { FACTS, type FactName } from '../../../shared/facts.ts';
import { documentIdSchema, type ExpectedValue, type Scope } from '../../../shared/index.ts';
import { type ConfigProblem, describeProblem } from '../../config/problems.ts';
import { AgentError } from '../../platform/errors.ts';
import { readDraft, type TermsKind, VERB_OF } from '../../terms/draft.ts';
import { INSTANT_FORMS, secondsOf } from '../../terms/instant.ts';
import { cautionLines } from '../../terms/summary.ts';
import { type Io, printable } from '../io.ts';
import { collect } from '../probe.ts';
import { draftError, writeNewFile } from './files.ts';

/** What the drafts of plans, waivers and references have in common on the command line. */
export interface CreateOptions {
  readonly device?: readonly string[];
  readonly label?: readonly string[];
  readonly model?: readonly string[];
  readonly firmware?: readonly string[];
  readonly gateway?: readonly string[];
  readonly out?: string;
}

/** The options that say whom a document covers, and the file to write. */
export const withScope = (command: Command): Command =>
  command
    .option('--device <id>', 'cover this device; repeatable', collect)
    .option('--label <name=value>', 'cover devices with this label; repeatable, all have to fit', collect)
    .option('--model <model>', 'cover this model, as reported; repeatable', collect)
    .option('--firmware <family>', 'cover this family, or "family version"; repeatable', collect)
    .option('--gateway <operator/gateway>', 'for this gateway only; repeatable', collect)
    .option('--out <file>', 'file to write; without it the draft is printed');

/** Name of a document, as an argument. */
export const documentId = (text: string): string => {
  if (documentIdSchema.safeParse(text).success) return text;
  throw new InvalidArgumentError('a name of small letters, digits and -, at most 63');
};

/** An instant on the command line. */
export const instant = (text: string): number => {
  const seconds = secondsOf(text, Math.floor(Date.now() / 1000));
  if (seconds !== undefined) return seconds;
  throw new InvalidArgumentError(INSTANT_FORMS);
};

/** The scope that the options name; undefined where they name none. */
export const scopeOf = ({ device, label, model, firmware, gateway }: CreateOptions): Scope | undefined => {
  const scope: Scope = {
    ...(gateway === undefined ? {} : { logs: [...gateway] }),
    ...(device === undefined ? {} : { devices: [...device] }),
    ...(label === undefined ? {} : { labels: Object.fromEntries(label.map((one) => pairOf('--label', one))) }),
    ...(model === undefined ? {} : { models: [...model] }),
    ...(firmware === undefined ? {} : { firmware: [...firmware] }),
  };
  return Object.keys(scope).length === 0 ? undefined : scope;
};

const TEXT_COLUMNS: ReadonlySet<string> = new Set(['pools.url', 'pools.user', 'pools.proxy']);

/**
 * `fact=value` as the exact value of a fact: of the type that the fact has, else as YAML reads it. Of pools, what has a `*` or a brace
 * is a template, which tells a brace that is left open.
 */
export const expectedOf = (texts: readonly string[] | undefined): readonly ExpectedValue[] | undefined =>
  texts?.map((text) => {
    const [fact, written] = pairOf('--expect', text);
    if (TEXT_COLUMNS.has(fact) && /[*{}]/.test(written)) return { fact, class: 'template', value: written };
    const isText = TEXT_COLUMNS.has(fact) || FACTS[fact as FactName]?.type === 'text';
    return { fact, class: 'exact', value: isText ? written : yamlValue(written) };
  });

const yamlValue = (text: string): unknown => {
  try {
    return parse(text);
  } catch {
    return text;
  }
};

const pairOf = (option: string, text: string): readonly [string, string] => {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new AgentError({
    code: 'usage.option',
    message: `${option} ${text}: there is no name before an equals sign`,
    remedy: `write ${option} name=value`,
  });
};

/** Writes or prints a draft, and says what is still to fill in. A slip in what was given writes nothing. */
export const writeDraft = (text: string, kind: TermsKind, { out }: CreateOptions, io: Io): void => {
  const name = out ?? 'draft';
  const nowS = Math.floor(Date.now() / 1000);
  const draft = readDraft(text, { kind, nowS });
  const problems = draft.kind === 'bad' ? draft.problems : [];
  const slips = problems.filter((problem) => !isMissing(problem));
  if (slips.length > 0) throw draftError(name, slips);
  if (out === undefined) io.out.write(text);
  else writeNewFile(out, text);
  const warnings = draft.kind === 'good' ? draft.warnings : [];
  io.err.write(warnings.map((warning) => `warning: ${describeProblem(name, warning)}\n`).join(''));
  if (draft.kind === 'good')
    io.err.write(
      cautionLines(draft.terms, nowS)
        .map((line) => `${printable(line)}\n`)
        .join(''),
    );
  const blank = [...new Set(problems.map(({ path }) => path))];
  const next = `assayer ${VERB_OF[kind]} sign ${out ?? '<file>'} --key <key>`;
  io.err.write(
    `${out === undefined ? '' : `${out} written; `}${blank.length === 0 ? '' : `fill in ${blank.join(', ')}; `}then: ${next}\n`,
  );
};

const isMissing = ({ message }: ConfigProblem): boolean => message.startsWith('missing');
