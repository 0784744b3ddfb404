/**
 * `npm run faults`: the real agent, a real broker and `assayer collect` under faults that a seed chooses: killed, wiped, restored
 * from an older copy, cut off, slowed down, with full disks and wrong clocks. Then everything that was written is compared with
 * everything that was stored; a plain client that trusts PUBACK goes through the same. `-- --seconds N --seed S` selects how long
 * and which, `--json` prints one object. Exit 1 where anything was lost or does not verify, 3 without Mosquitto.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { WITHOUT_MOSQUITTO } from '../test/publish/mosquitto.ts';
import { onStop } from './demo/signals.ts';
import { FAULTS, type Kind } from './faults/kinds.ts';
import { namespaces } from './faults/machine.ts';
import { inWords, type Report } from './faults/report.ts';
import type { RunOptions } from './faults/run.ts';

const RUN = join(import.meta.dirname, 'faults', 'run.ts');
const INTERRUPTED = 130;
const UNREACHABLE = 3;

const whole = (text: string): number => {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 to 999999');
  return Number(text);
};

const seconds = (text: string): number => {
  if (!(Number(text) >= 0.2 && Number(text) <= 600)) throw new InvalidArgumentError('seconds, from 0.2 to 600');
  return Number(text);
};

const kinds = (text: string): readonly Kind[] => {
  const known = FAULTS.map(({ kind }) => kind);
  return text.split(',').map((name) => {
    const found = known.find((kind) => kind === name.trim());
    if (found === undefined) throw new InvalidArgumentError(`faults are ${known.join(', ')}`);
    return found;
  });
};

const options = new Command('faults')
  .description('faults at agent, broker and collector: what is written must be stored')
  .option('--seconds <n>', 'how long faults are made', whole, 60)
  .option('--seed <n>', 'which; the same seed gives the same ones', whole, 1)
  .option('--every <s>', 'mean time from one fault to the next', seconds, 2)
  .option('--only <faults>', 'these faults only, comma-separated', kinds)
  .option('--devices <n>', 'how many simulated miners', whole, 60)
  .option('--patience <s>', 'how long the collector may take to catch up after the last fault', whole, 300)
  .addOption(
    new Option('--protocol <version>', 'MQTT version of agent and collector')
      .choices(['auto', '5', '3.1.1'])
      .default('auto'),
  )
  .option('--unconfirmed', 'the agent trusts PUBACK, too: shows what that loses, and that a run finds it')
  .option('--loopback', 'without namespaces, on the loopback, as where they are not allowed')
  .option('--keep', 'leave the folder with stores and logs, and say where it is')
  .option('--json', 'print one JSON object')
  .parse()
  .opts<Omit<RunOptions, 'folder' | 'withoutNamespaces'> & { loopback?: true; keep?: true; json?: true }>();

if (WITHOUT_MOSQUITTO !== false) {
  process.stderr.write(`${WITHOUT_MOSQUITTO}\n`);
  process.exit(UNREACHABLE);
}

const folder = mkdtempSync(join(tmpdir(), 'assayer-faults-'));
const inside = options.loopback ? { problem: 'not with --loopback' } : namespaces();
const given: RunOptions = { ...options, folder, ...('problem' in inside ? { withoutNamespaces: inside.problem } : {}) };
const [program = '', ...words] = [
  ...('words' in inside ? inside.words : []),
  process.execPath,
  RUN,
  JSON.stringify(given),
];
// A process group of its own: a Ctrl-C at the terminal comes here alone, and all are reached at once where that is needed.
const run = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
const abandon = (): void => {
  if (run.pid !== undefined && run.exitCode === null && run.signalCode === null) process.kill(-run.pid, 'SIGKILL');
};
const stopping = onStop(abandon);
stopping.addEventListener('abort', () => run.stdin.end());
process.on('exit', abandon);

let out = '';
run.stdout.setEncoding('utf8').on('data', (text) => {
  out += text;
});
try {
  const [code] = await once(run, 'close');
  if (stopping.aborted) process.exitCode = INTERRUPTED;
  else if (code !== 0) {
    process.stderr.write(`the run came to no end: ${code ?? 'killed'}\n`);
    process.exitCode = 1;
  } else {
    const report = JSON.parse(out) as Report;
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : inWords(report));
    if (report.problems.length > 0) process.exitCode = 1;
  }
} finally {
  if (options.keep) process.stderr.write(`${folder}\n`);
  else rmSync(folder, { recursive: true, force: true });
}
