import type { FactName, Facts } from '../../shared/facts.ts';
import type { Basis, Severity, Value } from './finding.ts';

/** One way in which the observed facts leave the reference, before confirmation. */
export interface Deviation {
  readonly part?: string;
  readonly before?: Value;
  readonly after?: Value;
  /** Where it differs from the rule's own. */
  readonly severity?: Severity;
  readonly reasons?: readonly string[];
}

/** What a rule may know beside the two sets of facts. */
export interface RuleContext {
  readonly nowMs: number;
  /** The device has an approved (`local` or `signed`) reference. */
  readonly commissioned: boolean;
  /** Pool allow-list of the configuration; absent when none is configured, then rules that need it do not run. */
  readonly allow?: readonly { readonly url: string; readonly user?: string | undefined }[];
  readonly labels: { readonly [name: string]: string };
}

/**
 * A finding as a value: the catalogue line in the same order. `reads` are the facts it compares; it sees no others and
 * never a missing one: where one is unknown in this look the engine answers `not_run`, where one was not asked the rule
 * is not evaluated, where the driver does not support it the rule is not named.
 */
export interface Rule<Name extends FactName = FactName> {
  readonly id: string;
  readonly severity: Severity;
  readonly basis: Basis;
  readonly confirm: 'C1' | 'C2' | 'C3';
  readonly approval: 'A0' | 'A1' | 'A2' | 'AP' | 'AN';
  readonly version: number;
  readonly reads: readonly Name[];
  readonly appraise: (
    observed: Required<Pick<Facts, Name>>,
    approved: Required<Pick<Facts, Name>>,
    context: RuleContext,
  ) => readonly Deviation[];
}

/** Checks the fact names at compile time; returns its argument. */
export const defineRule = <const Name extends FactName>(rule: Rule<Name>): Rule => rule as unknown as Rule;
// A rule is typed by the facts it names; the engine hands it exactly those and knows it only by its general type.
