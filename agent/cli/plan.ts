import type { Command } from 'commander';
import type { Io } from './io.ts';
import { createPlanVerb } from './plan/create.ts';
import { signVerb } from './terms/sign.ts';

/** `plan`: changes that were announced before. */
export const planVerb = (program: Command, io: Io): void => {
  const plan = program.command('plan').description('planned changes: write and sign them');
  createPlanVerb(plan, io);
  signVerb(plan, 'plan', io);
};
