import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { warningsOf } from '../config/warnings.ts';
import { AgentError, isRefused, noAccess } from '../platform/errors.ts';
import { approvals } from './doctor/approvals.ts';
import { broker } from './doctor/broker.ts';
import { agent, clock, secrets } from './doctor/host.ts';
import { miners } from './doctor/miners.ts';
import { notify } from './doctor/notify.ts';
import { type Check, failed, ok, type Result, warn } from './doctor/result.ts';
import { signingKey, stateFolder, store } from './doctor/state.ts';
import { tenants } from './doctor/tenants.ts';
import { EXIT, type Io, printable, printJson, setExit } from './io.ts';
import { liveStatus } from './live.ts';

/** In the order in which one thing rests on another. */
const CHECKS: readonly Check[] = [
  agent,
  stateFolder,
  signingKey,
  store,
  tenants,
  approvals,
  clock,
  secrets,
  broker,
  notify,
  miners,
];

interface Found extends Result {
  readonly check: string;
}

/** `doctor`: everything an agent needs, checked from here and now, with a remedy for what is wrong. */
export const doctorVerb = (program: Command, io: Io): void => {
  program
    .command('doctor')
    .description(
      'check configuration, key, store, clock, broker and the way to the miners, with a remedy for each failure',
    )
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--json', 'print the result as one JSON object')
    .action(async (options: { config: string; json?: boolean }) => {
      const file = resolve(options.config);
      const found: Found[] = [];
      for await (const one of examine(file)) {
        found.push(one);
        if (!options.json) io.out.write(textOf(one));
      }
      const isWell = found.every(({ level }) => level !== 'fail');
      if (options.json) printJson(io, { ok: isWell, file, checks: found });
      setExit(isWell ? EXIT.ok : isConfigured(found) ? EXIT.failed : EXIT.usage);
    });
};

const isConfigured = ([configuration]: readonly Found[]): boolean => configuration?.level === 'ok';

async function* examine(file: string): AsyncGenerator<Found> {
  const loaded = load(file);
  if ('level' in loaded) {
    yield { check: 'configuration', ...loaded };
    return;
  }
  yield { check: 'configuration', ...ok(`${file} is good`) };
  for (const { message, remedy } of warningsOf(loaded.config))
    yield { check: 'configuration', ...warn(message, remedy) };
  const live = await liveStatus(loaded.config.state_dir);
  const visit = { ...loaded, agent: live, nowMs: Date.now() };
  for (const check of CHECKS) {
    const results = await Promise.resolve(visit).then(check.run).catch(problem);
    for (const result of results) yield { check: check.name, ...result };
  }
}

const load = (file: string): LoadedConfig | Result => {
  try {
    return loadConfig(file);
  } catch (error) {
    return problem(error)[0];
  }
};

const problem = (error: unknown): readonly [Result] => {
  if (error instanceof AgentError) return [failed(error)];
  if (error instanceof Error && isRefused(error))
    return [failed(noAccess(`${error.message}: this may not be looked at`, error))];
  throw error;
};

const SIGN = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;

const textOf = ({ check, level, message, remedy }: Found): string => {
  const [first = '', ...more] = message.split('\n').map(printable);
  const lines = [...more, ...(remedy === undefined ? [] : [`remedy: ${printable(remedy)}`])];
  return [`${SIGN[level]}  ${check.padEnd(13)}  ${first}`, ...lines.map((line) => `${' '.repeat(21)}${line}`), ''].join(
    '\n',
  );
};
