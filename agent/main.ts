#!/usr/bin/env node
import { CommanderError } from 'commander';
import { EXIT, exitOf, printableLines, setExit } from './cli/io.ts';
import { command } from './cli/program.ts';
import { AgentError } from './platform/errors.ts';

/** Entry: runs one verb. An operator's problem is printed with its remedy; our own mistake ends the process. */
const main = async (): Promise<void> => {
  try {
    await command(process.argv.slice(2), { out: process.stdout, err: process.stderr, input: process.stdin });
  } catch (error) {
    report(error);
  }
};

const report = (error: unknown): void => {
  if (error instanceof CommanderError) {
    setExit(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
    return;
  }
  if (!(error instanceof AgentError)) throw error;
  if (exitOf(error) !== EXIT.interrupted)
    process.stderr.write(printableLines(`assayer: ${error.message}\n  remedy: ${error.remedy} [${error.code}]\n`));
  setExit(exitOf(error));
};

/** A reader that goes away (`assayer log | head`) is not an error; what cannot be printed ends the verb. */
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code !== 'EPIPE') report(unprintable(code));
  process.exit();
});

const unprintable = (reason: string | undefined): AgentError =>
  new AgentError({
    code: 'output.failed',
    message: `cannot write the output: ${reason}`,
    remedy: 'free space where the output goes, or let it go elsewhere',
  });

/** Log lines are not evidence: an agent whose reader of them went away goes on. */
process.stderr.on('error', () => {});

void main();
