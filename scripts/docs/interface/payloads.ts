import { z } from 'zod';
import { checkpointSchema } from '../../../shared/checkpoint.ts';
import {
  ARGS,
  ackSchema,
  answerSchema,
  collectorPresenceSchema,
  gatewayPresenceSchema,
  requestSchema,
  rollcallSchema,
} from '../../../shared/collector/messages.ts';
import { cosignedSchema } from '../../../shared/cosignature.ts';
import { documentSchema } from '../../../shared/document.ts';
import { DETACHED, type Typ } from '../../../shared/envelope.ts';
import { epochSchema } from '../../../shared/epoch.ts';
import { trustedKeysSchema } from '../../../shared/keys.ts';
import { MAX_DEPTH, MAX_TEXT_BYTES, maxItems, maxTextBytes } from '../../../shared/model.ts';
import { notificationSchema } from '../../../shared/notification.ts';
import { signedTermsSchema } from '../../../shared/signed-terms.ts';
import { type StatementKind, statementSchema } from '../../../shared/statement.ts';
import { planTermsSchema, referenceTermsSchema, waiverTermsSchema } from '../../../shared/terms.ts';
import { manifestSchema } from '../../../shared/trust.ts';

/** What may be on the wire, or in a file that travels: one JSON Schema each, of the schema that the product reads or writes with. */
export interface Payload {
  readonly title: string;
  readonly description: string;
  readonly schema: z.ZodType;
  /** Purpose that its signature names; absent where nobody signs it. */
  readonly typ?: Typ;
  /** What the schema cannot say by itself, and the product checks beside it: JSON Schema. */
  readonly further?: object;
}

const jws = z
  .string()
  .regex(DETACHED)
  .describe(
    'header, two dots, Ed25519 signature over `<header>.<base64url of the message without this member>`; last member',
  );

type SignedShape = { readonly [member: string]: z.ZodType };

const signed = (typ: Typ, title: string, description: string, shape: SignedShape): Payload => ({
  title,
  description,
  schema: z.strictObject({ ...shape, jws }),
  typ,
});

const statement = (kind: StatementKind, description: string): Payload => {
  const found = statementSchema.options.find(({ shape }) => shape.kind.value === kind);
  if (found === undefined) throw new Error(`no statement ${kind}`);
  return signed('miner-att+jwt', `Log entry: ${kind}`, description, found.shape);
};

/** A request of each kind: what the gateway reads of any, with the arguments of this one. */
const request = z.union(
  Object.entries(ARGS).map(([op, args]) => z.strictObject({ ...requestSchema.shape, op: z.literal(op), args })),
);

/** Documents carry members of later versions, so these objects are open. */
const reference = z.union(documentSchema.options.map(({ shape }) => z.looseObject({ ...shape, jws })));

/** The same as a gateway takes them, which keeps to what it takes: open at the top only. */
const terms = (title: string, description: string, { shape }: z.ZodObject): Payload => ({
  title,
  description: `${description} The message in \`doc\` of signed terms, as gateways take it; verifiers of logs read less of it.`,
  schema: z.looseObject({ ...shape, jws }),
  typ: 'miner-ref+jwt',
});

