import type { FactName, UnknownReason } from '../../shared/facts.ts';
import type { Observation } from '../normalise/observation.ts';
import type { Approval, DeviceState } from './device.ts';
import type { Checks, Finding, Trigger } from './finding.ts';
import type { AllowList } from './rule.ts';

/** What one attempt to look at a device gave. */
export type Look =
  | { readonly kind: 'observed'; readonly observation: Observation }
  | { readonly kind: 'unreachable'; readonly atMs: number; readonly reason: Exclude<UnknownReason, 'unsupported'> };

/** What the judgement of one look may know beside the device. */
export interface LookContext {
  readonly nowMs: number;
  /** Absent when none is configured. */
  readonly allow?: AllowList;
  readonly confirmS: number;
  readonly pollIntervalMs: number;
  /** When the attestation of this device is due again. */
  readonly refreshDueMs?: number;
  /** The entry that the device belongs to is being searched for the first time: what it shows is learned silently. */
  readonly inFirstPass: boolean;
  /** Other devices of the gateway have an approved reference. */
  readonly amongCommissioned: boolean;
  /** Names of the queries that a fact of this device is read from. */
  readonly surfaces: (fact: FactName) => readonly string[];
  /** Changes with the configuration: a device that settled under another one is judged anew. */
  readonly policy: string;
  /** Evenly spread over [0, 1). */
  readonly random: () => number;
}

/** What follows from one look. */
export interface Verdict {
  /** The same object as before when only its marks were touched. */
  readonly state: DeviceState;
  /** The state must be persisted, with the statements below, in one transaction. */
  readonly changed: boolean;
  /** Findings to state now. */
  readonly transitions: readonly Finding[];
  /** The look must be attested; `checks` and `reference` are then those of the attestation. */
  readonly attest?: Trigger;
  readonly checks?: Checks;
  readonly reference?: { readonly approval: Approval; readonly seqs: readonly number[] };
  /** Facts of this attestation to be named by the next `learned` entry; `withLearned` tells the state that it was written. */
  readonly learn?: readonly FactName[] | 'all';
  /** A full look is wanted earlier than the schedule has it. */
  readonly next?: { readonly look: 'full'; readonly atMs: number };
}

/** Judges one look at one device. Pure but for the marks of `state`, which are touched in place. */
export declare const appraise: (state: DeviceState, look: Look, context: LookContext) => Verdict;
