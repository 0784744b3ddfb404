import { statSync } from 'node:fs';
import { AgentError } from '../../platform/errors.ts';
import { TimeService } from '../../platform/time-service.ts';
import { type Check, fail, ok, type Result, warn } from './result.ts';

/** An agent in this state folder: running, not running, or hanging. */
export const agent: Check = {
  name: 'agent',
  run: ({ agent: live }) => {
    if (!(live instanceof AgentError))
      return [ok(`running, ${live.size} entries`), ...storeTrouble(live.store_failing)];
    return [live.code === 'agent.not-running' ? ok('not running') : fail(live.message, live.remedy)];
  },
};

const storeTrouble = (failing: boolean): readonly Result[] =>
  failing
    ? [fail('the store refuses writes: what is seen now is not recorded', 'look at the log lines of the agent')]
    : [];

/** The clock of the host, as entries will state it. */
export const clock: Check = {
  name: 'clock',
  run: async ({ nowMs }) => {
    using service = new TimeService({ wallMs: () => nowMs });
    await service.start();
    const { state, src, sync_age_s: age, err_ms: error } = service.state();
    const text = [
      `${state} by ${src}`,
      age === undefined ? undefined : `set ${age} s ago`,
      error === undefined ? undefined : `± ${error} ms`,
    ]
      .filter((word) => word !== undefined)
      .join(', ');
    if (state === 'synced') return [ok(text)];
    const remedy =
      'run chrony or systemd-timesyncd: apt-get install chrony; entries say that the clock is not synchronised';
    return [warn(state === 'unsynced' ? 'no time service has set it' : text, remedy)];
  },
};

/** The passwords that the configuration names. That each can be read was found out when it was loaded. */
export const secrets: Check = {
  name: 'secrets',
  run: ({ config }) => {
    const sources = [
      ...Object.entries(config.credentials).map(([name, source]) => ({ name: `credentials ${name}`, ...source })),
      ...(config.mqtt === undefined ? [] : [{ name: 'mqtt', ...config.mqtt }]),
    ];
    return [
      ...sources.flatMap(({ name, password_file: file, password_env: env }) => secretOf(name, { file, env })),
      ...config.notify.flatMap((target) => {
        if (!('webhook' in target)) return [];
        const { secret_file, secret_env, authorization_file, authorization_env } = target.webhook;
        const name = `notify ${target.name}`;
        return [
          ...secretOf(name, { file: secret_file, env: secret_env }),
          ...secretOf(name, { file: authorization_file, env: authorization_env }),
        ];
      }),
    ];
  },
};

const secretOf = (
  name: string,
  { file, env }: { readonly file: string | undefined; readonly env: string | undefined },
): readonly Result[] => {
  if (file !== undefined) return [secretFile(name, file)];
  return env === undefined ? [] : [ok(`${name}: ${env} is set here`)];
};

const secretFile = (name: string, file: string): Result => {
  const { mode } = statSync(file);
  return (mode & 0o007) === 0
    ? ok(`${name}: ${file}`)
    : warn(`${name}: everyone may read ${file}`, `chmod 600 ${file}`);
};
