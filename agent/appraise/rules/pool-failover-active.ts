import { defineRule } from '../rule.ts';
import { samePool, slotValue, usesOf } from '../slots.ts';

/** The device mines on a slot of the baseline other than the first (catalogue 5.1). */
export const poolFailoverActive = defineRule({
  id: 'pool.failover-active',
  title: 'Mining on a fail-over pool',
  meaning:
    'The first pool is not in use; the device works for another one of its reference. The reason `primary-down` says that more than a quarter of the site does so.',
  benign: ['pool outage'],
  severity: 'low',
  escalate: { afterMs: 30 * 60_000, severity: 'medium' },
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A0',
  version: 3,
  against: 'reference',
  reads: ['pools'],
  compares: ['config.strategy'],
  appraise: (observed, approved, { primaryIsDown }) => {
    const strategy = approved['config.strategy'];
    const [first, ...others] = usesOf(approved.pools, observed.pools);
    if (first === undefined || (strategy !== undefined && SHARING.test(strategy))) return 'unknown';
    if (first.used !== undefined) return samePool(first.slot, first.used) ? [] : 'unknown';
    const used = others.find((one) => one.used !== undefined)?.used;
    // What is mined on is none of the reference: other findings tell which.
    if (used === undefined) return 'unknown';
    const reasons = primaryIsDown?.() === true ? ['primary-down'] : [];
    return [{ before: slotValue(first.slot), after: slotValue(used), reasons }];
  },
});

/** Strategies that use all pools in turn. */
const SHARING = /balance|rotat|round/i;
