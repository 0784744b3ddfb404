import { createHash } from 'node:crypto';
import { canonicalJson } from '../../shared/jcs.ts';
import { criteriaEdited } from '../appraise/rules/change-break-glass.ts';
import type { Config } from '../config/schema.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Store } from '../record/store.ts';

/**
 * What the configuration alone says of right and wrong, and of how often anybody looks: parts that one person edits, and that may end
 * or keep away what two people would have to approve.
 */
const CRITERIA: { readonly [part: string]: (config: Config) => unknown } = {
  'pools.allow': ({ pools }) => pools.allow,
  'tenants.allow': ({ tenants }) =>
    Object.fromEntries(Object.entries(tenants).map(([tenant, { allow }]) => [tenant, allow ?? null])),
  firmware: ({ firmware }) => firmware,
  nameplates: ({ nameplates }) => nameplates,
  provenance: ({ provenance }) => provenance,
  'labels.cooling': ({ labels, devices }) => [
    labels.cooling ?? null,
    ...devices.flatMap((entry) =>
      entry.labels?.cooling === undefined
        ? []
        : [['range' in entry ? entry.range : (entry.name ?? entry.host), entry.labels.cooling]],
    ),
  ],
  // A deadline or a size that no reply keeps within blinds like a schedule.
  probe: ({ probe }) => probe,
  schedule: ({ schedule, confirm_s, coverage_s }) => [schedule, confirm_s, coverage_s],
};

/** Name under which the store keeps the digests of the parts. */
const META = 'criteria';

type Digests = { readonly [part: string]: string };

const digestsOf = (config: Config): Digests =>
  Object.fromEntries(
    Object.entries(CRITERIA).map(([part, read]) => [
      part,
      // Members without a value are none: JSON has no word for them.
      createHash('sha256')
        .update(canonicalJson(JSON.parse(JSON.stringify(read(config) ?? null))))
        .digest('base64url'),
    ]),
  );

/** What records it, and what stood there before. */
export interface CriteriaDeps {
  readonly store: Pick<Store, 'meta'>;
  readonly recorder: Pick<Recorder, 'saveMeta' | 'takeGatewayFinding'>;
  /** How many people approvals take here at most. */
  readonly people: number;
  readonly nowMs: number;
}

/** Where approvers are named, an edit of any of it is a finding, once; also one that was made while no agent ran. */
export const heedCriteria = (config: Config, { store, recorder, people, nowMs }: CriteriaDeps): void => {
  const now = digestsOf(config);
  // Written below.
  const before = store.meta(META, (text) => JSON.parse(text) as Digests);
  const edited = Object.keys(now).filter((part) => before !== undefined && before[part] !== now[part]);
  if (before !== undefined && edited.length === 0) return;
  // Where the store refuses, the former ones stay, and it is said the next time.
  if (edited.length > 0 && people > 0 && recorder.takeGatewayFinding(criteriaEdited(edited, nowMs)) === undefined)
    return;
  recorder.saveMeta(META, JSON.stringify(now));
};
