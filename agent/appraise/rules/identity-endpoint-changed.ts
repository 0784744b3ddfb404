import type { FirmwareComponent } from '../../../shared/facts.ts';
import { compareFirmware, FIRMWARE_TEXTS } from '../firmware.ts';
import { changedParts, type KeyedChange, keyedValues } from '../keyed.ts';
import { defineRule } from '../rule.ts';

/**
 * One of the things that the device shows to anybody changed, and nothing else of its firmware did (catalogue 5.6): a web
 * page, the key of its TLS server, or what its SSH server shows. Together with anything else it is
 * `firmware.fingerprint-changed`.
 */
export const identityEndpointChanged = defineRule({
  id: 'identity.endpoint-changed',
  title: 'Endpoint changed',
  meaning:
    'A static web page, the key of the TLS server or that of the SSH server is another one, while nothing else of the firmware changed. On two devices or more within half an hour it weighs more.',
  benign: ['a key that was made anew, after a reset or at every start', 'web pages that were updated alone'],
  severity: 'medium',
  gravest: 'high',
  basis: 'gateway-observed',
  confirm: 'C2',
  approval: 'A1',
  version: 2,
  against: 'reference',
  reads: ['firmware.components'],
  compares: FIRMWARE_TEXTS,
  whole: true,
  sees: (name, observed) => observed['firmware.components']?.some((part) => part.name === name) ?? false,
  appraise: (observed, approved, { endpointChanges = 0, firstSeen }) => {
    if (!firstSeen && compareFirmware(observed, approved) !== 'same') return 'unknown';
    const changes = changedParts(byName(observed['firmware.components']), byName(approved['firmware.components']));
    if (changes.length === 0) return [];
    if (!isOneSurface(changes)) return 'unknown';
    const several = endpointChanges > 0;
    return [
      { ...keyedValues(changes), severity: several ? 'high' : 'medium', reasons: several ? ['several-devices'] : [] },
    ];
  },
});

/** Whether these changes are of one thing that the device shows to anybody, and of nothing else. */
export const isOneSurface = (changes: readonly KeyedChange[]): boolean => {
  const surfaces = new Set(changes.map(({ key }) => /^(?:asset|tls|ssh)\./.exec(key)?.[0]));
  return surfaces.size === 1 && !surfaces.has(undefined);
};

const byName = (components: readonly FirmwareComponent[]): ReadonlyMap<string, string> =>
  new Map(components.map(({ name, value }) => [name, value]));
