import { ABSENT, present } from '../../shared/facts.ts';
import { asArray, asObject, type Reader, scaled } from './readers.ts';

/** Clocks that were set count from 1970; clocks that were not count from the start of the board. */
const isSet = (seconds: number): boolean => seconds >= 1_000_000_000;

const secondsOf = (value: Parameters<Reader<number>>[0] | undefined): number => {
  const reading = scaled(1)(value ?? null);
  return reading.kind === 'present' ? reading.value : 0;
};

/**
 * Seconds from the last accepted share of any pool to the reply itself, both by the device's own clock; for a whole
 * `pools` reply of the CGMiner API. Absent without a share, and where the two times come from different clocks.
 */
export const lastShareAge: Reader<number> = (reply) => {
  const root = asObject(reply);
  const when = secondsOf(asObject(asArray(root?.STATUS)?.[0])?.When);
  const shares = (asArray(root?.POOLS) ?? []).map((row) => secondsOf(asObject(row)?.['Last Share Time']));
  const last = Math.max(0, ...shares);
  return last > 0 && when >= last && isSet(when) === isSet(last) ? present(when - last) : ABSENT;
};
