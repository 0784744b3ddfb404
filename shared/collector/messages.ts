import { z } from 'zod';
import type { Publishing } from '../channels.ts';
import { canonicalBytes } from '../jcs.ts';
import { deviceSchema, logSchema, sha256Schema } from '../statement.ts';
import { parseUnsigned } from '../unsigned.ts';

/** The unsigned messages between collector and gateway (mqtt.md §4, §5, §8). They steer sending; none is evidence. */

const count = z.int().min(0);
const instant = z.int().describe('Unix seconds');
const range = z.tuple([count, count]).readonly().describe('from inclusive, to exclusive');

/** How far a collector has stored a log, on `ack/<col>`. */
export const ackSchema = z.strictObject({
  log: logSchema,
  next: count.describe('number of entries from 0 that are stored'),
  leaf: sha256Schema.exactOptional().describe('leaf hash of the last of them; absent for none'),
  gap: range.exactOptional().describe('entries that are missing, asked for again'),
  head: z
    .string()
    .exactOptional()
    .describe('the last of them, byte for byte: only for a gateway that says that this collector contradicts its log'),
  stored_at: instant,
});
export type Ack = z.infer<typeof ackSchema>;

const state = z
  .enum(['online', 'stopped', 'lost'])
  .describe('`stopped`: it left; `lost`: its will, told by the broker');

/** Presence of a gateway, on `conn`, as far as a collector heeds it: a hint. */
export const presenceSchema = z.looseObject({
  state,
  session: z.string().max(64).describe('an end counts only if it is that of the newest `online`'),
  log: logSchema,
  size: count.describe('entries in the log'),
  contradicted_by: z
    .array(z.string())
    .readonly()
    .exactOptional()
    .describe('collectors whose acknowledgement does not fit this log: each acknowledges once more, with `head`'),
  at: instant,
});
export type Presence = z.infer<typeof presenceSchema>;

/** Presence as a gateway says it. */
export const gatewayPresenceSchema = z.looseObject({
  ...presenceSchema.shape,
  agent: z.string().describe('version'),
  proto: z.literal(1),
  unconfirmed: z
    .literal(true)
    .exactOptional()
    .describe('no collector is required: what a broker acknowledged may still be lost'),
  confirmed: count.exactOptional().describe('entries from 0 that every required collector has stored'),
  held: z.string().exactOptional().describe('code of why entries wait, while they do'),
  insecure: z.literal(true).exactOptional().describe('the connection has no TLS'),
  retained: z.literal(false).exactOptional().describe('this broker keeps no retained messages'),
});
export type GatewayPresence = z.infer<typeof gatewayPresenceSchema>;

/** Presence of a collector, on `_fleet/collector/<col>`: gateways start and stop sending by it. */
export const collectorPresenceSchema = z.looseObject({
  state,
  session: z.string().max(256).describe('another one for each connection; an end of another session is stale'),
  at: instant,
});
export type CollectorPresence = z.infer<typeof collectorPresenceSchema>;

/** On `_fleet/rollcall/<col>`: every gateway says again where it stands. */
export const rollcallSchema = z.looseObject({ at: instant });
export type Rollcall = z.infer<typeof rollcallSchema>;

/** A request on `cmd/<col>`. */
export const requestSchema = z.strictObject({
  id: z.string().max(128).describe('another one for each request; the answer brings it back'),
  op: z.string(),
  args: z.record(z.string(), z.unknown()).readonly(),
  expires_at: instant.describe('Unix seconds; a minute from now is plenty'),
});
export type Request = z.infer<typeof requestSchema>;

const nothing = z.looseObject({});

/** What can be asked for, and with which arguments. */
export const ARGS = {
  resync: z.strictObject({
    from: count.describe('first entry'),
    to: z.int().min(1).describe('the one after the last'),
  }),
  tiles: z.strictObject({
    from: count.describe('entries whose tree is known'),
    to: z.int().min(1).describe('entries up to which the tree is to be known'),
  }),
  status: nothing,
  observe: z.strictObject({ devices: z.array(deviceSchema).min(1).max(50).describe('to be looked at now') }),
  checkpoint: nothing,
} as const;
export type Op = keyof typeof ARGS;

/** Two for each level of the largest tree. */
const MOST_TILES = 108;

