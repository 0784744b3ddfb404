import type { FactName } from '../../shared/facts.ts';
import { keptFacts } from '../baseline/kept.ts';
import type { LookKind, Observation } from '../normalise/observation.ts';
import type { DeviceState, Marks } from './device.ts';

/**
 * Findings begin, change and end in attestations, which are made of full looks. What waits for one waits so long at most, ms: then
 * the next look at the pools that shows it is attested, and what it did not ask is unknown. A device would keep a theft unsaid
 * otherwise by answering about its pools only. As long as the catalogue gives an ordinary look to find it (5.1).
 */
export const LONGEST_WAIT_MS = 120_000;

/** Whether what this look confirms can be attested by it. */
export const isAttestable = ({ marks }: DeviceState, { look }: Observation, nowMs: number): boolean =>
  look === 'full' || (marks.waitsMs !== undefined && nowMs - marks.waitsMs >= LONGEST_WAIT_MS);

/** Notes since when something waits. A full look that shows nothing of it ends no waiting. */
export const noteWaiting = (marks: Marks, look: LookKind, waiting: readonly string[], nowMs: number): void => {
  if (look === 'full') return;
  if (waiting.length === 0) marks.waitsMs = undefined;
  else marks.waitsMs ??= nowMs;
};

/** The look as it is attested: one at the pools shows of everything else that is known of the device that it could not be read. */
export const asAttested = ({ attested, reference }: DeviceState, observation: Observation): Observation => {
  if (observation.look === 'full') return observation;
  const { facts, gaps } = observation;
  const known = { ...keptFacts(reference?.facts), ...keptFacts(attested?.facts) };
  const unread = (Object.keys(known) as FactName[]).filter((name) => facts[name] === undefined && !gaps.has(name));
  return { ...observation, gaps: new Map([...unread.map((name) => [name, 'unreadable'] as const), ...gaps]) };
};
