import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { Judge, type Problem, type Verdict } from './judge.ts';
import { cutAt, DRAWS, type DrawKind, type Mutation } from './mutations.ts';
import { type Layout, layoutOf } from './places.ts';
import { Random } from './random.ts';
import { type Answer, loadSubjects, type Subject } from './subjects.ts';

/** What is to be run. The same options give the same mutations, whatever the machine. */
export interface FuzzOptions {
  readonly count: number;
  readonly seed: number;
  readonly captures: boolean;
  /** One mutation by its name, `<subject> <query> <kind>:<n>`, or all of a subject or a query by the beginning of it. */
  readonly only?: string;
}

/** Something that went wrong, with the command that shows it again. */
export interface Failure extends Omit<Problem, 'kind'> {
  readonly problem: Problem['kind'] | 'memory' | 'hang';
  readonly seed: number;
  readonly driver: string;
  readonly subject: string;
  readonly query: string;
  readonly mutation: string;
  readonly note: string;
  readonly command: string;
}

/** What a run gave. */
export interface FuzzReport {
  readonly seed: number;
  readonly mutations: number;
  readonly by_kind: { readonly [kind: string]: number };
  readonly by_driver: { readonly [family: string]: number };
  readonly outcomes: { readonly [outcome: string]: number };
  /** Queries of drivers of which no specimen and no capture has the answer. */
  readonly unanswered: readonly string[];
  readonly heap_growth_mb: number;
  readonly seconds: number;
  readonly failed: number;
  /** The first of each sort; `failed` counts them all. */
  readonly failures: readonly Failure[];
}

/** One reply that can be damaged. */
interface Target {
  readonly subject: Subject;
  readonly query: string;
  readonly answer: Answer;
}

/** Most time of the processor for one mutation; others that run on the machine do not count. */
const MOST_MS = 5000;

/** The heap after a run may be larger by this than after its first mutations, MB. */
const MOST_GROWTH_MB = 32;
const WARM_UP = 500;

const MOST_OF_A_SORT = 3;

/** Told before each mutation, so that somebody else can name the one that never ends, and after each reply. */
export interface Watcher {
  readonly before: (mutation: string) => void;
  readonly done: (report: FuzzReport, total: number) => void;
}

const targetsOf = (subjects: readonly Subject[]): readonly Target[] =>
  subjects.flatMap((subject) => [...subject.answers].map(([query, answer]) => ({ subject, query, answer })));

/** Each driver's replies in turn, so that a short run sees all of them. */
const inTurns = (targets: readonly Target[]): readonly Target[] => {
  const queues = [...Map.groupBy(targets, ({ subject }) => subject.driver).values()];
  const longest = Math.max(0, ...queues.map(({ length }) => length));
  return Array.from({ length: longest }, (_, turn) => queues.flatMap((queue) => queue[turn] ?? [])).flat();
};

/** Runs the mutations. Never throws because of what a mutation did. */
export const fuzz = (options: FuzzOptions, watcher: Watcher): FuzzReport => {
  const subjects = loadSubjects({ withCaptures: options.captures });
  const targets = inTurns(targetsOf(subjects)).filter(({ subject, query }) =>
    isWanted(options, `${subject.name} ${query}`),
  );
  const run = new Run(options, unansweredIn(subjects));
  const share = Math.floor(options.count / Math.max(1, targets.length));
  for (const [place, target] of targets.entries()) {
    const further = place < options.count % targets.length ? 1 : 0;
    run.damage(target, share + further, watcher.before);
    watcher.done(run.report(), options.count);
  }
  run.checkMemory();
  return run.report();
};

const isWanted = ({ only }: FuzzOptions, name: string): boolean =>
  only === undefined || name.startsWith(only) || only.startsWith(`${name} `);

const unansweredIn = (subjects: readonly Subject[]): readonly string[] =>
  DRIVERS.flatMap(({ family, queries }) =>
    Object.keys(queries)
      .filter((query) => !subjects.some(({ driver, answers }) => driver.family === family && answers.has(query)))
      .map((query) => `${family} ${query}`),
  );

class Run {
  readonly #options: FuzzOptions;
  readonly #unanswered: readonly string[];
  readonly #startedMs = performance.now();
  readonly #kinds = new Map<string, number>();
  readonly #drivers = new Map<string, number>();
  readonly #outcomes = new Map<string, number>();
  readonly #sorts = new Map<string, number>();
  readonly #failures: Failure[] = [];
  #mutations = 0;
  #failed = 0;
  #warmHeap: number | undefined;
  #growthMb = 0;

  constructor(options: FuzzOptions, unanswered: readonly string[]) {
    this.#options = options;
    this.#unanswered = unanswered;
  }

  /** Damages one reply `share` times. */
  damage({ subject, query, answer }: Target, share: number, before: Watcher['before']): void {
    const layout = layoutOf(Buffer.from(answer.bytes).toString('latin1'));
    const judge = new Judge(subject, query, answer, layout);
    const name = `${subject.name} ${query}`;
    for (const [mutation, damage] of this.#mutationsOf(layout, name, share)) {
      before(`${name} ${mutation}`);
      const start = process.threadCpuUsage();
      const verdict = judge.judge(damage);
      const { user, system } = process.threadCpuUsage(start);
      const tookMs = (user + system) / 1000;
      this.#note({ subject, query, answer }, mutation, damage, verdict, tookMs);
    }
  }

