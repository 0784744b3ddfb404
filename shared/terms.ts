import { z } from 'zod';
import { ID } from './ids.ts';
import { MAX_TEXT_BYTES } from './model.ts';
import { leftOpen, opennessOf } from './open-values.ts';
import { deviceSchema, logSchema, sha256Schema } from './statement.ts';

/**
 * The terms of approvers: reference values, plans and waivers (attestation.md §5, findings.md §3), as a gateway takes
 * them. A verifier of logs reads less of them (`document.ts`): terms of a later version are carried there, and refused
 * here, since they could not be kept.
 */

const instant = z.int().describe('Unix seconds');
const ruleId = z.string().regex(/^[a-z][a-z0-9-]*\.(?:[a-z][a-z0-9-]*|\*)$/);
/** Name of a document: what a topic level, a file name and a person can take. */
export const documentIdSchema = z.string().regex(ID);
const person = z.string().min(1).max(128);

/** What a field of a template may be called beside the labels of the device. */
export const TEMPLATE_FIELDS = ['account', 'serial', 'mac', 'hostname', 'model', 'ip'] as const;

/** A field of a template: the name of a label, or one of `TEMPLATE_FIELDS`, in braces. */
export const TEMPLATE_FIELD = /\{([a-z_][a-z0-9_.-]*)\}/;

/** A text with fields in braces. A brace by itself would stand for itself in silence, and fit no device. */
export const templateSchema = z.string().regex(new RegExp(`^(?:[^{}]|${TEMPLATE_FIELD.source})*$`), {
  error: `a brace that does not close, or that encloses no field: fields are ${TEMPLATE_FIELDS.map((name) => `{${name}}`).join(', ')}, and labels of the device in braces, such as {rack}`,
});

/** Whom a document speaks of: every member that is there has to fit; without any, all devices of the gateway. */
export const scopeSchema = z.strictObject({
  logs: z
    .array(z.string())
    .min(1)
    .max(64)
    .exactOptional()
    .describe('`<operator-domain>/<gateway>`: no other gateway adopts it'),
  devices: z.array(deviceSchema).min(1).max(512).exactOptional().describe('ids of devices'),
  labels: z.record(z.string(), z.string()).exactOptional().describe('labels that a device has, all of them'),
  models: z.array(z.string().min(1)).min(1).max(64).exactOptional().describe('`identity.model` as reported'),
  firmware: z
    .array(z.string().min(1))
    .min(1)
    .max(64)
    .exactOptional()
    .describe('`family`, or `family version` with `firmware.version` as reported'),
});

const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/);
const weekday = z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']);

/** A value by local time. A slot whose end is not after its begin goes over midnight and belongs to the day it begins on. */
export const scheduleSchema = z.strictObject({
  zone: z.string().min(1).describe('IANA name of the time zone, such as Europe/Berlin'),
  slots: z
    .array(
      z.strictObject({
        from: timeOfDay,
        to: timeOfDay.describe('exclusive'),
        days: z.array(weekday).min(1).max(7).exactOptional().describe('without it every day'),
        value: z.unknown(),
      }),
    )
    .min(1)
    .max(64),
  otherwise: z.unknown().exactOptional().describe('outside every slot; without it nothing is compared then'),
});

const held = {
  fact: z.string().describe('name of a fact, or a column of the pools such as `pools.user`'),
  until_at: instant.exactOptional().describe('the value is accepted until then: an old one beside the new'),
};

/** As long as the texts of messages may be. */
const template = templateSchema.min(1).max(MAX_TEXT_BYTES);

