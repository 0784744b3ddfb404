import { distance } from 'fastest-levenshtein';
import type { Facts } from '../../shared/facts.ts';
import { matchesGlob } from './template.ts';
import { unordered } from './unordered.ts';
import { compareVersions } from './version.ts';

/** What the operator says of firmware: what is approved, and which versions advisories warn of. */
export interface FirmwarePolicy {
  /** Absent where there is no catalogue: then nothing is unlisted. */
  readonly approved?: readonly ApprovedFirmware[] | undefined;
  readonly advisories: readonly Advisory[];
}

/** Which devices an entry speaks of. In patterns `*` stands for any text; case does not matter. */
interface Kind {
  readonly family?: string | undefined;
  readonly model?: string | undefined;
}

/** Firmware that devices may run; a member that is not given may be anything. */
export interface ApprovedFirmware extends Kind {
  readonly version?: string | undefined;
  readonly build?: string | undefined;
  /** `firmware.fingerprint` as reported, one of these. */
  readonly fingerprint?: readonly string[] | undefined;
  /** Digests of images by the name of the component without `image.`, for devices that tell them. */
  readonly images?: { readonly [name: string]: readonly string[] } | undefined;
  /** RFC 3339; from then on it is not approved any more. */
  readonly expires?: string | undefined;
}

/** Versions of a firmware with a known error. */
export interface Advisory extends Kind {
  readonly id: string;
  readonly version?: string | undefined;
  /** The first version that has the error no more. */
  readonly fixed_in?: string | undefined;
}

/** A device as far as firmware is about it. */
export type Running = Pick<
  Facts,
  'family' | 'identity.model' | 'firmware.version' | 'firmware.build' | 'firmware.fingerprint'
>;

/** What is not known contradicts nothing. */
const fits = (pattern: string | undefined, value: string | undefined): boolean =>
  pattern === undefined || value === undefined || matchesGlob(pattern, value);

const isKind = ({ family, model }: Kind, running: Running): boolean =>
  fits(family, running.family) && fits(model, running['identity.model']);

const isExpired = ({ expires }: ApprovedFirmware, nowMs: number): boolean =>
  expires !== undefined && Date.parse(expires) <= nowMs;

const isThis = (entry: ApprovedFirmware, running: Running): boolean => {
  const { 'firmware.version': version, 'firmware.build': build, 'firmware.fingerprint': fingerprint } = running;
  return (
    isKind(entry, running) &&
    fits(entry.version, version) &&
    fits(entry.build, build) &&
    (entry.fingerprint === undefined || fingerprint === undefined || entry.fingerprint.includes(fingerprint))
  );
};

/** How the catalogue stands to a firmware. */
export const listing = (
  approved: readonly ApprovedFirmware[],
  running: Running,
  nowMs: number,
): 'listed' | 'expired' | 'unlisted' => {
  const entries = approved.filter((entry) => isThis(entry, running));
  if (entries.some((entry) => !isExpired(entry, nowMs))) return 'listed';
  return entries.length > 0 ? 'expired' : 'unlisted';
};

/** The entries about this firmware that hold digests of images. */
export const imagesOf = (
  { approved = [] }: FirmwarePolicy,
  running: Running,
  nowMs: number,
): readonly NonNullable<ApprovedFirmware['images']>[] =>
  approved.flatMap((entry) =>
    entry.images !== undefined && isThis(entry, running) && !isExpired(entry, nowMs) ? [entry.images] : [],
  );

/** The entry for this kind of device, else for any, that is spelled most like its firmware. */
export const nearestFirmware = (
  approved: readonly ApprovedFirmware[],
  running: Running,
): ApprovedFirmware | undefined => {
  const text = `${running['firmware.version'] ?? ''} ${running['firmware.build'] ?? ''}`;
  const kin = approved.filter((entry) => isKind(entry, running));
  const steps = ({ version = '', build = '' }: ApprovedFirmware) => distance(text, `${version} ${build}`);
  return unordered(kin.length > 0 ? kin : approved).toSorted((a, b) => steps(a) - steps(b))[0];
};

/** The advisories that speak of this firmware. One whose version is not known is not held against any. */
export const advisoriesFor = ({ advisories }: FirmwarePolicy, running: Running): readonly Advisory[] => {
  const { 'firmware.version': version } = running;
  if (version === undefined || running.family === undefined) return [];
  return advisories.filter(
    (one) =>
      isKind(one, running) &&
      (one.version === undefined || matchesGlob(one.version, version)) &&
      (one.fixed_in === undefined || compareVersions(version, one.fixed_in) === 'up'),
  );
};

/** How many entries have expired by then: changes whenever what is approved does. */
export const expiredBy = ({ approved = [] }: FirmwarePolicy, nowMs: number): number =>
  approved.filter((entry) => isExpired(entry, nowMs)).length;
