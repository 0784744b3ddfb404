import { createHash } from 'node:crypto';
import { canonicalJson } from '../../shared/jcs.ts';
import { criteriaEdited } from '../appraise/rules/change-break-glass.ts';
import type { LoadedConfig, Written } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Store } from '../record/store.ts';
import { type AskedEntry, askedEntries, askedOtherwise } from './asked.ts';

/**
 * What the configuration alone says of right and wrong, and of how and how often anybody looks: parts that one person edits, and that
 * may end or keep away what two people would have to approve.
 */
const CRITERIA: { readonly [part: string]: (said: Written) => unknown } = {
  'pools.allow': ({ pools }) => pools?.allow,
  'tenants.allow': ({ tenants = {} }) =>
    Object.fromEntries(Object.entries(tenants).map(([tenant, { allow }]) => [tenant, allow ?? null])),
  firmware: ({ firmware }) => firmware,
  nameplates: ({ nameplates }) => nameplates,
  provenance: ({ provenance }) => provenance,
  // A deadline or a size that no reply keeps within blinds like a schedule.
  probe: ({ probe }) => probe,
  schedule: ({ schedule, confirm_s, coverage_s }) => [schedule, confirm_s, coverage_s],
  drivers: ({ drivers }) => drivers,
};

/** Name under which the store keeps what was said last. */
const META = 'criteria';

type Digests = { readonly [part: string]: string };

/**
 * What the store keeps. An edit changes what is written and what follows from it: a default that is written out says nothing new, and one
 * that a later version brings nobody edited.
 */
interface Kept {
  readonly form: 2;
  readonly written: Digests;
  readonly effective: Digests;
  readonly devices: readonly AskedEntry[];
}

/** The former form: of what is effective alone, without entries of devices. */
type Former = Digests & { readonly form?: never };

const digestsOf = (said: Written): Digests =>
  Object.fromEntries(
    Object.entries(CRITERIA).map(([part, read]) => [
      part,
      // Members without a value are none: JSON has no word for them.
      createHash('sha256')
        .update(canonicalJson(JSON.parse(JSON.stringify(read(said) ?? null))))
        .digest('base64url'),
    ]),
  );

const keptOf = ({ config, written }: Said): Kept => ({
  form: 2,
  written: digestsOf({
    ...written,
    firmware: withoutEmpty(written.firmware),
    provenance: withoutEmpty(written.provenance),
  }),
  effective: digestsOf(effectiveOf(config, written)),
  devices: askedEntries(config),
});

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
  const before = store.meta(META, (text) => JSON.parse(text) as Kept | Former);
  const asked = before?.form === undefined ? [] : askedOtherwise(before.devices, now.devices);
  const parts = [...editedParts(before, now), ...asked.map(({ part }) => part)];
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

/** Parts of which was known what they said. Of the former form only what is effective is. */
const editedParts = (before: Kept | Former | undefined, now: Kept): readonly string[] => {
  const effective = (before?.form === undefined ? before : before.effective) ?? {};
  const written = before?.form === undefined ? {} : before.written;
  return Object.keys(now.effective).filter(
    (part) =>
      effective[part] !== undefined && effective[part] !== now.effective[part] && written[part] !== now.written[part],
  );
};
