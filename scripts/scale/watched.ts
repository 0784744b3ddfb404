import { readFileSync } from 'node:fs';

/** What Linux counts CPU time in (USER_HZ of proc(5)). */
const TICK_MS = 10;
const SAMPLE_MS = 500;
/** How much of a phase is its beginning, its middle, its end. */
const PART = 0.1;

/** CPU time of a process so far, ms. */
const cpuMs = (pid: number): number => {
  // The name of the program, in brackets, may hold anything.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
};

/** Resident memory now, MB. */
const rssMb = (pid: number): number => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024) / 1e6;
};

/** Resident memory over a phase, MB. Beginning, middle and end are medians of a tenth of it. */
export interface Memory {
  readonly beginning: number;
  readonly middle: number;
  readonly end: number;
  readonly median: number;
  readonly highest: number;
}

/** What processes cost while something went on. Those that play gateways are added up. */
export interface Cost {
  readonly seconds: number;
  readonly cpuMs: { readonly [name: string]: number };
  readonly memory: { readonly [name: string]: Memory };
}

/** Process ids by name. */
export type Watched = { readonly [name: string]: readonly number[] };

/** Looks at the memory of processes every half second, and at what CPU time they took. */
export class Watching {
  readonly #watched: Watched;
  readonly #samples = new Map<string, number[]>();
  readonly #before: { readonly [name: string]: number };
  readonly #sinceMs = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.#before = this.#each(cpuMs);
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  end(): Cost {
    clearInterval(this.#timer);
    this.#sample();
    const after = this.#each(cpuMs);
    return {
      seconds: (performance.now() - this.#sinceMs) / 1000,
      cpuMs: Object.fromEntries(
        Object.entries(after).map(([name, spentMs]) => [name, spentMs - (this.#before[name] ?? 0)]),
      ),
      memory: Object.fromEntries([...this.#samples].map(([name, samples]) => [name, memoryOf(samples)])),
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    for (const [name, mb] of Object.entries(this.#each(rssMb))) {
      this.#samples.set(name, [...(this.#samples.get(name) ?? []), mb]);
    }
  }

  #each(of: (pid: number) => number): { readonly [name: string]: number } {
    return Object.fromEntries(
      Object.entries(this.#watched).map(([name, pids]) => [name, pids.reduce((sum, pid) => sum + of(pid), 0)]),
    );
  }
}

const memoryOf = (samples: readonly number[]): Memory => {
  const part = Math.max(1, Math.round(samples.length * PART));
  const middle = Math.floor((samples.length - part) / 2);
  return {
    beginning: median(samples.slice(0, part)),
    middle: median(samples.slice(middle, middle + part)),
    end: median(samples.slice(-part)),
    median: median(samples),
    highest: Math.round(Math.max(...samples)),
  };
};

const median = (values: readonly number[]): number =>
  Math.round(values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0);
