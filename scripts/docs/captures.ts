import type { FamilyExpectations } from '../../test/drivers/capture-expectations/expectation.ts';
import { type Count, countFamily, total } from '../../test/drivers/captured.ts';
import { code, generatedFrom, markdownTable, page } from './markdown.ts';

/** `docs/captures.md`: what the drivers make of recorded replies of real devices. Made only where these are at hand. */
export const capturesPage = (expectations: readonly FamilyExpectations[]): string => {
  const counts = expectations.map((family) => [code(family.family), countFamily(family)] as const);
  const all = total(counts.map(([, count]) => count));
  const readings = [...all.missing.keys()].sort();
  return page(
    generatedFrom('the recorded replies and test/drivers/capture-expectations/'),
    '# Recorded replies of real devices',
    INTRODUCTION,
    markdownTable(
      [...HEADS, ...readings],
      [...counts, ['all', all] as const].map(([name, count]) => row(name, count, readings)),
    ),
    MEANING,
  );
};

const row = (
  name: string,
  { captures, recognised, ambiguous, files, unasked, right, wrong, unchecked, missing }: Count,
  readings: readonly string[],
): readonly string[] => [
  name,
  ...[captures, recognised, ambiguous, files, unasked, right, wrong.length, unchecked.length].map(String),
  ...readings.map((reading) => String(missing.get(reading) ?? 0)),
];

const HEADS = [
  'Family',
  'Captures',
  'Recognised',
  'Ambiguous',
  'Files read',
  'Files not asked for',
  'Facts right',
  'Facts wrong',
  'Unchecked',
];

const INTRODUCTION = [
  'Replies that people recorded from their machines are no part of this repository; tests read them where they lie',
  '(`../shared/captures`, or the folder that `ASSAYER_CAPTURES` names), each against facts that were compared with it by eye.',
  'This page is what came of it, by family; the test run prints the same.',
].join('\n');

const MEANING = [
  'A capture is *recognised* where its replies to the questions of identification fit this family and no other, and',
  '*ambiguous* where it holds no such reply, or one that fits several; recognised as another one counts as wrong.',
  'A fact is *right* where it is what stands in the files, and *unchecked* where nobody compared it. The last columns count',
  'facts that are not present: `absent` is an answer of the device; `no file` means that the capture lacks the reply in which',
  'the fact stands; the others are the reasons of `unknown`.',
].join('\n');
