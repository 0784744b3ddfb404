import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import {
  MAX_SIGNED_TERMS_BYTES,
  parseSignedTerms,
  type SignedTerms,
  VerificationError,
} from '../../../shared/index.ts';
import { type ConfigProblem, describeProblem } from '../../config/problems.ts';
import { AgentError } from '../../platform/errors.ts';
import type { TermsKind } from '../../terms/draft.ts';

/** Files of terms: drafts of people, and what was signed. */

/** Most bytes of a draft: many times what can be signed, with room for comments. */
const MOST_BYTES = 1_048_576;

/** What makes a file of each kind, for who named one that is not there. */
export const MAKERS: { readonly [K in TermsKind]: string } = {
  reference: '`assayer baseline create` makes a draft, `assayer baseline export` one of what devices show',
  plan: '`assayer plan create` makes a draft',
  waiver: '`assayer waiver create` makes a draft',
};

/** The bytes of a file; `maker` says what would make one. */
export const readTermsFile = (file: string, maker: string): Buffer => {
  try {
    const stats = statSync(file);
    if (stats.isFile() && stats.size <= MOST_BYTES) return readFileSync(file);
    throw unreadable(
      file,
      maker,
      stats.isFile() ? `it has ${stats.size} bytes, at most ${MOST_BYTES}` : 'it is no file',
    );
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    throw unreadable(file, maker, String((cause as NodeJS.ErrnoException).code), cause);
  }
};

const unreadable = (file: string, maker: string, why: string, cause?: unknown): AgentError =>
  new AgentError({
    code: 'usage.file',
    message: `cannot read ${file}: ${why}`,
    remedy: `name a file that exists; ${maker}`,
    cause,
  });

/** What was signed; undefined where the file is a draft. */
export const signedIn = (file: string, bytes: Buffer): SignedTerms | undefined => {
  if (!isSigned(bytes)) return undefined;
  return orProblem(file, () => parseSignedTerms(bytes));
};

const isSigned = (bytes: Buffer): boolean => {
  if (bytes.length > MAX_SIGNED_TERMS_BYTES) return false;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && ('doc' in value || 'jws' in value);
  } catch {
    return false;
  }
};

/** What a step of verification refuses, as a problem of the file. */
export const orProblem = <T>(file: string, act: () => T): T => {
  try {
    return act();
  } catch (problem) {
    if (!(problem instanceof VerificationError)) throw problem;
    throw new AgentError({
      code: 'usage.terms',
      message: `${file}: ${problem.message}`,
      remedy: REMEDIES[problem.code] ?? 'get the file again from who signed it: it was altered, or is something else',
      cause: problem,
    });
  }
};

const REMEDIES: { readonly [code: string]: string } = {
  E_KEY_UNKNOWN: 'give the public key of every signer with --keys, or do not trust it',
  E_KEY_SCOPE: 'trust this key as approver, if it is one: role in its .jwk.json',
  E_KEY_REVOKED: 'let somebody sign whose key is good',
};

/** Problems of a draft as one error, a line each. */
export const draftError = (file: string, problems: readonly ConfigProblem[]): AgentError =>
  new AgentError({
    code: 'usage.terms',
    message: problems.map((problem) => describeProblem(file, problem)).join('\n'),
    remedy: 'correct the file and run this again; nothing was written',
  });

/** Writes a file that is not there yet. */
export const writeNewFile = (file: string, text: string): void => {
  try {
    writeFileSync(file, text, { flag: 'wx', flush: true });
  } catch (cause) {
    throw unwritable(file, cause);
  }
};

/** Puts a text in place of a file; a crash leaves the one or the other. */
export const replaceFile = (file: string, text: string): void => {
  try {
    writeFileSync(`${file}.new`, text, { flush: true });
    renameSync(`${file}.new`, file);
  } catch (cause) {
    throw unwritable(file, cause);
  }
};

const unwritable = (file: string, cause: unknown): AgentError => {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'EEXIST') return exists(file);
  return new AgentError({
    code: 'usage.file',
    message: `cannot write ${file}: ${code}`,
    remedy: 'name another file with --out',
    cause,
  });
};

export const exists = (file: string): AgentError =>
  new AgentError({
    code: 'usage.file',
    message: `${file} exists and is not overwritten`,
    remedy: 'name another file with --out',
  });
