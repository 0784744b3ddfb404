import type { Command } from 'commander';
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
    .description('findings: show and explain them, and say what is done about them');
  listFindingsVerb(findings, io);
  showFindingVerb(findings, io);
  acknowledgeVerb(findings, io);
  approveFindingVerb(findings, io);
  waiveFindingVerb(findings, io);
  closeFindingVerb(findings, io);
};
