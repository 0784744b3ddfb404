import { defineRule } from '../rule.ts';

/**
 * The device speaks another firmware family (catalogue 5.2). While it does, nothing of it is held against what the former family
 * was: another family's settings are not drift. Its version and parts are held against those that came with it. One that only its web
 * page tells was there all along where that page was not seen before, and the rest speaks as it did.
 */
export const firmwareFamilyChanged = defineRule({
  id: 'firmware.family-changed',
  title: 'Firmware family changed',
  meaning:
    'The device answers like another family of firmware than the reference: stock became third-party, or the reverse. Where it was taken for what its API speaks, because its web page did not answer when it was found out, and that page tells the family now (`page-seen`), it is low: most likely nothing changed at the device.',
  benign: [
    'approved conversion',
    'a driver file that was added or edited: nothing changed at the device',
    'a web page that came up after the miner program (`page-seen`)',
  ],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'AP',
  version: 2,
  against: 'reference',
  reads: ['family'],
  appraise: (observed, approved, { insteadOf }) => {
    if (observed.family === approved.family) return [];
    const found = { before: approved.family, after: observed.family };
    return insteadOf === approved.family ? [{ ...found, severity: 'low', reasons: ['page-seen'] }] : [found];
  },
});
