import { antminerStock } from './antminer-stock.ts';
import { auradine } from './auradine.ts';
import { avalon } from './avalon.ts';
import { axeos } from './axeos.ts';
import { braiins } from './braiins.ts';
import { cgminer } from './cgminer.ts';
import { elphapex } from './elphapex.ts';
import { epic } from './epic.ts';
import type { FamilyExpectations } from './expectation.ts';
import { hammer } from './hammer.ts';
import { luxos } from './luxos.ts';
import { proto } from './proto.ts';
import { sealminer } from './sealminer.ts';
import { strongu } from './strongu.ts';
import { volcminer } from './volcminer.ts';
import { whatsminer } from './whatsminer.ts';

/** One file for each driver that has real captures. */
export const EXPECTATIONS: readonly FamilyExpectations[] = [
  antminerStock,
  whatsminer,
  avalon,
  axeos,
  cgminer,
  auradine,
  braiins,
  elphapex,
  epic,
  hammer,
  luxos,
  proto,
  sealminer,
  strongu,
  volcminer,
];
