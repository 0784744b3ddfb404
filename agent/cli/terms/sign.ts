import { isUtf8 } from 'node:buffer';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import {
  addSignature,
  formatSignedTerms,
  readClaimedTerms,
  type SignedTerms,
  type Signer,
  signTerms,
  type Terms,
  termsDigest,
} from '../../../shared/index.ts';
import { describeProblem } from '../../config/problems.ts';
import { AgentError } from '../../platform/errors.ts';
import { openPersonalKey, type PersonalKey } from '../../platform/sealed-key.ts';
import { cautionsOf } from '../../terms/cautions.ts';
import { readDraft, type TermsKind, VERB_OF } from '../../terms/draft.ts';
import { reviewOf } from '../../terms/summary.ts';
import { confirmed } from '../ask.ts';
import { type Io, printable, printJson } from '../io.ts';
import { knownPassphrase, type PassphraseOptions, withPassphrase } from '../keys/passphrases.ts';
import { collect } from '../probe.ts';
import { draftError, exists, MAKERS, orProblem, readTermsFile, replaceFile, signedIn, writeNewFile } from './files.ts';
import { signatureLines, verifiedBy } from './signatures.ts';

export interface SignOptions extends PassphraseOptions {
  readonly key: string;
  readonly out?: string;
  readonly keys?: readonly string[];
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `baseline sign`, `plan sign`, `waiver sign`: an approver signs a draft, or adds a signature to what another one signed. */
export const signVerb = (parent: Command, kind: TermsKind, io: Io): void => {
  withPassphrase(
    parent
      .command('sign')
      .description(`sign a ${kind}, away from the gateway; what is signed already gets one more signature`)
      .argument('<file>', 'draft in YAML or JSON, or a signed file')
      .requiredOption('--key <file>', 'key file of the approver, as `assayer keys new` makes it')
      .option('--out <file>', 'file to write; without it <draft>.signed.json, or the signed file itself')
      .option('--keys <file>', 'check the signatures that are there with these public keys; repeatable', collect)
      .option('-y, --yes', 'do not ask after the summary was shown')
      .option('--json', 'print the summary as text on stderr, and what was written as JSON'),
  ).action((file: string, options: SignOptions) => sign(file, kind, options, io));
};

/** What there is to sign, and where it goes. */
export interface Task {
  readonly terms: Terms;
  /** Who signed it already, by what the file claims. */
  readonly kids: readonly string[];
  /** Lines about it, for the person who signs. */
  readonly shown: readonly string[];
  readonly signWith: (signer: Signer) => SignedTerms;
  readonly out: string;
  readonly write: (file: string, text: string) => void;
}

const sign = async (file: string, kind: TermsKind, options: SignOptions, io: Io): Promise<void> => {
  const nowS = Math.floor(Date.now() / 1000);
  await signTask(taskOf(file, { kind, options, nowS, io }), { file, kind, nowS }, options, io);
};

/** Shows what there is to sign, asks, and signs it. */
export const signTask = async (
  task: Task,
  { file, kind, nowS }: { readonly file: string; readonly kind: TermsKind; readonly nowS: number },
  options: SignOptions,
  io: Io,
): Promise<void> => {
  const shown = reviewOf(task.terms, nowS, task.shown).map(printable).join('\n');
  (options.json ? io.err : io.out).write(`${shown}\n`);
  if (!(await confirmed(`Sign this with ${options.key}?`, { yes: options.yes, done: 'signed' }, io))) return;
  const key = await openPersonalKey(resolve(options.key), await knownPassphrase(options, options.key, io));
  requireApprover(options.key, key, task.kids);
  const signed = orProblem(file, () => task.signWith(key.signer));
  task.write(task.out, `${formatSignedTerms(signed)}\n`);
  report(signed, { file: task.out, kind, key, nowS }, options, io);
};

/** What a person wants signed, and how. */
interface Wish {
  readonly kind: TermsKind;
  readonly options: SignOptions;
  readonly nowS: number;
  readonly io: Io;
}

const taskOf = (file: string, wish: Wish): Task => {
  const bytes = readTermsFile(file, MAKERS[wish.kind]);
  const signed = signedIn(file, bytes);
  return signed === undefined ? draftTask(file, bytes, wish) : signedTask(file, signed, wish);
};

const draftTask = (file: string, bytes: Buffer, { kind, options: { out }, nowS }: Wish): Task => {
  if (!isUtf8(bytes)) throw notText(file);
  const draft = readDraft(bytes.toString('utf8'), { kind, nowS });
  if (draft.kind === 'bad') throw draftError(file, draft.problems);
  const target = out ?? `${file.replace(/\.(ya?ml|json)$/, '')}.signed.json`;
  if (existsSync(target)) throw exists(target);
  const { terms, warnings } = draft;
  return {
    terms,
    kids: [],
    shown: warnings.map((warning) => `warning: ${describeProblem(file, warning)}`),
    signWith: (signer) => signTerms(terms, signer),
    out: target,
    write: writeNewFile,
  };
};

/** What stands in place of the bytes that are none would be signed. */
const notText = (file: string): AgentError =>
  new AgentError({
    code: 'usage.terms',
    message: `${file} is not UTF-8`,
    remedy: 'save it as UTF-8, and look at what it says then',
  });

const signedTask = (file: string, signed: SignedTerms, { kind, options: { out, keys }, io }: Wish): Task => {
  const checked =
    keys === undefined ? orProblem(file, () => readClaimedTerms(signed)) : verifiedBy(file, signed, keys, io);
  const { terms, kids } = checked;
  if (terms.kind !== kind) throw otherKind(file, terms.kind);
  if (out !== undefined && existsSync(out)) throw exists(out);
  return {
    terms,
    kids,
    shown: signatureLines(checked),
    signWith: (signer) => addSignature(signed, signer),
    out: out ?? file,
    // With one more signature it says everything that it said before.
    write: out === undefined ? replaceFile : writeNewFile,
  };
};

const otherKind = (file: string, kind: TermsKind): AgentError =>
  new AgentError({
    code: 'usage.terms',
    message: `${file} is a ${kind}`,
    remedy: `look at it again, then: assayer ${VERB_OF[kind]} sign ${file} --key <key>`,
  });

/** A second signature by the same person is none; nor is one by a key that was made for something else. */
const requireApprover = (file: string, { note, signer }: PersonalKey, kids: readonly string[]): void => {
  if (note.role !== undefined && note.role !== 'approver') {
    throw new AgentError({
      code: 'key.role',
      message: `${file} is a key of role ${note.role}: nobody takes terms that it signed`,
      remedy: 'sign with a key of an approver: assayer keys new --role approver --out <file>',
    });
  }
  if (kids.includes(signer.kid)) {
    throw new AgentError({
      code: 'usage.signed',
      message: `key ${signer.kid} has signed this already`,
      remedy: 'a further signature is by another approver, with a key of their own',
    });
  }
};

interface Outcome {
  readonly file: string;
  readonly kind: TermsKind;
  readonly key: PersonalKey;
  readonly nowS: number;
}

const report = (signed: SignedTerms, { file, kind, key, nowS }: Outcome, { json }: SignOptions, io: Io): void => {
  const { terms, kids } = readClaimedTerms(signed);
  const { kid } = key.signer;
  const sha256 = termsDigest(signed);
  const name = key.note.name === undefined ? 'key' : printable(key.note.name);
  const count = kids.length === 1 ? 'the only signature' : `${kids.length} signatures now`;
  const text = [
    `Signed:   by ${name} (${kid}); ${count}`,
    `Written:  ${file}: for gateways, and for the next approver: assayer ${VERB_OF[kind]} sign ${file} --key <key>`,
    `SHA-256:  ${sha256}`,
    '',
  ].join('\n');
  if (json) printJson(io, { file, kind, kid, kids, sha256, warnings: cautionsOf(terms, nowS) });
  else io.out.write(text);
};
