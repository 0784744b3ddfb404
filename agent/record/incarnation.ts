import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storeFailure } from './failure.ts';

const FILE = 'log.json';

/**
 * The log that was last begun in this folder: a mark beside the store, so that a store that was lost or emptied is not
 * taken for a first start. Undefined where none was; without `origin` where the mark cannot be read.
 */
export const lastBegun = (stateDir: string): { readonly origin?: string } | undefined => {
  let text: string;
  try {
    text = readFileSync(join(stateDir, FILE), 'utf8');
  } catch {
    return undefined;
  }
  const origin = /^\{"log":"([^"\\]+)"\}\n$/.exec(text)?.[1];
  return origin === undefined ? {} : { origin };
};

/** Leaves the mark, before the log gets its first entry: whatever ends the process then, no other log takes this origin. Throws `store.*` where it cannot. */
export const markBegun = (stateDir: string, origin: string): void => {
  if (lastBegun(stateDir)?.origin === origin) return;
  const file = join(stateDir, FILE);
  try {
    writeFileSync(file, `${JSON.stringify({ log: origin })}\n`, { mode: 0o600, flush: true });
  } catch (error) {
    throw storeFailure(error, file);
  }
};

/**
 * The origin of a new log, `<name>/<incarnation>`: Unix seconds, or one more than the former incarnation where the clock
 * is not beyond that, so that an emptied store begins another log and never a fork (attestation.md §3).
 */
export const nextOrigin = (name: string, nowMs: number, former: string | undefined): string => {
  const last = former?.startsWith(`${name}/`) === true ? Number(former.slice(name.length + 1)) : Number.NaN;
  const now = Math.floor(nowMs / 1000);
  return `${name}/${Number.isSafeInteger(last) ? Math.max(now, last + 1) : now}`;
};
