import { Store } from '../record/store.ts';
import type { Io } from './io.ts';

/** The store of an agent, to be looked at. What stands in it is told to be an older state where its end is damaged and no start has found that. */
export const openStore = (stateDir: string, io: Io): Store => {
  const lost = Store.lostFrom(stateDir);
  // Of a store that loses all of it nothing can be opened.
  if (lost !== undefined) io.err.write(`${lost}: this is an older state of the store; see assayer doctor\n`);
  return Store.openReadOnly(stateDir);
};
