import type { Command } from 'commander';
import { readClaimedTerms, termsDigest } from '../../../shared/index.ts';
import { AgentError } from '../../platform/errors.ts';
import { cautionsOf } from '../../terms/cautions.ts';
import { reviewOf } from '../../terms/summary.ts';
import { type Io, printable, printJson } from '../io.ts';
import { collect } from '../probe.ts';
import { orProblem, readTermsFile, signedIn } from './files.ts';
import { signatureLines, verifiedBy } from './signatures.ts';

interface ShowOptions {
  readonly keys?: readonly string[];
  readonly json?: boolean;
}

/** `terms show`: what a signed file says, and who signed it. */
export const showTermsVerb = (terms: Command, io: Io): void => {
  terms
    .command('show')
    .description('show what a signed reference, plan or waiver says and who signed it')
    .argument('<file>', 'signed file')
    .option('--keys <file>', 'check the signatures with these public keys, or all in this folder; repeatable', collect)
    .option('--json', 'print the terms, key ids and digest as one JSON object')
    .action((file: string, options: ShowOptions) => show(file, options, io));
};

const show = (file: string, { keys: places, json }: ShowOptions, io: Io): void => {
  const signed = signedIn(file, readTermsFile(file, 'baseline sign, plan sign and waiver sign write one'));
  if (signed === undefined) throw notSigned(file);
  const checked =
    places === undefined ? orProblem(file, () => readClaimedTerms(signed)) : verifiedBy(file, signed, places, io);
  const { terms, kids } = checked;
  const sha256 = termsDigest(signed);
  const nowS = Math.floor(Date.now() / 1000);
  if (json) {
    printJson(io, { verified: places !== undefined, terms, kids, sha256, warnings: cautionsOf(terms, nowS) });
    return;
  }
  const lines = reviewOf(terms, nowS, [...signatureLines(checked), `  sha-256 of the document: ${sha256}`]);
  io.out.write(`${lines.map(printable).join('\n')}\n`);
};

const notSigned = (file: string): AgentError =>
  new AgentError({
    code: 'usage.terms',
    message: `${file} is not a signed file`,
    remedy: 'a draft is shown, and asked about, by assayer baseline|plan|waiver sign',
  });
