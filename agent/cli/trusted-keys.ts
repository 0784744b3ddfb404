import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidKey, parseTrustedKeys, type TrustedKeys } from '../../shared/index.ts';
import { AgentError } from '../platform/errors.ts';

/** The keys in files, and in the `.json` files of folders, that the command line names. Throws `usage.key`. */
export const trustedKeys = (places: readonly string[]): TrustedKeys =>
  new Map(places.flatMap(filesOf).flatMap((file) => [...keysOf(file)]));

const filesOf = (place: string): readonly string[] => {
  if (statSync(place, { throwIfNoEntry: false })?.isDirectory() !== true) return [place];
  const files = readdirSync(place).filter((name) => name.endsWith('.json'));
  if (files.length === 0) throw unusable(place, 'there is no .json file in this folder');
  return files.sort().map((name) => join(place, name));
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
