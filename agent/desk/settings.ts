import type { Place } from '../schedule/places.ts';

/** Who tells of an edit of which setting of the configuration: every setting has a row, or lies under one. */

/** Who tells of it where approvers are named. */
export type Teller =
  /** `change.break-glass` with this part, whatever is edited in it (`criteria.ts`). */
  | { readonly kind: 'criterion'; readonly part: string }
  /** The same, for whoever was in the configuration before, too (`asked.ts`). */
  | {
      readonly kind: 'asked';
      readonly part: string;
      readonly read: (place: Place) => unknown;
      /** It is said of a position: an address has it by itself. */
      readonly ofPosition?: true;
    }
  | { readonly kind: 'elsewhere'; readonly where: string }
  /** It says nothing of right and wrong, of how or how often anybody is asked; `session` statements have the digest of it. */
  | { readonly kind: 'nobody'; readonly because: string };

const criterion = (part: string): Teller => ({ kind: 'criterion', part });
const elsewhere = (where: string): Teller => ({ kind: 'elsewhere', where });
const nobody = (because: string): Teller => ({ kind: 'nobody', because });
const asked = (part: string, read: (place: Place) => unknown): Teller => ({ kind: 'asked', part, read });

const COOLING = asked('labels.cooling', ({ labels: { cooling = '' } }) => cooling);
const LABELS = elsewhere(
  '`change.break-glass` with the documents that begin or cease to speak of a device (`edits.ts`)',
);

const TENANT = elsewhere(
  '`change.break-glass` where what two people have to approve ends with it (`reassignments.ts`); documents as for labels',
);

/** Settings as they stand under one another; `*` is every member of a map or a list. The row with the longest path holds. */
export const SETTINGS: { readonly [path: string]: Teller } = {
  gateway: elsewhere('it needs a restart, and begins another log'),
  operator: elsewhere('it needs a restart, and begins another log'),
  state_dir: elsewhere('it needs a restart, and begins another log'),
  mqtt: nobody('how entries travel: presence and collectors show it'),
  // Who is told of nothing while something happens is told of it by nothing else.
  notify: criterion('notify'),
  'devices.*.host': {
    kind: 'asked',
    part: 'devices',
    read: ({ address }) => address,
    ofPosition: true,
  },
  'devices.*.name': elsewhere(
    'it is another device: `session` statements name the one that left, documents as for labels',
  ),
  'devices.*.range': elsewhere('what comes or goes: `session` statements name the devices that left'),
  'devices.*.ports': asked('devices', ({ ports }) => ports),
  'devices.*.credentials': asked('devices', ({ credentials = '' }) => credentials),
  'devices.*.labels': LABELS,
  'devices.*.labels.cooling': COOLING,
  'devices.*.labels.tenant': TENANT,
  labels: LABELS,
  'labels.cooling': COOLING,
  'labels.tenant': TENANT,
  credentials: elsewhere('`visibility.coverage-reduced` of the devices that tell less with it'),
  approvers: elsewhere('`change.break-glass` with who came and went (`change-control.ts`)'),
  redact: nobody('what statements show, and not what devices are held against'),
  'pools.allow': criterion('pools.allow'),
  'tenants.*.allow': criterion('tenants.allow'),
  'tenants.*.devices': TENANT,
  firmware: criterion('firmware'),
  nameplates: criterion('nameplates'),
  provenance: criterion('provenance'),
  // A deadline or a size that no reply keeps within blinds like a schedule.
  probe: criterion('probe'),
  schedule: criterion('schedule'),
  confirm_s: criterion('schedule'),
  coverage_s: criterion('schedule'),
  drivers: criterion('drivers'),
  refresh_s: nobody('how often what is known is stated again: every look is judged'),
  retention_days: nobody('how long entries are kept that collectors have'),
  log_level: nobody('events are no evidence'),
};

/** The parts that are told in one of these ways, each with its settings. */
export const partsTold = <Told extends Teller & { readonly part: string }>(
  isTold: (teller: Teller) => teller is Told,
) =>
  Map.groupBy(
    Object.entries(SETTINGS).flatMap(([path, teller]) => (isTold(teller) ? [{ ...teller, path }] : [])),
    ({ part }) => part,
  );
