import type { FactName } from '../../shared/facts.ts';
import { attestedClaims, requireAcceptable, wantsMorePeople } from '../appraise/accept.ts';
import { approvedOf } from '../appraise/approval.ts';
import type { DeviceState } from '../appraise/device.ts';
import { poolsBefore } from '../appraise/replaced.ts';
import { isUnplanned } from '../appraise/who-approves.ts';
import { changed } from '../baseline/compared.ts';
import { keptFacts } from '../baseline/kept.ts';
import { type Difference, diffReference } from '../baseline/reference.ts';
import type { Standing } from '../baseline/standing.ts';
import { AgentError } from '../platform/errors.ts';
import type { Person } from '../record/batch.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Fleet } from '../schedule/fleet.ts';

/** The devices that can be accepted. */
type Known = Pick<Fleet, 'state' | 'states'>;

/** What a person is shown before accepting: the difference of one device, and the attestation that would be adopted. */
export interface AcceptancePreview {
  readonly device: string;
  /** `seq` of the attestation that shows what is seen now. */
  readonly seq: number;
  readonly differences: readonly Difference[];
  readonly openFindings: readonly string[];
}

/**
 * The differences of `devices`, or of every device where none is named. Those that are not seen now are left out where `seenOnly`
 * says so and others are. Throws `baseline.no-device`, `baseline.not-attested`.
 */
export const previewAcceptance = (
  fleet: Known,
  devices: readonly string[],
  { seenOnly = false }: { readonly seenOnly?: boolean } = {},
): readonly AcceptancePreview[] => {
  const named = [...new Set(devices)];
  const known = named.length === 0 ? attestedStates(fleet) : named.map((device) => knownState(fleet, device));
  const seen = known.filter(isSeen);
  const [dark] = known.filter((state) => !isSeen(state));
  if (dark !== undefined && (!seenOnly || seen.length === 0)) throw notSeen(dark);
  return seen.map((state) => ({
    device: state.id,
    seq: state.attested?.seq ?? -1,
    differences: diffReference({ ...keptFacts(state.reference?.facts), ...poolsBefore(state) }, attestedClaims(state)),
    openFindings: state.tracks
      .filter(({ finding }) => finding.state !== 'provisional')
      .map(({ finding }) => finding.ruleId),
  }));
};

/** By what an acceptance is judged, and what records it. */
export interface AcceptanceDeps {
  readonly recorder: Recorder;
  /** How many people approvals take here at most: with none the word of a person at the gateway is all there is. */
  readonly people: number;
  readonly standing: Standing;
  readonly nowMs: number;
  /** Whether the device is held against nothing but what was learned after the store was lost, before a person looked into that. */
  readonly isLearnedBlind: (state: DeviceState) => boolean;
}

/** What came of an acceptance, device by device. */
export interface AcceptanceResult {
  readonly accepted: readonly string[];
  readonly refused: readonly { readonly device: string; readonly message: string; readonly remedy: string }[];
}

/** Accepts what a person was shown of `devices`; what changed since, or may not be settled yet, is refused by device. */
export const acceptSeen = (
  fleet: Known,
  request: {
    readonly devices: readonly string[];
    readonly seen: readonly number[];
    readonly facts?: readonly FactName[];
    readonly breakGlass?: boolean;
  } & Person,
  { recorder, people, standing, nowMs, isLearnedBlind }: AcceptanceDeps,
): AcceptanceResult => {
  // A verdict that waits belongs to what the person may or may not have seen.
  recorder.flush();
  const accepted: DeviceState[] = [];
  const alone: string[] = [];
  const refused: AcceptanceResult['refused'][number][] = [];
  // A device that is named twice is accepted once.
  const seen = new Map(request.devices.map((device, index) => [device, request.seen[index]]));
  for (const [device, seq] of seen) {
    try {
      const state = attestedState(fleet, device);
      requireSeen(state, seq);
      requireAcceptable(state, request.facts);
      requireOwn(state, request.facts, { standing, nowMs });
      const isBlind = isLearnedBlind(state);
      if (people > 0 && (isBlind || wantsMorePeople(state, request.facts))) {
        if (request.breakGlass !== true) throw isBlind ? learnedBlind(state) : morePeople(state);
        alone.push(state.id);
      }
      accepted.push(state);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      refused.push({ device, message: error.message, remedy: error.remedy });
    }
  }
  if (accepted.length > 0) recorder.takeAcceptance(accepted, { ...personOf(request), ...factsOf(request), alone });
  return { accepted: accepted.map(({ id }) => id), refused };
};

