import type { FactName, Facts } from '../../shared/facts.ts';
import { nestFacts } from '../normalise/nest.ts';
import type { Observation } from '../normalise/observation.ts';
import { shownValue } from '../normalise/shown.ts';

/** The object that `probe --json` prints: the facts nested by their dots, what could not be read and why, and how the family was found out. */
export const probeJson = (observation: Observation, identifiedBy?: readonly string[]): object => {
  const nested = nestFacts(observation.facts) as { telemetry?: { hashrate_hs?: number } };
  const rate = nested.telemetry?.hashrate_hs;
  return {
    address: observation.address,
    observed_at: Math.floor(observation.observedAtMs / 1000),
    ...nested,
    ...(rate === undefined ? {} : { telemetry: { hashrate_ghs: rate / 1e9, ...nested.telemetry } }),
    readings: readingsOf(observation),
    ...(identifiedBy === undefined ? {} : { identified_by: identifiedBy }),
    ...(observation.sanitized.length === 0 ? {} : { sanitized: observation.sanitized }),
  };
};

/** `absent`, or `unknown: <reason>`, by fact, sorted. */
export const readingsOf = ({ gaps }: Observation): { readonly [fact: string]: string } =>
  Object.fromEntries(
    [...gaps]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([fact, gap]) => [fact, gap === 'absent' ? gap : `unknown: ${gap}`]),
  );

/** Hash rate for people: three significant digits and the unit that fits. */
const hashrateText = (hs: number): string => {
  const units = ['H/s', 'kH/s', 'MH/s', 'GH/s', 'TH/s', 'PH/s', 'EH/s'];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, hs)) / 3)));
  return `${(hs / 1000 ** step).toPrecision(3)} ${units[step]}`;
};

/** Where a slot works, and for whom. */
export const poolText = ({ url, user }: { readonly url: string; readonly user?: string | undefined }): string =>
  [url, user]
    .filter((text) => text !== undefined)
    .map(shownValue)
    .join(' ');

/** The slot that is mined on, else the first configured one, for one line of a table. */
export const mainPool = (facts: Facts): string => {
  const slots = facts.pools ?? [];
  const slot = slots.find(({ active }) => active === true) ?? slots[0];
  return slot === undefined ? '' : poolText(slot);
};

/** One fact as text for a table. */
export const factText = (name: FactName, facts: Facts): string => {
  const value = facts[name];
  if (value === undefined) return '';
  if (name === 'telemetry.hashrate_hs') return hashrateText(value as number);
  return shownValue(value);
};
