import { type ChildProcess, spawn } from 'node:child_process';
import type { Outcome, Parcel } from './outcome.ts';

/** So much of what a program writes is kept; the rest is read and forgotten. */
const MOST_OUTPUT_BYTES = 4096;
/** Between the polite signal and the other one, ms. */
const GRACE_MS = 2000;
/** All that a program gets of our environment: ours may hold passwords. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ'] as const;

/**
 * Runs a program, without a shell: it reads the notification from stdin, and success is exit code 0. It and what it
 * started end at the deadline, and what it left behind when it ends: all that is in its process group.
 */
export const runCommand = async (
  [program = '', ...words]: readonly string[],
  { body, environment }: Parcel,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Outcome> => {
  if (signal.aborted) return { kind: 'stopped' };
  const child = spawn(program, words, {
    // A process group of its own, so that all of it can be ended.
    detached: true,
    cwd: '/',
    env: { ...passedOn(), ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = collect(child);
  // One that does not read it has not failed for that.
  child.stdin.on('error', () => {});
  child.stdin.end(body);
  const deadline = AbortSignal.timeout(timeoutMs);
  const ended = await end(child, AbortSignal.any([signal, deadline]));
  if (ended.kind === 'unstarted')
    return {
      kind: 'failed',
      message: `${program} could not be started: ${ended.code}`,
      remedy: `run it by hand: ${program}`,
    };
  if (ended.code === 0 && !deadline.aborted) return { kind: 'delivered', detail: 'exit code 0' };
  if (signal.aborted) return { kind: 'stopped' };
  const how = ended.signal === null ? `ended with exit code ${ended.code}` : `was ended by ${ended.signal}`;
  return {
    kind: 'failed',
    message: deadline.aborted ? `${program} ran longer than ${timeoutMs / 1000} s and was ended` : `${program} ${how}`,
    remedy: 'try it, and see what it writes: assayer notify test',
    output: output(),
  };
};

const passedOn = (): { readonly [name: string]: string } =>
  Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** What it wrote, both streams in the order in which it came. */
const collect = (child: ChildProcess): (() => string) => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('error', () => {});
    stream?.on('data', (chunk: Buffer) => {
      const kept = chunk.subarray(0, MOST_OUTPUT_BYTES - bytes);
      bytes += kept.length;
      if (kept.length > 0) chunks.push(kept);
    });
  }
  return () => Buffer.concat(chunks).toString();
};

type Ended =
  | { readonly kind: 'unstarted'; readonly code: string }
  | { readonly kind: 'ended'; readonly code: number | null; readonly signal: NodeJS.Signals | null };

const end = (child: ChildProcess, leave: AbortSignal): Promise<Ended> =>
  new Promise((resolve) => {
    let kill: NodeJS.Timeout | undefined;
    const stop = (): void => {
      signalGroup(child, 'SIGTERM');
      kill = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS);
    };
    leave.addEventListener('abort', stop, { once: true });
    const done = (ended: Ended): void => {
      clearTimeout(kill);
      leave.removeEventListener('abort', stop);
      resolve(ended);
    };
    child.once('error', (error: NodeJS.ErrnoException) =>
      done({ kind: 'unstarted', code: error.code ?? error.message }),
    );
    child.once('exit', (code, signal) => {
      signalGroup(child, 'SIGKILL');
      // What was written before is read in the turn that follows.
      setImmediate(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        done({ kind: 'ended', code, signal });
      });
    });
  });

/** The group has the id of the process that began it. */
const signalGroup = ({ pid }: ChildProcess, signal: NodeJS.Signals): void => {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in it.
  }
};
