import { defineRule } from '../rule.ts';

/**
 * The device speaks another firmware family (catalogue 5.2). While it does, nothing of it is held against what the former family
 * was: another family's settings are not drift. Its version and parts are held against those that came with it.
 */
export const firmwareFamilyChanged = defineRule({
  id: 'firmware.family-changed',
  title: 'Firmware family changed',
  meaning:
    'The device answers like another family of firmware than the reference: stock became third-party, or the reverse.',
  benign: ['approved conversion', 'a driver file that was added or edited: nothing changed at the device'],
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
