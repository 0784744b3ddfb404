/**
 * `npm start`: the whole of assayer on one machine. A simulated fleet, an embedded broker, the real agent, and what a
 * collector verifies. An attacker strikes twice. Runs until Ctrl-C; `--once` ends when both findings were verified.
 */
import { Command, InvalidArgumentError } from 'commander';
import { Hall } from './demo/hall.ts';
import { playDemo } from './demo/play.ts';
import { jsonReporter, lineReporter, type Reporter } from './demo/reporter.ts';
import { ScreenReporter } from './demo/screen.ts';
import { onStop } from './demo/signals.ts';

const seconds = (text: string): number => {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('a number of seconds');
  return Number(text);
};

interface Options {
  readonly once?: true;
  readonly within: number;
  readonly json?: true;
  readonly oneAddress?: true;
}

const options = new Command('npm start --')
  .description('the whole of assayer on this machine, with a simulated fleet that is attacked')
  .option('--once', 'end when both findings were verified: exit code 0, or 1 with the reason')
  .option('--within <s>', 'with --once: how long to wait for them', seconds, 90)
  .option('--json', 'one JSON object per line, the last one is the summary')
  .option('--one-address', 'all miners on 127.0.0.1, told apart by their ports')
  .parse()
  .opts<Options>();

const STOPPED_AT_ONCE = 130;

const startedMs = Date.now();
const sinceStartS = (): number => (Date.now() - startedMs) / 1000;

const reporterFor = (out: NodeJS.WriteStream): Reporter => {
  if (options.json) return jsonReporter(out, sinceStartS);
  if (!out.isTTY || process.env.TERM === 'dumb') return lineReporter(out, sinceStartS);
  return new ScreenReporter(out, { colour: (process.env.NO_COLOR ?? '') === '' });
};

const reporter = reporterFor(process.stdout);
const hall = new Hall();
const stopping = onStop(() => {
  hall.abandon();
  reporter.restore();
  process.exit(STOPPED_AT_ONCE);
});

try {
  const { ok } = await playDemo({
    hall,
    reporter,
    sinceStartS,
    stopping,
    oneAddress: options.oneAddress === true,
    ...(options.once ? { onceWithinS: options.within } : {}),
  });
  process.exitCode = ok ? 0 : 1;
} finally {
  reporter.restore();
}
