import { closest } from 'fastest-levenshtein';
import { z } from 'zod';
import { modelProblem } from '../../shared/model.ts';
import { checkTerms } from '../../shared/signed-terms.ts';
import {
  type ExpectedValue,
  LONGEST_TERMS_S,
  namesRule,
  planTermsSchema,
  referenceTermsSchema,
  type Terms,
  termsProblem,
  waiverTermsSchema,
} from '../../shared/terms.ts';
import { VerificationError } from '../../shared/verification.ts';
import { RULES } from '../appraise/index.ts';
import { parseYaml, type ReadDocument } from '../config/document.ts';
import { type ConfigProblem, problemAt, schemaProblems } from '../config/problems.ts';
import { KNOWN_FACTS, misfitsOf } from './fact-values.ts';
import { secondsOfIso } from './instant.ts';

/** Terms as people write them, YAML or JSON, before anybody signs: read, completed, and held against everything that can be known here. */

export type TermsKind = Terms['kind'];

/** The verb that a kind of terms goes under. */
export const VERB_OF = { reference: 'baseline', plan: 'plan', waiver: 'waiver' } as const satisfies {
  readonly [K in TermsKind]: string;
};

const PAGE = 'docs/approvers.md';

export type Draft =
  | { readonly kind: 'good'; readonly terms: Terms; readonly warnings: readonly ConfigProblem[] }
  | { readonly kind: 'bad'; readonly problems: readonly ConfigProblem[] };

/** A draft is read more strictly than what others signed: a member that nobody knows is a slip of the pen here. */
const SCHEMAS = {
  reference: z.strictObject(referenceTermsSchema.shape),
  plan: z.strictObject(planTermsSchema.shape),
  waiver: z.strictObject(waiverTermsSchema.shape),
} as const satisfies { readonly [K in TermsKind]: z.ZodType<Terms> };

type ReadText = Extract<ReadDocument, { kind: 'read' }>;

/** Reads the text of a draft. `kind` and `iat` may be left out of it; instants may be ISO 8601 text. */
export const readDraft = (text: string, { kind, nowS }: { readonly kind: TermsKind; readonly nowS: number }): Draft => {
  const read = parseYaml(text);
  if (read.kind === 'bad') return read;
  if (!isMap(read.value)) return bad(problemAt(read, { path: [], message: 'no members', remedy: `see ${PAGE}` }));
  const said = read.value.kind;
  if (said !== undefined && said !== kind) return bad(otherKind(read, said, kind));
  const { value, problems } = withInstants(read);
  if (problems.length > 0) return { kind: 'bad', problems };
  return checked({ iat: nowS, ...value, kind }, read, { kind, nowS });
};

const bad = (problem: ConfigProblem): Draft => ({ kind: 'bad', problems: [problem] });

type Members = { readonly [name: string]: unknown };

const isMap = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const otherKind = (read: ReadText, said: unknown, kind: TermsKind): ConfigProblem =>
  problemAt(read, {
    path: ['kind'],
    message: `this is ${JSON.stringify(said)}, and not a ${kind}`,
    remedy:
      typeof said === 'string' && Object.hasOwn(VERB_OF, said)
        ? `assayer ${VERB_OF[said as TermsKind]} sign <file>`
        : `leave kind out, or write ${kind}`,
  });

// ---- instants

const INSTANTS = ['iat', 'not_before_at', 'not_after_at', 'expires_at'] as const;
const LISTS = ['values', 'expected_after'] as const;

/** The members with every instant that is text as Unix seconds; those that are none are problems. */
const withInstants = (read: ReadText): { readonly value: Members; readonly problems: readonly ConfigProblem[] } => {
  const problems: ConfigProblem[] = [];
  const converted = (members: Members, names: readonly string[], path: readonly PropertyKey[]): Members => ({
    ...members,
    ...Object.fromEntries(
      names.flatMap((name) => {
        const text = members[name];
        if (typeof text !== 'string') return [];
        const seconds = secondsOfIso(text);
        if (seconds === undefined) problems.push(noInstant(read, [...path, name], text));
        return [[name, seconds]];
      }),
    ),
  });
  const top = converted(read.value as Members, INSTANTS, []);
  const lists = LISTS.flatMap((list) => {
    const items = top[list];
    if (!Array.isArray(items)) return [];
    return [[list, items.map((item, at) => (isMap(item) ? converted(item, ['until_at'], [list, at]) : item))]];
  });
  return { value: { ...top, ...Object.fromEntries(lists) }, problems };
};

const WRITE_INSTANT = 'write date, time and zone: 2026-12-01T14:00:00Z, or 2026-12-01T15:00:00+01:00';

const noInstant = (read: ReadText, path: readonly PropertyKey[], text: string): ConfigProblem =>
  problemAt(read, {
    path,
    message: `${JSON.stringify(text)} is no instant`,
    remedy: WRITE_INSTANT,
  });

// ---- checks

const checked = (value: Members, read: ReadText, { kind, nowS }: { kind: TermsKind; nowS: number }): Draft => {
  const schema = SCHEMAS[kind];
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const problems = schemaProblems(parsed.error.issues, { ...read, schema, page: PAGE });
    return { kind: 'bad', problems: problems.map(asInstant) };
  }
  const terms: Terms = parsed.data;
  const misfits = valueProblems(terms, read);
  const problems = misfits.length > 0 ? misfits : ruleProblems(terms, read);
  if (problems.length > 0) return { kind: 'bad', problems };
  return { kind: 'good', terms, warnings: [...strangers(terms, read), ...pastProblems(terms, read, nowS)] };
};

