import type { Appraisal, FailedCheck } from './statement.ts';

/**
 * The rules of appraisal (attestation.md §6) as functions of the checks alone: the agent builds with them, a verifier
 * recomputes with them. Nothing here reaches `device-bound`: in profile 1 no device proves its Claims.
 */

export type Assurance = Appraisal['assurance'];
export type Conformance = Appraisal['conformance'];
export type EarStatus = Appraisal['ear_status'];
export type TrustworthinessVector = Appraisal['ear_trustworthiness_vector'];
export type Approval = 'none' | 'local' | 'signed';

/** The outcome of the rules, by id: what failed with which severity, what could not run, what passed by basis. */
export interface Outcome {
  /** The device was observed: its statement has claims. */
  readonly observed: boolean;
  /** The weakest approval among the references; absent without any. */
  readonly approval?: Approval;
  readonly failed: readonly Pick<FailedCheck, 'id' | 'severity'>[];
  readonly notRun: readonly { readonly id: string }[];
  readonly passed: { readonly [basis: string]: readonly string[] };
}

const ASSURANCES: readonly Assurance[] = ['none', 'self-reported', 'corroborated', 'device-bound'];

/** True if `claimed` says more than `supported` does. */
export const isOverclaimed = (claimed: Assurance, supported: Assurance): boolean =>
  ASSURANCES.indexOf(claimed) > ASSURANCES.indexOf(supported);

/** The best assurance that the checks support. */
export const assuranceOf = ({ observed, passed }: Outcome): Assurance => {
  if (!observed) return 'none';
  const seen = [...(passed['gateway-observed'] ?? []), ...(passed.independent ?? [])];
  return seen.some((id) => /^(?:pool|runtime|egress)\./.test(id)) ? 'corroborated' : 'self-reported';
};

/** The operator's signal; the first that applies. */
export const conformanceOf = (outcome: Outcome): Conformance => {
  if (!outcome.observed) return 'unreachable';
  if (failures(outcome).length > 0) return 'deviation';
  if (!isApproved(outcome)) return 'unbaselined';
  return outcome.notRun.length > 0 ? 'partial' : 'match';
};

const isApproved = ({ approval }: Outcome): boolean => approval === 'local' || approval === 'signed';

/** What is planned or waived has severity `info` and does not count. */
const failures = ({ failed }: Outcome): Outcome['failed'] => failed.filter(({ severity }) => severity !== 'info');

const CONTRADICTIONS: readonly string[] = [
  'pool.hash-destination-mismatch',
  'pool.accounting-gap',
  'pool.resolution-changed',
  'runtime.stale-data',
];

/** The AR4SI claims of profile 1; one that is left out says nothing. */
export const trustworthinessVectorOf = (outcome: Outcome): TrustworthinessVector => {
  const failed = failures(outcome);
  const configuration = configurationClaim(outcome);
  const firmware = failed.filter(({ id }) => id.startsWith('firmware.'));
  const vector: TrustworthinessVector = {};
  if (configuration !== undefined) vector.configuration = configuration;
  if (firmware.length > 0) vector.executables = firmware.some(({ severity }) => severity === 'critical') ? 96 : 33;
  if (failed.some(({ id }) => id.startsWith('identity.'))) vector.hardware = 97;
  if (failed.some(({ id }) => CONTRADICTIONS.includes(id))) vector['sourced-data'] = 96;
  else if (outcome.observed) vector['sourced-data'] = 32;
  return vector;
};

const isConfiguration = (id: string): boolean => /^(?:pool|tenant|config|remote-control)\./.test(id);

const configurationClaim = (outcome: Outcome): number | undefined => {
  const failed = failures(outcome).filter(({ id }) => isConfiguration(id));
  if (failed.some(({ severity }) => severity === 'high' || severity === 'critical')) return 96;
  if (failed.length > 0) return -33;
  if (outcome.notRun.some(({ id }) => isConfiguration(id))) return 36;
  const passed = Object.values(outcome.passed).some((ids) => ids.some(isConfiguration));
  return passed && isApproved(outcome) ? 2 : undefined;
};

const TIERS: readonly EarStatus[] = ['none', 'affirming', 'warning', 'contraindicated'];

/** The tier of an AR4SI value; the upper bounds of the negative half are one further from zero. */
const tierOf = (value: number): number => {
  if (Math.abs(value) < 2) return 0;
  const size = value < 0 ? -value - 1 : value;
  if (size < 32) return 1;
  return size < 96 ? 2 : 3;
};

/** The worst tier present in a vector. */
export const earStatusOf = (vector: TrustworthinessVector): EarStatus =>
  TIERS[Math.max(0, ...Object.values(vector).map(tierOf))] ?? 'none';

/** The appraisal members that follow from the checks. */
export const appraise = (
  outcome: Outcome,
): Pick<Appraisal, 'assurance' | 'conformance' | 'ear_status' | 'ear_trustworthiness_vector'> => {
  const vector = trustworthinessVectorOf(outcome);
  return {
    assurance: assuranceOf(outcome),
    conformance: conformanceOf(outcome),
    ear_status: earStatusOf(vector),
    ear_trustworthiness_vector: vector,
  };
};