const factsOf = ({ facts }: { readonly facts?: readonly FactName[] }): { readonly facts?: readonly FactName[] } =>
  facts === undefined ? {} : { facts };

/** What a signed document holds is approved by the next version of it. */
const requireOwn = (
  state: DeviceState,
  facts: readonly FactName[] | undefined,
  { standing, nowMs }: Pick<AcceptanceDeps, 'standing' | 'nowMs'>,
): void => {
  const observed = attestedClaims(state);
  const approved = approvedOf(state, standing, observed, nowMs);
  const held = [...(approved?.holders.keys() ?? [])].find(
    (fact) =>
      facts?.includes(fact) !== false &&
      observed[fact] !== undefined &&
      changed(fact, approved?.facts[fact] ?? null, observed[fact]),
  );
  if (held === undefined) return;
  throw new AgentError({
    code: 'baseline.held-by-document',
    message: `${state.id}: a signed document holds ${held}, and what is seen is not among what it allows`,
    remedy:
      'have its next version signed and adopt that: assayer baseline adopt; or accept other facts only, with --fact',
  });
};

const morePeople = ({ id, tracks }: DeviceState): AgentError =>
  new AgentError({
    code: 'baseline.two-approvers',
    message: `${id} shows a change that two approvers have to sign, or that has to be planned beforehand`,
    remedy: tracks.some(({ finding }) => isUnplanned(finding))
      ? 'it was not planned: treat it as an incident, and set the device back; in an emergency --break-glass with --note, which is reported'
      : 'assayer baseline export, have two approvers sign it, assayer baseline adopt; in an emergency --break-glass with --note, which is reported',
  });

const learnedBlind = ({ id }: DeviceState): AgentError =>
  new AgentError({
    code: 'baseline.two-approvers',
    message: `${id} was learned after the store was lost: nothing says whether it shows what it was held against before`,
    remedy:
      'assayer baseline export, have two approvers sign it, assayer baseline adopt; in an emergency --break-glass with --note, which is reported',
  });

const personOf = ({ by, note }: Person): Person => ({ by, ...(note === undefined ? {} : { note }) });

const requireSeen = (state: DeviceState, seq: number | undefined): void => {
  if (state.attested?.seq === seq) return;
  throw new AgentError({
    code: 'baseline.seen-changed',
    message: `${state.id} was attested anew since the difference was shown`,
    remedy: 'look at the difference again',
  });
};

const isSeen = ({ attested }: DeviceState): boolean => attested?.seq !== undefined && attested.reachable;

const attestedStates = (fleet: Known): readonly DeviceState[] => fleet.states().filter(isSeen);

const knownState = (fleet: Known, device: string): DeviceState => {
  const state = fleet.state(device);
  if (state !== undefined) return state;
  throw new AgentError({
    code: 'baseline.no-device',
    message: `there is no device ${JSON.stringify(device)}`,
    remedy: 'assayer status lists the devices',
  });
};

const attestedState = (fleet: Known, device: string): DeviceState => {
  const state = knownState(fleet, device);
  if (isSeen(state)) return state;
  throw notSeen(state);
};

const notSeen = ({ id }: DeviceState): AgentError =>
  new AgentError({
    code: 'baseline.not-attested',
    message: `${id} is not seen now`,
    remedy: 'accept it when it answers again',
  });
