import type { FactName, Facts } from '../../shared/facts.ts';
import type { DeviceState, Reference } from '../appraise/device.ts';
import type { Finding, Value } from '../appraise/finding.ts';

/** One item of a `baseline` entry that is in force, with the claims of the attestation it cites. */
export interface BaselineItem {
  /** `seq` of the `baseline` entry. */
  readonly seq: number;
  readonly approval: 'none' | 'local' | 'signed';
  readonly facts?: readonly FactName[];
  readonly claims: Facts;
}

/** One line of the difference that a person is shown before accepting. */
export interface Difference {
  readonly fact: FactName;
  readonly before?: Value;
  readonly after?: Value;
}

/** What an acceptance does: the new state, the findings it ends (to be stated), the facts its `baseline` item names. */
export interface Acceptance {
  readonly state: DeviceState;
  readonly transitions: readonly Finding[];
  readonly facts: readonly FactName[] | 'all';
}

/** The reference in force: for each fact the newest item of the strongest approval. */
export declare const buildReference: (items: readonly BaselineItem[]) => Reference | undefined;

/** What differs between the reference and what is seen. */
export declare const diffReference: (reference: Facts, claims: Facts) => readonly Difference[];

/**
 * A person accepts what the current attestation of the device claims, or only `facts` of it.
 * Throws `AgentError` `baseline.not-attested`, `baseline.finding-open`.
 */
export declare const accept: (
  state: DeviceState,
  acceptance: {
    readonly by: string;
    readonly nowMs: number;
    readonly seq: number;
    readonly facts?: readonly FactName[];
  },
) => Acceptance;
