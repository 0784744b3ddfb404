import type { Command } from 'commander';
import { groupExamples } from './examples.ts';
import type { Io } from './io.ts';
import { adoptVerb } from './terms/adopt.ts';
import { examplesOf } from './terms/examples.ts';
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
  groupExamples(
    waiver,
    [
      'waiver create    whoever wants it; at the gateway also: findings waive',
      'waiver sign      approvers, on machines of their own',
      'waiver adopt     at the gateway',
    ],
    {
      create: [
        'assayer waiver create bench-3 --device tx1-bench-3 --until +14d \\',
        '  --id pool.outside-allowlist --reason "burn-in" --risk "a day of work" \\',
        '  --out bench.yaml',
      ],
      ...examplesOf('waiver', { id: 'bench-3', draft: 'bench' }),
    },
  );
};
