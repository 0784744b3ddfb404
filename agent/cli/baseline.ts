import type { Command } from 'commander';
import { acceptVerb } from './baseline/accept.ts';
import { diffVerb } from './baseline/diff.ts';
import { exportVerb } from './baseline/export.ts';
import { newReferenceVerb } from './baseline/new.ts';
import { showVerb } from './baseline/show.ts';
import { withdrawVerb } from './baseline/withdraw.ts';
import type { Io } from './io.ts';
import { adoptVerb } from './terms/adopt.ts';
import { signVerb } from './terms/sign.ts';

/** `baseline`: the values that are approved for devices. */
export const baselineVerb = (program: Command, io: Io): void => {
  const baseline = program
    .command('baseline')
    .description('reference values: look, accept what devices show, or have it signed elsewhere and adopt that');
  showVerb(baseline, io);
  diffVerb(baseline, io);
  acceptVerb(baseline, io);
  exportVerb(baseline, io);
  newReferenceVerb(baseline, io);
  signVerb(baseline, 'reference', io);
  adoptVerb(baseline, 'reference', io);
  withdrawVerb(baseline, io);
};
