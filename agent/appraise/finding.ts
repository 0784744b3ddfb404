/** Severities, from least to worst. */
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const;

/** How grave a finding is. */
export type Severity = (typeof SEVERITIES)[number];

/** How a finding is known, from weakest to strongest (catalogue §2). */
export const BASES = [
  'self-reported',
  'multi-surface',
  'gateway-observed',
  'independent',
  'cryptographic',
  'human',
] as const;

/** One of these. */
export type Basis = (typeof BASES)[number];

/** Where a finding is in its life. */
export type FindingState =
  | 'provisional'
  | 'open'
  | 'acknowledged'
  | 'waived'
  | 'approved'
  | 'resolved'
  | 'incident-closed';

/** A before- or after-value: text, number, flag or a small JSON object. */
export type Value = string | number | boolean | { readonly [name: string]: unknown } | readonly unknown[];

/** The value as JSON has it: a member that is undefined is none, and nothing that holds one could be signed. */
export const asJson = (value: Value): Value => withoutUndefined(value) as Value;

const withoutUndefined = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => (member === undefined ? [] : [[name, withoutUndefined(member)]])),
  );
};

/**
 * What an edit of the configuration did to a finding: it `raised` one about what the device showed and passed before, or `ended`
 * it once, by taking the device from its tenant or its name.
 */
export type EditDid = 'raised' | 'ended';

/**
 * One finding of one device as the store keeps it and as one transition is stated (catalogue §4). Instants are Unix
 * seconds. `openedSeq` is set by the record stage when the first statement is written; a child of a storm has none.
 */
export interface Finding {
  readonly ruleId: string;
  /** Which slot, key or board; with `ruleId` and the device the key of a finding that is not closed. */
  readonly part?: string;
  readonly state: FindingState;
  readonly severity: Severity;
  readonly severityBase: Severity;
  readonly basis: Basis;
  readonly ruleVersion: number;
  readonly before?: Value;
  readonly after?: Value;
  readonly reasons?: readonly string[];
  readonly firstObservedAt: number;
  /** When `lastSeen`, else `before`, was last seen; absent where nobody saw either. */
  readonly beforeAt?: number;
  /** What the device showed before, where that is another than the reference says in `before`. */
  readonly lastSeen?: Value;
  /** Since when it shows this `after`, where the finding is older; of many devices: since when the last one does. */
  readonly afterAt?: number;
  readonly confirmedAt?: number;
  readonly resolvedAt?: number;
  readonly surfaces: readonly string[];
  readonly notObserved?: readonly string[];
  readonly openedSeq?: number;
  /** `opened_seq` of the parent, for a child of a storm. */
  readonly parent?: number;
  readonly flapping?: number;
  readonly by?: string;
  /** Since when it is acknowledged by that person. */
  readonly acknowledgedAt?: number;
  /** What that person said when reviewing it; of somebody else in `by` it says nothing. */
  readonly note?: { readonly by: string; readonly text: string };
  /** `seq` of the entries that adopted the plan or waiver which covers it: its severity is `info` then. */
  readonly plan?: number;
  readonly waiver?: number;
  readonly edit?: EditDid;
}

/** The outcome of the rules for one attestation (attestation.md §4, §6). */
export interface Checks {
  readonly failed: readonly {
    readonly id: string;
    readonly part?: string;
    readonly basis: Basis;
    readonly severity: Severity;
    readonly obs?: Value;
    readonly ref?: Value;
  }[];
  readonly notRun: readonly { readonly id: string; readonly reason: string }[];
  /** Ids by basis, sorted. */
  readonly passed: { readonly [B in Basis]?: readonly string[] };
}

/** Why a look is attested. */
export type Trigger = 'first' | 'change' | 'refresh' | 'demand' | 'unreachable';

/** What the person whom the finding names said about it. */
export const noteOf = ({ by, note }: Pick<Finding, 'by' | 'note'>): string | undefined =>
  note?.by === by ? note?.text : undefined;
