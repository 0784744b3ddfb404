import { AgentError } from '../platform/errors.ts';
import type { Store } from './store.ts';

const MOST_BOOTS = 2000;

/** The seeds this store was ever started with: a presence under one of them is our own. */
export const earlierBoots = (store: Store): ReadonlySet<string> =>
  new Set([
    ...(store.meta(FORMER_BOOTS, (text) => JSON.parse(text) as readonly string[]) ?? []),
    ...store.newestOf('session', MOST_BOOTS).flatMap((seq) => bootseedIn(store, seq)),
  ]);

/** Name under which the store keeps seeds of starts before the log: a log that is put aside takes its entries along. */
export const FORMER_BOOTS = 'former-boots';

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
