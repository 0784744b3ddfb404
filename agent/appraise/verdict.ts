import type { FactName, UnknownReason } from '../../shared/facts.ts';
import type { Standing } from '../baseline/standing.ts';
import type { LookKind, Observation } from '../normalise/observation.ts';
import type { Approval, DeviceState } from './device.ts';
import type { Checks, Finding, Trigger } from './finding.ts';
import type { FirmwarePolicy } from './firmware-policy.ts';
import type { Provenance } from './provenance.ts';
import type { AllowList, Nameplate } from './rule.ts';
import type { Twin } from './rules/identity-duplicate.ts';
import type { Answered } from './rules/visibility-coverage-reduced.ts';
import type { Tenancy } from './tenancy.ts';

/** What one attempt to look at a device gave. */
export type Look =
  | { readonly kind: 'observed'; readonly observation: Observation }
  | {
      readonly kind: 'unreachable';
      readonly atMs: number;
      readonly reason: Exclude<UnknownReason, 'unsupported'>;
      readonly look?: LookKind;
      /** Whether somebody there refused what was asked now; absent where that is not known. */
      readonly refuses?: boolean;
      /** Some questions wait for a log-in: where the others found nobody, these may have found somebody. */
      readonly waits?: true;
    };

/** What the judgement of one look may know beside the device. */
export interface LookContext {
  readonly nowMs: number;
  /** Undefined when none is configured. */
  readonly allow?: AllowList | undefined;
  /** Whose the device is now, as its labels say; undefined where nobody says. */
  readonly tenancy?: Tenancy | undefined;
  /** What the operator says of firmware; undefined where nothing is configured. */
  readonly firmware?: FirmwarePolicy | undefined;
  readonly nameplates?: readonly Nameplate[] | undefined;
  /** See `RuleContext`. */
  readonly vantage?: (() => string | undefined) | undefined;
  readonly provenance?: Provenance | undefined;
  /** More than a quarter of the site of the device mines on fail-over pools. */
  readonly primaryIsDown?: (() => boolean) | undefined;
  readonly endpointChanges?: number | undefined;
  readonly confirmS: number;
  readonly pollIntervalMs: number;
  /** Somebody asked for an attestation of what shows now. */
  readonly demanded?: boolean;
  /** When the attestation of this device is due again. */
  readonly refreshDueMs?: number | undefined;
  /** The entry that the device belongs to is being searched for the first time: what it shows is learned silently. */
  readonly inFirstPass: boolean;
  /** Other devices of the gateway have an approved reference. */
  readonly amongCommissioned: boolean;
  /** Whether anybody answers to ARP at the address of the device; undefined where that is not known. */
  readonly linkAlive?: (() => boolean | undefined) | undefined;
  /** Labels of the address where the device was known, where that is another one. */
  readonly formerLabels?: { readonly [name: string]: string } | undefined;
  /** Other devices that show the identity of this one; of a full look. */
  readonly twins?: readonly Twin[] | undefined;
  /** The device that has the place of this one. */
  readonly placeTakenBy?: (() => string | undefined) | undefined;
  /** What came of looking for the device whose place this one took; undefined while that goes on, and where it took none. */
  readonly driven?: 'elsewhere' | 'nowhere' | undefined;
  /** Whether the machine shows at another place. */
  readonly seenElsewhere?: (() => boolean) | undefined;
  /** Names of the queries that a fact of this device is read from. */
  readonly surfaces: (fact: FactName) => readonly string[];
  /** What came of the questions of this look. */
  readonly answered?: Answered | undefined;
  /** Documents, plans and waivers that the log holds. */
  readonly standing: Standing;
  /** How many people approvals take here at most; without it nobody signs. */
  readonly people?: number;
  /** Changes with the configuration, and with what of the documents is in force: a device that settled under another one is judged anew. */
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
  /** What the look shows is of an earlier time: it is recorded as `withoutStale` has it. */
  readonly stale?: true;
  /** A full look is wanted earlier than the schedule has it. */
  readonly next?: { readonly look: 'full'; readonly atMs: number };
}
