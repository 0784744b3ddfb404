import type { FirmwareComponent } from '../../../shared/facts.ts';
import { fingerprintOf, sortedComponents } from '../../../shared/fingerprint.ts';
import { FIRMWARE_TEXTS } from '../firmware.ts';
import { listing, nearestFirmware } from '../firmware-policy.ts';
import { defineRule } from '../rule.ts';

/** The firmware is on no line of the operator's catalogue, or on one that has expired (catalogue 5.2). */
export const firmwareUnlisted = defineRule({
  id: 'firmware.unlisted',
  title: 'Firmware not in the catalogue',
  meaning:
    'The device names a version or build of firmware that the operator has not approved for its kind, or whose approval has expired. One finding for all devices of a model that run it.',
  benign: ['new release of the maker', 'a catalogue that is out of date'],
  severity: 'medium',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 1,
  collective: true,
  against: 'policy',
  applies: ({ firmware }) => firmware?.approved !== undefined,
  reads: [],
  compares: FIRMWARE_TEXTS,
  shows: ({ after }, { 'firmware.version': version, 'firmware.build': build }) => {
    const found = after as { readonly version?: string; readonly build?: string };
    // A text that this look does not tell is not another one.
    return (version ?? found.version) === found.version && (build ?? found.build) === found.build;
  },
  appraise: (observed, _approved, { firmware, device: { facts }, accepted, nowMs }) => {
    if (firmware?.approved === undefined) return 'unknown';
    const { family, 'identity.model': model } = facts;
    const { 'firmware.version': version, 'firmware.build': build } = observed;
    const running = { ...facts, ...observed };
    const found = listing(firmware.approved, running, nowMs);
    if (found === 'listed') return [];
    // A part that is refused makes another digest, not other firmware: whether this one is listed nobody knows then.
    const whole = fingerprintWith(facts['firmware.components'], accepted()['firmware.components']);
    if (listing(firmware.approved, { ...running, 'firmware.fingerprint': whole }, nowMs) === 'listed') return 'unknown';
    const nearest = nearestFirmware(firmware.approved, running);
    // Nothing that tells one device of a kind from the other: it is one finding for all.
    const after = Object.entries({ family, model, version, build }).filter(([, value]) => value !== undefined);
    return [
      {
        after: { ...Object.fromEntries(after), ...(nearest === undefined ? {} : { nearest: shown(nearest) }) },
        reasons: found === 'expired' ? ['expired'] : [],
      },
    ];
  },
});

/** The fingerprint if the parts that the device did not show were those that it is known with. */
const fingerprintWith = (now: Components = [], known: Components = []): string => {
  const names = new Set(now.map(({ name }) => name));
  return fingerprintOf(sortedComponents([...now, ...known.filter(({ name }) => !names.has(name))]));
};

type Components = readonly FirmwareComponent[];

const shown = (entry: object): object =>
  Object.fromEntries(
    Object.entries(entry).filter(
      ([name, value]) => ['family', 'model', 'version', 'build', 'expires'].includes(name) && value !== undefined,
    ),
  );
