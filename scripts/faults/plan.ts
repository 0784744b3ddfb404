import { Random } from '../fuzz/random.ts';
import { FAULTS, type FaultKind, type Kind, type Part } from './kinds.ts';

/** One fault of a run. */
export interface Fault {
  readonly kind: Kind;
  /** Since the run began. */
  readonly atMs: number;
  readonly lastsMs: number;
  /** What else is left to chance about it: from 0 to below 1. */
  readonly draw: number;
}

export interface PlanOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Mean time from one fault to the next. */
  readonly everyMs: number;
  /** Those that can be made here. */
  readonly kinds: readonly Kind[];
}

/** Something should have been published before the first fault. */
const FIRST_MS = 2_000;
const DRAWS = 1_000_000;

/** The faults of a run: the same for the same seed and kinds. No kind is left out for long. */
export const planFaults = ({ seed, seconds, everyMs, kinds }: PlanOptions): readonly Fault[] => {
  const random = new Random(seed, 'faults');
  const known: readonly (FaultKind & { readonly kind: Kind })[] = FAULTS.filter(({ kind }) => kinds.includes(kind));
  const freeMs = new Map<Part, number>();
  const planned: Fault[] = [];
  let bag: (typeof known)[number][] = [];
  for (let atMs = FIRST_MS; atMs < seconds * 1000; atMs += everyMs / 2 + random.below(everyMs)) {
    if (bag.length === 0) bag = shuffled(known, random);
    const isFree = ({ holds }: FaultKind): boolean => holds.every((part) => (freeMs.get(part) ?? 0) <= atMs);
    const next = bag.findIndex(isFree);
    // Where all that are left have to wait, others may come that take nothing which these wait for.
    const fault =
      next === -1 ? random.pick(known.filter((one) => isFree(one) && !meets(one, bag))) : bag.splice(next, 1)[0];
    if (fault === undefined) continue;
    const [least, most] = fault.lastsMs;
    // No fault takes more than a quarter of the run: others need the same thing. Long ones are rare.
    const bound = Math.max(least, Math.min(most, seconds * 250));
    const lastsMs = Math.round(least + (bound - least) * (random.below(DRAWS) / DRAWS) ** 3);
    for (const part of fault.holds) freeMs.set(part, atMs + lastsMs);
    planned.push({ kind: fault.kind, atMs, lastsMs, draw: random.below(DRAWS) / DRAWS });
  }
  return planned;
};

const meets = ({ holds }: FaultKind, others: readonly FaultKind[]): boolean =>
  others.some((other) => other.holds.some((part) => holds.includes(part)));

const shuffled = <T>(list: readonly T[], random: Random): T[] => {
  const rest = [...list];
  return list.flatMap(() => rest.splice(random.below(rest.length), 1));
};
