import type { LookContext } from '../../agent/appraise/verdict.ts';
import { type Adopted, revisionOf, standingOf } from '../../agent/baseline/standing.ts';
import {
  type ExpectedValue,
  type Plan,
  planTermsSchema,
  type ReferenceTerms,
  referenceTermsSchema,
  type Waiver,
  waiverTermsSchema,
} from '../../shared/terms.ts';
import { T0 } from './watch.ts';

/** Documents in force, as the gateway would have adopted them. */

const adopted = <Of>(seq: number, terms: Of): Adopted<Of> => ({
  seq,
  terms,
  sha256: 'A'.repeat(43),
  by: ['alice', 'bob'],
  adoptedAt: T0 / 1000,
});

export const reference = (
  seq: number,
  values: readonly ExpectedValue[],
  scope?: ReferenceTerms['scope'],
): Adopted<ReferenceTerms> =>
  adopted(
    seq,
    referenceTermsSchema.parse({
      kind: 'reference',
      ref_id: `ref-${seq}`,
      version: 1,
      iat: T0 / 1000,
      values,
      ...(scope === undefined ? {} : { scope }),
    }),
  );

/** From now on for two hours unless said otherwise; times in minutes after `T0`. */
export const plan = (seq: number, terms: Partial<Plan>, from = 0, to = 120): Adopted<Plan> =>
  adopted(
    seq,
    planTermsSchema.parse({
      kind: 'plan',
      plan_id: `plan-${seq}`,
      iat: T0 / 1000,
      type: 'change',
      scope: {},
      author: 'alice',
      not_before_at: T0 / 1000 + from * 60,
      not_after_at: T0 / 1000 + to * 60,
      ...terms,
    }),
  );

export const waiver = (seq: number, ids: readonly string[], minutes: number): Adopted<Waiver> =>
  adopted(
    seq,
    waiverTermsSchema.parse({
      kind: 'waiver',
      waiver_id: `waiver-${seq}`,
      iat: T0 / 1000,
      scope: {},
      ids,
      reason: 'burn-in',
      risk: 'none that we know',
      author: 'alice',
      expires_at: T0 / 1000 + minutes * 60,
    }),
  );

type Parts = Partial<Parameters<typeof standingOf>[0]>;

/** The context of a look with these in force; time moves on with the watch. */
export const under = (nowMs: () => number, parts: Parts): Partial<LookContext> => {
  const standing = standingOf({ references: [], plans: [], waivers: [], ...parts });
  return {
    standing,
    get policy() {
      return `b ${revisionOf(standing, nowMs())}`;
    },
  };
};
