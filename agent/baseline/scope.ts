import type { FactName } from '../../shared/facts.ts';
import type { ReferenceTerms, Scope, Terms } from '../../shared/terms.ts';
import { everAllows, type Texts } from './expected.ts';

/** A device as far as the scope of a document can name it. */
export interface Described {
  readonly device: string;
  readonly labels: { readonly [name: string]: string };
  readonly model?: string | undefined;
  readonly family?: string | undefined;
  readonly version?: string | undefined;
  /** What it was approved as, where it may be something else now. */
  readonly was?: Former;
  readonly edited?: Edited | undefined;
}

/** What a device is, as far as it says so itself. */
export type Kind = Pick<Described, 'family' | 'model' | 'version'>;

/** What a device was, with what decides whether a document allows it to be what it is now. */
export interface Former extends Kind {
  readonly texts: Texts;
}

/** Documents of which an edit of the configuration decided that they speak, or do not speak, of a device: it decides nothing. */
export interface Edited {
  /** `ref_id` of references that go on holding the device, although their scope fits it no more. */
  readonly kept: readonly string[];
  /** Digests of documents that do not count for it yet, although their scope fits it now. */
  readonly apart: readonly string[];
  /** A label that values of a document are filled in with was edited while something was open about the device. */
  readonly refilled?: true;
}

/** Whether the document speaks of this device: every member of its scope fits. */
export const inScope = (scope: Scope | undefined, { device, labels, model, family, version }: Described): boolean => {
  if (scope === undefined) return true;
  if (scope.devices?.includes(device) === false) return false;
  if (scope.models !== undefined && (model === undefined || !scope.models.includes(model))) return false;
  if (
    scope.firmware !== undefined &&
    !scope.firmware.some((text) => text === family || text === `${family} ${version}`)
  )
    return false;
  return Object.entries(scope.labels ?? {}).every(([name, value]) => labels[name] === value);
};

/** The facts by which a device says what it is. */
export const KIND_FACTS = {
  family: 'family',
  model: 'identity.model',
  version: 'firmware.version',
} as const satisfies { readonly [Member in keyof Kind]-?: FactName };

export const KIND_MEMBERS = Object.keys(KIND_FACTS) as readonly (keyof Kind)[];

/**
 * Whether a document speaks of this device. A reference that names what it was goes on doing so where it is the one that allows what it
 * is now: else it would allow a version and hold nobody to anything who has that.
 */
export const speaksOf = (terms: Terms, who: Described): boolean =>
  asAllowed(terms, who).some((one) => inScope(terms.scope, one));

/** What a reference allows a device to have become, it is for that as well as for what the device was. */
const asAllowed = (terms: Terms, { was, ...now }: Described): readonly Described[] => {
  if (was === undefined || terms.kind !== 'reference') return [now];
  return keptKinds(terms, now, was.texts).reduce<readonly Described[]>(
    (each, member) => each.flatMap((one) => [one, { ...one, [member]: was[member] }]),
    [now],
  );
};

/**
 * Whether a document speaks of this device only for what it has become in this: the word of another made it so, and that one decides
 * whether it may stay. Else a document for a version would allow it to whoever has it, also when nobody does any more.
 */
export const isForBecome = (terms: Terms, who: Described, member: keyof Kind): boolean => {
  const { was } = who;
  if (was === undefined || was[member] === who[member]) return false;
  const { devices: _, labels: __, ...kinds } = terms.scope ?? {};
  return !asAllowed(terms, who).some((one) => inScope(kinds, { ...one, [member]: was[member] }));
};

/** Of what a device is: that which this reference allows, be it at another time. Else the hour would end it, and what it holds. */
const keptKinds = ({ values = [] }: Pick<ReferenceTerms, 'values'>, who: Kind, texts: Texts): readonly (keyof Kind)[] =>
  KIND_MEMBERS.filter((member) =>
    everAllows(
      values.filter(({ fact }) => fact === KIND_FACTS[member]),
      who[member],
      texts,
    ),
  );

/** Whether two documents may speak of one device: no label, name, model or family that both ask for rules it out. A version may change. */
export const mayMeet = (one: Scope = {}, other: Scope = {}): boolean =>
  (one.devices === undefined || other.devices?.some((device) => one.devices?.includes(device)) !== false) &&
  (one.models === undefined || other.models?.some((model) => one.models?.includes(model)) !== false) &&
  (one.firmware === undefined || other.firmware?.some((text) => familiesIn(one).includes(familyIn(text))) !== false) &&
  Object.entries(one.labels ?? {}).every(([name, value]) => (other.labels?.[name] ?? value) === value);

/** `whatsminer 20250214.16.Rel` is of the family `whatsminer`. */
const familyIn = (text: string): string => text.split(' ', 1)[0] ?? text;

const familiesIn = ({ firmware = [] }: Scope): readonly string[] => firmware.map(familyIn);

/** Which layer of the baseline a document belongs to. */
export type Layer = 'site' | 'group' | 'device';

/** The layer of a document with this scope. */
export const layerOf = (scope: Scope | undefined): Layer => {
  if (scope?.devices !== undefined) return 'device';
  return scope === undefined || Object.keys(scope).every((member) => member === 'logs') ? 'site' : 'group';
};

const LAYERS: readonly Layer[] = ['site', 'group', 'device'];

const LAYER_STEP = 100;

/** From here on a scope names devices themselves. */
export const DEVICE_CLOSENESS = LAYERS.indexOf('device') * LAYER_STEP;

/** How closely a scope names a device: the layer first, within a group the number of things that have to fit. */
export const closeness = (scope: Scope | undefined): number => {
  const { models, firmware, labels = {} } = scope ?? {};
  const fits = Number(models !== undefined) + Number(firmware !== undefined) + Object.keys(labels).length;
  return LAYERS.indexOf(layerOf(scope)) * LAYER_STEP + Math.min(fits, LAYER_STEP - 1);
};
