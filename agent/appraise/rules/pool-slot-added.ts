import { isListed } from '../allow.ts';
import { marksOfHost } from '../pool-url.ts';
import { defineRule } from '../rule.ts';
import { compareSlots, slotValue, standingAmong } from '../slots.ts';
import { FIRST_TOLD } from './pool-user-changed.ts';

/** The device has a filled slot that the baseline lacks (catalogue 5.1). */
export const poolSlotAdded = defineRule({
  id: 'pool.slot-added',
  title: 'Pool slot added',
  meaning:
    'The device has one more configured pool than the reference. It is said again when that one is mined on, or is put before one of the reference. The reason `first-told` says that it told no pool when it was learned or approved.',
  benign: ['fail-over pool added', 'firmware that shows its fee pool', 'a log-in that was given later'],
  severity: 'high',
  gravest: 'critical',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 4,
  against: 'reference',
  reads: ['pools'],
  absences: ['pools'],
  appraise: (observed, approved, { absent, allow, device }) => {
    const isFirst = absent?.includes('pools') === true;
    const known = isFirst ? [] : approved.pools;
    const { added } = compareSlots(known, observed.pools);
    const standing = standingAmong(known, observed.pools);
    return added.map(({ part, slot }) => {
      const foreign = allow !== undefined && !isListed(allow, slot.url, slot.user, device);
      return {
        part,
        after: { ...slotValue(slot), ...standing(slot) },
        severity: foreign ? 'critical' : 'high',
        reasons: [...(isFirst ? [FIRST_TOLD] : []), ...(foreign ? ['not-listed'] : []), ...marksOfHost(slot.url)],
      };
    });
  },
});
