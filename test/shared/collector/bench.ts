import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import {
  type Ack,
  type Arrived,
  ackSchema,
  Collector,
  type CollectorOptions,
  type CommonMembers,
  gatewayOf,
  type Jwk,
  jwkOf,
  leafHash,
  MemoryStore,
  type Notice,
  parseTrustedKeys,
  type Report,
  type Signer,
  signerOf,
  signHeartbeat,
  toBase64url,
  treeRoot,
} from '../../../shared/index.ts';
import { knownAnswers } from '../vectors.ts';
import { attestation, finding, learned, start, stateOf, stop, Writing } from '../writing.ts';

/** What the tests of the collector have in common: a gateway that writes a log, and a collector at a store in memory. */

export const NOW = 1795339300_000;
export const LOG = 'example.org/gw-test/1';
export const TOPIC = 'attest/v1/gw-test/log';
export const keys = parseTrustedKeys(knownAnswers.jwk);

/** A signer with its JWK, from a seed of one repeated byte. */
export const keyOf = (byte: number): Signer & { readonly jwk: Jwk } => {
  const seed = Buffer.alloc(32, byte).toString('hex');
  const key = createPrivateKey({
    format: 'der',
    type: 'pkcs8',
    key: Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex'),
  });
  return { ...signerOf(key), jwk: jwkOf(key) };
};

/** Opens a collector; what is not said is as simple as it can be. */
export const open = (options: Partial<CollectorOptions> = {}): Promise<Collector> =>
  Collector.open({ id: 'collector-a', store: new MemoryStore(), trust: { kind: 'keys', keys }, ...options });

export const arrived = (payload: Uint8Array, topic = TOPIC): Arrived => ({ topic, payload });

/** A log of every kind of entry: devices come, are learned, found wanting and covered. */
export const eventful = (entries: number, log = LOG): Writing => {
  const writing = new Writing(log);
  writing.write(start());
  const attested = new Map<string, string>();
  for (let seq = 1; seq < entries; seq += 1) {
    const device = `rig-${Math.floor(seq / 5) % 3}`;
    const last = Number(attested.get(`${device} seq`) ?? 0);
    switch (seq % 5) {
      case 1:
        writing.write(attestation(device));
        attested.set(device, writing.leaf(seq)).set(`${device} seq`, String(seq));
        break;
      case 2:
        writing.write(last > 0 ? learned(device, last) : stop);
        break;
      case 3:
        writing.write(last > 0 ? finding({ device, evidence: [last], opened_seq: seq }) : stop);
        break;
      case 4:
        writing.write(coverage(attested));
        break;
      default:
        writing.write(stop);
    }
  }
  return writing;
};

const coverage = (attested: ReadonlyMap<string, string>) => {
  const pairs = [...attested].filter(([name]) => !name.includes(' ')).sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    kind: 'coverage',
    coverage: {
      from_at: 1795338300,
      to_at: 1795339200,
      scope: 'gateway',
      expected: pairs.length,
      observed: pairs.length,
      unreachable: 0,
      missed: 0,
      polls: { pools: { due: 15, ok: 15 } },
      state_sha256: stateOf(pairs),
    },
  } as const;
};

/** A plain log. */
export const plain = (entries: number, log = LOG): Writing => {
  const writing = new Writing(log);
  writing.write(start());
  for (let seq = 1; seq < entries; seq += 1) writing.write(stop);
  return writing;
};

/** Root, b64u, of the first entries of a log. */
export const rootOf = ({ messages }: Writing, size: number): string =>
  toBase64url(treeRoot(messages.slice(0, size).map(leafHash)));

/** A heartbeat of a log at a size; `members` say what is different about it. */
export const heartbeat = (
  log: Writing,
  size: number,
  {
    signer = gatewayKey,
    root = rootOf(log, size),
    first = 0,
    ...members
  }: Partial<CommonMembers> & {
    readonly signer?: Signer & { readonly jwk: Jwk };
    readonly root?: string;
    readonly first?: number;
  } = {},
): Arrived => {
  const { seq: _seq, prev: _prev, log: origin, ...common } = log.next;
  const payload = signHeartbeat({ log: origin, size, root, first }, { ...common, mono_ms: beat++, ...members }, signer);
  return { topic: `attest/v1/${gatewayOf(origin).split('/')[1]}/cp`, payload };
};

// Every heartbeat is later than the one before, as those of a gateway are.
let beat = 1_000_000;

export const gatewayKey: Signer & { readonly jwk: Jwk } = (() => {
  const key = createPrivateKey({
    format: 'der',
    type: 'pkcs8',
    key: Buffer.from(
      '302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'hex',
    ),
  });
  return { ...signerOf(key), jwk: jwkOf(key) };
})();

export const acksOf = ({ publish }: Report): readonly Ack[] =>
  publish
    .filter(({ topic }) => topic.includes('/ack/'))
    .map(({ payload }) => ackSchema.parse(JSON.parse(payload.toString())));

/** Number and status of each verdict, with its codes. */
export const verdictsOf = ({ verdicts }: Report): readonly string[] =>
  verdicts.map(({ statement, status, remarks }) =>
    [statement?.seq, status, ...remarks.map(({ code }) => code)].filter((word) => word !== undefined).join(' '),
  );

export const noticesOf = <Kind extends Notice['kind']>(
  { notices }: Report,
  kind: Kind,
): readonly (Notice & { kind: Kind })[] =>
  notices.filter((each): each is Notice & { kind: Kind } => each.kind === kind);

/** Codes of the remarks on checkpoints. */
export const checkpointCodes = (report: Report): readonly string[] =>
  noticesOf(report, 'checkpoint').flatMap(({ remarks }) => remarks.map(({ code }) => code));

/** The store holds the messages of the log in order, each once, all of them good. */
export const assertWhole = (store: MemoryStore, { messages, next }: Writing): void => {
  const entries = store.all(next.log);
  assert.deepEqual(
    entries.map(({ seq, status, bytes }) => `${seq} ${status} ${toBase64url(leafHash(bytes))}`),
    messages.map((message, seq) => `${seq} chained ${toBase64url(leafHash(message))}`),
  );
};
