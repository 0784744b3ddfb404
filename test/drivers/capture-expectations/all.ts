import { antminerStock } from './antminer-stock.ts';
import { avalon } from './avalon.ts';
import { axeos } from './axeos.ts';
import { braiins } from './braiins.ts';
import { cgminer } from './cgminer.ts';
import type { FamilyExpectations } from './expectation.ts';
import { luxos } from './luxos.ts';
import { whatsminer } from './whatsminer.ts';

/** One file for each driver that has real captures. */
export const EXPECTATIONS: readonly FamilyExpectations[] = [
  antminerStock,
  whatsminer,
  avalon,
  axeos,
  cgminer,
  braiins,
  luxos,
];
