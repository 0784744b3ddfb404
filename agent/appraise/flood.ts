import type { Facts } from '../../shared/facts.ts';
import type { Track } from './device.ts';
import { SEVERITIES } from './finding.ts';
import type { Outcome, Ran } from './outcome.ts';
import type { Deviation } from './rule.ts';
import { filledSlots } from './slots.ts';

/** What a device shows is judged to the last slot; how many findings it can make the gateway state at once has a bound. */

/** Findings of one rule and severity that nobody took note of. */
const MOST_FINDINGS = 32;

/**
 * The outcomes without the new deviations for which there is no room, what is mined on first. What has a finding keeps it, and so
 * many others of its rule are open or come now that the rule never passes for that.
 */
export const withoutFlood = (
  outcomes: readonly Outcome[],
  tracks: readonly Track[],
  facts: Facts,
): readonly Outcome[] =>
  outcomes.map((outcome) =>
    outcome.kind === 'ran' && outcome.deviations.length > MOST_FINDINGS ? bounded(outcome, tracks, facts) : outcome,
  );

const bounded = (ran: Ran, tracks: readonly Track[], { pools = [] }: Facts): Ran => {
  const { rule, deviations } = ran;
  const own = tracks.filter(({ finding }) => finding.ruleId === rule.id);
  const known = new Set(own.map(({ finding }) => finding.part));
  const shown = new Set(deviations.map(({ part }) => part));
  const active = new Set(filledSlots(pools).flatMap((slot, index) => (slot.active === true ? `slot ${index}` : [])));
  const severityOf = ({ severity = rule.severity }: Deviation) => severity;
  const room = new Map(
    SEVERITIES.map((severity) => [
      severity,
      MOST_FINDINGS - own.filter((one) => takesRoom(one, severity, shown)).length,
    ]),
  );
  const fits = (deviation: Deviation): boolean => {
    const left = room.get(severityOf(deviation)) ?? 0;
    room.set(severityOf(deviation), left - 1);
    return left > 0;
  };
  const isActive = ({ part = '' }: Deviation): boolean => active.has(part);
  const fresh = deviations.filter(({ part }) => !known.has(part));
  const begun = new Set([...fresh.filter(isActive), ...fresh.filter((one) => !isActive(one))].filter(fits));
  if (begun.size === fresh.length) return ran;
  return { ...ran, deviations: deviations.filter((one) => known.has(one.part) || begun.has(one)), isFlood: true };
};

/** What somebody acknowledged, or a plan covers, makes room for what nobody knows of; and so does what went away unconfirmed. */
const takesRoom = (
  { finding: { state, severityBase, plan, part } }: Track,
  severity: Track['finding']['severity'],
  shown: ReadonlySet<string | undefined>,
): boolean =>
  severityBase === severity &&
  plan === undefined &&
  state !== 'acknowledged' &&
  (state !== 'provisional' || shown.has(part));
