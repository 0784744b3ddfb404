import { Store } from '../record/store.ts';
import type { Io } from './io.ts';

/** Who was told: a verb may open the store more than once. */
const told = new WeakSet<Io>();

/** The store of an agent, to be looked at. What stands in it is told, once, to be an older state where its end is damaged and no start has found that. */
export const openStore = (stateDir: string, io: Io): Store => {
  // Of a store that loses all of it nothing can be opened.
  if (!told.has(io)) tellLost(stateDir, io);
  return Store.openReadOnly(stateDir);
};

const tellLost = (stateDir: string, io: Io): void => {
  const lost = Store.lostFrom(stateDir);
  if (lost === undefined) return;
  io.err.write(`${lost}: this is an older state of the store; see assayer doctor\n`);
  told.add(io);
};
