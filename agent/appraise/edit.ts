import { type Terms, termsId } from '../../shared/terms.ts';
import { type Described, type Edited, speaksOf } from '../baseline/scope.ts';
import { type Adopted, countsFor, type Standing } from '../baseline/standing.ts';
import { describe } from './approval.ts';
import { owedTo } from './breach.ts';
import type { DeviceState, Track } from './device.ts';
import { needsMorePeople } from './who-approves.ts';

/**
 * An edit of the configuration approves nothing: it says which documents speak of a device, by the labels and the name that it
 * gives, and whoever edits it signs none of them. What held the device goes on holding it; what would tolerate something for
 * which it has open findings does not count for it, until people approved what it shows, or the findings ended.
 */

/** A device that has other labels or another name than before, or stands where another one stood. */
export interface Edit {
  readonly device: string;
  readonly labels: DeviceState['labels'];
  /** The device as it was known, and the one that stood at its address, where that is another one. */
  readonly befores: readonly DeviceState[];
}

/** What an edit does to the documents that speak of a device. */
export interface Effect {
  /** Undefined where nothing has to be kept as it was. */
  readonly edited: Edited | undefined;
  /** Documents whose scope fits the device now and did not, and those of which it is the other way round. */
  readonly began: readonly string[];
  readonly ceased: readonly string[];
  /** Documents whose values are filled in with a label that is another one now. */
  readonly refilled: readonly string[];
}

type Document = Adopted<Terms>;

/** What this edit does under the documents in force. */
export const effectOf = (edit: Edit, standing: Standing): Effect => {
  const documents: readonly Document[] = [...standing.references, ...standing.plans, ...standing.waivers];
  const own = edit.befores.find(({ id }) => id === edit.device);
  const spokeOfOwn = (document: Document): boolean =>
    // One that began to fit by an earlier edit, and does not count since, never did.
    document.terms.kind === 'reference' && own !== undefined && countsFor(document, describe(own, {}));
  const effects = edit.befores.map((before) => effectOn(before, edit, documents, spokeOfOwn));
  const all = (member: 'kept' | 'apart' | keyof Omit<Effect, 'edited'>): readonly string[] => [
    ...new Set(effects.flatMap((effect) => effect[member])),
  ];
  const isRefilled =
    own?.edited?.refilled === true || effects.some(({ isDoubtful, refilled }) => isDoubtful && refilled.length > 0);
  return {
    edited: editedOf({ kept: all('kept'), apart: all('apart'), ...(isRefilled ? { refilled: true as const } : {}) }),
    began: all('began'),
    ceased: all('ceased'),
    refilled: all('refilled'),
  };
};

const fits = ({ terms }: Document, who: Described): boolean => speaksOf(terms, who);

/** Against one of those that the device was before; what spoke of the device itself keeps on doing so. */
const effectOn = (
  before: DeviceState,
  { device, labels }: Edit,
  documents: readonly Document[],
  spokeOfOwn: (document: Document) => boolean,
) => {
  const was = describe(before, {});
  const now = describe({ ...before, id: device, labels }, {});
  const isDoubtful = hasOpen(before) || owedTo(before, labels).length > 0;
  const counted = new Set(documents.filter((document) => countsFor(document, was)));
  const names = (isMeant: (document: Document) => boolean): readonly string[] => documents.filter(isMeant).map(nameOf);
  return {
    isDoubtful,
    kept: [...counted].flatMap((document) =>
      document.terms.kind === 'reference' && !fits(document, now) ? [document.terms.ref_id] : [],
    ),
    apart: documents.flatMap((document) =>
      isDoubtful && fits(document, now) && !counted.has(document) && !spokeOfOwn(document) ? [document.sha256] : [],
    ),
    began: names((document) => fits(document, now) && !fits(document, was)),
    ceased: names((document) => !fits(document, now) && fits(document, was)),
    refilled: names(
      (document) =>
        fits(document, now) && fits(document, was) && isFilledWith(document, editedLabels(was.labels, labels)),
    ),
  };
};

const nameOf = ({ terms }: Document): string => `${terms.kind} ${termsId(terms)}`;

const editedLabels = (was: DeviceState['labels'], now: DeviceState['labels']): readonly string[] =>
  Object.keys({ ...was, ...now }).filter((name) => was[name] !== now[name]);

/** Whether a template of the document has a field of one of these names. */
const isFilledWith = ({ terms }: Document, labels: readonly string[]): boolean => {
  if (terms.kind !== 'reference') return false;
  const templates = JSON.stringify((terms.values ?? []).filter((item) => item.class === 'template'));
  return labels.some((name) => templates.includes(`{${name}}`));
};

const editedOf = (edited: Edited): Edited | undefined =>
  edited.kept.length + edited.apart.length === 0 && edited.refilled === undefined ? undefined : edited;

/** Whether something was found about the device, confirmed or not, that nobody settled. */
export const hasOpen = ({ tracks, leftOpen, edited }: DeviceState): boolean =>
  leftOpen === true ||
  (edited !== undefined && (edited.apart.length > 0 || edited.refilled === true)) ||
  tracks.some(({ finding }) => finding.severity !== 'info');

/** The device after an edit that does this to its documents. */
export const withEdited = (state: DeviceState, edited: Edited | undefined): DeviceState => {
  const { edited: before, ...rest } = state;
  if (edited === undefined) return before === undefined ? state : rest;
  return { ...rest, edited };
};

/** The device when nothing is open about it any more: what its labels and its name say of documents counts again. */
export const withoutApart = (state: DeviceState): DeviceState => {
  const { edited } = state;
  if (edited === undefined || (edited.apart.length === 0 && edited.refilled === undefined)) return state;
  return withEdited(state, editedOf({ kept: edited.kept, apart: [] }));
};

/**
 * A position that the configuration leads to this address: what takes two people, and was found elsewhere, is not over by what shows
 * there; led back, it ends as ever.
 */
export const ledTo = (state: DeviceState, address: string): DeviceState => {
  const tracks = state.tracks.map((track) => trackLedTo(track, state.address, address));
  return tracks.every((track, at) => track === state.tracks[at]) ? state : { ...state, tracks };
};

const trackLedTo = (track: Track, known: string, address: string): Track => {
  const { foundAt, ...rest } = track;
  if (foundAt === address) return rest;
  const { state, severity } = track.finding;
  const isSettled = state === 'provisional' || severity === 'info' || !needsMorePeople(track.finding);
  return foundAt !== undefined || known === address || isSettled ? track : { ...track, foundAt: known };
};
