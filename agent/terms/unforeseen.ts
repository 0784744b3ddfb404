import { WITH_VERSION } from '../../shared/open-values.ts';
import { type ExpectedValue, namesRule } from '../../shared/terms.ts';
import { COMPARISONS } from '../appraise/index.ts';

/** Findings that an unfinished draft of a plan for a version may come to name. */
const ABOUT_FIRMWARE = ['firmware.*'];

/**
 * What a plan expects, and beside a version what comes with it: the findings that the plan names compare it too, and nobody
 * knows it before the first device has it. Left open in so many words, for whoever signs.
 */
export const withUnforeseen = (
  expected: readonly ExpectedValue[],
  ids: readonly string[] = ABOUT_FIRMWARE,
): readonly ExpectedValue[] => {
  const told = new Set(expected.map(({ fact }) => fact));
  if (!told.has('firmware.version')) return expected;
  const compared = new Set<string>(
    COMPARISONS.filter(({ id }) => ids.some((pattern) => namesRule(pattern, id))).flatMap(
      ({ reads, compares = [] }) => [...reads, ...compares],
    ),
  );
  const open = WITH_VERSION.filter((fact) => compared.has(fact) && !told.has(fact));
  return [...expected, ...open.map((fact) => ({ fact, class: 'volatile' as const }))];
};
