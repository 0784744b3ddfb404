import { compareFirmware, FIRMWARE_TEXTS, firmwareChanges } from '../firmware.ts';
import { keyedValues } from '../keyed.ts';
import { defineRule } from '../rule.ts';

/**
 * The version or build text moved up, or in a way that has no order (catalogue 5.2). While the device speaks another family than the
 * reference: since that came.
 */
export const firmwareVersionChanged = defineRule({
  id: 'firmware.version-changed',
  title: 'Firmware version changed',
  meaning:
    'The firmware names another version or build than the reference; of a device that speaks another family, than that family came with.',
  benign: ['roll-out'],
  severity: 'medium',
  unplanned: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 2,
  against: 'reference',
  reads: [],
  compares: FIRMWARE_TEXTS,
  whole: true,
  sees: (key, observed) => observed[`firmware.${key}` as 'firmware.version'] !== undefined,
  appraise: (observed, approved) => {
    const order = compareFirmware(observed, approved);
    if (order === 'same' || order === 'down') return [];
    return [
      { ...keyedValues(firmwareChanges(observed, approved)), reasons: order === 'unordered' ? ['unordered'] : [] },
    ];
  },
});
