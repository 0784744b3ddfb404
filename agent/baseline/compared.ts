import { FACTS, type FactName, type Facts, type PoolSlot } from '../../shared/facts.ts';
import { canonicalJson } from '../../shared/jcs.ts';

/** Facts as compact text, and what differs between two looks. */

const COMPARED = (Object.keys(FACTS) as FactName[]).filter((name) => FACTS[name].class !== 'volatile');

/** A slot without what changes by itself; its text leaves out what is undefined. */
const configured = ({ slot, url, user, priority, quota, share_ppm, tls, proxy }: PoolSlot) => ({
  slot,
  url,
  user,
  priority,
  quota,
  share_ppm,
  tls,
  proxy,
});

/** The quota of a slot. One that tells none has that which pools have unless somebody sets another: some families tell it, others do not. */
export const quotaOf = ({ quota = 1 }: Pick<PoolSlot, 'quota'>): number => quota;

/** The facts that are compared, without the volatile ones: text that is equal when they are. */
export const comparedText = (facts: Facts): string => {
  const kept: { [name: string]: unknown } = {};
  for (const name of COMPARED) {
    const value = facts[name];
    if (value === undefined) continue;
    if (name === 'pools') kept[name] = facts.pools?.map(configured);
    else if (FACTS[name].class === 'set') kept[name] = [...(value as readonly string[])].sort();
    else kept[name] = value;
  }
  return JSON.stringify(kept);
};

/** The facts that `comparedText` wrote. */
export const readCompared = (text: string): Facts => JSON.parse(text) as Facts;

/** The facts that are compared, in the form in which they are. */
export const comparedFacts = (facts: Facts): Facts => readCompared(comparedText(facts));

/** The volatile facts that rules read: which slot is mined on, and the pools of the runtime list with where they lead. */
export const activityText = ({ pools = [], live_pools: live = [] }: Facts): string =>
  [
    pools.map(({ active }) => (active === undefined ? '?' : active ? '1' : '0')).join(''),
    ...live.map(({ url, user = '', host = '', active, proxy }) => {
      const leads = active === false ? '' : host;
      return proxy === undefined ? `${url} ${user} ${leads}` : `${url} ${user} ${leads} ${proxy}`;
    }),
  ].join('\n');

/** The named parts of a list that is compared by name or by key. */
export const partsOf = (list: readonly unknown[]): ReadonlyMap<string, string> =>
  new Map(
    (list as readonly { name?: string; key?: string; value: string }[]).map((part) => [
      part.name ?? part.key ?? '',
      part.value,
    ]),
  );

/** Whether `now` says something that `before` does not. Parts that are missing now could not be read. */
const newParts = (before: readonly unknown[], now: readonly unknown[]): boolean => {
  const known = partsOf(before);
  return [...partsOf(now)].some(([name, value]) => known.get(name) !== value);
};

/** Whether a fact changed, in the way its class compares it. */
export const changed = (name: FactName, before: unknown, now: unknown): boolean => {
  const { class: kind } = FACTS[name];
  if (kind === 'by-name' || kind === 'by-key') return newParts(before as readonly unknown[], now as readonly unknown[]);
  if (name === 'pools') return poolsText(before as Facts['pools']) !== poolsText(now as Facts['pools']);
  return canonicalJson(before) !== canonicalJson(now);
};

const poolsText = (pools: Facts['pools'] = []): string =>
  canonicalJson(pools.map((slot) => ({ ...slot, quota: quotaOf(slot) })));

/** Compared facts of `now` that `before` lacks or has otherwise. Both as `comparedFacts` gives them. */
export const changedFacts = (before: Facts, now: Facts): readonly FactName[] =>
  COMPARED.filter(
    (name) => now[name] !== undefined && (before[name] === undefined || changed(name, before[name], now[name])),
  );

/** These facts, where a pool tells no user with the one that is known of it: what is not seen stays as it was. */
export const withKnownUsers = (known: Facts, now: Facts): Facts => {
  const users = known.pools?.filter(({ user }) => user !== undefined) ?? [];
  if (users.length === 0 || now.pools?.some(({ user }) => user === undefined) !== true) return now;
  const pools = now.pools.map((slot) => {
    const same = users.filter(({ url }) => url === slot.url);
    const { user } = same.find((one) => one.slot === slot.slot) ?? same[0] ?? {};
    return slot.user !== undefined || user === undefined ? slot : { ...slot, user };
  });
  return { ...now, pools };
};

/** Whether a URL is the known one of a Stratum V2 pool that was told without its key, with a key. */
export const tellsKey = (known: string, now: string): boolean =>
  /^stratum2\+[a-z]+:\/\/[^/]+$/i.test(known) && now.startsWith(`${known}/`);

/** Whether these pools are the known ones, with the user or the key of one or more that told none. */
const tellsMore = (known: readonly PoolSlot[], now: readonly PoolSlot[]): boolean => {
  const asKnown = now.map(({ user, ...slot }, at) => {
    const before = known[at];
    const url = before !== undefined && tellsKey(before.url, slot.url) ? before.url : slot.url;
    return { ...slot, url, ...(user === undefined || before?.user === undefined ? {} : { user }) };
  });
  return canonicalJson(asKnown) === canonicalJson(known) && canonicalJson(now) !== canonicalJson(known);
};

/**
 * Facts of `now` that the reference does not have yet: whole facts, lists by name that say all that is known and more,
 * and pools that tell users or keys which they did not. A list in which a known part differs is not learned over.
 */
export const newFacts = (reference: Facts, now: Facts): readonly FactName[] =>
  COMPARED.filter((name) => {
    const value = now[name];
    const known = reference[name];
    if (value === undefined) return false;
    if (known === undefined) return true;
    if (name === 'pools') return tellsMore(reference.pools ?? [], now.pools ?? []);
    const { class: kind } = FACTS[name];
    if (kind !== 'by-name' && kind !== 'by-key') return false;
    const parts = partsOf(value as readonly unknown[]);
    const held = [...partsOf(known as readonly unknown[])];
    return parts.size > held.length && held.every(([part, was]) => parts.get(part) === was);
  });
