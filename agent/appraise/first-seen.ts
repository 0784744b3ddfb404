import type { FactName, Facts, FirmwareComponent } from '../../shared/facts.ts';
import { type Absent, absentMember } from '../baseline/absent.ts';
import type { Approved } from '../baseline/approved.ts';
import { changed, comparedFacts } from '../baseline/compared.ts';
import { keepFacts, keptFacts } from '../baseline/kept.ts';
import { isCommissioned, only } from '../baseline/reference.ts';
import type { Standing } from '../baseline/standing.ts';
import { approvedOf, toleratedOf } from './approval.ts';
import type { DeviceState, FirstSeen, Track } from './device.ts';
import { surfaceReadS } from './endpoint.ts';
import { compareFirmware, FIRMWARE_TEXTS } from './firmware.ts';
import { isKeyed, keyOf } from './keyed.ts';
import { firmwareBootMediumChanged, isSameVersion } from './rules/firmware-boot-medium-changed.ts';
import { firmwareFamilyChanged } from './rules/firmware-family-changed.ts';
import { firmwareFingerprintChanged } from './rules/firmware-fingerprint-changed.ts';
import { firmwareRollback } from './rules/firmware-rollback.ts';
import { firmwareVersionChanged } from './rules/firmware-version-changed.ts';
import { identityEndpointChanged } from './rules/identity-endpoint-changed.ts';
import { isUnconfirmed } from './track.ts';

/**
 * The parts of a firmware belong to the version with which they were seen, and so does the slot that it is booted from. While a device
 * shows another version than its reference, whether that is open, planned, waived or allowed, what is held against are the parts and the
 * slot that it first showed with that one. While it speaks another family, its texts are held against those that it first showed with that.
 */

export const PARTS = 'firmware.components';
const MEDIUM = 'firmware.medium';

/** What makes two looks agree on a firmware, and what is kept of it. */
const OF_FIRMWARE: readonly FactName[] = ['family', ...FIRMWARE_TEXTS, PARTS, MEDIUM];
const KEPT: readonly FactName[] = ['identity.model', ...OF_FIRMWARE];

/** An update in steps is over by then: until it is, a part may still be the one from before. */
const UPDATE_MS = 10 * 60_000;

/** The state after a full look: what came with another version is remembered once two looks in a row agree on it. */
export const withFirstSeen = (state: DeviceState, facts: Facts, nowMs: number): DeviceState => {
  const { firstSeen, ...rest } = state;
  const known = keptFacts(state.reference?.facts);
  const isOther = isOtherFirmware(facts, known);
  if ((firstSeen === undefined && !isOther) || !isSteady(state, facts)) return state;
  if (isFirstSeen(state, facts)) return grown(state, facts, nowMs);
  // What is back for a look or two, while the other version is found still, was not set back.
  if (!isOther) return state.tracks.some(isAboutVersion) || !tellsAll(facts, known) ? state : rest;
  const questioned = inQuestion(state.tracks);
  const parts = partsIn(facts).map(({ name, value }) => ({ name, value: questioned.get(name) ?? value }));
  return {
    ...rest,
    firstSeen: {
      atS: Math.ceil(nowMs / 1000),
      facts: keepFacts({ ...only(facts, KEPT), ...mediumOf(state, facts), [PARTS]: parts }),
      ...cameWith(state, facts),
    },
  };
};

/** Whether the parts of another version are still to be remembered: that is confirmed, and no two looks agreed on them yet. */
export const awaitsFirstSeen = (state: DeviceState, facts: Facts): boolean =>
  isOtherFirmware(facts, keptFacts(state.reference?.facts)) && !isFirstSeen(state, facts) && !isUnsure(state);

/** What rules hold a look against: what is approved, but of another version the parts and the slot that were first seen with it. */
export const heldAgainst = (
  approved: Approved | undefined,
  state: DeviceState,
  standing: Standing,
  observed: Facts,
  nowMs: number,
): Approved | undefined => {
  if (approved === undefined) return undefined;
  return {
    ...withOwnMedium(withOwnTexts(approved, state, standing, observed, nowMs), state, observed, nowMs),
    ...absentMember([
      ...(absentThere(state, approved, observed) ?? []).filter((fact) => fact !== 'pools'),
      ...(hadNoPools(state, approved) ? (['pools'] as const) : []),
    ]),
  };
};

/**
 * Whether pools are held against none: the reference knows that there were none, or people approved the device without having seen any,
 * for whatever reason. Whom it works for is nothing that comes with a version.
 */