/** What a fact may be. Several items of one fact are alternatives. */
export const expectedValueSchema = z.discriminatedUnion('class', [
  z.strictObject({ ...held, class: z.literal('exact'), value: z.unknown() }),
  z.strictObject({ ...held, class: z.literal('set'), value: z.array(z.unknown()).min(1).max(128) }),
  z.strictObject({
    ...held,
    class: z.literal('band'),
    value: z
      .strictObject({ min: z.int().exactOptional(), max: z.int().exactOptional() })
      .refine(({ min, max }) => (min ?? max) !== undefined && (min ?? -Infinity) <= (max ?? Infinity), {
        error: 'min or max, and min not above max',
      }),
  }),
  z.strictObject({ ...held, class: z.literal('schedule'), value: scheduleSchema }),
  z.strictObject({
    ...held,
    class: z.literal('volatile'),
    value: z
      .array(z.string())
      .min(1)
      .max(256)
      .exactOptional()
      .describe('of a list that is compared by key or name, only these'),
  }),
  z.strictObject({
    ...held,
    class: z.literal('template'),
    value: z
      .union([template, z.array(template).min(1).max(64)])
      .describe(
        `text with fields in braces, such as acme.{rack}-{serial}: ${TEMPLATE_FIELDS.join(', ')}, or a label of the device`,
      ),
  }),
]);

const signers = {
  author: person.describe('who wrote it'),
  approvers: z
    .array(person)
    .max(16)
    .exactOptional()
    .describe('who is to sign or to be asked; the signatures tell who did'),
  ticket: z.string().max(256).exactOptional().describe('where the reason stands'),
};

const values = z.array(expectedValueSchema).min(1).max(256);

/** Versions count documents of one name. None follows the highest: a number beyond any count would end the name. */
export const MOST_VERSIONS = 1_000_000;

export const referenceTermsSchema = z.looseObject({
  kind: z.literal('reference'),
  ref_id: documentIdSchema,
  version: z
    .int()
    .min(1)
    .max(MOST_VERSIONS, `at most ${MOST_VERSIONS}: no version could follow a number without bound`)
    .describe('1, and one more for each later document of this name'),
  prev_sha256: sha256Schema.exactOptional().describe('of the message of the version before'),
  iat: instant,
  scope: scopeSchema.exactOptional(),
  values: values.exactOptional(),
  entries: z
    .array(
      z.strictObject({
        device: deviceSchema,
        log: logSchema,
        seq: z.int().min(0),
        leaf: sha256Schema,
        facts: z
          .array(z.string())
          .min(1)
          .max(256)
          .exactOptional()
          .describe('approves only these; without it every fact that is claimed there'),
      }),
    )
    .min(1)
    .max(256)
    .exactOptional()
    .describe('approves what these attestations claim as it is'),
  change_ref: z.string().exactOptional(),
  bom_sha256: sha256Schema.exactOptional(),
  admits: z
    .array(z.strictObject({ name: person, kid: sha256Schema.describe('id of the key') }))
    .min(1)
    .max(16)
    .exactOptional()
    .describe('approvers who count from now on where the configuration names them, too'),
});

export const planTermsSchema = z.looseObject({
  kind: z.literal('plan'),
  plan_id: documentIdSchema,
  iat: instant,
  type: z.enum(['change', 'curtailment']),
  scope: scopeSchema,
  ids: z.array(ruleId).min(1).max(64).describe('findings that the change causes; `config.*` stands for a group'),
  expected_after: values.exactOptional().describe('what the devices show afterwards'),
  not_before_at: instant,
  not_after_at: instant,
  ...signers,
  dispatch: z
    .strictObject({
      power_kw: z.int().min(0).exactOptional().describe('load that drops, kW'),
      dispatcher: z.string().min(1).describe('who ordered it'),
      reference: z.string().min(1).describe('number of the order'),
    })
    .exactOptional()
    .describe('dispatch record; only with type curtailment'),
});

export const waiverTermsSchema = z.looseObject({
  kind: z.literal('waiver'),
  waiver_id: documentIdSchema,
  iat: instant,
  scope: scopeSchema,
  ids: z.array(ruleId).min(1).max(64),
  reason: z.string().min(1).max(1024),
  risk: z.string().min(1).max(1024),
  expires_at: instant,
  ...signers,
});

