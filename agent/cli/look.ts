import { Store } from '../record/store.ts';
import type { Io } from './io.ts';

/** The store of an agent, to be looked at. What stands in it is told to be an older state where its end is damaged and no start has found that. */
export const openStore = (stateDir: string, io: Io): Store => {
  const lost = Store.lostFrom(stateDir);
  const store = Store.openReadOnly(stateDir);
  if (lost !== undefined) io.err.write(`${lost}: this is an older state of the store; see assayer doctor\n`);
  return store;
};
