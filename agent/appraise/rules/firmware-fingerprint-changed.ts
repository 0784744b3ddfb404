import type { FirmwareComponent } from '../../../shared/facts.ts';
import { compareFirmware, FIRMWARE_TEXTS } from '../firmware.ts';
import { changedParts, keyedValues } from '../keyed.ts';
import { defineRule } from '../rule.ts';
import { isOneSurface } from './identity-endpoint-changed.ts';

/**
 * Named parts of what the firmware shows of itself changed under the same version (catalogue 5.2): under that of the
 * reference, or another one since it was first seen. Parts are compared one by one, where both sides know them. This is not an image hash.
 */
export const firmwareFingerprintChanged = defineRule({
  id: 'firmware.fingerprint-changed',
  title: 'Firmware fingerprint changed',
  meaning:
    'Parts of what the firmware shows of itself changed while its version stayed the same: texts, replies, static web pages, or the keys of its TLS and SSH servers.',
  benign: [
    'partial update of the web pages',
    'other language',
    'a reset to factory settings, which makes its keys anew',
  ],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C3',
  approval: 'A2',
  version: 2,
  against: 'reference',
  reads: ['firmware.components'],
  compares: FIRMWARE_TEXTS,
  whole: true,
  sees: (name, observed) => observed['firmware.components']?.some((part) => part.name === name) ?? false,
  appraise: (observed, approved, { firstSeen }) => {
    // A new version explains new parts, but only those that came with it.
    if (!firstSeen && compareFirmware(observed, approved) !== 'same') return 'unknown';
    const changes = changedParts(byName(observed['firmware.components']), byName(approved['firmware.components']));
    // A page or a key that changed alone is identity.endpoint-changed.
    if (changes.length === 0 || isOneSurface(changes)) return [];
    const keyset = changes.every(({ key }) => KEYSET.test(key));
    return [{ ...keyedValues(changes), severity: keyset ? 'low' : 'high', reasons: keyset ? ['keyset'] : [] }];
  },
});

/** Parts that digest which members a reply has, not what they say. */
const KEYSET = /^keys\b|\bkeys$/;

const byName = (components: readonly FirmwareComponent[]): ReadonlyMap<string, string> =>
  new Map(components.map(({ name, value }) => [name, value]));
