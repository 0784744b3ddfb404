import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { Daemon } from '../daemon.ts';
import { systemClock } from '../platform/clock.ts';
import { AgentError } from '../platform/errors.ts';
import { type Emit, jsonEvents } from '../platform/events.ts';
import { boundHeap } from '../platform/heap.ts';
import type { Replaces } from '../record/incarnation.ts';
import { EXIT, type Io, setExit } from './io.ts';

/** How long an agent may take to end in good order before a second signal ends it at once, ms. */
const PATIENCE_MS = 15_000;

/** `run`: the agent. SIGHUP reads the configuration again, SIGTERM and Ctrl-C end it in good order. */
export const runVerb = (program: Command, io: Io): void => {
  program
    .command('run')
    .description('run the agent: ask, compare, attest, publish, until SIGTERM or Ctrl-C')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .action(async (options: { config: string }) => {
      boundHeap();
      const clock = systemClock();
      let loaded = loadConfig(resolve(options.config));
      const eventsOf = ({ log_level }: Config): Emit => jsonEvents(io.err, log_level, clock.wallMs);
      let events = eventsOf(loaded.config);
      const emit: Emit = (...event) => events(...event);
      // Signals that come before the agent runs are heeded as soon as it does.
      const ending = signalled();
      let starting: Promise<Daemon> | undefined;
      process.on('SIGHUP', async () => {
        const running = await starting?.catch(() => undefined);
        if (running !== undefined) events = eventsOf(await running.reload());
      });
      let replaces: Replaces | undefined;
      for (;;) {
        starting = Daemon.start(loaded, { clock, emit }, replaces);
        const daemon = await starting;
        const end = await Promise.race([ending, daemon.over]);
        if (end instanceof AgentError) {
          await stopInOrder(daemon, end.code);
          throw end;
        }
        if (typeof end === 'string') {
          await stopInOrder(daemon, end);
          break;
        }
        // The store is not the log that was written: the agent begins another one.
        loaded = daemon.loaded;
        replaces = end;
        await daemon.stop('rollback');
      }
      setExit(EXIT.ok);
      process.removeAllListeners('SIGHUP');
    });
};

/** A second signal, or an end that takes too long, ends the process at once. */
const stopInOrder = async (daemon: Daemon, reason: string): Promise<void> => {
  process.once('SIGINT', () => process.exit(EXIT.failed));
  process.once('SIGTERM', () => process.exit(EXIT.failed));
  const late = setTimeout(() => process.exit(EXIT.failed), PATIENCE_MS);
  await daemon.stop(reason);
  clearTimeout(late);
};

type Signal = 'SIGINT' | 'SIGTERM';

const signalled = (): Promise<Signal> =>
  new Promise((resolve) => {
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('SIGTERM', () => resolve('SIGTERM'));
  });
