import type { DeviceState, Track } from './device.ts';
import type { Finding } from './finding.ts';
import { end } from './track.ts';

/** The findings that end because their device left the configuration, to be stated. What was never confirmed goes unsaid. */
export const departure = ({ tracks }: DeviceState, nowMs: number): readonly Finding[] =>
  tracks
    .filter(({ finding }) => finding.state !== 'provisional')
    .flatMap((track) => end(withReason(track), 'resolved', nowMs).statement ?? []);

const withReason = (track: Track): Track => ({
  ...track,
  finding: { ...track.finding, reasons: [...(track.finding.reasons ?? []), 'left-configuration'] },
});
