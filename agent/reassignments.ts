import { endsWithTenant, isBreach } from './appraise/breach.ts';
import type { DeviceState } from './appraise/device.ts';
import { type Edit, effectOf, withEdited } from './appraise/edit.ts';
import { type Reassignment, tenantReassigned } from './appraise/rules/change-break-glass.ts';
import { relabelled, tenantLeft } from './appraise/tenancy.ts';
import type { Standing } from './baseline/standing.ts';
import type { Recorder } from './record/recorder.ts';
import type { Fleet } from './schedule/fleet.ts';

/** Devices that are given to another tenant. */

/** Whose devices are, and what records that it changed. */
export interface ReassignmentDeps {
  readonly fleet: Pick<Fleet, 'states' | 'state' | 'seatOf' | 'labelsOf' | 'keep'>;
  readonly recorder: Pick<Recorder, 'take' | 'flush' | 'takeGatewayFinding'>;
  readonly standing: Standing;
  /** How many people approvals take here at most. */
  readonly people: number;
  readonly nowMs: number;
  /** What was edited just now; without it a date came, or a device stands at another address. */
  readonly edits?: readonly Edit[];
}

/** A device as its former tenant had it, and the labels that it has now. */
interface Move {
  readonly device: string;
  readonly before: DeviceState;
  readonly labels: DeviceState['labels'];
}

/**
 * What was found for the tenant of a device ends when it is another one's, for all devices at once. Nobody approved it: where approvers
 * are named and it takes two people, that is a finding, before it ends. Where the store refuses, the devices stay as they were.
 */
export const heedReassignments = (deps: ReassignmentDeps): void => {
  const { fleet, recorder, edits = [] } = deps;
  // What waits was found for the former tenant.
  recorder.flush();
  const moves = movesIn(fleet);
  if (!tell([...moves, ...edits.flatMap(renamed)], deps)) return;
  for (const move of moves) take(move, deps);
  recorder.flush();
  for (const { device, labels } of moves) {
    const state = fleet.state(device);
    if (state !== undefined) fleet.keep(relabelled(state, labels));
  }
};

/** Devices with findings for a tenant that is not theirs any more. */
const movesIn = (fleet: ReassignmentDeps['fleet']): readonly Move[] =>
  fleet.states().flatMap((before): Move[] => {
    const place = before.tracks.some(isBreach) ? fleet.seatOf(before.id)?.place : undefined;
    if (place === undefined) return [];
    const labels = fleet.labelsOf(place, before.id);
    return labels.tenant === before.labels.tenant ? [] : [{ device: before.id, before, labels }];
  });

/** Those that got another name with the same edit: what was open ended as the former one left the configuration. */
const renamed = ({ device, labels, befores }: Edit): readonly Move[] =>
  befores
    .filter((before) => before.id !== device && before.labels.tenant !== labels.tenant)
    .map((before) => ({ device, before, labels }));

/** Says from which tenant to which devices go with what takes two people. False where the store refused it. */
const tell = (moves: readonly Move[], { recorder, people, nowMs, edits }: ReassignmentDeps): boolean => {
  const grave = people === 0 ? [] : moves.filter(({ before }) => endsWithTenant(before).length > 0);
  const ways = Map.groupBy(grave, ({ before, labels }) => JSON.stringify([before.labels.tenant, labels.tenant]));
  return [...ways.values()].every((those) => {
    const finding = tenantReassigned(reassignmentOf(those, edits !== undefined), nowMs);
    return recorder.takeGatewayFinding(finding, [...new Set(those.map(({ device }) => device))]) !== undefined;
  });
};

const reassignmentOf = (moves: readonly Move[], isEdit: boolean): Reassignment => ({
  from: moves[0]?.before.labels.tenant,
  to: moves[0]?.labels.tenant,
  ended: [...new Set(moves.flatMap(({ before }) => endsWithTenant(before).map(({ ruleId }) => ruleId)))],
  isEdit,
});

const take = ({ before, labels }: Move, { recorder, standing, nowMs }: ReassignmentDeps): void => {
  const { edited } = effectOf({ device: before.id, labels, befores: [before] }, standing);
  const { state, statements } = tenantLeft(withEdited(before, edited), nowMs);
  const verdict = { state, changed: true, transitions: statements };
  const look = { kind: 'unreachable', atMs: nowMs } as const;
  void recorder.take({ before, marks: { ...before.marks }, verdict, address: before.address, look });
};
