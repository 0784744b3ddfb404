import { z } from 'zod';
import type { HeartbeatState } from '../heartbeats.ts';
import { type DeviceState, type LogState, newState } from '../log-state.ts';
import { sharingLists } from '../reference.ts';
import { logEndSchema, sha256Schema } from '../statement.ts';
import type { CompactRange } from '../tree.ts';

/** The state of a log as text, for a store: written and read by the same version of this library, or a later one. */

const count = z.int().min(0);
const range = z.strictObject({ size: count, hashes: z.array(sha256Schema) });
const head = { size: count, root: sha256Schema, note: z.string() };

const stateSchema = z.strictObject({
  v: z.literal(1),
  // What was stored may be of a time when more was a name of a log.
  log: z.string(),
  kid: z.string().exactOptional(),
  start: count,
  lostFrom: count.exactOptional(),
  next: count,
  before: z
    .strictObject({ leaf: sha256Schema, bootcount: count, bootseed: z.string(), monoMs: count, iat: z.int() })
    .exactOptional(),
  range: range.exactOptional(),
  documents: z.array(z.tuple([z.string(), count])),
  retiredKeys: z.array(z.tuple([z.string(), count])),
  prior: logEndSchema.extend({ log: z.string() }).nullable().exactOptional(),
  epochIat: z.int().exactOptional(),
  latestIat: z.int(),
  heard: z.strictObject({ ...head, bootcount: count, monoMs: count }).exactOptional(),
  agreedRange: range,
  ahead: z.array(z.strictObject(head)),
  agreed: z.array(
    z.strictObject({
      size: count,
      root: sha256Schema,
      latestIat: z.int().exactOptional(),
      times: z.record(z.string(), z.int()),
    }),
  ),
  cosigned: z.strictObject({ size: count, root: sha256Schema }).exactOptional(),
  witnessed: z.strictObject({ size: count, atS: z.int() }).exactOptional(),
  proofs: z.array(z.string()),
});

type Saved = z.infer<typeof stateSchema>;

const deviceSchema = z.strictObject({
  attested: sha256Schema.exactOptional(),
  tenant: z.string().exactOptional(),
  items: z.array(
    z.strictObject({
      seq: count,
      approval: z.enum(['none', 'local', 'signed']),
      facts: z.array(z.string()).exactOptional(),
    }),
  ),
});

const b64u = (bytes: Buffer): string => bytes.toString('base64url');
const saveRange = ({ size, hashes }: CompactRange): z.infer<typeof range> => ({ size, hashes: hashes.map(b64u) });
const readRange = ({ size, hashes }: z.infer<typeof range>): CompactRange => ({
  size,
  hashes: hashes.map((each) => Buffer.from(each, 'base64url')),
});

/** The state of a log without its devices. Members that are undefined are left out by JSON. */
export const saveState = (log: LogState, heartbeats: HeartbeatState, kid: string | undefined): string =>
  JSON.stringify({
    v: 1,
    log: log.log,
    kid,
    start: log.start,
    lostFrom: log.lostFrom,
    next: log.next,
    before: log.before && { ...log.before, leaf: b64u(log.before.leaf) },
    range: log.range && saveRange(log.range),
    documents: [...log.documents],
    retiredKeys: [...log.retiredKeys],
    prior: log.prior,
    epochIat: log.epochIat,
    latestIat: log.latestIat,
    heard: heartbeats.heard,
    agreedRange: saveRange(heartbeats.range),
    ahead: heartbeats.ahead,
    agreed: heartbeats.agreed,
    cosigned: heartbeats.cosigned,
    witnessed: heartbeats.witnessed,
    proofs: heartbeats.proofs,
  });

/** The state of one device. */
export const saveDevice = (device: DeviceState | undefined): string =>
  JSON.stringify({ attested: device?.attested, tenant: device?.tenant, items: device?.items ?? [] });

const readDevice = (text: string, shared: ReturnType<typeof sharingLists>): DeviceState => {
  const { items, ...device } = deviceSchema.parse(JSON.parse(text));
  return {
    ...device,
    items: items.map(({ seq, approval, facts }) => ({ seq, approval, facts: facts && shared(facts) })),
  };
};

/** Reads a state back. Throws for one that this library did not write. */
export const readState = (
  text: string,
  devices: Iterable<readonly [string, string]>,
  window: number,
): { readonly log: LogState; readonly heartbeats: HeartbeatState; readonly kid: string | undefined } => {
  const saved: Saved = stateSchema.parse(JSON.parse(text));
  const { before } = saved;
  const shared = sharingLists();
  const log: LogState = {
    ...newState(saved.log, saved.next, window),
    start: saved.start,
    lostFrom: saved.lostFrom ?? saved.start,
    before: before && { ...before, leaf: Buffer.from(before.leaf, 'base64url') },
    range: saved.range && readRange(saved.range),
    documents: new Map(saved.documents),
    retiredKeys: new Map(saved.retiredKeys),
    prior: saved.prior,
    epochIat: saved.epochIat,
    latestIat: saved.latestIat,
    devices: new Map(Array.from(devices, ([name, device]) => [name, readDevice(device, shared)])),
  };
  const { heard, agreedRange, ahead, agreed, cosigned, witnessed, proofs } = saved;
  const heartbeats = {
    heard,
    range: readRange(agreedRange),
    ahead,
    agreed,
    cosigned,
    witnessed,
    proofs,
  };
  return { log, heartbeats, kid: saved.kid };
};
