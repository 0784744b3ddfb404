import { defineRule } from '../rule.ts';

/**
 * The device speaks another firmware family (catalogue 5.2). While it does, the other firmware and config rules do not
 * run: another family's settings are not drift.
 */
export const firmwareFamilyChanged = defineRule({
  id: 'firmware.family-changed',
  title: 'Firmware family changed',
  meaning:
    'The device answers like another family of firmware than the reference: stock became third-party, or the reverse.',
  benign: ['approved conversion'],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'AP',
  version: 1,
  against: 'reference',
  reads: ['family'],
  appraise: (observed, approved) =>
    observed.family === approved.family ? [] : [{ before: approved.family, after: observed.family }],
});
