import { antminerStock } from './antminer-stock.ts';
import { cgminer } from './cgminer.ts';
import type { FamilyExpectations } from './expectation.ts';

/** One file for each driver that has real captures. */
export const EXPECTATIONS: readonly FamilyExpectations[] = [antminerStock, cgminer];