const hadNoPools = ({ reference }: DeviceState, { facts, classes }: Approved): boolean =>
  facts.pools === undefined &&
  !classes.has('pools') &&
  (isCommissioned(reference) || reference?.absent?.includes('pools') === true);

/**
 * What there was none of, but under another version: that may tell more than the one before, which is learned as it tells it. Of what
 * there was none of then what is found already goes on.
 */
const absentThere = (
  { reference, firstSeen, tracks }: DeviceState,
  { classes }: Approved,
  observed: Facts,
): Absent | undefined => {
  if (reference?.absent === undefined) return undefined;
  const known = keptFacts(reference.facts);
  const absent = reference.absent.filter((name) => !classes.has(name));
  const isUnsaid = firstSeen !== undefined && !tellsAll(observed, known);
  return isUnsaid || isOtherFirmware(observed, known) ? absent.filter(isFoundIn(tracks)) : absent;
};

/** Whether one of these says that this fact came where there was none. */
const isFoundIn =
  (tracks: readonly Track[]) =>
  (name: FactName): boolean =>
    tracks.some(
      ({ finding: { before } }) =>
        isKeyed(before) && before.some(({ key, value }) => value === null && key === keyOf(name)),
    );

const withOwnTexts = (
  approved: Approved,
  state: DeviceState,
  standing: Standing,
  observed: Facts,
  nowMs: number,
): Approved => {
  const held = withOwnParts(approved, state, standing, observed, nowMs);
  const texts = isOtherFamily(observed, approved.facts) ? textsOfFamily(state, observed) : undefined;
  if (texts === undefined) return held;
  // A document that says what the former family may be says nothing of this one, but where it allows what shows.
  const { 'firmware.version': _, 'firmware.build': __, ...facts } = held.facts;
  const allowed = toleratedOf(state, standing, texts, observed, nowMs);
  return { ...held, facts: { ...facts, ...only(allowed, FIRMWARE_TEXTS) }, otherFamily: true };
};

const withOwnParts = (
  approved: Approved,
  state: DeviceState,
  standing: Standing,
  observed: Facts,
  nowMs: number,
): Approved => {
  const known = keptFacts(state.reference?.facts);
  // Parts that a document names are approved with whatever version, but of no other family.
  const isNamed = (approved.classes.get(PARTS) ?? 'volatile') !== 'volatile';
  if (isNamed) return isOtherFamily(observed, approved.facts) ? withoutParts(approved) : approved;
  if (!isFirstSeen(state, observed)) return isOtherFirmware(observed, known) ? withoutParts(approved) : approved;
  const parts = firstParts(state).filter((part) => !mayMove(part, state, partsIn(known), nowMs));
  const over = approvedOf(state, standing, observed, nowMs, { ...known, [PARTS]: parts });
  return over === undefined ? approved : { ...over, firstSeen: true };
};

/** Parts of a former version say nothing of those of another one, also where a document allows that. */
const withoutParts = ({ facts: { [PARTS]: _, ...facts }, ...approved }: Approved): Approved => ({ ...approved, facts });

/**
 * With the slot that came with the version of this look, where that is the approved one, or where another slot shows: the one that came
 * with a version that nobody approved is told beside it.
 */
const withOwnMedium = (approved: Approved, state: DeviceState, observed: Facts, nowMs: number): Approved => {
  const { [MEDIUM]: before, ...facts } = approved.facts;
  // A slot that a document names is approved with whatever version.
  if (before === undefined || (approved.classes.get(MEDIUM) ?? 'volatile') !== 'volatile') return approved;
  const isApproved = compareFirmware(observed, approved.facts) === 'same';
  const known = keptFacts(state.reference?.facts);
  if (!isFirstSeen(state, observed))
    return isApproved && isOtherFirmware(observed, known) ? { ...approved, facts } : approved;
  const first = firstMedium(state);
  if (first === undefined) return approved;
  if (mayMove({ name: MEDIUM, value: first }, state, mediumAsPart(known), nowMs))
    return isApproved ? { ...approved, facts } : approved;
  if (!isApproved && observed[MEDIUM] === first) return approved;
  return { ...approved, facts: { ...facts, [MEDIUM]: first }, firstMedium: true };
};

const firstMedium = ({ firstSeen }: DeviceState): string | undefined => keptFacts(firstSeen?.facts)[MEDIUM];

const mediumAsPart = ({ [MEDIUM]: value }: Facts): readonly FirmwareComponent[] =>
  value === undefined ? [] : [{ name: MEDIUM, value }];