export const PAYLOADS = {
  session: {
    ...statement(
      'session',
      'The agent started, stopped, read its configuration again, or noticed something about itself.',
    ),
    further: {
      if: {
        properties: { seq: { const: 0 }, session: { properties: { event: { const: 'start' } } } },
      },
      // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
      then: { properties: { session: { properties: { prior: {} }, required: ['prior'] } } },
    },
  },
  baseline: statement('baseline', 'Which values are approved for which devices, and by whom.'),
  change: statement('change', 'A plan or waiver entered or left force. This version writes none.'),
  attestation: statement('attestation', 'One device, one look, one appraisal.'),
  finding: statement('finding', 'One transition of one finding.'),
  coverage: statement('coverage', 'What was looked at in a period, so that silence about a device means no change.'),
  key: statement('key', 'The signing key is replaced or retired. This version writes none.'),
  checkpoint: signed(
    'miner-cp+jwt',
    'Checkpoint',
    'The head of the log: size and root of its Merkle tree. `note` is the same as a C2SP signed note.',
    checkpointSchema.shape,
  ),
  conn: {
    title: 'Presence of a gateway',
    description: 'A hint, unsigned. `online` is to be believed only while a checkpoint is younger than 15 minutes.',
    schema: gatewayPresenceSchema,
  },
  ack: {
    title: 'Acknowledgement',
    description: 'How far a collector has stored a log. Sent after its own commit.',
    schema: ackSchema,
  },
  cosig: {
    title: 'Cosigned checkpoint',
    description: 'The note of a checkpoint with a line of the gateway and one of the collector, C2SP cosignature/v1.',
    schema: cosignedSchema,
  },
  cmd: {
    title: 'Request',
    description: 'Somebody asks a gateway. Nothing that can be asked changes anything.',
    schema: request,
  },
  rsp: {
    title: 'Answer',
    description: 'A page of an answer, or a refusal. Members that are not named here are to be passed over.',
    schema: answerSchema,
  },
  collector: {
    title: 'Presence of a collector',
    description: 'Gateways start and stop sending by it. Unsigned.',
    schema: collectorPresenceSchema,
  },
  rollcall: {
    title: 'Rollcall',
    description: 'Asks every gateway to publish presence and checkpoint again.',
    schema: rollcallSchema,
  },
  epoch: signed(
    'miner-epoch+jwt',
    'Marker of time',
    'A collector says what time it is. An entry that names the marker is younger than it.',
    epochSchema.shape,
  ),
  trust: signed(
    'miner-trust+jwt',
    'Manifest of trust',
    'Which keys an authority vouches for, whose cosignatures count, and how many make an entry witnessed.',
    manifestSchema.shape,
  ),
  reference: {
    title: 'Approved document',
    description: 'What an approver signed; it stands as text in `doc` of `baseline` and `change` entries.',
    schema: reference,
    typ: 'miner-ref+jwt',
  },
  terms: {
    title: 'Signed terms',
    description:
      'A document of approvers with its signatures, for a gateway: in a file or on its topic `ref`. A bare message of one approver is taken, too.',
    schema: signedTermsSchema,
  },
  notification: {
    title: 'Notification',
    description:
      'What a target of `notify` is told: the body of a webhook, and what a command reads. Not on the broker, and signed for the receiver only.',
    schema: notificationSchema,
  },
  'reference-terms': terms('Reference', 'What devices shall show.', referenceTermsSchema),
  'plan-terms': terms('Plan', 'A change that was announced.', planTermsSchema),
  'waiver-terms': terms('Waiver', 'A finding that is tolerated for a while.', waiverTermsSchema),
  keys: {
    title: 'File of trusted keys',
    description:
      'Keys that are trusted by hand: `gateway.jwk.json` of a gateway, `alice.jwk.json` of an approver, a list of such, or keys with their roles and logs. A key speaks for the gateways in `logs` only.',
    schema: trustedKeysSchema,
  },
} as const satisfies { readonly [name: string]: Payload };

export type PayloadName = keyof typeof PAYLOADS;

export const PAYLOAD_NAMES = Object.keys(PAYLOADS) as readonly PayloadName[];

/**
 * JSON Schema 2020-12 of a payload. Bytes, depth and canonical form are beyond it (attestation.md §2, §8): lengths of texts are said in
 * characters, of which a text that is short enough never has more than bytes.
 */
export const payloadJsonSchema = (name: PayloadName): object => {
  const { title, description, schema, typ, further = {} }: Payload = PAYLOADS[name];
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    override: ({ jsonSchema }) => {
      // It is said of our type, not of the message.
      delete jsonSchema.readOnly;
    },
  });
  return {
    $comment: 'Generated by scripts/docs.ts from the schemas in shared/. Do not edit; run: npm run docs',
    $schema,
    $id: `tag:assayer.example,2026:schema/1/${name}`,
    title,
    description: typ === undefined ? description : `${description} Signed, typ ${typ}. ${LIMITS}`,
    ...(typ === undefined ? rest : limited(rest, '')),
    ...further,
  };
};

const LIMITS = `Texts have at most ${MAX_TEXT_BYTES} bytes of UTF-8 (maxLength counts characters), those named doc 20480 and note 8192; nothing is deeper than ${MAX_DEPTH}.`;

interface Node {
  readonly type?: unknown;
  readonly [word: string]: unknown;
}

/** With the limits of the data model wherever the schema has none of its own. `name` is the member that it is about. */
const limited = (schema: Node, name: string): Node => {
  const isOpenText =
    schema.type === 'string' && !['maxLength', 'pattern', 'enum', 'const'].some((word) => word in schema);
  const isOpenList = schema.type === 'array' && !('maxItems' in schema) && !('prefixItems' in schema);
  return {
    ...Object.fromEntries(Object.entries(schema).map(([word, value]) => [word, limitedBelow(word, value, name)])),
    ...(isOpenText ? { maxLength: maxTextBytes(name) } : {}),
    ...(isOpenList ? { maxItems: maxItems(name) } : {}),
  };
};

const limitedBelow = (word: string, value: unknown, name: string): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  switch (word) {
    case 'properties':
    case '$defs':
      return Object.fromEntries(Object.entries(value).map(([member, below]) => [member, limited(below, member)]));
    case 'anyOf':
    case 'oneOf':
    case 'allOf':
    case 'prefixItems':
      return (value as readonly Node[]).map((each) => limited(each, name));
    case 'items':
    case 'additionalProperties':
      return limited(value as Node, name);
    default:
      return value;
  }
};
