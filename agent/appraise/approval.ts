import type { FactName, Facts, PoolSlot } from '../../shared/facts.ts';
import { type Approved, approvedFacts } from '../baseline/approved.ts';
import type { Circumstances, Texts } from '../baseline/expected.ts';
import { keptFacts } from '../baseline/kept.ts';
import { holderOf } from '../baseline/reference.ts';
import type { Described, Kind } from '../baseline/scope.ts';
import { heldBy, type Standing } from '../baseline/standing.ts';
import type { DeviceState, Track } from './device.ts';
import type { Finding } from './finding.ts';
import { isKeyed } from './keyed.ts';
import { matchesUrl, matchesUser } from './pool-template.ts';
import { configDrift } from './rules/config-drift.ts';
import { firmwareFamilyChanged } from './rules/firmware-family-changed.ts';
import { firmwareRollback } from './rules/firmware-rollback.ts';
import { firmwareVersionChanged } from './rules/firmware-version-changed.ts';
import { fillTemplate, matchesTemplate, templatedBy } from './template.ts';
import { compareVersions } from './version.ts';

/** What approvers laid down, as it holds for one device. */

/**
 * The device as documents name it: by what was approved of it, else by what was attested; one that was never seen by what it says.
 * What it says of itself from then on counts where a document or a plan allows it: who could leave the scope of a document, or enter
 * one, by another name would approve it for itself.
 */
export const describe = (state: DeviceState, shown: Facts): Described =>
  describedBy(state, shown, (fact, known, now) => isAllowed(state.tracks, fact, known, now));

/** A plan speaks of a device as it was before the change, and as it is after it. */
export const stagesOf = (state: DeviceState, shown: Facts): readonly Described[] => [
  describedBy(state, shown, () => false),
  describe(state, shown),
];

/** Whether documents name the device otherwise than before, so that others may speak of it. */
export const isNamedAnew = (before: DeviceState, after: DeviceState, shown: Facts): boolean =>
  namesIn(describe(before, shown)) !== namesIn(describe(after, shown));

const namesIn = ({ family, model, version, was }: Described): string =>
  JSON.stringify([family, model, version, was?.family, was?.model, was?.version]);

/** Facts that a scope may name. */
type Naming = 'family' | 'identity.model' | 'firmware.version';

type Allows = (fact: Naming, known: string | undefined, now: string) => boolean;

const describedBy = (state: DeviceState, shown: Facts, allows: Allows): Described => {
  const { id, labels, family, attested, reference, edited } = state;
  const approved = keptFacts(reference?.facts);
  const last = attested?.facts === reference?.facts ? approved : keptFacts(attested?.facts);
  const isNew = reference === undefined && attested === undefined;
  let isOther = false;
  const told = (fact: Naming, allowing: Allows): string | undefined => {
    const [known, now] = [approved[fact], last[fact]];
    const isNone = reference?.absent?.includes(fact) === true;
    if (known === undefined && !isNone) return now ?? (isNew ? shown[fact] : undefined);
    const isAnother = now !== undefined && now !== known && allowing(fact, known, now);
    isOther ||= isAnother;
    return isAnother ? now : known;
  };
  const kind = (allowing: Allows): Kind => ({
    family: told('family', allowing) ?? family,
    model: told('identity.model', allowing),
    version: told('firmware.version', allowing),
  });
  const now = kind(allows);
  const was = isOther ? { was: { ...kind(() => false), texts: textsOf(state, shown) } } : {};
  return { device: id, labels, ...now, ...was, edited };
};

/** What was attested, and is none of the approved values, is allowed where its rules found nothing, or a plan covers what they found. */
const isAllowed = (tracks: readonly Track[], fact: Naming, known: string | undefined, now: string): boolean =>
  // Another spelling of one version is nobody's word.
  (fact !== 'firmware.version' || known === undefined || compareVersions(known, now) !== 'same') &&
  !tracks.some(({ finding }) => finding.plan === undefined && tellsOther(finding, fact));

const tellsOther = ({ ruleId, after }: Finding, fact: Naming): boolean =>
  ruleId === firmwareFamilyChanged.id ||
  (fact === 'firmware.version' && (ruleId === firmwareVersionChanged.id || ruleId === firmwareRollback.id)) ||
  (fact === 'identity.model' && ruleId === configDrift.id && isKeyed(after) && after.some(({ key }) => key === fact));

/** What the values of documents may depend on for this device. */
export const circumstancesOf = (state: DeviceState, shown: Facts, nowMs: number): Circumstances => ({
  nowMs,
  ...textsOf(state, shown),
});

