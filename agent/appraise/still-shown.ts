import { FACTS, type FactName, type Facts } from '../../shared/facts.ts';
import { payeeOf } from '../../shared/pool-user.ts';
import { changed, comparedFacts } from '../baseline/compared.ts';
import { keptFacts } from '../baseline/kept.ts';
import type { DeviceState } from './device.ts';
import { sameUrl } from './pool-url.ts';
import type { Deviation, Rule } from './rule.ts';

/** Whether a device shows what was found, at another look or in other words. */

/** Whether the rule speaks of pools, each of which is judged by itself. */
export const isOfPools = ({ compares = [] }: Rule): boolean => compares.includes('pools');

/** The device is set to, or works for, the pool that was found. */
export const isStillSet = (found: Found, facts: Facts): boolean =>
  rowsOf(found, facts).some((pool) => isSamePool({ after: pool }, found));

/** It works for the same account there, under whatever worker, in a row that is not refused. A user that it does not tell is no other one. */
export const isStillServed = (found: Found, facts: Facts, refused: readonly Deviation[] = []): boolean => {
  const known = poolOf(found);
  return rowsOf(found, facts).some(
    (pool) =>
      known.url !== undefined &&
      sameUrl(pool.url, known.url) &&
      (pool.user === undefined || known.user === undefined || payeeOf(pool.user) === payeeOf(known.user)) &&
      !refused.some((one) => isSamePool({ after: pool }, one)),
  );
};

type Found = Pick<Deviation, 'part' | 'after'>;

const rowsOf = (found: Found, { pools = [], live_pools: live = [] }: Facts) =>
  (isOfRunning(found) ? live : pools).map((row) => ({ ...row }));

/** It is about a row of the runtime list, of which no reference says anything. */
export const isOfRunning = ({ part = '' }: Pick<Deviation, 'part'>): boolean => /(?:^| )live \d+$/.test(part);

/** The same pool and user, or host, wherever they stand. */
export const isSamePool = (one: Pick<Deviation, 'after'>, other: Pick<Deviation, 'after'>): boolean => {
  if (typeof one.after === 'string') return one.after === other.after;
  const [{ url, user }, known] = [poolOf(one), poolOf(other)];
  return url !== undefined && url === known.url && user === known.user;
};

/** The pool that a finding holds; without members where it is about something else. */
export const poolOf = ({ after }: Pick<Deviation, 'after'>) =>
  (after ?? {}) as { readonly url?: string; readonly user?: string };

/** The facts that the rule looks at, but for those that change by themselves. */
export const inputsOf = ({ reads, compares = [] }: Rule): readonly FactName[] =>
  [...reads, ...compares].filter((fact) => FACTS[fact].class !== 'volatile');

/** Whether all that the rule looks at is what was attested last. */
export const isAsAttested = (rule: Rule, state: DeviceState, facts: Facts): boolean => {
  const [known, now] = [keptFacts(state.attested?.facts), comparedFacts(facts)];
  const seen = inputsOf(rule).filter((fact) => now[fact] !== undefined);
  return seen.length > 0 && seen.every((fact) => known[fact] !== undefined && !changed(fact, known[fact], now[fact]));
};
