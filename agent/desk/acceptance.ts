import type { FactName, Facts } from '../../shared/facts.ts';
import { factsNamed, requireAcceptable, wantsMorePeople } from '../appraise/accept.ts';
import type { DeviceState, Track } from '../appraise/device.ts';
import { heldOtherwise } from '../appraise/held.ts';
import { restingIn, wantsForGood } from '../appraise/resting.ts';
import { endingOf, isUnplanned, needsMorePeople } from '../appraise/who-approves.ts';
import { AgentError } from '../platform/errors.ts';
import type { Person } from '../record/batch.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Fleet } from '../schedule/fleet.ts';
import { signersOf } from './signers.ts';
import type { Watching } from './watched.ts';

/** The devices that can be accepted. */
type Known = Pick<Fleet, 'state' | 'states'>;

/**
 * The devices that are named, or every one where none is. Those that are not seen now are left out where `seenOnly` says so and
 * others are. Throws `baseline.no-device`, `baseline.not-attested`.
 */
export const seenStates = (
  fleet: Known,
  devices: readonly string[],
  { seenOnly = false }: { readonly seenOnly?: boolean } = {},
): readonly DeviceState[] => {
  const named = [...new Set(devices)];
  const known = named.length === 0 ? attestedStates(fleet) : named.map((device) => knownState(fleet, device));
  const seen = known.filter(isSeen);
  const [dark] = known.filter((state) => !isSeen(state));
  if (dark !== undefined && (!seenOnly || seen.length === 0)) throw notSeen(dark);
  return seen;
};

/** What a person wants to accept of a device. */
export interface Wanted {
  /** Only these; without them the whole device. */
  readonly facts?: readonly FactName[];
  readonly breakGlass?: boolean;
}

/** By what an acceptance is judged. */
export interface Judging extends Watching {
  /** How many people approvals take here at most: with none the word of a person at the gateway is all there is. */
  readonly people: number;
  /** Whether the device is held against nothing but what was learned after the store was lost, before a person looked into that. */
  readonly isLearnedBlind: (state: DeviceState) => boolean;
  /** What a device is held against without what approvers signed for it. */
  readonly unsigned: (state: DeviceState) => Facts | undefined;
}

/** The same, and what records it. */
export interface AcceptanceDeps extends Judging {
  readonly recorder: Recorder;
}

/** A device that is not accepted, and why. */
export interface Refused {
  readonly device: string;
  readonly message: string;
  readonly remedy: string;
}

/** What came of an acceptance, device by device. */
export interface AcceptanceResult {
  readonly accepted: readonly string[];
  /** How many findings ended by it. */
  readonly closed: number;
  readonly refused: readonly Refused[];
}

/** What an acceptance of a device comes to. */
interface Judged {
  /** The findings that it closes. */
  readonly covered: readonly Track[];
  /** What it does not adopt: it is right while a document says so, and by nobody's word at the gateway. */
  readonly leaves: readonly FactName[];
  /** One person does what takes two. */
  readonly isAlone: boolean;
}

/** Judges it, for the preview as for the acceptance itself. Throws an `AgentError` where it may not be. */
const judge = (state: DeviceState, { facts, breakGlass }: Wanted, judging: Judging): Judged => {
  const { covered } = requireAcceptable(state, facts);
  requireOwn(state, facts, judging);
  const { leaves, mixes } = restingIn(state, facts, judging);
  requireSome(state, factsNamed(state, { facts, leaves }));
  const isBlind = judging.isLearnedBlind(state);
  const isOfMore = mixes || wantsMorePeople(state, facts) || wantsForGood(state, facts, judging.standing);
  const isAlone = judging.people > 0 && (isBlind || isOfMore);
  if (isAlone && breakGlass !== true)
    throw isBlind ? learnedBlind(state, judging) : morePeople(state, factsToSign(state, facts), judging);
  return { covered, leaves, isAlone };
};

/** What rests on documents is left to them; where nothing else is wanted there is nothing to accept. */
const requireSome = ({ id }: DeviceState, facts: readonly FactName[] | undefined): void => {
  if (facts === undefined || facts.length > 0) return;
  throw new AgentError({
    code: 'baseline.held-by-document',
    message: `${id}: all of this is as a signed document has it, which holds it as long as that is in force`,
    remedy: `nothing has to be accepted (assayer baseline show ${id} names the documents); to keep it beyond them have it signed: assayer baseline export ${id}`,
  });
};

