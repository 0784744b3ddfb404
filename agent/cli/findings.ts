import type { Command } from 'commander';
import { groupExamples } from './examples.ts';
import { approveFindingVerb } from './findings/approve.ts';
import { listFindingsVerb } from './findings/list.ts';
import { acknowledgeVerb, closeFindingVerb } from './findings/review.ts';
import { showFindingVerb } from './findings/show.ts';
import { waiveFindingVerb } from './findings/waive.ts';
import type { Io } from './io.ts';

/** `findings`: what is open, what it means, and what people do about it. */
export const findingsVerb = (program: Command, io: Io): void => {
  const findings = program
    .command('findings')
    .description('findings: list, show and explain them, and say what is done; without a command: list');
  listFindingsVerb(findings, io);
  showFindingVerb(findings, io);
  acknowledgeVerb(findings, io);
  approveFindingVerb(findings, io);
  waiveFindingVerb(findings, io);
  closeFindingVerb(findings, io);
  groupExamples(
    findings,
    [
      'findings            what is open, newest first',
      'findings show       one of them on one screen, with what to do',
      'findings ack        somebody is at it',
      'then approve (meant), waive (tolerated for a while) or close (over)',
    ],
    {
      list: ['assayer findings', 'assayer findings list --device tx1-b2-r14-07 --all'],
      show: ['assayer findings show 4711'],
      ack: ['assayer findings ack 4711 --note "called the site"'],
      approve: ['assayer findings approve 4711 --by carol --note "new fan profile"'],
      waive: ['assayer findings waive 4711 --reason "burn-in bench" --risk "none" \\', '  --until +30d'],
      close: ['assayer findings close 4711 --note "set back, password changed"'],
    },
  );
};
