import { compareFirmware, FIRMWARE_TEXTS } from '../firmware.ts';
import { defineRule } from '../rule.ts';

/** The reason of a change that no update explains. */
const SAME_VERSION = 'same-version';

/** Whether no update explains such a finding. */
export const isSameVersion = ({ reasons }: { readonly reasons?: readonly string[] | undefined }): boolean =>
  reasons?.includes(SAME_VERSION) === true;

const WITH_VERSION = 'with-version';

/** Whether it tells the slot from which the device boots another version, since that came. */
export const isWithVersion = (finding: { readonly reasons?: readonly string[] | undefined }): boolean =>
  finding.reasons?.includes(WITH_VERSION) === true && !isSameVersion(finding);

/**
 * The device runs from another medium, slot or partition (catalogue 5.2) than the reference says, or, under another version, than it
 * first did with that one.
 */
export const firmwareBootMediumChanged = defineRule({
  id: 'firmware.boot-medium-changed',
  title: 'Boot medium changed',
  meaning:
    'The device runs from another medium, slot or partition than the reference says, or, under another version, than the one that came with that. With the same version no update explains it (`same-version`); what came with another one (`with-version`) is approved with that.',
  benign: ['update', 'recovery'],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'AP',
  version: 2,
  against: 'reference',
  reads: ['firmware.medium'],
  compares: FIRMWARE_TEXTS,
  whole: true,
  appraise: (observed, approved, { firstMedium }) => {
    const [before, after] = [approved['firmware.medium'], observed['firmware.medium']];
    if (before === after) return [];
    const updated = !firstMedium && compareFirmware(observed, approved) !== 'same';
    // A look that does not tell the version does not say that it is the same.
    const name = FIRMWARE_TEXTS.find((text) => approved[text] !== undefined);
    if (!updated && name !== undefined && observed[name] === undefined) return 'unknown';
    return [{ before, after, severity: updated ? 'medium' : 'high', reasons: [updated ? WITH_VERSION : SAME_VERSION] }];
  },
});