/** The slot, but where it was found to be another one before the version changed the one that it should be: that finding goes on. */
const mediumOf = ({ tracks }: DeviceState, { [MEDIUM]: shown }: Facts): Pick<Facts, typeof MEDIUM> => {
  const found = tracks.find(
    ({ finding: { ruleId, state, plan, after, reasons } }) =>
      ruleId === firmwareBootMediumChanged.id &&
      state !== 'provisional' &&
      plan === undefined &&
      after === shown &&
      isSameVersion({ reasons }),
  );
  const value = found === undefined ? shown : String(found.finding.before);
  return value === undefined ? {} : { [MEDIUM]: value };
};

/** The slot that came with the version, where the attested one is that, and not the one of the reference. */
export const mediumAsFirstSeen = (state: DeviceState): readonly FactName[] => {
  const { [MEDIUM]: attested } = keptFacts(state.attested?.facts);
  const { [MEDIUM]: before } = keptFacts(state.reference?.facts);
  return attested !== undefined && attested !== before && attested === firstMedium(state) ? [MEDIUM] : [];
};

/** Whether all that was attested of the firmware came with its version. */
export const isAsFirstSeen = (state: DeviceState): boolean => {
  if (state.firstSeen === undefined) return true;
  const first = valuesOf(firstParts(state));
  return partsIn(keptFacts(state.attested?.facts)).every(({ name, value }) => first.get(name) === value);
};

/** The state once these facts are its reference: with the parts and the slot of that version nothing else has to be remembered of it. */
export const withoutFirstSeen = (state: DeviceState, adopted: Facts): DeviceState => {
  const { firstSeen, ...rest } = state;
  if (firstSeen === undefined || !isFirstSeen(state, adopted)) return state;
  const { [MEDIUM]: first, ...facts } = keptFacts(firstSeen.facts);
  const { [PARTS]: parts } = adopted;
  const medium = adopted[MEDIUM] === undefined ? first : undefined;
  const isLeft = medium !== undefined && medium !== keptFacts(state.reference?.facts)[MEDIUM];
  if (parts !== undefined && !isLeft) return rest;
  // The one of the two that is not adopted is held to what came with the version all the same.
  const left = keepFacts({
    ...facts,
    ...(medium === undefined ? {} : { [MEDIUM]: medium }),
    ...(parts === undefined ? {} : { [PARTS]: parts }),
  });
  return left === firstSeen.facts ? state : { ...rest, firstSeen: { ...firstSeen, facts: left } };
};

/** Whether these facts name the version of which the parts are remembered. */
const isFirstSeen = ({ firstSeen }: DeviceState, facts: Facts): boolean => {
  if (firstSeen === undefined) return false;
  const first = keptFacts(firstSeen.facts);
  return !isOtherFamily(facts, first) && compareFirmware(facts, first) === 'same';
};

/** Whether both name a family, and not the same. */
export const isOtherFamily = ({ family }: Facts, known: Facts): boolean =>
  family !== undefined && known.family !== undefined && family !== known.family;

/** Whether they name another firmware: another family, or another version of the same. */
export const isOtherFirmware = (facts: Facts, known: Facts): boolean =>
  isOtherFamily(facts, known) || compareFirmware(facts, known) !== 'same';

/** The texts with which the family of these facts came, once two looks agreed on them; those of the reference where it is of that family. */
const textsOfFamily = ({ reference, firstSeen }: DeviceState, facts: Facts): Facts | undefined => {
  const known = keptFacts(reference?.facts);
  if (!isOtherFamily(facts, known)) return only(known, FIRMWARE_TEXTS);
  return isOtherFamily(facts, keptFacts(firstSeen?.facts)) ? undefined : firstSeen?.came;
};

/** The same, with those that no look told before. */
const cameWith = (state: DeviceState, facts: Facts): Pick<FirstSeen, 'came'> =>
  isOtherFamily(facts, keptFacts(state.reference?.facts))
    ? { came: { ...only(facts, FIRMWARE_TEXTS), ...textsOfFamily(state, facts) } }
    : {};

/** Whether these claims name another family with the texts that came with it. */
export const isAsItCame = ({ firstSeen }: DeviceState, claims: Facts): boolean => {
  const { came } = firstSeen ?? {};
  if (came === undefined || isOtherFamily(claims, keptFacts(firstSeen?.facts))) return false;
  return FIRMWARE_TEXTS.every((name) => claims[name] === undefined || claims[name] === came[name]);
};

/** A look that could not read a text by which a version is known may show another one. */
const tellsAll = (facts: Facts, known: Facts): boolean =>
  FIRMWARE_TEXTS.every((name) => known[name] === undefined || facts[name] !== undefined);

