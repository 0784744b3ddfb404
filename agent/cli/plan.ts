import type { Command } from 'commander';
import { groupExamples } from './examples.ts';
import type { Io } from './io.ts';
import { createPlanVerb } from './plan/create.ts';
import { reportVerb } from './plan/report.ts';
import { adoptVerb } from './terms/adopt.ts';
import { examplesOf } from './terms/examples.ts';
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
  groupExamples(
    plan,
    [
      'plan create    whoever plans the change',
      'plan sign      approvers, on machines of their own',
      'plan adopt     at the gateway, before the change',
      'plan report    at the gateway, while it goes on and afterwards',
    ],
    {
      create: [
        'assayer plan create fw-2-10 --label site=tx1 --from +2d --to +3d \\',
        '  --id firmware.version-changed --expect firmware.version=2.10 --out fw.yaml',
      ],
      ...examplesOf('plan', { id: 'fw-2-10', draft: 'fw' }),
      report: ['assayer plan report fw-2-10'],
    },
  );
};
