import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadSettings } from '../config/load.ts';
import { testBody } from '../notify/body.ts';
import { deliver } from '../notify/deliver.ts';
import type { Outcome } from '../notify/outcome.ts';
import { describeTarget, type Target } from '../notify/target.ts';
import { AgentError } from '../platform/errors.ts';
import { EXIT, type Io, printable, printableLines, printJson, setExit } from './io.ts';

interface Tried {
  readonly target: Target;
  readonly outcome: Outcome;
  readonly ms: number;
}

/** `notify test`: tells each target, or one, that nothing has happened, and says how that went. */
export const notifyVerb = (program: Command, io: Io): void => {
  const notify = program.command('notify').description('try the targets that are told of findings');
  notify
    .command('test')
    .description('send a test notification to every target of the configuration, or to one')
    .argument('[target]', 'name of a target')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--json', 'one JSON object per target')
    .action(async (name: string | undefined, options: { config: string; json?: boolean }) => {
      const { config } = loadSettings(resolve(options.config));
      const interrupted = new AbortController();
      const leave = (): void => interrupted.abort();
      process.once('SIGINT', leave);
      let isWell = true;
      for (const target of chosen(config.notify, name)) {
        const tried = await attempt(target, config.gateway, interrupted.signal);
        isWell &&= tried.outcome.kind === 'delivered';
        if (options.json) printJson(io, jsonOf(tried));
        else io.out.write(textOf(tried));
        if (interrupted.signal.aborted) break;
      }
      process.removeListener('SIGINT', leave);
      setExit(isWell ? EXIT.ok : EXIT.failed);
    });
};

const chosen = (targets: readonly Target[], name: string | undefined): readonly Target[] => {
  const found = name === undefined ? targets : targets.filter((target) => target.name === name);
  if (found.length > 0) return found;
  throw new AgentError({
    code: 'usage.target',
    message: name === undefined ? 'the configuration has no target' : `there is no target ${JSON.stringify(name)}`,
    remedy:
      targets.length === 0
        ? 'name one under notify: docs/notify.md'
        : `there is: ${targets.map((target) => target.name).join(', ')}`,
  });
};

const attempt = async (target: Target, gateway: string, signal: AbortSignal): Promise<Tried> => {
  const nowMs = Date.now();
  const test = testBody({ target: target.name, gateway }, { atS: Math.floor(nowMs / 1000), nonce: randomUUID() });
  const outcome = await deliver(target, test, { nowMs, signal });
  return { target, outcome, ms: Date.now() - nowMs };
};

const jsonOf = ({ target, outcome, ms }: Tried): object => ({
  target: target.name,
  to: describeTarget(target),
  ok: outcome.kind === 'delivered',
  ms,
  ...(outcome.kind === 'delivered' ? { detail: outcome.detail } : {}),
  ...(outcome.kind === 'failed' ? { message: outcome.message, remedy: outcome.remedy, output: outcome.output } : {}),
});

const textOf = ({ target, outcome, ms }: Tried): string => {
  const head = `${target.name}: ${printable(describeTarget(target))}`;
  switch (outcome.kind) {
    case 'delivered':
      return `${head}: told, ${outcome.detail}, ${ms} ms\n`;
    case 'stopped':
      return `${head}: broken off\n`;
    case 'failed': {
      const written = outcome.output ?? '';
      return [
        `${head}: FAILED: ${printable(outcome.message)}`,
        ...(written.trim() === ''
          ? []
          : printableLines(written.trimEnd())
              .split('\n')
              .map((line) => `  > ${line}`)),
        `  remedy: ${printable(outcome.remedy)}`,
        '',
      ].join('\n');
    }
  }
};
