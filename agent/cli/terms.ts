import type { Command } from 'commander';
import { groupExamples } from './examples.ts';
import type { Io } from './io.ts';
import { showTermsVerb } from './terms/show.ts';

/** `terms`: what approvers signed, whatever kind it is. */
export const termsVerb = (program: Command, io: Io): void => {
  const terms = program.command('terms').description('signed references, plans and waivers: show what they say');
  showTermsVerb(terms, io);
  groupExamples(terms, ['terms show    at any time, anywhere: neither key nor agent is needed'], {
    show: ['assayer terms show fw.signed.json', 'assayer terms show fw.signed.json --keys keys/'],
  });
};
