import type { Track } from './device.ts';
import { BASES, type Basis, type Checks } from './finding.ts';
import type { Outcome } from './outcome.ts';

type Failed = Checks['failed'][number];

/**
 * The checks of one attestation (attestation.md §4): failed while the finding is open, not run where the reference holds
 * what could not be read, or what is not confirmed yet; else passed. Rules without inputs are not named.
 */
export const checksOf = (outcomes: readonly Outcome[], tracks: readonly Track[]): Checks => {
  const failed = failedOf(tracks);
  const failedIds = new Set(failed.map(({ id }) => id));
  const rest = outcomes.filter(({ rule }) => !failedIds.has(rule.id));
  const notRun = rest.flatMap((outcome) => {
    const reason = reasonOf(outcome);
    return reason === undefined ? [] : [{ id: outcome.rule.id, reason }];
  });
  return { failed, notRun: sorted(notRun), passed: passedOf(rest) };
};

const failedOf = (tracks: readonly Track[]): readonly Failed[] =>
  sorted(
    tracks
      .map(({ finding }) => finding)
      .filter(({ state }) => state !== 'provisional')
      .map(({ ruleId: id, part, basis, severity, before, after }) => ({
        id,
        ...(part === undefined ? {} : { part }),
        basis,
        severity,
        ...(after === undefined ? {} : { obs: after }),
        ...(before === undefined ? {} : { ref: before }),
      })),
  );

const sorted = <T extends { readonly id: string; readonly part?: string }>(checks: readonly T[]): readonly T[] =>
  [...checks].sort((a, b) => (a.id + (a.part ?? '') < b.id + (b.part ?? '') ? -1 : 1));

/** Why a rule that has inputs gave no judgement. */
const reasonOf = (outcome: Outcome): string | undefined => {
  if (outcome.kind === 'not-run') return outcome.reason;
  if (outcome.kind === 'silent') return undefined;
  return outcome.lost ?? (outcome.deviations.length > 0 ? 'unconfirmed' : undefined);
};

const passedOf = (outcomes: readonly Outcome[]): Checks['passed'] => {
  const passed: { [B in Basis]?: string[] } = {};
  for (const basis of BASES) {
    const ids = outcomes.filter(
      (outcome) =>
        outcome.kind === 'ran' &&
        outcome.idle !== true &&
        outcome.rule.basis === basis &&
        reasonOf(outcome) === undefined,
    );
    if (ids.length > 0) passed[basis] = ids.map(({ rule }) => rule.id).sort();
  }
  return passed;
};
