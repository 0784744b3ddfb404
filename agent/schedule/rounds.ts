import { createTask, type ScheduledTask } from 'node-cron';
import type { Emit } from '../platform/events.ts';

/** An opened round: its devices are spread over `intervalMs`, the time until the schedule fires again. */
export interface Round {
  readonly openedAtMs: number;
  readonly intervalMs: number;
}

/** One operator-written schedule that opens rounds. */
export interface RoundSchedule {
  /** Time between two firings, ms, as it stands now. */
  readonly intervalMs: () => number;
  readonly stop: () => Promise<void>;
}

const SHORTEST_MS = 1000;

/** Opens a round at every firing of a cron expression (UTC, never two at once; a firing missed by a stopped host is skipped). */
export const scheduleRounds = async (
  name: string,
  expression: string,
  deps: { emit: Emit; wallMs: () => number; open: (round: Round) => void },
): Promise<RoundSchedule> => {
  const task = createTask(
    expression,
    () => deps.open({ openedAtMs: deps.wallMs(), intervalMs: untilNext(task, deps.wallMs()) }),
    { name, timezone: 'UTC', noOverlap: true, suppressMissedWarning: true, logger: eventLogger(name, deps.emit) },
  );
  task.on('execution:missed', (context) => deps.emit('warn', 'schedule.missed', { schedule: name, at: context.date }));
  await task.start();
  return {
    intervalMs: () => betweenRuns(task),
    stop: async () => {
      await task.destroy();
    },
  };
};

const untilNext = (task: ScheduledTask, nowMs: number): number => {
  const next = task
    .getNextRuns(2)
    .map((date) => date.getTime())
    .find((at) => at > nowMs + SHORTEST_MS / 2);
  return next === undefined ? SHORTEST_MS : Math.max(SHORTEST_MS, next - nowMs);
};

const betweenRuns = (task: ScheduledTask): number => {
  const [first, second] = task.getNextRuns(2).map((date) => date.getTime());
  return first === undefined || second === undefined ? SHORTEST_MS : Math.max(SHORTEST_MS, second - first);
};

const eventLogger = (schedule: string, emit: Emit) => ({
  info: (message: string) => emit('debug', 'schedule.note', { schedule, message }),
  warn: (message: string) => emit('warn', 'schedule.warning', { schedule, message }),
  error: (message: string | Error) => emit('error', 'schedule.failed', { schedule, message: String(message) }),
  debug: (message: string | Error) => emit('debug', 'schedule.note', { schedule, message: String(message) }),
});