const textsOf = (state: DeviceState, shown: Facts): Texts => {
  const { labels, address, reference, attested } = state;
  // What it leaves out, or what is lost, is as it was: else it would decide by that which texts a template allows.
  const device = templatedBy(labels, address, () => ({
    ...keptFacts(reference?.facts),
    ...keptFacts(attested?.facts),
    ...shown,
  }));
  return {
    fits: (template, text, fact) => (MATCHES.get(fact) ?? matchesTemplate)(template, text, device),
    fill: (template, text) => fillTemplate(template, text, device),
  };
};

/** Facts whose templates are read in their own way. */
const MATCHES: ReadonlyMap<string, typeof matchesTemplate> = new Map([
  ['pools.url', matchesUrl],
  ['pools.proxy', matchesUrl],
  ['pools.user', matchesUser],
]);

/** What a look at this device is held against: documents over `known`, the facts of its reference; undefined where there is none of any kind. */
export const approvedOf = (
  state: DeviceState,
  standing: Standing,
  observed: Facts,
  nowMs: number,
  known = state.reference === undefined ? undefined : keptFacts(state.reference.facts),
): Approved | undefined => {
  const { reference } = state;
  if (standing.references.length === 0)
    return known === undefined ? undefined : { facts: known, holders: NONE, classes: NONE };
  const held = heldBy(standing, describe(state, observed), nowMs);
  if (held.size === 0 && known === undefined) return undefined;
  const entries = reference?.entries ?? [];
  return approvedFacts(known ?? {}, held, observed, circumstancesOf(state, observed, nowMs), (fact) =>
    holderOf(entries, fact),
  );
};

/**
 * For whom the slots that a look shows may work where none is approved, as far as a document for the users says it: what a list that is
 * to come leaves out is held to that. Neither a nearer list nor an approval of the device says anything of such a slot.
 */
export const usersBeyond = (
  state: DeviceState,
  standing: Standing,
  { approved, observed }: { readonly approved: Facts; readonly observed: Facts },
  nowMs: number,
): readonly PoolSlot[] => {
  const known = new Set(approved.pools?.map(({ slot }) => slot));
  const isBeyond = ({ slot, user }: PoolSlot): boolean => !known.has(slot) && user !== undefined;
  if (observed.pools?.some(isBeyond) !== true) return [];
  const users = heldBy(withoutLists(standing), describe(state, observed), nowMs).get('pools.user');
  if (users === undefined) return [];
  const { pools } = observed;
  const circumstances = circumstancesOf(state, observed, nowMs);
  const { facts } = approvedFacts(
    { pools },
    new Map([['pools.user', users]]),
    observed,
    circumstances,
    () => undefined,
  );
  // Of the pool there, and of its turn, that is no word.
  return facts.pools?.filter(isBeyond).map(({ slot, user }) => ({ slot, url: ANY_POOL, user }) as PoolSlot) ?? [];
};

/** No pool has this URL. */
const ANY_POOL = '';

const withoutLists = ({ references, ...others }: Standing): Standing => ({
  ...others,
  references: references.map(({ terms: { values, ...terms }, ...order }) => ({
    ...order,
    terms: { ...terms, ...(values === undefined ? {} : { values: values.filter(({ fact }) => fact !== 'pools') }) },
  })),
});

/** What was known, with what is seen in its place where a document allows that: a change that it permits is none. */
export const toleratedOf = (
  state: DeviceState,
  standing: Standing,
  known: Facts,
  observed: Facts,
  nowMs: number,
): Facts => {
  if (standing.references.length === 0) return known;
  const held = heldBy(standing, describe(state, observed), nowMs);
  const entries = state.reference?.entries ?? [];
  const circumstances = circumstancesOf(state, observed, nowMs);
  return approvedFacts(known, held, observed, circumstances, (fact) => holderOf(entries, fact), 'known').facts;
};

const NONE: ReadonlyMap<FactName, never> = new Map<FactName, never>();

/** Which of the facts that change by themselves are where a document has them: text that is equal while they are. */
export const watchedText = (state: DeviceState, standing: Standing, shown: Facts, nowMs: number): string => {
  const { watched } = standing;
  if (watched.size === 0) return '';
  const approved = approvedOf(state, standing, shown, nowMs)?.facts ?? {};
  return [...watched]
    .map((fact) =>
      approved[fact] === undefined || shown[fact] === undefined ? '?' : String(approved[fact] === shown[fact]),
    )
    .join();
};
