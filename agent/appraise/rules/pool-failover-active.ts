import { defineRule } from '../rule.ts';
import { byPriority, filledSlots, samePool, slotValue } from '../slots.ts';

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
  version: 2,
  against: 'reference',
  reads: ['pools'],
  compares: ['config.strategy'],
  appraise: (observed, approved, { primaryIsDown }) => {
    const active = filledSlots(observed.pools).filter((slot) => slot.active === true);
    const strategy = approved['config.strategy'];
    const [first, ...others] = byPriority(filledSlots(approved.pools));
    if (active.length === 0 || first === undefined || (strategy !== undefined && SHARING.test(strategy)))
      return 'unknown';
    if (active.some((slot) => samePool(slot, first))) return [];
    const used = others.find((slot) => active.some((other) => samePool(other, slot)));
    if (used === undefined) return [];
    const reasons = primaryIsDown?.() === true ? ['primary-down'] : [];
    return [{ before: slotValue(first), after: slotValue(used), reasons }];
  },
});

/** Strategies that use all pools in turn. */
const SHARING = /balance|rotat|round/i;
