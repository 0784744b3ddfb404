import type { Facts } from '../../../shared/facts.ts';
import type { Deviation, RuleEntry } from '../rule.ts';

/** The device says that it hashes, and no share of it is accepted any more (catalogue 5.1). */
export const poolShareGap: RuleEntry = {
  id: 'pool.share-gap',
  title: 'No accepted shares',
  meaning:
    'The device reports its hash rate and no accepted share for far longer than its shares usually take: its work goes nowhere, or somewhere else.',
  benign: ['very high difficulty', 'pool for one alone', 'a pool that rejects everything'],
  severity: 'medium',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A0',
  version: 1,
};

/** When a share was last seen to be accepted, and what the device did then. */
export interface ShareMark {
  readonly accepted: number;
  /** Unix seconds, and the counter of the mining program then; undefined where it tells none. */
  readonly atS: number;
  readonly elapsedS: number | undefined;
  /** Its usual hash rate: a lower one becomes usual within hours. 0 where it told none. */
  readonly hashrateHs: number;
  /** Mean time between its shares at this difficulty, s; 0 while there is none to tell from. */
  readonly intervalS: number;
  /** The difficulty of its shares; 0 where it tells none. */
  readonly difficulty: number;
}

/** The mark after a look: another one where the count of accepted shares moved, also where it began anew. */
export const noteShares = (mark: ShareMark | undefined, facts: Facts, atMs: number): ShareMark | undefined => {
  const accepted = facts['telemetry.accepted'];
  if (accepted === undefined || accepted === mark?.accepted) return mark;
  const nowS = Math.floor(atMs / 1000);
  // What was before the first look only the device can tell.
  const ageS = mark === undefined ? (facts['telemetry.last_share_age_s'] ?? 0) : 0;
  const elapsedS = facts['telemetry.elapsed_s'];
  return {
    accepted,
    atS: nowS - ageS,
    elapsedS: elapsedS === undefined ? undefined : elapsedS - ageS,
    hashrateHs: Math.max(facts['telemetry.hashrate_hs'] ?? 0, (mark?.hashrateHs ?? 0) * FADING),
    intervalS: mark === undefined || mark.intervalS === 0 ? sinceStart(accepted, facts) : sinceMark(mark, facts, nowS),
    difficulty: facts['telemetry.share_difficulty'] ?? 0,
  };
};

/** With each mark, which is each full look of a device that mines. */
const FADING = 0.98;

const sinceStart = (accepted: number, { 'telemetry.elapsed_s': elapsedS = 0 }: Facts): number =>
  accepted > 0 ? Math.max(0, elapsedS) / accepted : 0;

/** What shares took lately; across another difficulty, or another start, what they would have taken at the present one. */
const sinceMark = (mark: ShareMark, facts: Facts, nowS: number): number => {
  const shares = (facts['telemetry.accepted'] ?? 0) - mark.accepted;
  const scaled = expectedS(mark, facts) ?? 0;
  return shares > 0 && scaled === mark.intervalS ? Math.max(0, nowS - mark.atS) / shares : scaled;
};

const LEAST_S = 600;
const INTERVALS = 8;

/** The time that a share may be expected to take at the present difficulty, s; undefined where nothing tells. */
const expectedS = ({ intervalS, difficulty: before }: ShareMark, facts: Facts): number | undefined => {
  const now = facts['telemetry.share_difficulty'] ?? 0;
  if (intervalS <= 0) return undefined;
  return before > 0 && now > 0 ? (intervalS * now) / before : intervalS;
};

/** Whether this look shows a device that hashes as usual and has waited too long for a share. Cheap: asked at every full look. */
export const hasShareGap = (mark: ShareMark | undefined, facts: Facts, atMs: number): boolean => {
  if (mark === undefined || facts['telemetry.accepted'] !== mark.accepted) return false;
  const waitedS = Math.min(atMs / 1000 - mark.atS, ranS(mark, facts));
  if (waitedS < LEAST_S) return false;
  const hashrate = facts['telemetry.hashrate_hs'] ?? 0;
  if (hashrate <= 0 || hashrate * 2 < mark.hashrateHs) return false;
  const expected = expectedS(mark, facts);
  return expected !== undefined && waitedS >= INTERVALS * expected;
};

/** How long the device itself counted since: the clock of the gateway may have been set. A counter that began anew counts from there. */
const ranS = ({ elapsedS: before }: ShareMark, { 'telemetry.elapsed_s': now }: Facts): number => {
  if (before === undefined || now === undefined) return Number.POSITIVE_INFINITY;
  return now >= before ? now - before : now;
};

/** Whether this look can say anything about it. */
export const tellsShares = (mark: ShareMark | undefined, facts: Facts): boolean =>
  mark !== undefined && facts['telemetry.accepted'] !== undefined && facts['telemetry.hashrate_hs'] !== undefined;

/** The deviation, with how long a share was expected to take. */
export const shareGap = (mark: ShareMark | undefined, facts: Facts, atMs: number): readonly Deviation[] =>
  mark === undefined || !hasShareGap(mark, facts, atMs)
    ? []
    : [{ after: { accepted: mark.accepted, expected_interval_s: Math.ceil(expectedS(mark, facts) ?? 0) } }];
