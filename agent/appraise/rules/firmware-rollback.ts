import { compareFirmware, FIRMWARE_TEXTS, firmwareChanges, orderedBy } from '../firmware.ts';
import { keyedValues } from '../keyed.ts';
import { defineRule } from '../rule.ts';

/** An ordered version went down (catalogue 5.2). */
export const firmwareRollback = defineRule({
  id: 'firmware.rollback',
  title: 'Firmware rolled back',
  meaning:
    'The firmware names an older version or build than the reference; of a device that speaks another family, than that family came with.',
  benign: ['downgrade that the maker advised'],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'AP',
  version: 3,
  against: 'reference',
  reads: [],
  compares: FIRMWARE_TEXTS,
  whole: true,
  sees: (key, observed) => observed[`firmware.${key}` as 'firmware.version'] !== undefined,
  appraise: (observed, approved) =>
    compareFirmware(observed, approved) === 'down'
      ? [{ ...keyedValues(firmwareChanges(observed, approved)), reasons: [orderedBy(observed, approved)] }]
      : [],
});
