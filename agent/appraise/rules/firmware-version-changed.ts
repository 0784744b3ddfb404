import { compareFirmware, FIRMWARE_TEXTS, firmwareChanges } from '../firmware.ts';
import { changedSettings, keyedValues, tellsFact } from '../keyed.ts';
import { defineRule } from '../rule.ts';

/**
 * The version or build text moved up, or in a way that has no order (catalogue 5.2). While the device speaks another family than the
 * reference: since that came.
 */
export const firmwareVersionChanged = defineRule({
  id: 'firmware.version-changed',
  title: 'Firmware version changed',
  meaning:
    'The firmware names another version or build than the reference, or one where the reference knows that it named none (`null`); of a device that speaks another family, than that family came with.',
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
  absences: FIRMWARE_TEXTS,
  whole: true,
  sees: (key, observed, absent) => tellsFact(`firmware.${key}` as 'firmware.version', observed, absent),
  appraise: (observed, approved, { absent }) => {
    const order = compareFirmware(observed, approved);
    if (order === 'down') return [];
    if (order !== 'same')
      return [
        { ...keyedValues(firmwareChanges(observed, approved)), reasons: order === 'unordered' ? ['unordered'] : [] },
      ];
    // Texts that say the same in other words are no change, but a text in the place of none is one.
    const told = changedSettings(FIRMWARE_TEXTS, observed, approved, absent).filter(({ before }) => before === null);
    return told.length === 0 ? [] : [{ ...keyedValues(told), reasons: ['unordered'] }];
  },
});
