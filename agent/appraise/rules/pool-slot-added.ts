import { isListed } from '../allow.ts';
import { marksOfHost } from '../pool-url.ts';
import { defineRule } from '../rule.ts';
import { compareSlots, slotValue, standingAmong } from '../slots.ts';

/** The device has a filled slot that the baseline lacks (catalogue 5.1). */
export const poolSlotAdded = defineRule({
  id: 'pool.slot-added',
  title: 'Pool slot added',
  meaning:
    'The device has one more configured pool than the reference. It is said again when that one is mined on, or is put before one of the reference.',
  benign: ['fail-over pool added', 'firmware that shows its fee pool'],
  severity: 'high',
  gravest: 'critical',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 3,
  against: 'reference',
  reads: ['pools'],
  appraise: (observed, approved, { allow, device }) => {
    const { added } = compareSlots(approved.pools, observed.pools);
    const standing = standingAmong(approved.pools, observed.pools);
    return added.map(({ part, slot }) => {
      const foreign = allow !== undefined && !isListed(allow, slot.url, slot.user, device);
      return {
        part,
        after: { ...slotValue(slot), ...standing(slot) },
        severity: foreign ? 'critical' : 'high',
        reasons: [...(foreign ? ['not-listed'] : []), ...marksOfHost(slot.url)],
      };
    });
  },
});
