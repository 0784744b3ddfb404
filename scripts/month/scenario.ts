import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SEVERITIES } from '../../agent/appraise/finding.ts';
import { parseYaml } from '../../agent/config/document.ts';
import { type ConfigProblem, describeProblem, problemAt, schemaProblems } from '../../agent/config/problems.ts';
import { AgentError } from '../../agent/platform/errors.ts';
import { documentIdSchema, expectedValueSchema } from '../../shared/terms.ts';
import { deedsWith } from '../../test/simulator/orders.ts';
import { loadSpecimens, type Specimen } from '../../test/specimens/specimen.ts';

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const duration = z
  .string()
  .regex(/^\d+(\.\d+)?[smhd]$/, 'a time with its unit: 30s, 20m, 6h, 2d')
  .transform((text) => Number(text.slice(0, -1)) * UNIT_MS[text.at(-1) as keyof typeof UNIT_MS]);

const clockTime = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of the day, UTC, in quotes: "14:30"')
  .transform((text) => (Number(text.slice(0, 2)) * 60 + Number(text.slice(3))) * UNIT_MS.m);

const day = z.int().min(1).describe('1 is the first day');

const after = duration.prefault('0s').describe('since the event began at this device');

/** What happens at a device: what the simulator can do to one, and what needs the site around it. */
const step = z.discriminatedUnion('do', [
  ...deedsWith({ after }),
  z.strictObject({ do: z.literal('move'), after }).describe('to a free address of its range'),
  z.strictObject({ do: z.literal('clone'), after }).describe('a second machine with the same identity answers, too'),
  z.strictObject({ do: z.literal('join'), after }).describe('a machine that nobody knows answers at a free address'),
]);

const when = {
  day: day.optional(),
  at: clockTime.optional().describe('UTC; any time of the day without it'),
  days: z.tuple([day, day]).optional().describe('first and last day, in place of `day`'),
  times_a_day: z.number().positive().default(1).describe('with `days`: how often, at times that the seed chooses'),
};

const where = {
  devices: z
    .union([z.int().min(1), z.string().regex(/^\d+(\.\d+)?%$/, 'a number of devices, or a share: "40%"')])
    .default(1)
    .describe('how many, or which share of those that `of` names; the seed chooses which'),
  of: z
    .union([z.string(), z.array(z.string()).min(1)])
    .optional()
    .describe('specimens; all of the site without it'),
};

const happening = {
  what: z.string().min(1).describe('in words, for the report'),
  ...when,
  ...where,
  over: duration.prefault('0s').describe('the devices begin one after the other within this time'),
  steps: z.array(step).min(1),
  put_back: duration.optional().describe('so long after its beginning everything is as it was before'),
};

const life = z.strictObject(happening);

const plan = z
  .strictObject({
    id: documentIdSchema.describe('name of the plan; one that happens more than once gets a number'),
    type: z.enum(['change', 'curtailment']).default('change'),
    by: z.string().min(1).describe('who adopts it at the gateway'),
    ticket: z.string().min(1).optional(),
    ids: z.array(z.string()).min(1).describe('findings that the change causes'),
    expected_after: z.array(expectedValueSchema).min(1).optional().describe('what the devices show afterwards'),
    opens_before: duration.prefault('10m').describe('before the event begins'),
    lasts: duration.describe('from when it opens'),
    approved_after: duration
      .optional()
      .describe('so long after it closed, who laid it down accepts what its devices show; without it nobody does'),
    dispatch: z.strictObject({ dispatcher: z.string().min(1), reference: z.string().min(1) }).optional(),
  })
  .describe('adopted at the gateway before it opens, for the devices of the event');

const planned = z.strictObject({ ...happening, plan });

const attack = z.strictObject({
  ...happening,
  finds: z.array(z.string()).min(1).describe('ids of which each device must have one, of `at_least`'),
  at_least: z.enum(SEVERITIES).default('medium').describe('how grave it must be said to be'),
  also: z.array(z.string()).default([]).describe('ids that follow from it, too'),
  plan: plan.optional().describe('a plan under whose cover it is done'),
});

const stall = z.strictObject({
  what: z.string().min(1),
  ...when,
  how: z.enum(['stopped', 'held']).describe('ended and started again with its store; or held, as a host that sleeps'),
  for: duration,
});

