import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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

/** Leaves the mark: the origin of the log that is being written. */
export const markBegun = (stateDir: string, origin: string): void =>
  writeFileSync(join(stateDir, FILE), `${JSON.stringify({ log: origin })}\n`, { mode: 0o600 });
