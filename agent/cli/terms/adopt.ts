import { resolve } from 'node:path';
import type { Command } from 'commander';
import { readClaimedTerms, type Terms } from '../../../shared/index.ts';
import { loadSettings } from '../../config/load.ts';
import type { AdoptionPreview } from '../../desk/adoption-preview.ts';
import type { AdoptionResult } from '../../desk/change-control.ts';
import { askAgent, type ControlRequest } from '../../platform/control.ts';
import { AgentError } from '../../platform/errors.ts';
import { readDraft, type TermsKind } from '../../terms/draft.ts';
import { reviewOf } from '../../terms/summary.ts';
import { accountName } from '../ask.ts';
import { adoptionText, endedText } from '../baseline/preview.ts';
import { type Io, printable, printJson } from '../io.ts';
import { counted, namesText } from '../table.ts';
import { type DecisionOptions, emergencyOf, isWanted } from './decision.ts';
import { draftError, MAKERS, orProblem, readTermsFile, signedIn } from './files.ts';

const ABOUT: { readonly [K in TermsKind]: string } = {
  reference: 'take a signed reference into force at this gateway; the agent must run',
  plan: 'take a plan into force at this gateway: a signed file, or a draft under your name; the agent must run',
  waiver: 'take a waiver into force at this gateway: a signed file, or a draft under your name; the agent must run',
};

/** `baseline adopt`, `plan adopt`, `waiver adopt`: what approvers signed, or a person at the gateway lays down, comes into force. */
export const adoptVerb = (parent: Command, kind: TermsKind, io: Io): void => {
  parent
    .command('adopt')
    .description(ABOUT[kind])
    .argument('<file>', kind === 'reference' ? 'signed file' : 'signed file, or a draft in YAML or JSON')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--by <name>', 'who adopts a draft or breaks the glass; without it the account of this process')
    .option('--break-glass', 'do alone what takes two approvers, or a plan beforehand; it is reported as a finding')
    .option('--note <text>', 'why; needed with --break-glass, goes into the log')
    .option('-y, --yes', 'do not ask after the summary was shown')
    .option('--json', 'print the summary as text on stderr, and the result as JSON')
    .action((file: string, options: DecisionOptions) => adopt(file, kind, options, io));
};

const adopt = async (file: string, kind: TermsKind, options: DecisionOptions, io: Io): Promise<void> => {
  const by = options.by ?? accountName();
  const emergency = emergencyOf(options, by);
  const { terms, document } = read(file, kind, by);
  const stateDir = loadSettings(resolve(options.config)).config.state_dir;
  const summary = reviewOf(terms, Math.floor(Date.now() / 1000));
  const handed = { document, ...emergency };
  const preview = kind === 'reference' ? await shownBy(stateDir, handed, summary, options, io) : undefined;
  const lines = preview === undefined ? summary : [];
  if (!(await isWanted(lines, { question: 'Take this into force?', done: 'adopted' }, options, io))) return;
  const ends = preview === undefined ? {} : { ends: preview.ends };
  // The answer of an agent of the same version.
  const result = (await askAgent(stateDir, { do: 'adopt', ...handed, ...ends })) as AdoptionResult;
  if (options.json) printJson(io, { ...(preview === undefined ? {} : { previews: preview.devices }), ...result });
  else io.out.write(resultText(result));
};

/** Shows what a reference says, then asks the agent what it would come to here, and shows that: values and findings are known to the gateway alone. */
const shownBy = async (
  stateDir: string,
  handed: Pick<Extract<ControlRequest, { do: 'adopt' }>, 'document' | 'break_glass'>,
  summary: readonly string[],
  { json }: DecisionOptions,
  io: Io,
): Promise<AdoptionPreview> => {
  const to = json ? io.err : io.out;
  to.write(`${summary.map(printable).join('\n')}\n`);
  // The answer of an agent of the same version.
  const preview = (await askAgent(stateDir, { do: 'preview-adopt', ...handed })) as AdoptionPreview;
  to.write(adoptionText(preview.devices, io));
  return preview;
};

type Document = Extract<ControlRequest, { do: 'adopt' }>['document'];

const read = (file: string, kind: TermsKind, by: string): { readonly terms: Terms; readonly document: Document } => {
  const bytes = readTermsFile(file, MAKERS[kind]);
  const signed = signedIn(file, bytes);
  if (signed !== undefined) {
    const { terms } = orProblem(file, () => readClaimedTerms(signed));
    if (terms.kind !== kind) throw otherKind(file, terms.kind);
    return { terms, document: signed };
  }
  if (kind === 'reference') throw unsigned(file);
  const draft = readDraft(bytes.toString('utf8'), { kind, nowS: Math.floor(Date.now() / 1000) });
  if (draft.kind === 'bad') throw draftError(file, draft.problems);
  return { terms: draft.terms, document: { terms: draft.terms, by } };
};

const otherKind = (file: string, kind: TermsKind): AgentError =>
  new AgentError({
    code: 'usage.terms',
    message: `${file} is a ${kind}`,
    remedy: `assayer ${kind === 'reference' ? 'baseline' : kind} adopt ${file}`,
  });

const unsigned = (file: string): AgentError =>
  new AgentError({
    code: 'usage.terms',
    message: `${file} is not signed`,
    remedy: `an approver signs it elsewhere: assayer baseline sign ${file} --key <key>; what devices show now is accepted here by assayer baseline accept`,
  });

const resultText = ({ kind, id, seq, already, again = [], left = [], ended }: AdoptionResult): string => {
  const where = [
    again.length === 0 ? '' : `; it holds again at ${namesText(again)}`,
    left.length === 0 ? '' : `; it holds nothing at ${namesText(left)}, which left the configuration`,
  ].join('');
  if (already) return `${kind} ${id} is in force already, by entry ${seq}${where}\n`;
  const text = `${kind} ${id} is in force by entry ${seq}${where}`;
  return ended.length === 0
    ? `${text}\n`
    : `${text}; it ended ${counted(ended.length, 'finding')}:\n${endedText(ended)}`;
};