/** What an acceptance of a device would close now, or why there would be none. */
export const foreseen = (
  state: DeviceState,
  wanted: Wanted,
  judging: Judging,
): Pick<Judged, 'covered' | 'leaves'> & { readonly refused?: Refused } => {
  try {
    return judge(state, wanted, judging);
  } catch (error) {
    return { covered: [], leaves: [], refused: refusal(state.id, error) };
  }
};

const refusal = (device: string, error: unknown): Refused => {
  if (!(error instanceof AgentError)) throw error;
  return { device, message: error.message, remedy: error.remedy };
};

/** Accepts what a person was shown of `devices`; what changed since, or may not be settled yet, is refused by device. */
export const acceptSeen = (
  fleet: Known,
  request: { readonly devices: readonly string[]; readonly seen: readonly number[] } & Wanted & Person,
  { recorder, ...judging }: AcceptanceDeps,
): AcceptanceResult => {
  // A verdict that waits belongs to what the person may or may not have seen.
  recorder.flush();
  const accepted: DeviceState[] = [];
  const alone: string[] = [];
  const left = new Map<string, readonly FactName[]>();
  let closed = 0;
  const refused: Refused[] = [];
  // A device that is named twice is accepted once.
  const seen = new Map(request.devices.map((device, index) => [device, request.seen[index]]));
  for (const [device, seq] of seen) {
    try {
      const state = attestedState(fleet, device);
      requireSeen(state, seq);
      const { covered, leaves, isAlone } = judge(state, request, judging);
      if (isAlone) alone.push(state.id);
      if (leaves.length > 0) left.set(state.id, leaves);
      closed += covered.length;
      accepted.push(state);
    } catch (error) {
      refused.push(refusal(device, error));
    }
  }
  if (accepted.length > 0)
    recorder.takeAcceptance(accepted, { ...personOf(request), ...factsOf(request), leaves: left, alone });
  return { accepted: accepted.map(({ id }) => id), closed, refused };
};

const factsOf = ({ facts }: { readonly facts?: readonly FactName[] }): { readonly facts?: readonly FactName[] } =>
  facts === undefined ? {} : { facts };

/** What a signed document holds is approved by the next version of it. */
const requireOwn = (state: DeviceState, facts: readonly FactName[] | undefined, judging: Judging): void => {
  const held = heldOtherwise(state, facts, judging);
  if (held === undefined) return;
  throw new AgentError({
    code: 'baseline.held-by-document',
    message: `${state.id}: the signed reference ${held.refId} holds ${held.fact}, and what is seen is not among what it allows`,
    remedy:
      'have its next version signed and adopt that: assayer baseline adopt; or accept other facts only, with --fact',
  });
};

/** The facts of which approvers have to sign: those that are wanted, else those that findings of two people are about; none where one is about the device. */
const factsToSign = ({ tracks }: DeviceState, wanted: readonly FactName[] | undefined): readonly FactName[] => {
  if (wanted !== undefined) return wanted;
  const endings = tracks.filter(({ finding }) => needsMorePeople(finding)).map(({ finding }) => endingOf(finding));
  const facts = endings.map((ending) => (ending.kind === 'facts' ? ending.facts : undefined));
  return facts.includes(undefined) ? [] : [...new Set(facts.flatMap((named) => named ?? []))];
};

const morePeople = (
  { id, tracks }: DeviceState,
  facts: readonly FactName[],
  judging: Pick<Judging, 'people'>,
): AgentError =>
  new AgentError({
    code: 'baseline.two-approvers',
    message: `${id} shows a change that ${signersOf(judging.people)} ${judging.people === 1 ? 'has' : 'have'} to sign, or that has to be planned beforehand`,
    remedy: tracks.some(({ finding }) => isUnplanned(finding))
      ? 'it was not planned: treat it as an incident, and set the device back; in an emergency --break-glass with --note, which is reported'
      : `assayer baseline export ${id}${facts.map((fact) => ` --fact ${fact}`).join('')}, have ${signersOf(judging.people)} sign it, assayer baseline adopt; in an emergency --break-glass with --note, which is reported`,
  });

const learnedBlind = ({ id }: DeviceState, judging: Pick<Judging, 'people'>): AgentError =>
  new AgentError({
    code: 'baseline.two-approvers',
    message: `${id} was learned, and the store was lost, or its end: nothing says whether it shows what it was held against before`,
    remedy: `assayer baseline export, have ${signersOf(judging.people)} sign it, assayer baseline adopt; in an emergency --break-glass with --note, which is reported`,
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
