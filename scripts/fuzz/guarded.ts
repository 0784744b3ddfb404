import { Worker } from 'node:worker_threads';
import { commandFor, type Failure, type FuzzOptions, type FuzzReport, wholeRun } from './run.ts';

/** A heap beyond this ends the run, MB. */
const MOST_HEAP_MB = 512;
const LONGEST_NAME = 1024;

/** A mutation that has not ended by then never will, however busy the machine is. */
const HANG_MS = 60_000;

type Told = { readonly soFar: FuzzReport; readonly total: number } | { readonly report: FuzzReport };

const NOTHING: FuzzReport = {
  seed: 0,
  mutations: 0,
  by_kind: {},
  by_driver: {},
  outcomes: {},
  unanswered: [],
  heap_growth_mb: 0,
  seconds: 0,
  failed: 0,
  failures: [],
};

/** Runs the mutations in a thread that is ended when one of them hangs or takes all memory: that is a failure, too. */
export const fuzzGuarded = async (
  options: FuzzOptions,
  progress: (done: number, total: number) => void = () => {},
): Promise<FuzzReport> => {
  const shared = new SharedArrayBuffer(8 + LONGEST_NAME);
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { options, shared },
    resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MB },
  });
  let soFar: FuzzReport = { ...NOTHING, seed: options.seed };
  let whole: FuzzReport | undefined;
  let trouble: { problem: Failure['problem']; detail: string } | undefined;
  worker.on('message', (told: Told) => {
    if ('report' in told) whole = told.report;
    else {
      soFar = told.soFar;
      progress(soFar.mutations, told.total);
    }
  });
  worker.on('error', (error: NodeJS.ErrnoException) => {
    trouble ??= {
      problem: error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'threw',
      detail: error.stack ?? error.message,
    };
  });
  const watch = watchTurns(new Int32Array(shared, 0, 1), () => {
    if (whole !== undefined) return;
    trouble ??= { problem: 'hang', detail: `no end after ${HANG_MS} ms` };
    void worker.terminate();
  });
  // Not `once`, which ends at an error: the exit comes after it.
  await new Promise((resolve) => worker.on('exit', resolve));
  clearInterval(watch);
  if (whole !== undefined) return whole;
  const failure = { ...failureAt(options, nameIn(shared)), ...(trouble ?? { problem: 'threw', detail: 'no report' }) };
  return { ...soFar, failed: soFar.failed + 1, failures: [...soFar.failures, failure] };
};

/** Calls `stuck` where the turn stays the same for too long. */
const watchTurns = (turn: Int32Array, stuck: () => void): NodeJS.Timeout => {
  let seen = 0;
  let sinceMs = performance.now();
  return setInterval(() => {
    const now = Atomics.load(turn, 0);
    if (now !== seen) {
      seen = now;
      sinceMs = performance.now();
    } else if (performance.now() - sinceMs > HANG_MS) stuck();
  }, 500);
};

const nameIn = (shared: SharedArrayBuffer): string => {
  const length = new Int32Array(shared, 0, 2)[1] ?? 0;
  return Buffer.from(shared, 8, length).toString();
};

const failureAt = (options: FuzzOptions, name: string): Omit<Failure, 'detail'> => {
  const [subject = '', query = '', mutation = ''] = name.split(' ');
  const { seed, captures } = options;
  return {
    ...wholeRun(options, 'hang'),
    subject,
    query,
    mutation,
    command: commandFor({ seed, captures, only: name }),
  };
};
