import { readFileSync } from 'node:fs';
import {
  InvalidKey,
  jwkOf,
  parseTrustedKeys,
  type TrustedKey,
  type TrustedKeys,
  thumbprint,
} from '../../shared/keys.ts';
import { parseVkey } from '../../shared/note.ts';
import { otherRole } from '../platform/key-role.ts';
import { type KeysHere, keysHere } from '../platform/keys-here.ts';
import type { Contradiction } from './meaning.ts';
import type { Config } from './schema.ts';

/** Keys that are trusted to approve at this gateway, and the names under which the configuration has them. */
export interface Approvers {
  readonly keys: TrustedKeys;
  /** By key id. */
  readonly names: ReadonlyMap<string, string>;
}

/** What is wrong, and the remedy. */
type Problem = Omit<Contradiction, 'path'>;

/**
 * Reads the public keys that the configuration names; each file holds one, and says that it is an approver's. What cannot be used is a
 * problem at its line, and so is a key that lies on the gateway: approvers, witnesses and the gateway sign with keys of their own
 * (attestation.md §10).
 */
export const readApprovers = (
  config: Config,
): { readonly approvers: Approvers; readonly problems: readonly Contradiction[] } => {
  const { approvers, state_dir, mqtt } = config;
  const isNeeded = Object.keys(approvers).length + (mqtt?.witnesses.length ?? 0) > 0;
  const here: KeysHere = isNeeded ? keysHere(state_dir) : new Map();
  const keys = new Map<string, TrustedKey>();
  const names = new Map<string, string>();
  const problems: Contradiction[] = [];
  for (const [name, file] of Object.entries(approvers)) {
    const read = readKey(file);
    const problem = 'kid' in read ? problemOf(read, { name, file }, names, here) : read;
    if (problem !== undefined) problems.push({ path: ['approvers', name], ...problem });
    if (problem !== undefined || !('kid' in read)) continue;
    keys.set(read.kid, read);
    names.set(read.kid, name);
  }
  return { approvers: { keys, names }, problems: [...problems, ...witnessProblems(config, names, here)] };
};

/** The one key of a file, or what is wrong with it. */
const readKey = (file: string): TrustedKey | Problem => {
  const remedy = 'name the public file that `assayer keys new` wrote beside the key of the approver';
  try {
    const text = readFileSync(file, 'utf8');
    if (text.startsWith('-----BEGIN'))
      return {
        message: `${file} is no public key; a private one does not belong on a gateway, not even sealed`,
        remedy: `take it away, and ${remedy}`,
      };
    const [key, ...others] = parseTrustedKeys(JSON.parse(text)).values();
    return key === undefined || others.length > 0 ? { message: `${file} does not hold one key`, remedy } : key;
  } catch (problem) {
    const isExpected =
      problem instanceof InvalidKey ||
      problem instanceof SyntaxError ||
      (problem as NodeJS.ErrnoException).code !== undefined;
    if (!isExpected) throw problem;
    return { message: `${file}: ${(problem as Error).message}`, remedy };
  }
};

const problemOf = (
  key: TrustedKey,
  { name, file }: { readonly name: string; readonly file: string },
  names: ReadonlyMap<string, string>,
  here: KeysHere,
): Problem | undefined => {
  const place = here.get(key.kid);
  if (place !== undefined)
    return {
      message: `${file}: its key ${place}: who breaks into the gateway would approve with it`,
      remedy:
        'name the key of a person, made on a machine of theirs: assayer keys new --role approver --out <name>.key --name <name>',
    };
  const role = otherRole(key, 'approver');
  if (role !== undefined) return { ...role, message: `${file}: ${role.message}` };
  const other = names.get(key.kid);
  // Two people with one key are one person.
  return other === undefined
    ? undefined
    : {
        message: `${name} has the key of ${other}`,
        remedy: 'name the key of another person, or take one of the two out',
      };
};

/** A witness that is somebody else here as well witnesses nothing. */
const witnessProblems = (
  { mqtt }: Config,
  names: ReadonlyMap<string, string>,
  here: KeysHere,
): readonly Contradiction[] => {
  const known = new Map<string, string>();
  // What is no vkey at all is told where the witnesses are read.
  const notes = (mqtt?.witnesses ?? []).map((vkey) => parseVkey(vkey));
  return notes.flatMap((note, index) => {
    if (note === undefined) return [];
    const kid = thumbprint(jwkOf(note.key));
    const [place, approver, witness] = [here.get(kid), names.get(kid), known.get(kid)];
    known.set(kid, note.name);
    const whose =
      place ??
      (approver !== undefined
        ? `is that of approver ${approver}`
        : witness !== undefined
          ? `is that of ${witness}, too`
          : undefined);
    if (whose === undefined) return [];
    return [
      {
        path: ['mqtt', 'witnesses', index],
        message: `${note.name} is no witness: its key ${whose}`,
        remedy: 'give the vkey of a collector that signs with a key of its own: assayer collect --cosign makes one',
      },
    ];
  });
};
