import { type Component, compareIdentity, componentOf, ENOUGH, OTHER, SAME } from '../identity.ts';
import { keyedValues } from '../keyed.ts';
import { defineRule } from '../rule.ts';

/** The machine is no longer the one of the baseline, by the weight of its components (catalogue 5.6). */
export const identityHardwareSwapped = defineRule({
  id: 'identity.hardware-swapped',
  title: 'Hardware swapped',
  meaning: 'Too few of the serials and ids that tell machines apart are those of the reference.',
  benign: ['repair with a work order'],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 2,
  against: 'reference',
  reads: [],
  compares: [
    'identity.serial',
    'identity.hashboards',
    'identity.control_board',
    'identity.chip_id',
    'identity.psu',
    'identity.mac',
  ],
  whole: true,
  sees: (key, observed) => componentOf(observed, key as Component) !== undefined,
  appraise: (observed, approved) => {
    const { ratio, available, differing } = compareIdentity(approved, observed);
    if (available === 0) return 'unknown';
    if (ratio >= SAME) return [];
    const values = keyedValues(
      differing.map((key) => ({ key, before: componentOf(approved, key), after: componentOf(observed, key) })),
    );
    // With so little to compare the address decides: the device is taken for the same one, and a person should look.
    if (available < ENOUGH) return [{ ...values, severity: 'medium', reasons: ['weak'] }];
    return [{ ...values, reasons: ratio < OTHER ? ['machine-replaced'] : [] }];
  },
});
