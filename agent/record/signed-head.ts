import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signCheckpoint } from '../../shared/checkpoint.ts';
import { verifyCosigned } from '../../shared/cosignature.ts';
import type { TrustedKey } from '../../shared/keys.ts';
import type { LogEnd } from '../../shared/statement.ts';
import { storeFailure } from './failure.ts';

const FILE = 'checkpoint.json';

/**
 * The head of the log as this gateway signed it last, in a file beside the store: a store that was put back to an older
 * state does not know of it, and an emptied one leaves it behind. Throws `store.*` where it cannot be written.
 */
export const keepHead = (stateDir: string, end: LogEnd, signer: Parameters<typeof signCheckpoint>[1]): void => {
  const file = join(stateDir, FILE);
  try {
    const kept = { log: end.log, size: end.size, note: signCheckpoint(end, signer) };
    // Never half a file: the former one stands until this one is whole.
    writeFileSync(`${file}.new`, `${JSON.stringify(kept)}\n`, { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw storeFailure(error, file);
  }
};

/** The head that was kept; undefined where there is none that this key signed. */
export const keptHead = (stateDir: string, key: TrustedKey): LogEnd | undefined => {
  try {
    return verifyCosigned(readFileSync(join(stateDir, FILE)), { keys: [key], witnesses: [] })?.end;
  } catch {
    return undefined;
  }
};
