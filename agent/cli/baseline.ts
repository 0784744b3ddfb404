import type { Command } from 'commander';
import { acceptVerb } from './baseline/accept.ts';
import { newReferenceVerb } from './baseline/new.ts';
import type { Io } from './io.ts';
import { signVerb } from './terms/sign.ts';

/** `baseline`: the values that are approved for devices. */
export const baselineVerb = (program: Command, io: Io): void => {
  const baseline = program
    .command('baseline')
    .description('reference values: accept what devices show; or write and sign them, away from the gateway');
  acceptVerb(baseline, io);
  newReferenceVerb(baseline, io);
  signVerb(baseline, 'reference', io);
};
