import type { FactName, ReadingName } from '../../shared/facts.ts';
import { keptFacts } from '../baseline/kept.ts';
import type { Observation } from '../normalise/observation.ts';
import type { DeviceState, Marks } from './device.ts';

/** When something that a device does not tell now was told last, Unix milliseconds. */
export type ToldMs = { readonly [Name in ReadingName]?: number };

/**
 * Notes what this look asked for in vain, of what the reference knows: that was told last when the look before it was told all. `facts`
 * and `gaps` as they are comparable with the reference; the look itself is not noted yet.
 */
export const noteTold = (
  { reference, marks }: DeviceState,
  { facts, gaps }: Pick<Observation, 'facts' | 'gaps'>,
): void => {
  if (marks.toldMs === undefined && gaps.size === 0) return;
  const known = keptFacts(reference?.facts);
  const after: { [Name in ReadingName]?: number } = {};
  for (const name of [...(Object.keys(known) as FactName[]), ...USERS]) {
    const before = marks.toldMs?.[name];
    if (gaps.has(name)) {
      const atMs = before ?? (name === 'pools.user' ? marks.poolsMs : whole(name, marks));
      if (atMs !== undefined) after[name] = atMs;
    } else if (before !== undefined && facts[name === 'pools.user' ? 'pools' : name] === undefined)
      after[name] = before;
  }
  marks.toldMs = Object.keys(after).length === 0 ? undefined : after;
};

const USERS: readonly ReadingName[] = ['pools.user'];

/** The pools are looked at by themselves, too. */
const whole = (name: FactName, { poolsMs, fullMs }: Marks): number | undefined => (name === 'pools' ? poolsMs : fullMs);

/** When all of these were told last; undefined where they never were. */
export const lastToldMs = ({ marks }: DeviceState, names: readonly ReadingName[]): number | undefined => {
  const { toldMs = {}, poolsMs, fullMs } = marks;
  const isOfPools = names.includes('pools') || names.includes('pools.user');
  const told = [isOfPools ? poolsMs : fullMs, ...names.map((name) => toldMs[name])].filter(
    (atMs) => atMs !== undefined,
  );
  return told.length === 0 ? undefined : Math.min(...told);
};
