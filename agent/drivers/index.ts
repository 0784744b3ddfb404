import { antminerStock } from './antminer-stock.ts';
import { avalon } from './avalon.ts';
import { axeos } from './axeos.ts';
import { braiins } from './braiins.ts';
import { cgminer } from './cgminer.ts';
import type { Driver } from './driver.ts';
import { luxos } from './luxos.ts';
import { whatsminer } from './whatsminer.ts';

/** Every family the agent can read, written out: a single binary cannot scan a folder. */
export const DRIVERS: readonly Driver[] = [antminerStock, whatsminer, avalon, axeos, cgminer, braiins, luxos];
