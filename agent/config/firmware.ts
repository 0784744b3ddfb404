import { readFileSync, statSync } from 'node:fs';
import { closest } from 'fastest-levenshtein';
import { z } from 'zod';
import { NO_TEXT, parseYaml, textOf } from './document.ts';
import type { Contradiction } from './meaning.ts';
import { type ConfigProblem, problemAt, schemaProblems } from './problems.ts';

/** What an operator says of firmware, in the configuration or in a file of its own. */

const pattern = (what: string) =>
  z.string().min(1).optional().describe(`${what}; * stands for any text, case does not matter`);

const kind = {
  family: pattern('family of the firmware, as `assayer requests` names it'),
  model: pattern('model as the device names it'),
};

const approvedFirmware = z.strictObject({
  ...kind,
  version: pattern('`firmware.version` as the device names it'),
  build: pattern('`firmware.build` as the device names it'),
  fingerprint: z.array(z.string().min(1)).min(1).optional().describe('`firmware.fingerprint`, one of these'),
  images: z
    .record(z.string().min(1), z.array(z.string().min(1)).min(1))
    .optional()
    .describe('digests of images as the device tells them, by the name of the component behind `image.`'),
  expires: z.iso
    .datetime({ offset: true, error: 'a time like 2026-12-01T00:00:00Z' })
    .optional()
    .describe('from then on it is not approved any more'),
  note: z.string().optional().describe('for people: who approved it, which ticket'),
});

const advisory = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, 'letters, digits, dots, dashes, colons and underscores, at most 64')
    .describe('name of the advisory, e.g. CVE-2026-1234'),
  ...kind,
  family: z.string().min(1).describe('family of the firmware, as `assayer requests` names it; * stands for any text'),
  version: pattern('versions that it speaks of'),
  fixed_in: z.string().min(1).optional().describe('first version without the error: it speaks of all that are lower'),
  note: z.string().optional().describe('for people'),
});

/** The lists under `firmware`. */
export const firmwareLists = {
  approved: z
    .array(approvedFirmware)
    .optional()
    .describe('the only firmware that devices may run; without it the check does not run'),
  advisories: z.array(advisory).default([]).describe('versions with known errors'),
};

const fileSchema = z.strictObject(firmwareLists);
type Lists = z.infer<typeof fileSchema>;
/** The lists with nothing filled in. */
type WrittenLists = z.input<typeof fileSchema>;

/** Entries that say nothing would approve, or warn of, everything; a family that nobody has never fits. */
export const checkFirmware = (
  { approved = [], advisories }: Lists,
  families: readonly string[],
): readonly Contradiction[] => [
  ...approved.flatMap((entry, index) => {
    const path = ['approved', index];
    const says = entry.version ?? entry.build ?? entry.fingerprint;
    const empty = {
      path,
      message: 'it names no firmware',
      remedy: 'give it version, build or fingerprint; version: "*" is any',
    };
    return [...(says === undefined ? [empty] : []), ...strangeFamily(entry.family, path, families)];
  }),
  ...advisories.flatMap((entry, index) => {
    const path = ['advisories', index];
    const empty = {
      path,
      message: 'it names no version',
      remedy: 'give it version, fixed_in or both; version: "*" is any',
    };
    return [
      ...((entry.version ?? entry.fixed_in) === undefined ? [empty] : []),
      ...strangeFamily(entry.family, path, families),
    ];
  }),
];

const strangeFamily = (
  family: string | undefined,
  path: readonly PropertyKey[],
  known: readonly string[],
): readonly Contradiction[] =>
  family === undefined || family.includes('*') || known.includes(family.toLowerCase())
    ? []
    : [
        {
          path: [...path, 'family'],
          message: `there is no family "${family}"`,
          remedy: `did you mean "${closest(family, known)}"? assayer requests shows them all`,
        },
      ];

/** A file of these lists, and its bytes. */
export type ReadFirmware =
  | { readonly kind: 'good'; readonly lists: Lists; readonly written: WrittenLists; readonly bytes: Uint8Array }
  | { readonly kind: 'bad'; readonly problems: readonly ConfigProblem[] };

/** Larger than any catalogue that people keep, bytes. */
const LARGEST = 4_194_304;

/** Reads the file that `firmware.file` names. Whatever is wrong with it is a problem with its file and line. */
export const readFirmwareFile = (file: string, families: readonly string[]): ReadFirmware => {
  const bad = (problems: readonly ConfigProblem[]): ReadFirmware => ({
    kind: 'bad',
    problems: problems.map((problem) => ({ ...problem, file })),
  });
  let bytes: Uint8Array;
  try {
    if (statSync(file).size > LARGEST)
      return bad([
        {
          line: 1,
          path: '',
          message: `larger than ${LARGEST} bytes`,
          remedy: 'name patterns in place of single versions',
        },
      ]);
    bytes = readFileSync(file);
  } catch (error) {
    const message = `cannot be read: ${(error as Error).message}`;
    return bad([{ line: 1, path: '', message, remedy: 'name an existing file as firmware.file' }]);
  }
  const text = textOf(bytes);
  if (text === undefined) return bad([NO_TEXT]);
  const read = parseYaml(text);
  if (read.kind === 'bad') return bad(read.problems);
  const checked = fileSchema.safeParse(read.value);
  if (!checked.success)
    return bad(schemaProblems(checked.error.issues, { ...read, schema: fileSchema, page: 'docs/configuration.md' }));
  const wrong = checkFirmware(checked.data, families).map((one) => problemAt(read, one));
  // What the schema let through.
  const written = read.value as WrittenLists;
  return wrong.length > 0 ? bad(wrong) : { kind: 'good', lists: checked.data, written, bytes };
};

/** The lists of the configuration, then those of its firmware file. */
export const joinedLists = (here: WrittenLists, file: WrittenLists) => ({
  approved:
    here.approved === undefined && file.approved === undefined
      ? undefined
      : [...(here.approved ?? []), ...(file.approved ?? [])],
  advisories: [...(here.advisories ?? []), ...(file.advisories ?? [])],
});
