import { breachesOf, withBreaches } from '../appraise/breach.ts';
import { type DeviceState, NONE, readDevice, writeDevice } from '../appraise/device.ts';
import { hasOpen } from '../appraise/edit.ts';

/** Devices that left the configuration, as they were known: one that comes back, under whatever name, is compared with that. */

/** Name under which the store keeps them. */
export const DEPARTED = 'departed-devices';

/** The oldest are forgotten. */
const MOST_DEPARTED = 4096;

/** What `writeDeparted` wrote. */
export const readDeparted = (text: string): readonly DeviceState[] =>
  // Written by `writeDeparted`.
  (JSON.parse(text) as readonly string[]).map(readDevice);

/** Devices that left, as text. */
export const writeDeparted = (states: readonly DeviceState[]): string => JSON.stringify(states.map(writeDevice));

/** Those that left before and those that leave now, the latest last; their findings ended. */
export const departedWith = (
  before: readonly DeviceState[],
  leaving: readonly DeviceState[],
): readonly DeviceState[] => {
  const now = new Set(leaving.map(({ id }) => id));
  return [
    ...before.filter(({ id }) => !now.has(id)),
    ...leaving
      .filter(({ reference }) => reference !== undefined)
      .map((state) => ({
        ...withBreaches(state, breachesOf(state)),
        ...(hasOpen(state) ? { leftOpen: true as const } : {}),
        tracks: NONE,
        closed: NONE,
        blips: NONE,
      })),
  ].slice(-MOST_DEPARTED);
};
