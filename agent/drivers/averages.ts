import { present, type Reading } from '../../shared/facts.ts';
import { whenPresent } from './readers.ts';
import { listed } from './rows.ts';

/** The mean of the readings that have a value, rounded: boards of one machine may run a little apart. */
export const mean = (readings: readonly Reading<number>[]): Reading<number> =>
  whenPresent(listed(readings), (values) =>
    present(Math.round(values.reduce((total, value) => total + value, 0) / values.length)),
  );
