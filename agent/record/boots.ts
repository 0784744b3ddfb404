import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError } from '../platform/errors.ts';
import { storeFailure } from './failure.ts';
import type { Store } from './store.ts';

const FILE = 'boots.json';
/** Seeds that are kept beside the store, and that are looked for in it. */
const MOST_KEPT = 64;
const MOST_BOOTS = 2000;

/**
 * The seeds that this gateway was ever started with: a presence under one of them is our own. Those in the store, and those kept
 * beside it, which know of a store that was lost, put back or put aside.
 */
export const earlierBoots = (stateDir: string, store: Store | undefined): ReadonlySet<string> =>
  new Set([
    ...keptBoots(stateDir),
    ...(store?.newestOf('session', MOST_BOOTS).flatMap((seq) => bootseedIn(store, seq)) ?? []),
  ]);

/** Keeps the seed of this start beside the store, before anybody hears of it. Throws `store.*` where it cannot be written. */
export const keepBoot = (stateDir: string, bootseed: string): void => {
  const file = join(stateDir, FILE);
  const seeds = [...new Set([...keptBoots(stateDir), bootseed])].slice(-MOST_KEPT);
  try {
    // Never half a file: the former one stands until this one is whole.
    writeFileSync(`${file}.new`, `${JSON.stringify(seeds)}\n`, { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw storeFailure(error, file);
  }
};

const keptSchema = z.array(z.string());

/** None where the file is missing or damaged: who else speaks under this identity must not depend on it alone. */
const keptBoots = (stateDir: string): readonly string[] => {
  try {
    return keptSchema.parse(JSON.parse(readFileSync(join(stateDir, FILE), 'utf8')));
  } catch {
    return [];
  }
};

/** None where the entry is damaged: who else speaks under this identity must not depend on an old one. */
const bootseedIn = (store: Store, seq: number): readonly string[] => {
  try {
    const { message } = store.entry(seq) ?? {};
    if (message === undefined) return [];
    return [(JSON.parse(Buffer.from(message).toString()) as { readonly bootseed: string }).bootseed];
  } catch (error) {
    if (error instanceof AgentError) return [];
    throw error;
  }
};
