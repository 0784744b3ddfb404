import type { FactName, Facts } from '../../shared/facts.ts';
import { type Approved, approvedFacts } from '../baseline/approved.ts';
import type { Circumstances } from '../baseline/expected.ts';
import { keptFacts } from '../baseline/kept.ts';
import { holderOf } from '../baseline/reference.ts';
import type { Described } from '../baseline/scope.ts';
import { heldBy, type Standing } from '../baseline/standing.ts';
import type { DeviceState } from './device.ts';
import { matchesUrl, matchesUser } from './pool-template.ts';
import { fillTemplate, matchesTemplate } from './template.ts';

/** What approvers laid down, as it holds for one device. */

/** The device as documents name it: by what it shows now, else by what was last known of it. */
export const describe = ({ id, labels, family, attested, reference, edited }: DeviceState, shown: Facts): Described => {
  const known = keptFacts(attested?.facts ?? reference?.facts);
  return {
    device: id,
    labels,
    family: shown.family ?? family,
    model: shown['identity.model'] ?? known['identity.model'],
    version: shown['firmware.version'] ?? known['firmware.version'],
    edited,
  };
};

/** What the values of documents may depend on for this device. */
export const circumstancesOf = (state: DeviceState, shown: Facts, nowMs: number): Circumstances => {
  const device = { labels: state.labels, facts: shown, address: state.address };
  return {
    nowMs,
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

/** The reference that a look at this device is held against; undefined where there is none of any kind. */
export const approvedOf = (
  state: DeviceState,
  standing: Standing,
  observed: Facts,
  nowMs: number,
): Approved | undefined => {
  const { reference } = state;
  const known = reference === undefined ? undefined : keptFacts(reference.facts);
  if (standing.references.length === 0)
    return known === undefined ? undefined : { facts: known, holders: NONE, classes: NONE };
  const held = heldBy(standing, describe(state, observed), nowMs);
  if (held.size === 0 && known === undefined) return undefined;
  const entries = reference?.entries ?? [];
  return approvedFacts(known ?? {}, held, observed, circumstancesOf(state, observed, nowMs), (fact) =>
    holderOf(entries, fact),
  );
};

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
