import { Command } from 'commander';
import { VERSION } from '../platform/version.ts';
import type { Io } from './io.ts';

/** Adds a verb to the command line. */
type Verb = (program: Command, io: Io) => void;

/**
 * Every verb, written out: a single binary cannot scan a directory. What a verb needs is loaded with it, so that one that reads a file
 * starts without what asks miners.
 */
const VERBS: { readonly [name: string]: () => Promise<Verb> } = {
  init: async () => (await import('./init.ts')).initVerb,
  'check-config': async () => (await import('./check-config.ts')).checkConfigVerb,
  doctor: async () => (await import('./doctor.ts')).doctorVerb,
  probe: async () => (await import('./probe.ts')).probeVerb,
  scan: async () => (await import('./scan.ts')).scanVerb,
  record: async () => (await import('./record.ts')).recordVerb,
  driver: async () => (await import('./driver.ts')).driverVerb,
  requests: async () => (await import('./requests.ts')).requestsVerb,
  run: async () => (await import('./run.ts')).runVerb,
  status: async () => (await import('./status.ts')).statusVerb,
  findings: async () => (await import('./findings.ts')).findingsVerb,
  lint: async () => (await import('./lint.ts')).lintVerb,
  log: async () => (await import('./log.ts')).logVerb,
  verify: async () => (await import('./verify.ts')).verifyVerb,
  collect: async () => (await import('./collect.ts')).collectVerb,
  baseline: async () => (await import('./baseline.ts')).baselineVerb,
  notify: async () => (await import('./notify.ts')).notifyVerb,
  plan: async () => (await import('./plan.ts')).planVerb,
  waiver: async () => (await import('./waiver.ts')).waiverVerb,
  terms: async () => (await import('./terms.ts')).termsVerb,
  keys: async () => (await import('./keys.ts')).keysVerb,
};

const EXIT_CODES = `
Every verb ends with 0 when all is well, 1 when findings are open, a check failed or Ctrl-C ended a search, 2 when the
command or the configuration is wrong, 3 when a system it needs cannot be reached, 130 when Ctrl-C ended the question for a
passphrase. \`assayer <verb> --help\` says more.`;

/**
 * Does what a person typed, without the name of the program. Usage errors throw `CommanderError`, an operator's problems
 * `AgentError`.
 */
export const command = async (words: readonly string[], io: Io): Promise<void> => {
  const program = bare(io);
  for (const verb of await verbsOf(words)) verb(program, io);
  await program.parseAsync([...words], { from: 'user' });
};

/** The verb that comes first, or where none does all of them: they are listed then, or compared with what was meant. */
const verbsOf = ([first = '']: readonly string[]): Promise<readonly Verb[]> => {
  const verb = Object.hasOwn(VERBS, first) ? VERBS[first] : undefined;
  return Promise.all((verb === undefined ? Object.values(VERBS) : [verb]).map((load) => load()));
};

const bare = (io: Io): Command =>
  new Command('assayer')
    .description('Asks crypto-mining machines, read-only, what they run and where they hash, and attests it.')
    .version(VERSION, '-v, --version')
    // An option behind a verb belongs to the verb, also where the verb above it knows the same one.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out.write(text), writeErr: (text) => io.err.write(text) })
    .showSuggestionAfterError()
    .showHelpAfterError('(run with --help for the options)')
    .addHelpText('after', EXIT_CODES);
