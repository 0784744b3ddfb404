import type { DeviceState } from './device.ts';

/** Addresses that a machine of a range left: who is new at one of them is held against it for a while. */

const LATELY_MS = 7 * 86_400_000;
/** Of a machine that is given another address all the time the last ones are kept. */
const MOST_LEFT = 8;

const NONE: readonly never[] = [];

/** The addresses that a device left lately, with the one that it leaves now. */
export const withLeft = ({ left = NONE, address }: DeviceState, nowMs: number): NonNullable<DeviceState['left']> =>
  [...left.filter((one) => one.address !== address && isLately(one.atMs, nowMs)), { address, atMs: nowMs }].slice(
    -MOST_LEFT,
  );

/** Whether a device is known at this address still, or was until lately. */
export const stoodLately = (state: DeviceState, address: string, nowMs: number): boolean =>
  state.address === address || state.left?.some((one) => one.address === address && isLately(one.atMs, nowMs)) === true;

const isLately = (atMs: number, nowMs: number): boolean => nowMs - atMs < LATELY_MS;
