import type { Report } from '../drivers/ip-reports.ts';
import { canonicalPoolUrl } from './pool-url.ts';
import { sanitise } from './sanitise.ts';

/** A report as it may be shown and kept: texts sanitised, pool URLs canonical and without passwords. */
export const cleanReport = (report: Report): Report => {
  // A piece of a text keeps all of the text in memory, which here may be a hundred times as long; a clone does not.
  const { pools, ...rest } = structuredClone(report);
  if (pools === undefined) return sanitise(rest).value;
  return sanitise({ ...rest, pools: pools.map((pool) => ({ ...pool, url: canonicalPoolUrl(pool.url) })) }).value;
};
