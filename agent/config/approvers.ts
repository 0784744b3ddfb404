import { readFileSync } from 'node:fs';
import { InvalidKey, parseTrustedKeys, type TrustedKey, type TrustedKeys } from '../../shared/keys.ts';
import type { Contradiction } from './meaning.ts';
import type { Config } from './schema.ts';

/** Keys that are trusted to approve at this gateway, and the names under which the configuration has them. */
export interface Approvers {
  readonly keys: TrustedKeys;
  /** By key id. */
  readonly names: ReadonlyMap<string, string>;
}

/** Reads the public keys that the configuration names; each file holds one. What cannot be used is a problem at its line. */
export const readApprovers = ({
  approvers,
}: Config): { readonly approvers: Approvers; readonly problems: readonly Contradiction[] } => {
  const keys = new Map<string, TrustedKey>();
  const names = new Map<string, string>();
  const problems: Contradiction[] = [];
  for (const [name, file] of Object.entries(approvers)) {
    const read = readKey(file);
    const problem = typeof read === 'string' ? read : twice(read, name, names);
    if (problem !== undefined || typeof read === 'string') {
      const remedy = 'name the public file that `assayer keys new` wrote beside the key of the approver';
      problems.push({ path: ['approvers', name], message: problem ?? 'unusable', remedy });
      continue;
    }
    // Naming the file here is what makes its key an approver at this gateway.
    keys.set(read.kid, { ...read, role: 'approver' });
    names.set(read.kid, name);
  }
  return { approvers: { keys, names }, problems };
};

/** The one key of a file, or what is wrong with it. */
const readKey = (file: string): TrustedKey | string => {
  try {
    const [key, ...others] = parseTrustedKeys(JSON.parse(readFileSync(file, 'utf8'))).values();
    return key === undefined || others.length > 0 ? `${file} does not hold one key` : key;
  } catch (problem) {
    const isExpected =
      problem instanceof InvalidKey ||
      problem instanceof SyntaxError ||
      (problem as NodeJS.ErrnoException).code !== undefined;
    if (!isExpected) throw problem;
    return `${file}: ${(problem as Error).message}`;
  }
};

/** Two people with one key are one person. */
const twice = ({ kid }: TrustedKey, name: string, names: ReadonlyMap<string, string>): string | undefined =>
  names.has(kid) ? `${name} has the key of ${names.get(kid)}` : undefined;
