import type { Command } from 'commander';
import { acceptVerb } from './baseline/accept.ts';
import type { Io } from './io.ts';

/** `baseline`: the values that are approved for devices. */
export const baselineVerb = (program: Command, io: Io): void => {
  const baseline = program.command('baseline').description('reference values: accept what devices show');
  acceptVerb(baseline, io);
};
