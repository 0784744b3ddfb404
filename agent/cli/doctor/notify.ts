import type { TargetStatus } from '../../notify/courier.ts';
import { describeTarget } from '../../notify/target.ts';
import { AgentError } from '../../platform/errors.ts';
import { type Check, fail, ok, type Result, warn } from './result.ts';

/** Who is told of findings. Nobody is told anything by looking: `notify test` does that, and a running agent knows. */
export const notify: Check = {
  name: 'notify',
  run: ({ config, agent }) => {
    if (config.notify.length === 0) return [ok('no target: findings are in the log and the mirrors only')];
    if (!(agent instanceof AgentError)) {
      // An agent that runs on since before an update does not say it.
      const known = new Map((agent.notify ?? []).map((status) => [status.target, status]));
      return config.notify.map(({ name }) => standing(name, known.get(name)));
    }
    return config.notify.map((target) =>
      ok(`${target.name}: ${describeTarget(target)}; try it with: assayer notify test ${target.name}`),
    );
  },
};

const standing = (name: string, status: TargetStatus | undefined): Result => {
  if (status === undefined)
    return warn(`${name}: the running agent does not know it`, 'make it read the configuration again: kill -HUP <pid>');
  const { failure, to } = status;
  if (failure === undefined) return ok(`${name}: ${to}, nothing waits`);
  const since = new Date(failure.sinceMs).toISOString().slice(0, 19);
  return fail(`${name} cannot be told anything since ${since}Z: ${failure.message}`, failure.remedy);
};
