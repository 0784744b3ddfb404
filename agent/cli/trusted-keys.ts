import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidKey, parseTrustedKeys, type TrustedKeys } from '../../shared/index.ts';
import { AgentError } from '../platform/errors.ts';
import { type Io, printable } from './io.ts';

/** Is told of a file of a folder that holds no key, and why. */
export type LeaveOut = (file: string, reason: string) => void;

/** Says it on stderr. */
export const leftOutOn =
  (io: Pick<Io, 'err'>): LeaveOut =>
  (file, reason) =>
    void io.err.write(`${printable(`${file}: left out: ${reason}`)}\n`);

/**
 * The keys in files, and in the `.json` files of folders, that the command line names. A file of a folder that holds no key is told and
 * left out: signed documents lie beside the keys of who signed them. Throws `usage.key`.
 */
export const trustedKeys = (places: readonly string[], leaveOut: LeaveOut): TrustedKeys =>
  new Map(places.flatMap((place) => [...(isFolder(place) ? keysIn(place, leaveOut) : keysOf(place))]));

const isFolder = (place: string): boolean => statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;

const keysIn = (folder: string, leaveOut: LeaveOut): TrustedKeys => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  if (files.length === 0) throw unusable(folder, 'there is no .json file in this folder');
  const keys = new Map(files.sort().flatMap((name) => [...keysOrNone(join(folder, name), leaveOut)]));
  if (keys.size === 0) throw unusable(folder, 'no .json file in this folder is a public key');
  return keys;
};

const keysOrNone = (file: string, leaveOut: LeaveOut): TrustedKeys => {
  try {
    return keysOf(file);
  } catch (problem) {
    if (!(problem instanceof AgentError)) throw problem;
    const [reason = ''] = problem.message.slice(file.length + 2).split('\n');
    leaveOut(file, reason.replace(/:$/, ''));
    return new Map();
  }
};

const keysOf = (file: string): TrustedKeys => {
  try {
    return parseTrustedKeys(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    if (
      !(
        cause instanceof InvalidKey ||
        cause instanceof SyntaxError ||
        (cause as NodeJS.ErrnoException).code !== undefined
      )
    ) {
      throw cause;
    }
    throw unusable(file, (cause as Error).message, cause);
  }
};

const unusable = (place: string, why: string, cause?: unknown): AgentError =>
  new AgentError({
    code: 'usage.key',
    message: `${place}: ${why}`,
    remedy:
      'give the gateway.jwk.json that `assayer init` wrote beside the key, or the .jwk.json of `assayer keys new`',
    cause,
  });