export const scenarioSchema = z.strictObject({
  title: z.string().min(1),
  start: z.iso.datetime().describe('when the first day begins, UTC'),
  days: z.int().min(1).max(366),
  devices: z.int().min(5).max(10_000),
  seed: z.int().min(0).default(1),
  poll: z.string().describe('cron: when a pools round opens'),
  full: z.string().describe('cron: when a full look of every device opens'),
  truncated: z.number().min(0).max(0.5).default(0.05).describe('share of replies that break off'),
  allow: z
    .array(z.strictObject({ url: z.string(), user: z.string().optional() }))
    .optional()
    .describe('pools.allow of the configuration'),
  accept: z
    .strictObject({ day, at: clockTime, by: z.string().min(1) })
    .describe('when a person accepts what was learned'),
  site: z
    .array(
      z.strictObject({
        specimen: z.string(),
        share: z.number().positive().describe('of the devices, against the other shares'),
        as: z.enum(['range', 'host']).default('range').describe('searched, or listed one by one'),
        spare: z.int().min(0).default(4).describe('free addresses of the range'),
        setup: z.array(step).default([]).describe('how these differ from their specimen from the beginning'),
      }),
    )
    .min(1),
  life: z.array(life).default([]).describe('what happens at any site: nothing of medium or above may come of it'),
  planned: z.array(planned).default([]).describe('what happens under a plan: findings that it covers are `info`'),
  attacks: z.array(attack).default([]),
  gateway: z.array(stall).default([]).describe('when nobody looks'),
});

export type Scenario = z.infer<typeof scenarioSchema>;
export type Step = z.infer<typeof step>;
export type Attack = z.infer<typeof attack>;
export type Planned = z.infer<typeof planned>;
export type PlanTerms = z.infer<typeof plan>;
export type Life = z.infer<typeof life>;
export type Stall = z.infer<typeof stall>;

/** What a scenario is run with. */
export interface Loaded {
  readonly scenario: Scenario;
  readonly specimens: readonly Specimen[];
}

/** Reads and checks a scenario. Throws `scenario.unreadable` or `scenario.invalid`, one line per problem. */
export const loadScenario = (file: string): Loaded => {
  const specimens = loadSpecimens();
  const document = parseYaml(textOf(file));
  if (document.kind === 'bad') throw invalid(file, document.problems);
  const checked = scenarioSchema.safeParse(document.value);
  const described = { ...document, schema: scenarioSchema, page: 'docs/month.md' };
  if (!checked.success) throw invalid(file, schemaProblems(checked.error.issues, described));
  const problems = meaningless(checked.data, specimens).map((one) => problemAt(document, one));
  if (problems.length > 0) throw invalid(file, problems);
  return { scenario: checked.data, specimens };
};

const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AgentError({
      code: 'scenario.unreadable',
      message: `cannot read the scenario ${file}: ${(cause as Error).message}`,
      remedy: 'name an existing file with --scenario; docs/month.md says how to write one',
      cause,
    });
  }
};

const invalid = (file: string, problems: readonly ConfigProblem[]): AgentError =>
  new AgentError({
    code: 'scenario.invalid',
    message: problems.map((problem) => describeProblem(file, problem)).join('\n'),
    remedy: 'correct the file; docs/month.md says what each setting means',
  });

type Meaningless = Parameters<typeof problemAt>[1];

/** What the schema cannot see: specimens that are none, and times that contradict each other. */
const meaningless = (scenario: Scenario, specimens: readonly Specimen[]): readonly Meaningless[] => {
  const known = new Set(specimens.map(({ name }) => name));
  const here = new Set(scenario.site.map(({ specimen }) => specimen));
  const strangers = scenario.site.flatMap(({ specimen }, index) =>
    known.has(specimen) ? [] : [noSpecimen(['site', index, 'specimen'], specimen, [...known])],
  );
  const lists = (['life', 'planned', 'attacks', 'gateway'] as const).flatMap((list) =>
    scenario[list].flatMap((event, index) => [
      ...untimely(event, [list, index]),
      ...('of' in event ? outside(event, here, [list, index]) : []),
      ...('steps' in event ? swaps(event, known, [list, index]) : []),
    ]),
  );
  return [...strangers, ...lists];
};

const noSpecimen = (path: readonly PropertyKey[], name: string, names: readonly string[]): Meaningless => ({
  path,
  message: `there is no specimen "${name}"`,
  remedy: `one of ${names.join(', ')}`,
});

const untimely = ({ day: one, days }: Pick<Life, 'day' | 'days'>, path: readonly PropertyKey[]): Meaningless[] =>
  (one === undefined) === (days === undefined)
    ? [{ path, message: 'needs either `day` or `days`', remedy: 'day: 8, or days: [1, 30]' }]
    : [];

const outside = ({ of }: Pick<Life, 'of'>, here: ReadonlySet<string>, path: readonly PropertyKey[]): Meaningless[] =>
  [of ?? []]
    .flat()
    .filter((name) => !here.has(name))
    .map((name) => noSpecimen([...path, 'of'], name, [...here]));

const swaps = (
  { steps }: Pick<Life, 'steps'>,
  known: ReadonlySet<string>,
  path: readonly PropertyKey[],
): Meaningless[] =>
  steps.flatMap((one, index) =>
    one.do === 'swapTo' && !known.has(one.specimen)
      ? [noSpecimen([...path, 'steps', index, 'specimen'], one.specimen, [...known])]
      : [],
  );
