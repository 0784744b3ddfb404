import type { Command } from 'commander';
import type { Io } from './io.ts';
import { adoptVerb } from './terms/adopt.ts';
import { closeVerb, listVerb } from './terms/orders.ts';
import { signVerb } from './terms/sign.ts';
import { createWaiverVerb } from './waiver/create.ts';

/** `waiver`: findings that are known and tolerated for a while. */
export const waiverVerb = (program: Command, io: Io): void => {
  const waiver = program.command('waiver').description('waivers of known findings: write, sign, adopt and end them');
  createWaiverVerb(waiver, io);
  signVerb(waiver, 'waiver', io);
  adoptVerb(waiver, 'waiver', io);
  listVerb(waiver, 'waiver', io);
  closeVerb(waiver, 'waiver', io);
};
