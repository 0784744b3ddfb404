import type { FactName } from '../../shared/facts.ts';
import { adoptedWith, attestedClaims, unclaimedOf } from '../appraise/accept.ts';
import type { DeviceState, Track } from '../appraise/device.ts';
import type { FindingState, Severity, Value } from '../appraise/finding.ts';
import { poolsBefore } from '../appraise/replaced.ts';
import { factOf } from '../appraise/rules/visibility-coverage-reduced.ts';
import { type Untold, untoldOf } from '../appraise/untold.ts';
import { needsMorePeople } from '../appraise/who-approves.ts';
import { keptFacts } from '../baseline/kept.ts';
import { type Difference, diffReference } from '../baseline/reference.ts';
import type { ControlRequest } from '../platform/control.ts';
import type { Fleet } from '../schedule/fleet.ts';
import { foreseen, type Judging, type Refused, seenStates } from './acceptance.ts';
import type { Behind } from './behind.ts';
import { watchedDifferences } from './watched.ts';

/** Where a device differs from its reference, and what it does not tell: no difference, and not the same either. */
export interface Shown {
  readonly device: string;
  /** `seq` of the attestation that shows what is seen now. */
  readonly seq: number;
  readonly differences: readonly Difference[];
  readonly untold: readonly Untold[];
  /** What lies behind a closed surface; absent where nothing does. */
  readonly behind?: Behind;
}

/** What a person is shown before accepting a device, or some facts of it: what would be adopted, what would not, and what it ends. */
export interface AcceptancePreview extends Shown {
  /** Nothing of its reference is only learned: people accepted or signed all of it. */
  readonly approved: boolean;
  readonly findings: readonly OpenFinding[];
  /** Facts that are as a signed document has them, and that nobody accepts: they hold as long as that is in force. */
  readonly left_to_documents?: readonly FactName[];
  /** Why it would not be accepted as it is now; its findings then stay open. */
  readonly refused?: Refused;
}

/** An open finding of the device. */
export interface OpenFinding {
  /** Its number, or that of the finding about many devices which speaks for it. */
  readonly number?: number;
  readonly finding: string;
  readonly part?: string;
  readonly severity: Severity;
  readonly state: FindingState;
  readonly before?: Value;
  readonly after?: Value;
  /** The acceptance ends it. */
  readonly closes: boolean;
  /** A fact that it is about and that the attestation leaves out: no acceptance of that ends it. */
  readonly left_out?: FactName;
  /** Two approvers, or a plan beforehand, have to stand behind it here. */
  readonly takes_two: boolean;
}

/** What accepting these devices would come to. Throws what `seenStates` throws. */
export const previewAcceptance = (
  fleet: Pick<Fleet, 'state' | 'states'>,
  request: Omit<Extract<ControlRequest, { do: 'preview-accept' }>, 'do'>,
  judging: Judging,
): readonly AcceptancePreview[] =>
  seenStates(fleet, request.devices, { seenOnly: request.seen_only === true }).map((state) =>
    previewOf(state, request, judging),
  );

const previewOf = (
  state: DeviceState,
  { facts, break_glass: breakGlass = false }: Pick<Parameters<typeof previewAcceptance>[1], 'facts' | 'break_glass'>,
  judging: Judging,
): AcceptancePreview => {
  const { covered, leaves, refused } = foreseen(
    state,
    { ...(facts === undefined ? {} : { facts }), breakGlass },
    judging,
  );
  const [known, claims] = [keptFacts(state.reference?.facts), attestedClaims(state)];
  const { absent } = state.reference ?? {};
  const differences = [
    ...diffReference({ ...known, ...poolsBefore(state) }, claims, { adopting: true, absent }),
    ...watchedDifferences(state, judging),
  ];
  const differing = differences.map(({ fact }) => fact);
  const adopted = adoptedWith(state, facts);
  const isAdopted = (fact: FactName): boolean => adopted?.includes(fact) !== false && !leaves.includes(fact);
  return {
    device: state.id,
    approved: isApproved(state.reference),
    seq: state.attested?.seq ?? -1,
    differences: differences.filter(({ fact }) => isAdopted(fact)),
    ...(leaves.length === 0 ? {} : { left_to_documents: leaves }),
    untold: untoldOf(state, { known, claims, differing }).filter(
      ({ fact }) => adopted?.includes(factOf(fact)) !== false,
    ),
    findings: state.tracks
      .filter(({ finding }) => finding.state !== 'provisional')
      .map((track) =>
        openFinding(track, {
          closes: covered.includes(track),
          leftOut: unclaimedOf(state, track),
          people: judging.people,
        }),
      ),
    ...(refused === undefined ? {} : { refused }),
  };
};

const isApproved = (reference: DeviceState['reference']): boolean =>
  reference !== undefined &&
  reference.unrecorded === undefined &&
  reference.entries.every(({ approval }) => approval !== 'none');

export const openFinding = (
  { finding }: Track,
  {
    closes,
    leftOut,
    people,
  }: { readonly closes: boolean; readonly leftOut?: FactName | undefined; readonly people: number },
): OpenFinding => {
  const { ruleId, part, severity, state, before, after, openedSeq, parent } = finding;
  const number = openedSeq ?? parent;
  return {
    ...(number === undefined ? {} : { number }),
    finding: ruleId,
    ...(part === undefined ? {} : { part }),
    severity,
    state,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    closes,
    ...(leftOut === undefined ? {} : { left_out: leftOut }),
    takes_two: people > 0 && needsMorePeople(finding),
  };
};
