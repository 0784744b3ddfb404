import type { DeviceState, Track } from './device.ts';
import type { Finding } from './finding.ts';
import { end } from './track.ts';

/** The findings that are confirmed and have not ended. */
export const standing = ({ tracks }: Pick<DeviceState, 'tracks'>): readonly Track[] =>
  tracks.filter(({ finding }) => finding.state !== 'provisional');

/** The findings that end because their device left the configuration, to be stated. What was never confirmed goes unsaid. */
export const departure = (state: DeviceState, nowMs: number): readonly Finding[] =>
  standing(state).flatMap((track) => end(withReason(track), 'resolved', nowMs).statement ?? []);

/** The reason of an end that nobody decided on. */
export const LEFT_CONFIGURATION = 'left-configuration';

const withReason = (track: Track): Track => ({
  ...track,
  finding: { ...track.finding, reasons: [...(track.finding.reasons ?? []), LEFT_CONFIGURATION] },
});