/** What an approver signs; plans and waivers are adopted without a signature too, under the name of a person at the gateway. */
export const termsSchema = z.discriminatedUnion('kind', [referenceTermsSchema, planTermsSchema, waiverTermsSchema]);

export type Scope = z.infer<typeof scopeSchema>;
export type Schedule = z.infer<typeof scheduleSchema>;
export type ExpectedValue = z.infer<typeof expectedValueSchema>;
export type KeyClass = ExpectedValue['class'];
export type ReferenceTerms = z.infer<typeof referenceTermsSchema>;
export type Plan = z.infer<typeof planTermsSchema>;
export type Waiver = z.infer<typeof waiverTermsSchema>;
export type Terms = z.infer<typeof termsSchema>;

/** The name of the document among those of its kind. */
export const termsId = (terms: Terms): string => {
  switch (terms.kind) {
    case 'reference':
      return terms.ref_id;
    case 'plan':
      return terms.plan_id;
    case 'waiver':
      return terms.waiver_id;
  }
};

/** Longest plan that does not say what the devices show afterwards, s (catalogue §3). */
export const LONGEST_BLANKET_S = 4 * 3600;
/** Longest waiver, s (catalogue §3). A plan ends within as long from when a gateway takes it. */
export const LONGEST_TERMS_S = 90 * 86_400;

/** Ids that a plan without `expected_after` never covers. */
const NEVER_BLANKET = ['pool.user-changed', 'config.safety-weakened'];
const NEVER_BLANKET_GROUPS = ['identity', 'remote-control', 'egress', 'visibility', 'evidence'];

/** Whether an id of a document, which may stand for a group, names a finding. */
export const namesRule = (pattern: string, id: string): boolean =>
  pattern === id || (pattern.endsWith('.*') && id.startsWith(pattern.slice(0, -1)));

/** Whether a plan that does not say what the devices show afterwards may cover this finding. */
export const mayBeBlanket = (id: string): boolean =>
  !NEVER_BLANKET.includes(id) && !NEVER_BLANKET_GROUPS.some((group) => id.startsWith(`${group}.`));

/** Whether a plan does not say what the devices show afterwards, or says so of a fact in words that hold it to nothing. */
export const isBlanket = ({ expected_after: expected }: Plan): boolean =>
  expected === undefined || leftOpen(expected).length > 0;

/** What is wrong with terms beyond their shape (catalogue §3); undefined where nothing is. */
export const termsProblem = (terms: Terms): string | undefined => {
  switch (terms.kind) {
    case 'reference':
      return (terms.values ?? terms.entries ?? terms.admits) === undefined
        ? 'neither values nor entries, nor anybody whom it admits'
        : undefined;
    case 'plan':
      return planProblem(terms);
    case 'waiver':
      if (terms.expires_at <= terms.iat) return 'expires_at is not after iat';
      return terms.expires_at - terms.iat > LONGEST_TERMS_S ? 'a waiver lasts at most 90 days' : undefined;
  }
};

const planProblem = (plan: Plan): string | undefined => {
  const { not_before_at: from, not_after_at: to, ids, expected_after: expected, type, dispatch } = plan;
  if (to <= from) return 'not_after_at is not after not_before_at';
  if (dispatch !== undefined && type !== 'curtailment')
    return 'a dispatch record belongs to a plan of type curtailment';
  if (!isBlanket(plan)) return undefined;
  const what = expected === undefined ? 'a plan without expected_after' : openText(expected);
  if (to - from > LONGEST_BLANKET_S) return `${what} lasts at most 4 hours`;
  const uncovered = ids.find((id) => !mayBeBlanket(id.replace(/\.\*$/, '.')));
  return uncovered === undefined ? undefined : `${what} does not cover ${uncovered}`;
};

const openText = (expected: readonly ExpectedValue[]): string => {
  const open = leftOpen(expected).map((item) => `${item.fact} open (${opennessOf(item)?.may})`);
  return `a plan that leaves ${[...new Set(open)].join(', ')}, as one without expected_after,`;
};
