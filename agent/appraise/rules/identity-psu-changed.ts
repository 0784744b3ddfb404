import { isSerial } from '../placeholder.ts';
import { defineRule } from '../rule.ts';

/** The power supply is another one than that of the baseline (catalogue 5.6). */
export const identityPsuChanged = defineRule({
  id: 'identity.psu-changed',
  title: 'Power supply changed',
  meaning: 'The power supply names another serial, or another model where it has no serial, than the reference.',
  benign: ['repair', 'serial memory of a supply rewritten'],
  severity: 'low',
  basis: 'self-reported',
  confirm: 'C3',
  approval: 'A1',
  version: 1,
  against: 'reference',
  reads: ['identity.psu'],
  appraise: ({ 'identity.psu': after }, { 'identity.psu': before }) => {
    // A supply that has not answered since the boot is not another one.
    if (!isSerial(after) || !isSerial(before)) return 'unknown';
    return after === before ? [] : [{ before, after }];
  },
});
