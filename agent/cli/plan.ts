import type { Command } from 'commander';
import type { Io } from './io.ts';
import { createPlanVerb } from './plan/create.ts';
import { reportVerb } from './plan/report.ts';
import { adoptVerb } from './terms/adopt.ts';
import { closeVerb, listVerb } from './terms/orders.ts';
import { signVerb } from './terms/sign.ts';

/** `plan`: changes that were announced before. */
export const planVerb = (program: Command, io: Io): void => {
  const plan = program.command('plan').description('planned changes: write, sign, adopt, and see what came of them');
  createPlanVerb(plan, io);
  signVerb(plan, 'plan', io);
  adoptVerb(plan, 'plan', io);
  listVerb(plan, 'plan', io);
  reportVerb(plan, io);
  closeVerb(plan, 'plan', io);
};
