import { Command } from 'commander';
import { VERSION } from '../platform/version.ts';
import { baselineVerb } from './baseline.ts';
import { checkConfigVerb } from './check-config.ts';
import { collectVerb } from './collect.ts';
import { doctorVerb } from './doctor.ts';
import { driverVerb } from './driver.ts';
import { findingsVerb } from './findings.ts';
import { initVerb } from './init.ts';
import type { Io } from './io.ts';
import { keysVerb } from './keys.ts';
import { lintVerb } from './lint.ts';
import { logVerb } from './log.ts';
import { notifyVerb } from './notify.ts';
import { planVerb } from './plan.ts';
import { probeVerb } from './probe.ts';
import { recordVerb } from './record.ts';
import { requestsVerb } from './requests.ts';
import { runVerb } from './run.ts';
import { scanVerb } from './scan.ts';
import { statusVerb } from './status.ts';
import { termsVerb } from './terms.ts';
import { verifyVerb } from './verify.ts';
import { waiverVerb } from './waiver.ts';

/** Every verb, written out: a single binary cannot scan a directory. */
const VERBS = [
  initVerb,
  checkConfigVerb,
  doctorVerb,
  probeVerb,
  scanVerb,
  recordVerb,
  driverVerb,
  requestsVerb,
  runVerb,
  statusVerb,
  findingsVerb,
  lintVerb,
  logVerb,
  verifyVerb,
  collectVerb,
  baselineVerb,
  notifyVerb,
  planVerb,
  waiverVerb,
  termsVerb,
  keysVerb,
] as const;

const EXIT_CODES = `
Every verb ends with 0 when all is well, 1 when findings are open, a check failed or Ctrl-C ended a search, 2 when the
command or the configuration is wrong, 3 when a system it needs cannot be reached, 130 when Ctrl-C ended the question for a
passphrase. \`assayer <verb> --help\` says more.`;

/** The command line. Usage errors throw `CommanderError`, an operator's problems `AgentError`. */
export const buildProgram = (io: Io): Command => {
  const program = new Command('assayer')
    .description('Asks crypto-mining machines, read-only, what they run and where they hash, and attests it.')
    .version(VERSION, '-v, --version')
    // An option behind a verb belongs to the verb, also where the verb above it knows the same one.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out.write(text), writeErr: (text) => io.err.write(text) })
    .showSuggestionAfterError()
    .showHelpAfterError('(run with --help for the options)')
    .addHelpText('after', EXIT_CODES);
  for (const verb of VERBS) verb(program, io);
  return program;
};
