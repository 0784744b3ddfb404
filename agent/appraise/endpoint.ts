import type { FirmwareComponent } from '../../shared/facts.ts';
import { type EndpointReading, SURFACES, type Surface } from '../probe/endpoint.ts';
import type { DeviceState, EndpointMarks } from './device.ts';
import { isDark } from './rules/visibility-device-dark.ts';
import { isUndecided } from './track.ts';

/** What decides which surfaces of a device a full look reads anew. */
export interface EndpointTurns {
  /** The last turn that the device had for this surface, Unix milliseconds; undefined where it is never to be looked at. */
  readonly lastMs: (surface: Surface) => number | undefined;
  readonly nowMs: number;
  /** Until when a former process looked at devices: what it saw may have been the same as before, and is then not stored. */
  readonly ranUntilMs: number;
}

/**
 * The surfaces that a full look of this device reads anew: each at its turn; all of them after a reboot or a silence, and
 * as long as it is not decided what became of the firmware. A first look reads none, so that a fleet is seen soon.
 */
export const dueSurfaces = (state: DeviceState, turns: EndpointTurns): readonly Surface[] =>
  state.attested === undefined ? NONE : SURFACES.filter((surface) => isDue(surface, state, turns));

const isDue = (surface: Surface, state: DeviceState, { lastMs, nowMs, ranUntilMs }: EndpointTurns): boolean => {
  const turnMs = lastMs(surface);
  if (turnMs === undefined) return false;
  const mark = state.marks.endpoint?.[surface];
  // A time to come is of a clock that was set back since.
  if (mark === undefined || mark.atMs > nowMs || isUnsure(state)) return true;
  return Math.max(mark.atMs, ranUntilMs) < turnMs || mark.atMs < (state.rebootsMs.at(-1) ?? 0);
};

const isUnsure = (state: DeviceState): boolean =>
  isDark(state) ||
  state.returned !== undefined ||
  state.tracks.some((track) => track.finding.ruleId.startsWith('firmware.') && isUndecided(track));

/** Notes what this look read of the endpoint, and forgets what is not to be looked at any more. */
export const noteEndpoint = (
  { marks }: DeviceState,
  reading: EndpointReading,
  { lastMs, nowMs }: Pick<EndpointTurns, 'lastMs' | 'nowMs'>,
): void => {
  const endpoint: { -readonly [Name in Surface]?: EndpointMarks[Name] } = { ...marks.endpoint };
  for (const [surface, shown] of reading) endpoint[surface] = { atMs: nowMs, shown };
  for (const surface of SURFACES) if (lastMs(surface) === undefined) delete endpoint[surface];
  if (Object.keys(endpoint).length > 0) marks.endpoint = endpoint;
  else delete marks.endpoint;
};

/** All that the endpoint showed, each surface when it was last looked at. */
export const endpointShown = ({ marks: { endpoint = {} } }: DeviceState): readonly FirmwareComponent[] =>
  SURFACES.flatMap((surface) => endpoint[surface]?.shown ?? NONE);

const NONE: readonly never[] = [];
