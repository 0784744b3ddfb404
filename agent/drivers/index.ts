import { antminerStock } from './antminer-stock.ts';
import { asicseer } from './asicseer.ts';
import { auradine } from './auradine.ts';
import { avalon } from './avalon.ts';
import { axeos } from './axeos.ts';
import { blissz } from './blissz.ts';
import { braiins } from './braiins.ts';
import { cgminer } from './cgminer.ts';
import { chipless } from './chipless.ts';
import type { Driver } from './driver.ts';
import { ebang } from './ebang.ts';
import { elphapex } from './elphapex.ts';
import { epic } from './epic.ts';
import { fdminer } from './fdminer.ts';
import { goldshell } from './goldshell.ts';
import { hammer } from './hammer.ts';
import { hiveon } from './hiveon.ts';
import { iceriver } from './iceriver.ts';
import { innosilicon } from './innosilicon.ts';
import { ipollo } from './ipollo.ts';
import { luxos } from './luxos.ts';
import { marafw } from './marafw.ts';
import { mskminer } from './mskminer.ts';
import { proto } from './proto.ts';
import { sealminer } from './sealminer.ts';
import { strongu } from './strongu.ts';
import { vnish } from './vnish.ts';
import { volcminer } from './volcminer.ts';
import { whatsminer } from './whatsminer.ts';

/** Every family the agent can read, written out: a single binary cannot scan a folder. */
export const DRIVERS: readonly Driver[] = [
  antminerStock,
  whatsminer,
  avalon,
  axeos,
  cgminer,
  asicseer,
  auradine,
  blissz,
  braiins,
  chipless,
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
  marafw,
  mskminer,
  proto,
  sealminer,
  strongu,
  vnish,
  volcminer,
];