/** What an answer on `rsp/<col>` brings, by what was asked for. */
export const DATA = {
  resync: z.looseObject({
    entries: z.array(z.string()).readonly().describe('messages byte for byte, each a text of its own'),
  }),
  tiles: z.looseObject({
    log: logSchema,
    from: count,
    to: count,
    hashes: z
      .array(sha256Schema)
      .max(MOST_TILES)
      .readonly()
      .describe(
        'roots of the largest complete subtrees side by side over the leaves from `from` to below `to`; a signed checkpoint shows whether they are true',
      ),
  }),
  status: z.looseObject({
    agent: z.string().describe('version'),
    log: logSchema,
    size: count.describe('entries in the log'),
    sent: count.describe('entries that a broker acknowledged'),
    rate: z.int().describe('most entries a second'),
    collectors: z
      .array(z.looseObject({ collector: z.string(), state: z.enum(['online', 'away']), confirmed: count }))
      .readonly(),
    held: z.string().exactOptional().describe('code of why entries wait, while they do'),
    last_error_at: instant.exactOptional(),
  }),
  observe: z.looseObject({ asked: z.array(deviceSchema).readonly(), unknown: z.array(deviceSchema).readonly() }),
  checkpoint: z.looseObject({ size: count.describe('of the checkpoint that was published on `cp`') }),
} as const satisfies { readonly [Name in Op]: z.ZodType };
export type Data<Of extends Op = Op> = z.infer<(typeof DATA)[Of]>;

const answered = {
  id: z.string(),
  page: z.int().min(1),
  last: z.boolean().describe('no further page follows'),
  ok: z.literal(true),
};

/** A page of the answer to `resync` on `rsp/<col>`. */
export const pageSchema = z.looseObject({ ...answered, data: DATA.resync });

export const REFUSALS = ['E_OP', 'E_ARGS', 'E_BUSY', 'E_REPLY_TOPIC', 'E_SIZE', 'E_STORE'] as const;

/** Why a request is not carried out. */
export type Refusal = (typeof REFUSALS)[number];

/** Any answer on `rsp/<col>`. */
export const answerSchema = z.union([
  z.looseObject({ ...answered, data: z.union(Object.values(DATA)) }),
  z.looseObject({ id: z.string(), ok: z.literal(false), code: z.enum(REFUSALS) }),
]);
export type Answer = z.infer<typeof answerSchema>;

/** An answer as it came, with the request that it names: anybody who may publish there chose every byte of it. */
export interface Answered {
  readonly id: string;
  readonly content: unknown;
}

/** Reads an answer as far as which request it names; undefined where it names none. */
export const parseAnswered = (payload: Uint8Array): Answered | undefined => {
  const content = parseUnsigned(payload);
  const id = answeredSchema.safeParse(content).data?.id;
  return id === undefined ? undefined : { id, content };
};

const answeredSchema = z.looseObject({ id: z.string().max(128) });

/** The entries of a page; none where it is something else. */
export const entriesOfPage = ({ content }: Answered): readonly string[] =>
  pageSchema.safeParse(content).data?.data.entries ?? [];

/** What an answer to `tiles` brings; undefined where it is something else. */
export const tilesOf = ({ content }: Answered): Data<'tiles'> | undefined =>
  z.looseObject({ ...answered, data: DATA.tiles }).safeParse(content).data?.data;

/** Reads the presence of a gateway or of a collector, as far as both say the same; undefined where it is none. */
export const parseAnyPresence = (payload: Uint8Array): CollectorPresence | undefined =>
  collectorPresenceSchema.safeParse(parseUnsigned(payload)).data;

/** Reads the presence of a gateway; undefined where it is none. */
export const parsePresence = (payload: Uint8Array): Presence | undefined =>
  presenceSchema.safeParse(parseUnsigned(payload)).data;

/** A message to be published with QoS 1, `application/json`; where it would have to wait for answers and is `prompt`, with QoS 0. */
export interface Outgoing {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
  /** MQTT 5 message expiry, seconds. */
  readonly expiryS?: number;
  /** Worth nothing when it is late: a later one says more, and it is said again. */
  readonly prompt?: true;
}

export const outgoing = (
  topic: string,
  content: object,
  { retain, expiryS, prompt }: Publishing & Pick<Outgoing, 'prompt'>,
): Outgoing => ({
  topic,
  payload: canonicalBytes(content),
  retain,
  ...(expiryS === undefined ? {} : { expiryS }),
  ...(prompt === undefined ? {} : { prompt }),
});