  *#mutationsOf(layout: Layout, name: string, share: number): Iterable<readonly [string, Mutation]> {
    const { only, seed } = this.#options;
    if (only?.startsWith(`${name} `)) {
      const [kind = '', n = ''] = only.slice(name.length + 1).split(':');
      const found = kind === 'truncate' ? cutAt(layout, Number(n)) : drawn(layout, kind as DrawKind, n, seed, name);
      if (found !== undefined) yield [`${kind}:${n}`, found];
      return;
    }
    const cuts = cutsOf(layout.text.length, Math.ceil(share / 4), new Random(seed, name, 'truncate'));
    for (const at of cuts) yield [`truncate:${at}`, cutAt(layout, at)];
    const kinds = Object.keys(DRAWS) as DrawKind[];
    const first = new Random(seed, name, 'first').below(kinds.length);
    let left = share - cuts.length;
    // A reply may have nothing for one kind; there is always something for a flipped bit.
    for (let n = 0; left > 0; n += 1) {
      const kind = kinds[(first + n) % kinds.length] as DrawKind;
      const mutation = drawn(layout, kind, String(n), seed, name);
      if (mutation === undefined) continue;
      left -= 1;
      yield [`${kind}:${n}`, mutation];
    }
  }

  #note(target: Target, mutation: string, { note }: Mutation, verdict: Verdict, tookMs: number): void {
    const { family } = target.subject.driver;
    this.#mutations += 1;
    add(this.#kinds, mutation.replace(/:.*/, ''));
    add(this.#drivers, family);
    const worst = verdict.problems[0]?.kind;
    add(this.#outcomes, worst ?? verdict.outcome);
    const slow: Problem = { kind: 'slow', detail: `${Math.round(tookMs)} ms` };
    for (const problem of tookMs > MOST_MS ? [...verdict.problems, slow] : verdict.problems) {
      this.#fail(problem, target, mutation, note);
    }
    if (this.#mutations === WARM_UP) this.#warmHeap = heapMb();
  }

  #fail({ kind, fact, detail }: Problem, { subject, query }: Target, mutation: string, note: string): void {
    const { seed, captures } = this.#options;
    this.#failed += 1;
    const driver = subject.driver.family;
    const sort = [kind, driver, query, fact, mutation.replace(/:.*/, '')].join(' ');
    add(this.#sorts, sort);
    if ((this.#sorts.get(sort) ?? 0) > MOST_OF_A_SORT) return;
    const name = `${subject.name} ${query} ${mutation}`;
    this.#failures.push({
      problem: kind,
      seed,
      driver,
      subject: subject.name,
      query,
      mutation,
      ...(fact === undefined ? {} : { fact }),
      note,
      detail,
      command: commandFor({ seed, captures, only: name }),
    });
  }

  /** What is kept grows with the report alone. */
  checkMemory(): void {
    if (this.#warmHeap === undefined) return;
    this.#growthMb = Math.round((heapMb() - this.#warmHeap) * 10) / 10;
    if (this.#growthMb <= MOST_GROWTH_MB) return;
    this.#failed += 1;
    this.#failures.push({ ...wholeRun(this.#options, 'memory'), detail: `the heap grew by ${this.#growthMb} MB` });
  }

  report(): FuzzReport {
    return {
      seed: this.#options.seed,
      mutations: this.#mutations,
      by_kind: sorted(this.#kinds),
      by_driver: sorted(this.#drivers),
      outcomes: sorted(this.#outcomes),
      unanswered: this.#unanswered,
      heap_growth_mb: this.#growthMb,
      seconds: Math.round((performance.now() - this.#startedMs) / 100) / 10,
      failed: this.#failed,
      failures: this.#failures,
    };
  }
}

const drawn = (layout: Layout, kind: DrawKind, n: string, seed: number, name: string): Mutation | undefined =>
  DRAWS[kind](layout, new Random(seed, name, kind, n));

/** Every byte of a reply where there are as many cuts; else some, none twice. */
const cutsOf = (length: number, most: number, random: Random): readonly number[] => {
  if (most >= length) return Array.from({ length }, (_, at) => at);
  const cuts = new Set<number>();
  while (cuts.size < most) cuts.add(random.below(length));
  return [...cuts];
};

const heapMb = (): number => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  return getHeapStatistics().used_heap_size / 2 ** 20;
};

const add = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);

const sorted = (counts: ReadonlyMap<string, number>): { readonly [name: string]: number } =>
  Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));

/** How one mutation is run again. */
export const commandFor = ({ seed, captures, only }: Omit<FuzzOptions, 'count'>): string =>
  `npm run fuzz -- --seed ${seed}${captures ? '' : ' --no-captures'} --only '${only}'`;

/** A failure that is not of one mutation. */
export const wholeRun = (
  { seed, count, captures }: FuzzOptions,
  problem: Failure['problem'],
): Omit<Failure, 'detail'> => ({
  problem,
  seed,
  driver: '',
  subject: '',
  query: '',
  mutation: '',
  note: '',
  command: `npm run fuzz -- --seed ${seed} --count ${count}${captures ? '' : ' --no-captures'}`,
});