const ABOUT_VERSION: ReadonlySet<string> = new Set([
  firmwareVersionChanged.id,
  firmwareRollback.id,
  firmwareFamilyChanged.id,
]);

const isAboutVersion = ({ finding }: Track): boolean => ABOUT_VERSION.has(finding.ruleId);

const isUnsure = ({ tracks }: Pick<DeviceState, 'tracks'>): boolean =>
  tracks.some((track) => isAboutVersion(track) && isUnconfirmed(track));

/** A device in the middle of an update may show something of both: what one look showed, or is not confirmed, is no first sight. */
const isSteady = ({ tracks, attested, unattested }: DeviceState, facts: Facts): boolean => {
  if (isUnsure({ tracks })) return false;
  // As `unattestedFacts` wrote it: what the look before showed otherwise than the attestation.
  const since = unattested === undefined ? {} : Object.fromEntries(JSON.parse(unattested) as [FactName, unknown][]);
  const before: Facts = { ...keptFacts(attested?.facts), ...since };
  const now = comparedFacts(only(facts, OF_FIRMWARE));
  return OF_FIRMWARE.every(
    (name) => now[name] === undefined || (before[name] !== undefined && !changed(name, before[name], now[name])),
  );
};

/** The memory with what was not read before, and with what may have been read before the version came. */
const grown = (state: DeviceState, facts: Facts, nowMs: number): DeviceState => {
  const { firstSeen } = state;
  if (firstSeen === undefined || !tellsAll(facts, keptFacts(firstSeen.facts))) return state;
  const [known, now] = [firstParts(state), valuesOf(partsIn(facts))];
  const reference = keptFacts(state.reference?.facts);
  const before = partsIn(reference);
  const kept = known.map((part) => ({
    ...part,
    value: mayMove(part, state, before, nowMs) ? (now.get(part.name) ?? part.value) : part.value,
  }));
  const names = valuesOf(known);
  const parts = [...kept, ...partsIn(facts).filter(({ name }) => !names.has(name))];
  const { came } = cameWith(state, facts);
  // Another text than this is found only where it is held against one: only then may it be another version.
  const texts = FIRMWARE_TEXTS.filter((name) => came !== undefined || reference[name] !== undefined);
  const medium = firstMedium(state);
  const moves = medium !== undefined && mayMove({ name: MEDIUM, value: medium }, state, mediumAsPart(reference), nowMs);
  const next = keepFacts({
    ...only(facts, texts),
    ...keptFacts(firstSeen.facts),
    ...(moves ? only(facts, [MEDIUM]) : {}),
    [PARTS]: parts,
  });
  const tellsMore = came !== undefined && Object.keys(came).length > Object.keys(firstSeen.came ?? {}).length;
  if (next === firstSeen.facts && !tellsMore) return state;
  return { ...state, firstSeen: { ...firstSeen, facts: next, ...(came === undefined ? {} : { came }) } };
};

/**
 * A part that shows what it did before the version changed may be what was read before that: until the update is over, or, of what the
 * endpoint shows to anybody, until it was read anew.
 */
const mayMove = (
  { name, value }: FirmwareComponent,
  { firstSeen, marks }: DeviceState,
  before: readonly FirmwareComponent[],
  nowMs: number,
): boolean => {
  const { atS = 0 } = firstSeen ?? {};
  const readS = surfaceReadS(name, marks.endpoint);
  const isOld = nowMs < atS * 1000 + UPDATE_MS || (readS !== undefined && readS < atS);
  return isOld && before.some((part) => part.name === name && part.value === value);
};

/** Parts that were found to be others before the version changed, with what they should be: the findings go on. */
const inQuestion = (tracks: readonly Track[]): ReadonlyMap<string, string> =>
  new Map(
    tracks
      .map(({ finding }) => finding)
      .filter(({ ruleId, state }) => ABOUT_PARTS.has(ruleId) && state !== 'provisional')
      .flatMap(({ before }) => (isKeyed(before) ? before : []))
      .map(({ key, value }) => [key, String(value)]),
  );

const ABOUT_PARTS: ReadonlySet<string> = new Set([firmwareFingerprintChanged.id, identityEndpointChanged.id]);

const partsIn = (facts: Facts): readonly FirmwareComponent[] => facts[PARTS] ?? [];

const firstParts = ({ firstSeen }: DeviceState): readonly FirmwareComponent[] => partsIn(keptFacts(firstSeen?.facts));

const valuesOf = (parts: readonly FirmwareComponent[]): ReadonlyMap<string, string> =>
  new Map(parts.map(({ name, value }) => [name, value]));
