import { compareFirmware, FIRMWARE_TEXTS } from '../firmware.ts';
import { defineRule } from '../rule.ts';

/** The reason of a change that no update explains. */
export const SAME_VERSION = 'same-version';

/** The device runs from another medium, slot or partition (catalogue 5.2). */
export const firmwareBootMediumChanged = defineRule({
  id: 'firmware.boot-medium-changed',
  title: 'Boot medium changed',
  meaning:
    'The device runs from another medium, slot or partition than the reference says; with the same version no update explains it.',
  benign: ['update', 'recovery'],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'AP',
  version: 1,
  against: 'reference',
  reads: ['firmware.medium'],
  compares: FIRMWARE_TEXTS,
  whole: true,
  appraise: (observed, approved) => {
    const [before, after] = [approved['firmware.medium'], observed['firmware.medium']];
    if (before === after) return [];
    const updated = compareFirmware(observed, approved) !== 'same';
    // A look that does not tell the version does not say that it is the same.
    const name = FIRMWARE_TEXTS.find((text) => approved[text] !== undefined);
    if (!updated && name !== undefined && observed[name] === undefined) return 'unknown';
    return [{ before, after, severity: updated ? 'medium' : 'high', reasons: updated ? [] : [SAME_VERSION] }];
  },
});
