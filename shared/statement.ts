import { z } from 'zod';
import { FACTS, type FactRow } from './facts.ts';
import { ID } from './ids.ts';

/**
 * The statements of a log (attestation.md §3, §4): strict schemas without transforms, and the types inferred from them.
 * Sizes, depth and member names are the business of `model.ts`.
 */

export const EAT_PROFILE = 'tag:assayer.example,2026:attestation/1';

/** SHA-256 of nothing, b64u: `prev` of entry 0. */
export const NO_PREVIOUS = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';

const integer = z.int();
const count = z.int().min(0);
const instant = z.int().describe('Unix seconds');
const text = z.string();

/** 32 bytes as base64url; the two unused bits are zero. */
export const sha256Schema = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/);
/** 16 bytes as base64url; the four unused bits are zero. */
export const bytes16Schema = z.string().regex(/^[A-Za-z0-9_-]{21}[AQgw]$/);

export const deviceSchema = z.string().regex(ID);
/** `<operator-domain>/<gateway>/<incarnation>`. The incarnation is an integer that JSON can carry, and has one spelling. */
export const logSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\/[a-z0-9][a-z0-9-]{0,62}\/(?:0|[1-9][0-9]{0,15})$/)
  .refine((log) => Number.isSafeInteger(Number(log.slice(log.lastIndexOf('/') + 1))), 'incarnation above 2^53 − 1');
const labels = z.record(text, text);
const ruleId = z.string().regex(/^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$/);

const severity = z.enum(['info', 'low', 'medium', 'high', 'critical']);
const basis = z.enum(['self-reported', 'multi-surface', 'gateway-observed', 'independent', 'cryptographic', 'human']);
const approval = z.enum(['none', 'local', 'signed']);

/** A before- or after-value: text, integer, flag, a small object or a list. */
const value = z.union([
  text,
  integer,
  z.boolean(),
  z.record(text, z.unknown()).readonly(),
  z.array(z.unknown()).readonly(),
]);

// ---- members common to every statement (§3)

const clock = z.strictObject({
  state: z.enum(['synced', 'holdover', 'unsynced']),
  src: z.enum(['ntp', 'nts', 'ptp', 'gnss', 'none']),
  err_ms: count.exactOptional(),
  sync_age_s: count.exactOptional(),
});

const epoch = z.strictObject({ id: bytes16Schema, iss: text, age_s: integer });

/** Members that every statement has (§3). */
export const commonMembers = {
  eat_profile: z.literal(EAT_PROFILE),
  log: logSchema,
  seq: count,
  prev: sha256Schema.describe('leaf hash of the entry before; SHA-256 of nothing for seq 0'),
  iat: instant,
  mono_ms: count,
  bootcount: count,
  bootseed: bytes16Schema,
  clock,
  epoch: epoch.exactOptional(),
  _sd_alg: z.literal('sha-256').exactOptional(),
};

// ---- session

/** Size and root of a log. */
export const logEndSchema = z.strictObject({ log: logSchema, size: count, root: sha256Schema });

const session = z.discriminatedUnion('event', [
  z.strictObject({
    event: z.literal('start'),
    agent: z.strictObject({ name: text, version: text, sha256: sha256Schema.exactOptional() }),
    config_sha256: sha256Schema,
    host: z.strictObject({
      os: text,
      kernel: text,
      arch: text,
      manufacturer: text.exactOptional(),
      model: text.exactOptional(),
    }),
    key_protection: z.enum(['file', 'tpm2-sealed', 'external']),
    prior: logEndSchema
      .nullable()
      .exactOptional()
      .describe('end of the replaced incarnation; only, and always, at seq 0'),
    removed: z.array(deviceSchema).exactOptional(),
  }),
  z.strictObject({ event: z.literal('stop'), reason: text.exactOptional() }),
  z.strictObject({
    event: z.literal('reload'),
    config_sha256: sha256Schema,
    removed: z.array(deviceSchema).exactOptional(),
  }),
  z.strictObject({ event: z.literal('clock-step'), delta_ms: integer }),
  z.strictObject({ event: z.literal('rollback'), reason: text.exactOptional() }),
  z.strictObject({ event: z.literal('storage'), reason: text.exactOptional() }),
]);

// ---- baseline, change

const citations = z
  .array(
    z.strictObject({
      device: deviceSchema,
      seq: count.describe('of the attestation whose claims are adopted'),
      facts: z.array(text).min(1).exactOptional().describe('limits the item to these'),
      log: logSchema.exactOptional().describe('former incarnation that holds the attestation'),
    }),
  )
  .min(1)
  .max(256);

/** `doc` is missing where a redacted fact is named in it (§9). */
const signedDocument = { sha256: sha256Schema, doc: text.exactOptional(), sigs: z.array(text).exactOptional() };

