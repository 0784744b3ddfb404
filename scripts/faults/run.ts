/**
 * A run of `npm run faults`, where everything it starts may be: in namespaces of its own, or not. Started by `scripts/faults.ts`
 * with its options as JSON; prints the report as JSON. Ends early when stdin does.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ACTIONS } from './actions.ts';
import { CatchUp } from './catch-up.ts';
import type { Collector } from './collector.ts';
import type { Gateway } from './gateway.ts';
import { judge, type Settled } from './judge.ts';
import { FAULTS, type FaultKind, type Kind, type Part } from './kinds.ts';
import { lookAround, type Missing } from './machine.ts';
import { type Fault, planFaults } from './plan.ts';
import { putBack } from './put-back.ts';
import type { Report } from './report.ts';
import type { OwnEnd } from './service.ts';
import { openSite, type Site, type SiteOptions } from './site.ts';
import { Unrest } from './unrest.ts';

export interface RunOptions extends Omit<SiteOptions, 'missing' | 'tell'> {
  readonly seed: number;
  readonly seconds: number;
  readonly every: number;
  readonly patience: number;
  /** These faults; absent for all. */
  readonly only?: readonly Kind[];
  /** Why there are no namespaces; absent where the run is inside. */
  readonly withoutNamespaces?: string;
}

const SAMPLE_MS = 250;
const COPY_MS = 4_000;
const PROGRESS_MS = 5_000;
/** Until the first entry is stored. */
const START_S = 60;
/** What the plain client may need after us, and how long nothing must come before that counts as all. */
const PLAIN_S = 60;
const QUIET_MS = 5_000;
const FAREWELLS = 3;
const FAREWELL_S = 10;

const options = JSON.parse(process.argv[2] ?? '{}') as RunOptions;
const stopping = new AbortController();
process.stdin.on('end', () => stopping.abort()).resume();
process.on('SIGTERM', () => stopping.abort());

const note = (text: string): void => void process.stderr.write(`${text}\n`);

const skippedHere = (missing: Missing): Report['skipped'] =>
  FAULTS.flatMap(({ kind, needs }: FaultKind & { readonly kind: Kind }) => {
    const reason = needs === undefined ? undefined : missing[needs];
    return reason === undefined ? [] : [{ kind, reason }];
  });

/** Waits until something is so; false where it is not in time. */
const comes = async (isSo: () => boolean, withinS: number): Promise<boolean> => {
  const endMs = performance.now() + withinS * 1000;
  while (!isSo()) {
    if (performance.now() > endMs) return false;
    await delay(SAMPLE_MS, undefined, { signal: stopping.signal });
  }
  return true;
};

const run = async (): Promise<Report> => {
  const { seconds, seed, folder, withoutNamespaces } = options;
  const missing = lookAround(withoutNamespaces);
  const skipped = skippedHere(missing);
  const wanted = options.only ?? FAULTS.map(({ kind }) => kind);
  const kinds = wanted.filter((kind) => !skipped.some((one) => one.kind === kind));
  const plan = planFaults({ seed, seconds, everyMs: options.every * 1000, kinds });
  const ends: OwnEnd[] = [];
  const tell = (end: OwnEnd): void => {
    ends.push(end);
    note(`${end.name} ended by itself, ${end.how}: ${end.last}`);
  };

  await using started = new AsyncDisposableStack();
  const site = await openSite({ ...options, missing, tell }, started);
  const isBegun = await comes(() => (site.collector.size() ?? 0) > 0, START_S);
  if (!isBegun) throw new Error('nothing was stored before the first fault');
  const catchUp = new CatchUp();
  const sampling = setInterval(() => catchUp.has(site.collector.size() ?? 0, performance.now()), SAMPLE_MS);
  started.defer(() => clearInterval(sampling));
  const faults = await underUnrest(site, () =>
    make(plan, site, () => {
      const size = site.gateway.size();
      if (size !== undefined) catchUp.faultEnded(size, performance.now());
    }),
  );
  const settled = await settle(site);
  const isolated = withoutNamespaces === undefined;
  const report = judge({ seed, seconds, isolated, faults, skipped, ends, catchUp, folder, ...site, ...settled });
  // What nobody confirms cannot be cosigned, and what did not come in time would not come then.
  if (options.unconfirmed || !settled.hasCaughtUp) return { ...report, restored: 0 };
  note('an older copy of what the agent has is put back …');
  const { restored, problems } = await putBack(site, (isSo) => comes(isSo, options.patience));
  return { ...report, restored, problems: [...report.problems, ...problems] };
};

