import { createHash } from 'node:crypto';
import { canonicalJson } from '../../shared/jcs.ts';
import { meantLines } from '../appraise/allow.ts';
import { criteriaEdited } from '../appraise/rules/change-break-glass.ts';
import { unordered } from '../appraise/unordered.ts';
import type { LoadedConfig, Written } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Store } from '../record/store.ts';
import { type AskedEntry, askedEntries, askedOtherwise } from './asked.ts';
import { partsTold } from './settings.ts';

/**
 * What the configuration alone says of right and wrong, of how and how often anybody looks, and of who is told: parts that one person
 * edits, and that may end, keep away or keep quiet what two people would have to approve.
 */
const CRITERIA = partsTold((teller) => teller.kind === 'criterion');

/** What is said at a path; null where nothing is. */
const saidAt = (said: unknown, [name, ...path]: readonly string[]): unknown => {
  if (name === undefined) return said ?? null;
  // Parts of what the schema let through: maps, or nothing.
  const members = (said ?? {}) as { readonly [name: string]: unknown };
  if (name !== '*') return saidAt(members[name], path);
  return Object.fromEntries(Object.entries(members).map(([member, value]) => [member, saidAt(value, path)]));
};

/** Name under which the store keeps what was said last. */
const META = 'criteria';

type Digests = { readonly [part: string]: string };

/**
 * What the store keeps. An edit changes what is written and what follows from it: a default that is written out, another order or
 * spelling of a list, or a line that stands twice, says nothing new, and a default that a later version brings nobody edited.
 */
interface Kept {
  readonly form: 3;
  readonly written: Digests;
  readonly effective: Digests;
  readonly devices: readonly AskedEntry[];
}

/** The form before: of lists as they are written. */
type Former = Omit<Kept, 'form'> & { readonly form: 2 };

/** The first form: of what is effective alone, as it is written, without entries of devices. */
type First = Digests & { readonly form?: never };

const digestsOf = (said: Written): Digests =>
  Object.fromEntries(
    [...CRITERIA].map(([part, settings]) => {
      const values = settings.map(({ path }) => saidAt(said, path.split('.')));
      // Members without a value are none: JSON has no word for them.
      const text = canonicalJson(JSON.parse(JSON.stringify(values.length === 1 ? values[0] : values)));
      return [part, createHash('sha256').update(text).digest('base64url')];
    }),
  );

const keptOf = ({ config, written }: Said): Kept => ({
  form: 3,
  written: digestsOf({
    ...written,
    firmware: withoutEmpty(written.firmware),
    provenance: withoutEmpty(written.provenance),
  }),
  effective: digestsOf(effectiveOf(meantBy(config), written)),
  devices: askedEntries(config),
});

/** The configuration with what its lists say, however they are written. */
const meantBy = (config: Config): Config => ({
  ...config,
  pools: withMeant(config.pools),
  tenants: Object.fromEntries(Object.entries(config.tenants).map(([name, tenant]) => [name, withMeant(tenant)])),
  firmware: config.firmware && {
    ...config.firmware,
    approved: config.firmware.approved && [...unordered(config.firmware.approved)],
    advisories: [...unordered(config.firmware.advisories)],
  },
  notify: config.notify.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
});

const withMeant = <Part extends Config['pools']>(part: Part): Part =>
  part.allow === undefined ? part : { ...part, allow: [...meantLines(part.allow)] };

/** What is in force; of drivers it is what is written. */
const effectiveOf = (config: Config, { drivers }: Written): Written => ({ ...config, drivers });

/** Empty members say as much as none, and without any the whole does; but an empty list of approved firmware approves none. */
const withoutEmpty = <Part extends object>(part: Part | undefined): Part | undefined => {
  const said = Object.entries(part ?? {}).filter(
    ([name, value]) => value !== undefined && (name === 'approved' || !isEmpty(value)),
  );
  // Some of the members, all of which may be missing.
  return said.length === 0 ? undefined : (Object.fromEntries(said) as Part);
};

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

type Said = Pick<LoadedConfig, 'config' | 'written'>;

/** What records it, and what stood there before. */
export interface CriteriaDeps {
  readonly store: Pick<Store, 'meta'>;
  readonly recorder: Pick<Recorder, 'saveMeta' | 'takeGatewayFinding'>;
  /** How many people approvals take here at most. */
  readonly people: number;
  readonly nowMs: number;
}

/** Where approvers are named, an edit of any of it is a finding, once; also one that was made while no agent ran. */
export const heedCriteria = (said: Said, { store, recorder, people, nowMs }: CriteriaDeps): void => {
  const now = keptOf(said);
  // Written below, by this version or one before it.
  const before = store.meta(META, (text) => JSON.parse(text) as Kept | Former | First);
  const asked = before?.form === undefined ? [] : askedOtherwise(before.devices, now.devices);
  const parts = [...editedParts(before, now, said), ...asked.map(({ part }) => part)];
  const entries = [...new Set(asked.flatMap((one) => one.entries))];
  // Where the store refuses, the former ones stay, and it is said the next time.
  if (
    parts.length > 0 &&
    people > 0 &&
    recorder.takeGatewayFinding(criteriaEdited(parts, entries, nowMs)) === undefined
  )
    return;
  recorder.saveMeta(META, JSON.stringify(now));
};

/** Parts of which was known what they said. Of the first form only what is effective is. */
const editedParts = (
  before: Kept | Former | First | undefined,
  now: Kept,
  { config, written: said }: Said,
): readonly string[] => {
  const effective = (before?.form === undefined ? before : before.effective) ?? {};
  const written = before?.form === undefined ? {} : before.written;
  const inForce = before?.form === 3 ? now.effective : digestsOf(effectiveOf(config, said));
  return Object.keys(inForce).filter(
    (part) => effective[part] !== undefined && effective[part] !== inForce[part] && written[part] !== now.written[part],
  );
};
