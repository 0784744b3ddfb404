import { antminerStock } from './antminer-stock.ts';
import { auradine } from './auradine.ts';
import { avalon } from './avalon.ts';
import { axeos } from './axeos.ts';
import { blissz } from './blissz.ts';
import { braiins } from './braiins.ts';
import { cgminer } from './cgminer.ts';
import { ebang } from './ebang.ts';
import { elphapex } from './elphapex.ts';
import { epic } from './epic.ts';
import type { FamilyExpectations } from './expectation.ts';
import { fdminer } from './fdminer.ts';
import { goldshell } from './goldshell.ts';
import { hammer } from './hammer.ts';
import { hiveon } from './hiveon.ts';
import { iceriver } from './iceriver.ts';
import { innosilicon } from './innosilicon.ts';
import { ipollo } from './ipollo.ts';
import { luxos } from './luxos.ts';
import { mskminer } from './mskminer.ts';
import { proto } from './proto.ts';
import { sealminer } from './sealminer.ts';
import { strongu } from './strongu.ts';
import { vnish } from './vnish.ts';
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
  blissz,
  braiins,
  ebang,
  elphapex,
  epic,
  fdminer,
  goldshell,
  hammer,
  hiveon,
  iceriver,
  innosilicon,
  ipollo,
  luxos,
  mskminer,
  proto,
  sealminer,
  strongu,
  vnish,
  volcminer,
];