const baseline = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('learned'), approval: z.literal('none'), devices: citations }),
  z.strictObject({
    action: z.literal('accepted'),
    approval: z.literal('local'),
    by: text,
    note: text.exactOptional(),
    devices: citations,
  }),
  z.strictObject({
    action: z.literal('adopted'),
    approval: z.literal('signed'),
    ref_id: text,
    version: count,
    ...signedDocument,
  }),
  z.strictObject({ action: z.literal('withdrawn'), seq: count, by: text.exactOptional().describe('who withdrew it') }),
]);

const change = z.strictObject({
  action: z.enum(['adopted', 'closed', 'expired']),
  type: z.enum(['plan', 'waiver']),
  id: text,
  sha256: sha256Schema.exactOptional(),
  doc: text.exactOptional(),
  sigs: z.array(text).exactOptional(),
  by: text.exactOptional(),
  terms: z.record(text, z.unknown()).readonly().exactOptional(),
});

// ---- attestation

const claimOf: { readonly [Type in FactRow['type']]: z.ZodType } = {
  text,
  integer,
  boolean: z.boolean(),
  'text list': z.array(text),
  'integer list': z.array(integer),
  'object list': z.array(z.record(text, z.unknown())),
};

const slots = z.array(
  z.looseObject({
    slot: count,
    url: text,
    user: text.exactOptional(),
    priority: integer,
    quota: integer.exactOptional(),
    share_ppm: integer.exactOptional(),
    tls: z.boolean().exactOptional(),
    proxy: text.exactOptional(),
    status: text.exactOptional(),
    active: z.boolean().exactOptional(),
  }),
);

/**
 * The facts as nested objects, dots are the path. The only open objects: facts of a later version and the traces of
 * redaction (`_sd`, `…_pid`) are carried. A fact known here has its type.
 */
const nestedFacts = (): z.ZodType<{ readonly [name: string]: unknown }> => {
  const top: { [name: string]: z.ZodType } = {};
  const groups: { [name: string]: { [name: string]: z.ZodType } } = {};
  for (const [fact, row] of Object.entries(FACTS)) {
    const [group = '', name] = fact.split('.');
    if (name === undefined) top[group] = claimOf[row.type].exactOptional();
    else {
      groups[group] ??= {};
      groups[group][name] = claimOf[row.type].exactOptional();
    }
  }
  for (const [group, members] of Object.entries(groups)) top[group] = z.looseObject(members).exactOptional();
  return z.looseObject({ ...top, pools: slots.exactOptional() });
};

const raw = z.array(
  z.strictObject({
    query: text,
    bytes: count,
    sha256: sha256Schema.describe('of the reply as kept, secrets masked'),
    repairs: z.array(text).exactOptional(),
  }),
);

const evidence = z.strictObject({
  address: text.exactOptional(),
  claims: nestedFacts().exactOptional().describe('absent where the device was unreachable'),
  observed_at: instant.exactOptional(),
  raw,
  readings: z.record(
    text,
    z.string().regex(/^(?:absent|unknown: (?:unreachable|timeout|refused|truncated|unreadable))$/),
  ),
  sanitized: z.array(text).exactOptional(),
  trigger: z.enum(['first', 'change', 'refresh', 'demand', 'unreachable']),
});

const failedCheck = z.strictObject({
  id: ruleId,
  basis,
  severity,
  part: text.exactOptional(),
  obs: value.exactOptional(),
  ref: value.exactOptional(),
  obs_pid: bytes16Schema.exactOptional(),
  ref_pid: bytes16Schema.exactOptional(),
});

const appraisal = z.strictObject({
  assurance: z.enum(['none', 'self-reported', 'corroborated', 'device-bound']),
  conformance: z.enum(['unreachable', 'deviation', 'unbaselined', 'partial', 'match']),
  ear_status: z.enum(['none', 'affirming', 'warning', 'contraindicated']),
  ear_trustworthiness_vector: z.strictObject({
    'instance-identity': integer.exactOptional(),
    configuration: integer.exactOptional(),
    executables: integer.exactOptional(),
    'file-system': integer.exactOptional(),
    hardware: integer.exactOptional(),
    'runtime-opaque': integer.exactOptional(),
    'storage-opaque': integer.exactOptional(),
    'sourced-data': integer.exactOptional(),
  }),
  failed: z.array(failedCheck),
  not_run: z.array(z.strictObject({ id: ruleId, reason: text })),
  passed: z.partialRecord(basis, z.array(ruleId)),
});

const subject = z.strictObject({
  device: deviceSchema,
  labels: labels.exactOptional(),
  formerly: deviceSchema.exactOptional(),
});

const reference = z.strictObject({ approval, seqs: z.array(count).min(1) });

// ---- finding, coverage, key

