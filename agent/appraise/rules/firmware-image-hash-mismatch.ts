import { imagesOf } from '../firmware-policy.ts';
import { defineRule } from '../rule.ts';

/** Where a device tells the digest of an image, the catalogue has another one for this version (catalogue 5.2). */
export const firmwareImageHashMismatch = defineRule({
  id: 'firmware.image-hash-mismatch',
  title: 'Image digest is another one',
  meaning:
    'The device reports a digest of the image that it runs, and the catalogue of the operator holds others for this version of firmware.',
  benign: ['an error in the catalogue'],
  severity: 'critical',
  basis: 'self-reported',
  confirm: 'C1',
  approval: 'A2',
  version: 1,
  against: 'policy',
  applies: ({ firmware }) => firmware !== undefined,
  reads: ['firmware.components'],
  sees: (name, observed) => observed['firmware.components']?.some((part) => part.name === IMAGE + name) ?? false,
  shows: ({ part = '', after }, { 'firmware.components': components = [] }) =>
    components.some(({ name, value }) => name === IMAGE + part && value === after),
  appraise: (observed, _approved, { firmware, device: { facts }, nowMs }) => {
    const known = firmware === undefined ? [] : imagesOf(firmware, { ...facts, ...observed }, nowMs);
    const images = observed['firmware.components'].filter(({ name }) => name.startsWith(IMAGE));
    if (known.length === 0 || images.length === 0) return 'unknown';
    return images.flatMap(({ name, value }) => {
      const part = name.slice(IMAGE.length);
      const digests = known.flatMap((entry) => (Object.hasOwn(entry, part) ? (entry[part] ?? []) : []));
      return digests.length === 0 || digests.includes(value)
        ? []
        : [{ part, before: [...new Set(digests)], after: value }];
    });
  },
});

/** Components that are digests of whole images are named so by drivers. */
const IMAGE = 'image.';
