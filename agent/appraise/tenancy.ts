import { breachesOf, isBreach, withBreaches } from './breach.ts';
import { standing } from './departure.ts';
import { type DeviceState, orNone, type Track } from './device.ts';
import { ASSIGNMENT_ENDED } from './edited.ts';
import type { Finding } from './finding.ts';
import type { AllowList } from './rule.ts';
import { end } from './track.ts';

/** Whose a device is, and since when and how long. Instants are Unix milliseconds. */
export interface Assignment {
  readonly tenant: string;
  readonly fromMs?: number;
  readonly untilMs?: number;
}

/** An assignment, with the pools of that tenant: without a list of its own, that of the site holds. */
export interface Tenancy extends Assignment {
  readonly allow?: AllowList | undefined;
}

/**
 * What was found about a device for the tenant that it works for no longer: it ends under the labels of that one, and is
 * remembered for the day when the device comes back to it.
 */
export const tenantLeft = (
  state: DeviceState,
  nowMs: number,
): { readonly state: DeviceState; readonly statements: readonly Finding[] } => {
  const breaches = state.tracks.filter(isBreach);
  if (breaches.length === 0) return { state, statements: [] };
  const statements = standing({ tracks: breaches }).flatMap(
    (track) => end(withReason(track), 'resolved', nowMs).statement ?? [],
  );
  const left = { ...state, tracks: orNone(state.tracks.filter((track) => !isBreach(track))) };
  return { state: withBreaches(left, breachesOf({ ...state, tracks: breaches })), statements };
};

const withReason = (track: Track): Track => ({
  ...track,
  finding: { ...track.finding, reasons: [...(track.finding.reasons ?? []), ASSIGNMENT_ENDED] },
});

/** The device under other labels. What is open for its former tenant keeps the former ones, until it was ended. */
export const relabelled = (state: DeviceState, labels: DeviceState['labels']): DeviceState => {
  if (labels.tenant === state.labels.tenant) return labels === state.labels ? state : { ...state, labels };
  if (state.tracks.some(isBreach)) return state;
  return { ...state, labels, ...(state.attested === undefined ? {} : { relabelled: true }) };
};