const finding = z.strictObject({
  id: ruleId,
  opened_seq: count,
  state: z.enum(['open', 'acknowledged', 'waived', 'approved', 'resolved', 'incident-closed']),
  severity,
  severity_base: severity,
  basis,
  rule_version: count,
  device: deviceSchema.exactOptional(),
  labels: labels.exactOptional(),
  devices: z.array(deviceSchema).max(256).exactOptional(),
  count: count.exactOptional(),
  part: text.exactOptional(),
  before: value.exactOptional(),
  after: value.exactOptional(),
  last_seen: value
    .exactOptional()
    .describe('what the device showed before, where the reference says another in `before`'),
  before_pid: bytes16Schema.exactOptional(),
  after_pid: bytes16Schema.exactOptional(),
  last_seen_pid: bytes16Schema.exactOptional(),
  reasons: z.array(text).exactOptional(),
  first_observed_at: instant,
  before_at: instant
    .exactOptional()
    .describe('when `last_seen`, else `before`, was last seen; absent where nobody saw it'),
  after_at: instant
    .exactOptional()
    .describe(
      'since when it shows this `after`, where the finding began with another; of a parent: since when the last of its devices does',
    ),
  confirmed_at: instant.exactOptional(),
  resolved_at: instant.exactOptional(),
  evidence: z.array(count),
  raw: raw.exactOptional(),
  surfaces: z.array(text),
  not_observed: z.array(text).exactOptional(),
  reference: reference.exactOptional(),
  plan: count.exactOptional(),
  waiver: count.exactOptional(),
  parent: count.exactOptional(),
  by: text.exactOptional(),
  flapping: count.exactOptional(),
});

const coverage = z.strictObject({
  from_at: instant,
  to_at: instant,
  scope: z.string().regex(/^(?:gateway|tenant:.+)$/),
  expected: count,
  observed: count,
  unreachable: count,
  missed: count,
  missed_devices: z.array(deviceSchema).max(256).exactOptional(),
  polls: z.record(text, z.strictObject({ due: count, ok: count })),
  state_sha256: sha256Schema,
});

/** A public Ed25519 key as JWK. `keys.ts` checks that it is a point and not of low order. */
export const jwkSchema = z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: sha256Schema });

const key = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('rotate'), next_jwk: jwkSchema, pop: text }),
  z.strictObject({ action: z.literal('retire') }),
]);

// ---- the statements

const sessionStatement = z.strictObject({ ...commonMembers, kind: z.literal('session'), session });
const baselineStatement = z.strictObject({ ...commonMembers, kind: z.literal('baseline'), baseline });
const changeStatement = z.strictObject({ ...commonMembers, kind: z.literal('change'), change });
const findingStatement = z.strictObject({ ...commonMembers, kind: z.literal('finding'), finding });
const coverageStatement = z.strictObject({ ...commonMembers, kind: z.literal('coverage'), coverage });
const keyStatement = z.strictObject({ ...commonMembers, kind: z.literal('key'), key });
const attestationStatement = z.strictObject({
  ...commonMembers,
  kind: z.literal('attestation'),
  subject,
  evidence,
  reference: reference.exactOptional(),
  appraisal,
});

export const statementSchema = z.discriminatedUnion('kind', [
  sessionStatement,
  baselineStatement,
  changeStatement,
  attestationStatement,
  findingStatement,
  coverageStatement,
  keyStatement,
]);

/** One transition of a finding, as it stands in a statement. */
export const findingSchema = findingStatement.shape.finding;

export type Statement = z.infer<typeof statementSchema>;
export type SessionStatement = z.infer<typeof sessionStatement>;
export type BaselineStatement = z.infer<typeof baselineStatement>;
export type ChangeStatement = z.infer<typeof changeStatement>;
export type AttestationStatement = z.infer<typeof attestationStatement>;
export type FindingStatement = z.infer<typeof findingStatement>;
export type CoverageStatement = z.infer<typeof coverageStatement>;
export type KeyStatement = z.infer<typeof keyStatement>;

export type StatementKind = Statement['kind'];

type CommonMember = keyof typeof commonMembers;

/** The members that every statement has. */
export type CommonMembers = Pick<SessionStatement, CommonMember>;

/** A statement without the common members: what is said, before the log numbers, dates and chains it. `kind` stays. */
export type Content<Of extends Statement = Statement> = Of extends Statement ? Omit<Of, CommonMember> : never;
export type SessionContent = Content<SessionStatement>;
export type BaselineContent = Content<BaselineStatement>;
export type ChangeContent = Content<ChangeStatement>;
export type AttestationContent = Content<AttestationStatement>;
export type FindingContent = Content<FindingStatement>;
export type CoverageContent = Content<CoverageStatement>;
export type KeyContent = Content<KeyStatement>;

export type ClockState = CommonMembers['clock'];
export type Claims = { readonly [name: string]: unknown };
export type Appraisal = AttestationStatement['appraisal'];
export type FailedCheck = Appraisal['failed'][number];
export type Evidence = AttestationStatement['evidence'];
export type LogEnd = z.infer<typeof logEndSchema>;
export type Jwk = z.infer<typeof jwkSchema>;
