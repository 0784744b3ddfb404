import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { Daemon } from '../daemon.ts';
import { systemClock } from '../platform/clock.ts';
import { type Emit, jsonEvents } from '../platform/events.ts';
import { boundHeap } from '../platform/heap.ts';
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
      const loaded = loadConfig(resolve(options.config));
      const eventsOf = ({ log_level }: Config): Emit => jsonEvents(io.err, log_level, clock.wallMs);
      let events = eventsOf(loaded.config);
      // Signals that come before the agent runs are heeded as soon as it does.
      const ending = signalled();
      process.on('SIGHUP', async () => {
        const running = await starting.catch(() => undefined);
        if (running !== undefined) events = eventsOf(await running.reload());
      });
      const emit: Emit = (...event) => events(...event);
      let starting = Daemon.start(loaded, { clock, emit });
      let daemon = await starting;
      let end = await Promise.race([ending, daemon.replaced]);
      while (typeof end !== 'string') {
        // The store is not the log that was written: the agent begins another one.
        const { loaded: inForce } = daemon;
        await daemon.stop('rollback');
        starting = Daemon.start(inForce, { clock, emit }, end);
        daemon = await starting;
        end = await Promise.race([ending, daemon.replaced]);
      }
      const signal = end;
      // A second signal, or an end that takes too long, does not wait.
      process.once('SIGINT', () => process.exit(EXIT.failed));
      process.once('SIGTERM', () => process.exit(EXIT.failed));
      const late = setTimeout(() => process.exit(EXIT.failed), PATIENCE_MS);
      await daemon.stop(signal);
      clearTimeout(late);
      setExit(EXIT.ok);
      process.removeAllListeners('SIGHUP');
    });
};

const signalled = (): Promise<'SIGINT' | 'SIGTERM'> =>
  new Promise((resolve) => {
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('SIGTERM', () => resolve('SIGTERM'));
  });
