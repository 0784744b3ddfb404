import type { Command } from 'commander';
import type { Io } from './io.ts';
import { showTermsVerb } from './terms/show.ts';

/** `terms`: what approvers signed, whatever kind it is. */
export const termsVerb = (program: Command, io: Io): void => {
  const terms = program.command('terms').description('signed references, plans and waivers: show what they say');
  showTermsVerb(terms, io);
};
