import { defineRule } from '../rule.ts';
import { compareSlots, slotValue } from '../slots.ts';

/** A filled slot of the baseline is gone. Partial replies are common, so it takes three looks (catalogue 5.1). */
export const poolSlotRemoved = defineRule({
  id: 'pool.slot-removed',
  title: 'Pool slot removed',
  meaning: 'The device has one configured pool less than the reference.',
  benign: ['fail-over pool dropped', 'firmware that hides its fee pool'],
  severity: 'medium',
  basis: 'self-reported',
  confirm: 'C3',
  approval: 'A1',
  version: 1,
  against: 'reference',
  reads: ['pools'],
  appraise: (observed, approved) =>
    compareSlots(approved.pools, observed.pools).removed.map(({ part, slot }) => ({ part, before: slotValue(slot) })),
});
