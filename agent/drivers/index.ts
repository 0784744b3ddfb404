import { antminerStock } from './antminer-stock.ts';
import { cgminer } from './cgminer.ts';
import type { Driver } from './driver.ts';
import { whatsminer } from './whatsminer.ts';

/** Every family the agent can read, written out: a single binary cannot scan a folder. */
export const DRIVERS: readonly Driver[] = [antminerStock, whatsminer, cgminer];