/** The schema speaks of the seconds that are signed, people of instants. */
const asInstant = (problem: ConfigProblem): ConfigProblem =>
  problem.path.endsWith('_at') ? { ...problem, remedy: WRITE_INSTANT } : problem;

const itemsOf = (terms: Terms): readonly { readonly item: ExpectedValue; readonly path: readonly PropertyKey[] }[] =>
  LISTS.flatMap((list) =>
    ((terms[list] ?? []) as readonly ExpectedValue[]).map((item, at) => ({ item, path: [list, at] })),
  );

const valueProblems = (terms: Terms, read: ReadText): readonly ConfigProblem[] =>
  itemsOf(terms).flatMap(({ item, path }) =>
    misfitsOf(item).map((misfit) => problemAt(read, { ...misfit, path: [...path, ...misfit.path] })),
  );

/** Limits of what can be signed, the rules of plans and waivers, and the length of the whole; the first of them. */
const ruleProblems = (terms: Terms, read: ReadText): readonly ConfigProblem[] => {
  const outside = outsideModel(terms);
  if (outside !== undefined) return [problemAt(read, outside)];
  const broken = termsProblem(terms) ?? longProblem(terms);
  if (broken !== undefined) {
    // The member that the sentence begins with, where it does.
    const path = Object.keys(terms).filter((name) => broken.startsWith(name));
    return [problemAt(read, { path, message: broken, remedy: `correct it; the rules: ${PAGE}` })];
  }
  try {
    checkTerms(terms);
    return [];
  } catch (problem) {
    if (!(problem instanceof VerificationError)) throw problem;
    return [tooLong(terms, read, problem.detail)];
  }
};

/** No gateway takes a plan that ends so far ahead, whenever it is handed over. */
const longProblem = (terms: Terms): string | undefined =>
  terms.kind === 'plan' && terms.not_after_at - terms.not_before_at > LONGEST_TERMS_S
    ? 'not_after_at is more than 90 days after not_before_at'
    : undefined;

/** The deepest member that breaks the data model. */
const outsideModel = (
  value: unknown,
  path: readonly PropertyKey[] = [],
): { readonly path: readonly PropertyKey[]; readonly message: string; readonly remedy: string } | undefined => {
  const name = path.findLast((key) => typeof key === 'string');
  const problem = modelProblem(value, name === undefined ? '' : String(name), path.length + 1);
  if (problem === undefined) return undefined;
  const members: readonly (readonly [PropertyKey, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(isMap(value) ? value : {});
  for (const [key, member] of members) {
    const deeper = outsideModel(member, [...path, key]);
    if (deeper !== undefined) return deeper;
  }
  return {
    path,
    message: problem,
    remedy: 'whole numbers with the unit in the name of the fact, texts up to 1024 bytes, lists up to 512 items',
  };
};

/** Members that a document can be divided by, and how. */
const DIVISIBLE: { readonly [member: string]: string } = {
  values: 'give each part of the values a document of its own',
  expected_after: 'make a plan for each part of the expected values',
  entries: 'approve the entries of part of the devices in each document',
  scope: 'make a document for each part of the devices, or name them by a label',
};

const tooLong = (terms: Terms, read: ReadText, detail: string): ConfigProblem => {
  const sizes = Object.entries(terms)
    .filter(([name]) => Object.hasOwn(DIVISIBLE, name))
    .map(([name, value]) => ({ name, bytes: Buffer.byteLength(JSON.stringify(value)) }))
    .sort((one, other) => other.bytes - one.bytes);
  const [largest] = sizes;
  return problemAt(read, {
    path: largest === undefined ? [] : [largest.name],
    message: `${detail}${largest === undefined ? '' : `; ${largest.name} alone takes ${largest.bytes}`}`,
    remedy: `split it: ${DIVISIBLE[largest?.name ?? ''] ?? 'shorten the texts'}`,
  });
};

// ---- what is carried, but may not be meant

const strangers = (terms: Terms, read: ReadText): readonly ConfigProblem[] => [
  ...itemsOf(terms).flatMap(({ item: { fact }, path }) =>
    KNOWN_FACTS.includes(fact) ? [] : [stranger(read, [...path, 'fact'], fact, 'fact', KNOWN_FACTS)],
  ),
  ...(terms.kind === 'reference' ? [] : terms.ids).flatMap((pattern, at) =>
    RULES.some(({ id }) => namesRule(pattern, id))
      ? []
      : [
          stranger(
            read,
            ['ids', at],
            pattern,
            'finding',
            RULES.map(({ id }) => id),
          ),
        ],
  ),
];

const stranger = (
  read: ReadText,
  path: readonly PropertyKey[],
  name: string,
  what: string,
  known: readonly string[],
): ConfigProblem =>
  problemAt(read, {
    path,
    message: `this version knows no ${what} "${name}"; it is carried, and matches nothing here`,
    remedy: `did you mean "${closest(name, known)}"?`,
  });

const pastProblems = (terms: Terms, read: ReadText, nowS: number): readonly ConfigProblem[] =>
  (['not_after_at', 'expires_at'] as const).flatMap((name) => {
    const until = terms[name];
    return typeof until === 'number' && until <= nowS
      ? [
          problemAt(read, {
            path: [name],
            message: 'is over already: it will allow nothing',
            remedy: 'give a later one',
          }),
        ]
      : [];
  });
