import { z } from 'zod';
import { canonicalBytes } from '../jcs.ts';
import { logSchema, sha256Schema } from '../statement.ts';

/** The unsigned messages between collector and gateway (mqtt.md §4, §5, §8). They steer sending; none is evidence. */

const count = z.int().min(0);
const range = z.tuple([count, count]).readonly().describe('from inclusive, to exclusive');

/** How far a collector has stored a log, on `ack/<col>`. */
export const ackSchema = z.strictObject({
  log: logSchema,
  next: count.describe('number of entries from 0 that are stored'),
  leaf: sha256Schema.exactOptional().describe('leaf hash of the last of them; absent for none'),
  gap: range.exactOptional().describe('entries that are missing, asked for again'),
  stored_at: z.int().describe('Unix seconds'),
});
export type Ack = z.infer<typeof ackSchema>;

/** Presence of a gateway, on `conn`: a hint. */
export const presenceSchema = z.looseObject({
  state: z.enum(['online', 'stopped', 'lost']),
  session: z.string().max(64),
  log: logSchema,
  size: count,
  at: z.int(),
});
export type Presence = z.infer<typeof presenceSchema>;

/** A request on `cmd/<col>`. */
export const requestSchema = z.strictObject({
  id: z.string(),
  op: z.string(),
  args: z.record(z.string(), z.unknown()).readonly(),
  expires_at: z.int().describe('Unix seconds'),
});
export type Request = z.infer<typeof requestSchema>;

/** A page of the answer to `resync` on `rsp/<col>`. */
export const pageSchema = z.looseObject({
  id: z.string(),
  page: z.int().min(1),
  last: z.boolean().describe('no further page follows'),
  ok: z.literal(true),
  data: z.looseObject({ entries: z.array(z.string()).describe('verbatim messages') }),
});

/** The entries of a page; none where it is something else. */
export const entriesOfPage = (payload: Uint8Array): readonly Uint8Array[] =>
  (pageSchema.safeParse(parseJson(payload)).data?.data.entries ?? []).map((entry) => Buffer.from(entry));

/** Reads presence; undefined where it is none. */
export const parsePresence = (payload: Uint8Array): Presence | undefined =>
  presenceSchema.safeParse(parseJson(payload)).data;

/** Longer than anything that is sent: not read, as nobody signed it. */
const MOST_BYTES = 131_072;

const parseJson = (payload: Uint8Array): unknown => {
  if (payload.length > MOST_BYTES) return undefined;
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    return undefined;
  }
};

/** A message to be published with QoS 1, `application/json`. */
export interface Outgoing {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
  /** MQTT 5 message expiry, seconds. */
  readonly expiryS?: number;
}

export const outgoing = (
  topic: string,
  content: object,
  { retain = false, expiryS }: { readonly retain?: boolean; readonly expiryS?: number } = {},
): Outgoing => ({ topic, payload: canonicalBytes(content), retain, ...(expiryS === undefined ? {} : { expiryS }) });