/** While miners change and copies of the databases are set aside. */
const underUnrest = async <T>({ fleet, collector }: Site, body: () => Promise<T>): Promise<T> => {
  const unrest = new Unrest(fleet);
  await collector.copy();
  const copying = setInterval(() => void collector.copy(), COPY_MS);
  unrest.start();
  try {
    return await body();
  } finally {
    unrest.stop();
    clearInterval(copying);
  }
};

/** After the last fault: waits until everything is stored, and ends what writes and what stores. */
const settle = async ({ gateway, collector }: Site): Promise<Settled> => {
  note('no more faults; waiting until everything is stored …');
  const ceasedMs = performance.now();
  const isWhole = (): boolean => {
    const size = gateway.size();
    return size !== undefined && collector.size() === size;
  };
  const say = (): void => note(`${collector.size() ?? 0} of ${gateway.size() ?? 0} entries stored`);
  const progress = setInterval(say, PROGRESS_MS);
  try {
    const hasCaughtUp = await comes(isWhole, options.patience);
    const lastMs = performance.now() - ceasedMs;
    await plainSettles(gateway, collector);
    const farewells = await farewell(gateway, isWhole, hasCaughtUp ? FAREWELLS : 1);
    const endings = [...farewells, `collector: ${await collector.stop()}`];
    await Promise.all([gateway.kill(), collector.kill()]);
    return { hasCaughtUp, lastMs, endings };
  } finally {
    clearInterval(progress);
  }
};

/** Makes every fault at its time. Resolves when the last one has ended; one that cannot be made ends all. */
const make = async (plan: readonly Fault[], site: Site, ended: () => void): Promise<Report['faults']> => {
  const startMs = performance.now();
  const failing = new AbortController();
  const signal = AbortSignal.any([stopping.signal, failing.signal]);
  const made: { [kind in Kind]?: number } = {};
  // What a fault takes hold of is let go when it has ended, which may be later than planned.
  const held = new Map<Part, Promise<void>>();
  const one = async (
    { kind, atMs, lastsMs, draw }: Fault,
    before: readonly (Promise<void> | undefined)[],
  ): Promise<void> => {
    await delay(atMs, undefined, { signal });
    await Promise.all(before);
    note(`${((performance.now() - startMs) / 1000).toFixed(1).padStart(6)} s  ${kind}, ${lastsMs} ms`);
    made[kind] = (made[kind] ?? 0) + 1;
    await ACTIONS[kind](site, draw, () => delay(lastsMs, undefined, { signal }));
    ended();
  };
  const all = plan.map((fault) => {
    const holds: readonly Part[] = FAULTS.find(({ kind }) => kind === fault.kind)?.holds ?? [];
    const ending = one(
      fault,
      holds.map((part) => held.get(part)),
    );
    for (const part of holds) held.set(part, ending);
    ending.catch((problem) => failing.abort(problem));
    return ending;
  });
  await Promise.allSettled(all);
  failing.signal.throwIfAborted();
  return made;
};

/** Until the plain client has nothing more to send and nothing more to come. */
const plainSettles = async (gateway: Gateway, collector: Collector): Promise<void> => {
  const size = gateway.size() ?? 0;
  let stored = -1;
  let sinceMs = performance.now();
  await comes(() => {
    const now = collector.plainSize() ?? 0;
    if (now !== stored) sinceMs = performance.now();
    stored = now;
    return gateway.acknowledged() >= size && performance.now() - sinceMs > QUIET_MS;
  }, PLAIN_S);
};

/** Ends the agent. What it wrote last goes with its next start, where the collector did not get it. */
const farewell = async (gateway: Gateway, isWhole: () => boolean, most: number): Promise<readonly string[]> => {
  const endings = [`agent: ${await gateway.stopAgent()}`];
  while (!(await comes(isWhole, FAREWELL_S)) && endings.length < most) {
    gateway.startAgent();
    await comes(isWhole, options.patience);
    endings.push(`agent: ${await gateway.stopAgent()}`);
  }
  return endings;
};

const INTERRUPTED = 130;

try {
  process.stdout.write(`${JSON.stringify(await run())}\n`);
} catch (problem) {
  if (!stopping.signal.aborted) throw problem;
  process.exitCode = INTERRUPTED;
}
process.exit();
