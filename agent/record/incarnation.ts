import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storeFailure } from './failure.ts';

const FILE = 'log.json';

/**
 * Whether a log was ever begun in this folder: a mark beside the store, so that a store that was lost or emptied is not
 * taken for a first start.
 */
export const wasBegun = (stateDir: string): boolean => {
  try {
    readFileSync(join(stateDir, FILE));
    return true;
  } catch {
    return false;
  }
};

/** Leaves the mark: the origin of the log that is being written. Throws `store.*` where it cannot. */
export const markBegun = (stateDir: string, origin: string): void => {
  const file = join(stateDir, FILE);
  try {
    writeFileSync(file, `${JSON.stringify({ log: origin })}\n`, { mode: 0o600 });
  } catch (error) {
    throw storeFailure(error, file);
  }
};
