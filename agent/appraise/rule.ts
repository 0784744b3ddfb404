import type { FactName, Facts } from '../../shared/facts.ts';
import type { KeyClass } from '../../shared/terms.ts';
import type { Absent } from '../baseline/absent.ts';
import { type Basis, type EditDid, SEVERITIES, type Severity, type Value } from './finding.ts';
import type { FirmwarePolicy } from './firmware-policy.ts';
import type { Provenance } from './provenance.ts';
import type { Templated } from './template.ts';
import type { Tenancy } from './tenancy.ts';

/** When a deviation is confirmed: C1 at once, C2 when two looks agree, C3 when three agree over ten minutes. */
export type Confirmation = 'C1' | 'C2' | 'C3';

/** What the catalogue says about one id: what checks, findings and the generated documentation have in common. */
export interface RuleEntry {
  readonly id: string;
  /** A few words for tables and lists. */
  readonly title: string;
  /** One or two sentences for people: what was seen. */
  readonly meaning: string;
  /** Innocent explanations, a few words each. */
  readonly benign: readonly string[];
  readonly severity: Severity;
  /** Severity on a device with an approved reference, unless a plan covers the change. */
  readonly unplanned?: Severity;
  /** The gravest that what was seen can make it, where that is more than its own. */
  readonly gravest?: Severity;
  /** A finding that is still seen after this long is raised to this severity. */
  readonly escalate?: { readonly afterMs: number; readonly severity: Severity };
  readonly basis: Basis;
  readonly confirm: Confirmation;
  readonly approval: 'A0' | 'A1' | 'A2' | 'AP' | 'AN';
  readonly version: number;
  /** One finding for all devices that show the same, from the first one on; without it five within ten minutes make one. */
  readonly collective?: true;
}

/** The gravest that a finding of this rule can be. */
export const gravestOf = ({ severity, unplanned, gravest, escalate }: RuleEntry): Severity =>
  [unplanned, gravest, escalate?.severity].reduce<Severity>(
    (most, grade) => (grade !== undefined && SEVERITIES.indexOf(grade) > SEVERITIES.indexOf(most) ? grade : most),
    severity,
  );

/** One way in which the observed facts leave the reference, before confirmation. */
export interface Deviation {
  readonly part?: string;
  readonly before?: Value;
  readonly after?: Value;
  /** Where it differs from the rule's own. */
  readonly severity?: Severity;
  readonly confirm?: Confirmation;
  readonly reasons?: readonly string[];
  /** `seq` of the entry that adopted the plan which covers it. */
  readonly plan?: number;
  /** What a plan covered of it shows no more. */
  readonly uncovered?: true;
  readonly edit?: EditDid;
}

/** Pool allow-list of the configuration. */
export type AllowList = readonly { readonly url: string; readonly user?: string | undefined }[];

/** What machines of a model are rated for; `*` in the model stands for any text. */
export interface Nameplate {
  readonly model: string;
  readonly power_w: number;
}

/** What a rule may know beside the two sets of facts. What is known of the device is always there: without it rules find less. */
export interface RuleContext {
  readonly nowMs: number;
  /** The address that answered this look. */
  readonly address: string;
  /** Absent when none is configured, then rules that need it do not run. */
  readonly allow?: AllowList;
  /** How a document holds a fact, where one does. */
  readonly classOf: (fact: FactName) => KeyClass | undefined;
  /** The device as this look shows it, and as it was last known. */
  readonly device: Templated;
  readonly firstSeenMs: number | undefined;
  /** Whose the device is now; absent where nobody says. */
  readonly tenancy?: Tenancy;
  /** Absent when none is configured. */
  readonly firmware?: FirmwarePolicy;
  readonly nameplates?: readonly Nameplate[];
  /** More than a quarter of the site of the device mines on fail-over pools. */
  readonly primaryIsDown?: (() => boolean) | undefined;
  /** What was learned or accepted of the device itself, below the documents that lie over it. */
  readonly accepted: () => Facts;
  /** Undefined where the configuration says nothing of it. */
  readonly provenance?: Provenance | undefined;
  /** Other devices of the gateway whose endpoint changed within the last half hour. */
  readonly endpointChanges?: number | undefined;
  /** The parts of the firmware that are approved here are those first seen with the version of this look. */
  readonly firstSeen: boolean;
  /** So is the slot that is approved here. */
  readonly firstMedium: boolean;
  /** The texts of the firmware that are approved here are those first seen with the family of this look, which is not the approved one. */
  readonly otherFamily: boolean;
  /** Facts of which the reference knows that the device had none. */
  readonly absent: Absent | undefined;
  /** The look read the list of pools, and no place of it is filled. */
  readonly noPools?: boolean;
  /** The family that the device was taken for as long as its web page was not seen, which told the one of this look. */
  readonly insteadOf?: string | undefined;
  /** A person stands behind the reference of the device. */
  readonly commissioned: boolean;
  /** The address that the device sees this gateway ask from; undefined where a router stands between. */
  readonly vantage?: (() => string | undefined) | undefined;
}

/**
 * A finding as a value: the catalogue line in the same order. A rule sees only the facts it lists. `reads` are never
 * missing: where one is unknown in this look the engine answers `not_run`, where one was not asked the rule is not
 * evaluated, where the driver does not support it the rule is not named. `compares` are there where they are known; a rule
 * without `reads` runs when at least one of them is known on both sides.
 */
export interface Rule<Reads extends FactName = FactName, Compares extends FactName = FactName> extends RuleEntry {
  /** What the observed facts are held against: the baseline of the device, or the operator's configuration. */
  readonly against: 'reference' | 'policy';
  readonly reads: readonly Reads[];
  readonly compares?: readonly Compares[];
  /** Facts of these of which a value is a change, too, where the reference knows that there was none; of others it is learned. */
  readonly absences?: readonly (Reads | Compares)[];
  /** The facts are judged together: not while one that the reference holds did not arrive this time. */
  readonly whole?: true;
  /** Whether it is the users of pools that are judged: where the look leaves out known ones, they are not, and nothing found ends. */
  readonly judgesUsers?: (context: RuleContext) => boolean;
  /** Whether the configuration says anything that the facts could be held against. Without it: always. */
  readonly applies?: (context: RuleContext) => boolean;
  /**
   * Whether this look could see the thing a finding speaks of (its part, else a key of `after`). Without it: always. `absent`: facts
   * that the device has none of, as the reference says.
   */
  readonly sees?: (name: string, observed: Partial<Pick<Facts, Reads | Compares>>, absent?: Absent) => boolean;
  /** Whether what was found shows still, whatever a list says of it: of rules that hold against one, but for those of pools. */
  readonly shows?: (
    found: Pick<Deviation, 'part' | 'after'>,
    observed: Partial<Pick<Facts, Reads | Compares>>,
  ) => boolean;
  /** `unknown` when these values allow no judgement: nothing is confirmed and nothing resolved. */
  readonly appraise: (
    observed: Required<Pick<Facts, Reads>> & Partial<Pick<Facts, Compares>>,
    approved: Required<Pick<Facts, Reads>> & Partial<Pick<Facts, Compares>>,
    context: RuleContext,
  ) => readonly Deviation[] | 'unknown';
}

/** Checks the fact names at compile time; returns its argument. */
export const defineRule = <const Reads extends FactName, const Compares extends FactName = never>(
  rule: Rule<Reads, Compares>,
): Rule => rule as unknown as Rule;
// A rule is typed by the facts it names; the engine hands it exactly those and knows it only by its general type.
