/**
 * A collector in one file: verifies what gateways publish, stores it, and only then acknowledges it.
 *
 *   npm install mqtt
 *   node collector.ts mqtt://127.0.0.1:1883 --id collector-a --trust example.org/gw-1=gateway.jwk.json --store entries.db
 *
 * It needs Node 24 or newer, and of packages `mqtt` only. It prints one JSON object a line. With --observer it is a collector
 * that no gateway waits for: it acknowledges nothing and asks for what it lacks. It shares no code with assayer.
 */
import { createHash, createPublicKey, type KeyObject, randomUUID, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import mqtt from 'mqtt';

const PROFILE = 'tag:assayer.example,2026:attestation/1';
const MOST_BYTES = 32_768;
const MOST_DEPTH = 8;
/** Messages above a gap, for each log. */
const MOST_HELD = 1_000;
/** Logs of one gateway: whoever has its key can name any number. */
const MOST_LOGS = 256;
/** Entries in one request. */
const MOST_ASKED = 1_000;
/** Messages in one transaction. */
const BATCH = 500;
/** Messages that arrived; more are dropped, and come again. */
const MOST_WAITING = 10_000;
/** Alarms that are kept: whoever can publish can make them. */
const MOST_ALARMS = 10_000;
const TURN_MS = 100;
const ASK_AFTER_MS = 2_000;
const ASK_AGAIN_MS = 30_000;
const ACK_EVERY_MS = 200;
const ACK_IDLE_MS = 60_000;
const PRESENCE_MS = 300_000;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    id: { type: 'string', default: 'collector-a' },
    trust: { type: 'string', multiple: true, default: [] },
    store: { type: 'string', default: 'entries.db' },
    observer: { type: 'boolean', default: false },
    prefix: { type: 'string', default: 'attest' },
    mqtt5: { type: 'boolean', default: false },
    ca: { type: 'string' },
    cert: { type: 'string' },
    key: { type: 'string' },
  },
});
const [url = 'mqtt://127.0.0.1:1883'] = positionals;

const lines: string[] = [];
const say = (event: string, members: object): void => void lines.push(JSON.stringify({ event, ...members }));
/** After the commit: what is printed is true. */
const printLines = (): void => {
  for (const line of lines.splice(0)) console.log(line);
};
const nowS = (): number => Math.floor(Date.now() / 1000);
const nowMs = (): number => performance.now();

// ---- one message: steps 1 to 7

/** The message is kept out; the text is the code. */
class Refused extends Error {}

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const fromBase64url = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'base64url');
  // Unused bits that are not zero: another text for the same bytes.
  if (bytes.toString('base64url') !== text) throw new Refused('E_ENVELOPE');
  return bytes;
};

type Json = { readonly [name: string]: unknown };

const parse = (bytes: Uint8Array): Json | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    return typeof value === 'object' && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
};

/** RFC 8785. JSON.stringify writes numbers and texts as it asks; only the members have to be sorted. */
const canonical = (value: unknown, depth = 1): string => {
  if (typeof value === 'string' && !value.isWellFormed()) throw new Refused('E_NONCANONICAL');
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new Refused('E_SCHEMA');
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (depth > MOST_DEPTH) throw new Refused('E_SCHEMA');
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join()}]`;
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member, depth + 1)}`).join()}}`;
};

/** A trusted key: of `<operator>/<gateway>`, and of no other. */
interface Trusted {
  readonly scope: string;
  readonly key: KeyObject;
}

/** The trusted keys by their RFC 7638 thumbprint, which is their `kid`. */
const keys = new Map<string, Trusted>(
  options.trust.map((trusted) => {
    const [scope = '', file] = trusted.split(/=(.*)/s);
    if (file === undefined)
      throw new Error(`--trust ${trusted}: which gateway is the key of? <operator>/<gateway>=<file>`);
    const { kty, crv, x } = JSON.parse(readFileSync(file, 'utf8'));
    const jwk = { crv, kty, x };
    const kid = sha256(Buffer.from(canonical(jwk))).toString('base64url');
    return [kid, { scope, key: createPublicKey({ format: 'jwk', key: jwk }) }];
  }),
);

const ENVELOPE = /,"jws":"([A-Za-z0-9_-]{1,512})\.\.([A-Za-z0-9_-]{86})"\}$/;
const LOG = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\/([a-z0-9][a-z0-9-]{0,62})\/(0|[1-9][0-9]{0,15})$/;
/** A log is named by the seconds at which it begins. One that is far ahead of them would be the newest for ever. */
const AHEAD_S = 86_400;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const isUtf8 = (bytes: Uint8Array): boolean => {
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
};

interface Statement extends Json {
  readonly log: string;
}

/** The statement in a message that a trusted key signed for this purpose, about a log of its own. */
const verified = (message: Buffer, typ: string, gateway: string): Statement => {
  if (message.length > MOST_BYTES) throw new Refused('E_SIZE');
  if (message[0] !== 0x7b || !isUtf8(message)) throw new Refused('E_ENCODING');
  const [end, header, signature] = ENVELOPE.exec(message.subarray(-700).toString('latin1')) ?? [];
  if (end === undefined || header === undefined || signature === undefined) throw new Refused('E_ENVELOPE');
  const signatureBytes = fromBase64url(signature);
  // What is signed is cut out of the received bytes, never written anew.
  const content = Buffer.concat([message.subarray(0, -end.length), Buffer.from('}')]);
  const trusted = keys.get(kidOf(fromBase64url(header), typ));
  if (trusted === undefined) throw new Refused('E_KEY_UNKNOWN');
  const signed = Buffer.from(`${header}.${content.toString('base64url')}`);
  if (!verify(null, signed, trusted.key, signatureBytes)) throw new Refused('E_SIGNATURE');
  const statement = parse(content);
  if (statement === undefined) throw new Refused('E_JSON');
  if (canonical(statement) !== content.toString()) throw new Refused('E_NONCANONICAL');
  if (statement.eat_profile !== PROFILE) throw new Refused('E_PROFILE');
  const { log } = statement;
  if (typeof log !== 'string' || !LOG.test(log)) throw new Refused('E_SCHEMA');
  if (gatewayOf(log) !== gateway) throw new Refused('E_TOPIC');
  if (log.slice(0, log.lastIndexOf('/')) !== trusted.scope) throw new Refused('E_KEY_SCOPE');
  if (incarnationOf(log) > Date.now() / 1000 + AHEAD_S) throw new Refused('E_INCARNATION');
  return { ...statement, log };
};

/** The key that signed a message which was verified. */
const signerOf = (message: Buffer): string => {
  const [, header = ''] = ENVELOPE.exec(message.subarray(-700).toString('latin1')) ?? [];
  return String(parse(fromBase64url(header))?.kid);
};

/** The header is exactly alg, kid and typ. The key it names is not trusted by that. */
const kidOf = (header: Buffer, typ: string): string => {
  const { alg, kid, typ: purpose } = parse(header) ?? {};
  if (typeof kid !== 'string' || canonical({ alg, kid, typ: purpose }) !== header.toString()) {
    throw new Refused('E_HEADER');
  }
  if (alg !== 'Ed25519') throw new Refused('E_ALG');
  if (purpose !== typ) throw new Refused('E_TYP');
  return kid;
};

/** A member that has to be a number from 0. The JSON Schemas say what else a statement has. */
const whole = (statement: Statement, name: string): number => {
  const value = statement[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Refused('E_SCHEMA');
  return value as number;
};

const leafOf = (message: Uint8Array): Buffer => sha256(Buffer.of(0), message);

// ---- a log: its chain and its tree

/** The Merkle tree of RFC 6962 as its right edge: complete subtrees, the largest first. */
class Tree {
  size = 0;
  readonly #edge: { readonly leaves: number; readonly hash: Buffer }[] = [];

  append(leaf: Buffer): void {
    let node = { leaves: 1, hash: leaf };
    for (let left = this.#edge.at(-1); left?.leaves === node.leaves; left = this.#edge.at(-1)) {
      this.#edge.pop();
      node = { leaves: node.leaves * 2, hash: sha256(Buffer.of(1), left.hash, node.hash) };
    }
    this.#edge.push(node);
    this.size += 1;
  }

  root(): Buffer {
    const [last, ...before] = this.#edge.toReversed();
    return before.reduce((right, left) => sha256(Buffer.of(1), left.hash, right), last?.hash ?? sha256());
  }
}

interface Checkpoint {
  readonly size: number;
  readonly root: unknown;
  readonly message: Buffer;
}

class Log {
  readonly name: string;
  readonly gateway: string;
  readonly incarnation: number;
  next: number;
  /** Of the entry before `next`. */
  leaf: Buffer | undefined;
  /** The key that signed the newest entry; undefined while there is no entry. */
  kid: string | undefined;
  /** Messages above a gap, by seq. */
  held = new Map<number, Buffer>();
  /** As far as checkpoints agreed; none where the log was not read from its beginning. */
  tree: Tree | undefined;
  /** The newest that waits for its entries. */
  checkpoint: Checkpoint | undefined;
  newest = { bootcount: 0, monoMs: 0 };
  askAtMs = 0;
  ackedMs = Number.NEGATIVE_INFINITY;

  constructor(name: string, next = 0, leaf?: Buffer, complete = true, kid?: string) {
    this.name = name;
    this.gateway = gatewayOf(name);
    this.incarnation = incarnationOf(name);
    this.next = next;
    this.leaf = leaf;
    this.kid = kid;
    this.tree = complete ? new Tree() : undefined;
  }

  missing(): readonly [from: number, to: number] | undefined {
    const to = this.held.size > 0 ? Math.min(...this.held.keys()) : (this.checkpoint?.size ?? 0);
    return to > this.next ? [this.next, to] : undefined;
  }
}

const gatewayOf = (log: string): string => LOG.exec(log)?.[1] ?? '';

const incarnationOf = (log: string): number => Number(LOG.exec(log)?.[2]);

// ---- the store

const db = new DatabaseSync(options.store);
db.exec(`pragma journal_mode = wal;
  pragma synchronous = full;
  create table if not exists entry (log text, seq integer, leaf blob, bytes blob, status text,
    primary key (log, seq)) without rowid;
  create table if not exists alarm (at integer, code text, topic text, bytes blob,
    unique (code, bytes) on conflict ignore);`);
const ends = db.prepare('select log, max(seq) as seq, leaf, count(*) as count, bytes from entry group by log');
const insertEntry = db.prepare('insert into entry values (?, ?, ?, ?, ?)');
const entryAt = db.prepare('select leaf, bytes from entry where log = ? and seq = ?');
const leavesBetween = db.prepare('select leaf from entry where log = ? and seq >= ? and seq < ? order by seq');
const insertAlarm = db.prepare(
  `insert into alarm select ?, ?, ?, ? where (select count(*) from alarm) < ${MOST_ALARMS}`,
);

const bytes = (column: unknown): Buffer => Buffer.from(column as Uint8Array);

const logs = new Map<string, Log>();
for (const { log, seq, leaf, count, bytes: message } of ends.all()) {
  const next = Number(seq) + 1;
  logs.set(String(log), new Log(String(log), next, bytes(leaf), count === next, signerOf(bytes(message))));
}
/** Gateways that are to hear how far their newest log is here. */
const due = new Set<string>();
/** Gateways that believe their own signature only. */
const doubting = new Set<string>();
/** The session in which each gateway was heard last. */
const sessionOf = new Map<string, unknown>();

const logsOf = (gateway: string): readonly Log[] => [...logs.values()].filter((log) => log.gateway === gateway);

const logOf = (name: string): Log => {
  const log = logs.get(name) ?? new Log(name);
  if (!logs.has(name)) makeRoom(log.gateway);
  logs.set(name, log);
  return log;
};

/** A log without an entry makes room for another one; the others are in the store. */
const makeRoom = (gateway: string): void => {
  // What a key signed that is not trusted any more takes no room.
  const beside = logsOf(gateway).filter(({ kid }) => kid === undefined || keys.has(kid));
  if (beside.length < MOST_LOGS) return;
  const spare = beside.find(({ kid }) => kid === undefined);
  if (spare === undefined) throw new Refused('E_INCARNATION');
  logs.delete(spare.name);
};

/** Of each gateway the log that no newer one replaces. */
const current = (): Iterable<Log> => {
  // One without an entry, or whose key is not trusted any more, replaces none.
  const counts = ({ kid }: Log): number => Number(kid !== undefined && keys.has(kid));
  const sorted = [...logs.values()].sort(
    (one, other) => counts(one) - counts(other) || one.incarnation - other.incarnation,
  );
  return new Map(sorted.map((log) => [log.gateway, log])).values();
};

/** Kept as evidence, once. */
const alarm = (code: string, topic: string, message: Buffer): void => {
  insertAlarm.run(nowS(), code, topic, message);
  say('alarm', { code, topic });
};

// ---- what comes

interface Arrived {
  readonly topic: string;
  readonly payload: Buffer;
}

const base = `${options.prefix}/v1`;

const take = ({ topic, payload }: Arrived): void => {
  const [gateway = '', area] = topic.slice(base.length + 1).split('/');
  if (area === 'log') judge(topic, gateway, payload, takeEntry, 'miner-att+jwt');
  if (area === 'cp') judge(topic, gateway, payload, takeCheckpoint, 'miner-cp+jwt');
  if (area === 'rsp') {
    for (const entry of entriesOf(payload)) judge(topic, gateway, entry, takeEntry, 'miner-att+jwt');
  }
  if (area === 'conn') heed(gateway, parse(payload) ?? {});
};

/** What a gateway says of its presence. Unsigned: it is told how far its newest log is here, no more. */
const heed = (gateway: string, { state, session: its, contradicted_by: named }: Json): void => {
  if (state !== 'online' || logsOf(gateway).length === 0) return;
  // It came, and sends nothing before it heard that: its state may have been put back.
  if (sessionOf.get(gateway) !== its) due.add(gateway);
  sessionOf.set(gateway, its);
  if (!Array.isArray(named) || !named.includes(options.id)) return;
  // Its state was put back: it is shown what it signed itself, and begins a new log.
  due.add(gateway);
  doubting.add(gateway);
};

/** The messages on a page; none where it is something else, such as a refusal. */
const entriesOf = (payload: Buffer): readonly Buffer[] => {
  const { entries } = (parse(payload)?.data ?? {}) as Json;
  if (!Array.isArray(entries)) return [];
  return entries.filter((entry) => typeof entry === 'string').map((entry) => Buffer.from(entry));
};

type Taker = (topic: string, log: Log, message: Buffer, statement: Statement) => void;

const judge = (topic: string, gateway: string, message: Buffer, taker: Taker, typ: string): void => {
  try {
    const statement = verified(message, typ, gateway);
    const log = logOf(statement.log);
    // Also for what is here already, or of a former log: it has not heard how far we are.
    due.add(gateway);
    taker(topic, log, message, statement);
  } catch (problem) {
    if (!(problem instanceof Refused)) throw problem;
    alarm(problem.message, topic, message);
  }
};

const takeEntry: Taker = (topic, log, message, statement) => {
  const seq = whole(statement, 'seq');
  if (seq < log.next) {
    const known = entryAt.get(log.name, seq);
    // Two signed messages for one place: a proof against the key of the gateway.
    if (known !== undefined && !leafOf(message).equals(bytes(known.leaf))) throw new Refused('E_FORK');
    return;
  }
  if (log.held.get(seq)?.equals(message) === false) throw new Refused('E_FORK');
  if (seq > log.next && log.held.size >= MOST_HELD) return;
  log.held.set(seq, message);
  storeNext(topic, log);
};

const storeNext = (topic: string, log: Log): void => {
  for (let found = log.held.get(log.next); found !== undefined; found = log.held.get(log.next)) {
    log.held.delete(log.next);
    store(topic, log, found);
  }
};

/** The next entry takes its place. If it does not name the one before it, its content is not to be used. */
const store = (topic: string, log: Log, message: Buffer): void => {
  const { prev, kind } = parse(message) ?? {};
  const before = log.next === 0 ? sha256() : log.leaf;
  // After entries that are lost there is nothing to compare with.
  const follows = before === undefined || prev === before.toString('base64url');
  const status = follows ? 'chained' : 'E_CHAIN';
  const leaf = leafOf(message);
  insertEntry.run(log.name, log.next, leaf, message, status);
  say('stored', { log: log.name, seq: log.next, kind, status });
  if (!follows) alarm(status, topic, message);
  log.next += 1;
  log.leaf = leaf;
  log.kid = signerOf(message);
  log.askAtMs = nowMs() + ASK_AFTER_MS;
  if (log.checkpoint?.size === log.next) compare(topic, log, log.checkpoint);
};

const takeCheckpoint: Taker = (topic, log, message, statement) => {
  const [size, first, bootcount, monoMs] = ['size', 'first', 'bootcount', 'mono_ms'].map((name) =>
    whole(statement, name),
  ) as [number, number, number, number];
  const { newest } = log;
  // An older one again.
  if (bootcount < newest.bootcount || (bootcount === newest.bootcount && monoMs <= newest.monoMs)) return;
  log.newest = { bootcount, monoMs };
  if (log.tree !== undefined && size < log.tree.size) throw new Refused('E_ROLLBACK');
  log.checkpoint = { size, root: statement.root, message };
  if (first > log.next) {
    skip(log, first);
    storeNext(topic, log);
  }
  if (log.checkpoint !== undefined && size <= log.next) compare(topic, log, log.checkpoint);
};

/** The gateway no longer holds what comes next: the chain begins anew, and without a tree. */
const skip = (log: Log, first: number): void => {
  say('lost', { log: log.name, missing: [log.next, first] });
  log.next = first;
  log.leaf = undefined;
  log.tree = undefined;
  log.held = new Map([...log.held].filter(([seq]) => seq >= first));
};

/** The tree of the gateway has to be ours. */
const compare = (topic: string, log: Log, { size, root, message }: Checkpoint): void => {
  log.checkpoint = undefined;
  const { tree } = log;
  if (tree === undefined) return;
  for (const { leaf } of leavesBetween.all(log.name, tree.size, size)) tree.append(bytes(leaf));
  if (tree.root().toString('base64url') === root) say('agreed', { log: log.name, size });
  else alarm('E_FORK', topic, message);
};

// ---- what is said

let client: mqtt.MqttClient;
let presenceMs = 0;

/** Properties are a convenience of MQTT 5: all that counts is in topic and payload. */
const publish = (topic: string, content: object, { retain = false, expiryS = 60 } = {}): void => {
  const properties = {
    messageExpiryInterval: expiryS,
    contentType: 'application/json',
    payloadFormatIndicator: true,
  };
  client.publish(`${base}/${topic}`, JSON.stringify(content), {
    qos: 1,
    retain,
    ...(options.mqtt5 ? { properties } : {}),
  });
};

const tell = (log: Log): void => {
  const now = nowMs();
  const missing = log.missing();
  if (missing === undefined) log.askAtMs = now + ASK_AFTER_MS;
  const gap = missing !== undefined && now >= log.askAtMs ? missing : undefined;
  if (gap !== undefined) {
    log.askAtMs = now + ASK_AGAIN_MS;
    say('gap', { log: log.name, missing: gap });
  }
  if (!options.observer) acknowledge(log, gap, now);
  else if (gap !== undefined) ask(log, gap);
};

const acknowledge = (log: Log, gap: readonly [number, number] | undefined, now: number): void => {
  // After lost entries the leaf that goes with `next` is not known yet.
  if (log.next > 0 && log.leaf === undefined) return;
  const sinceMs = now - log.ackedMs;
  if (gap === undefined && !(due.has(log.gateway) && sinceMs >= ACK_EVERY_MS) && sinceMs < ACK_IDLE_MS) return;
  due.delete(log.gateway);
  log.ackedMs = now;
  const leaf = log.leaf === undefined ? {} : { leaf: log.leaf.toString('base64url') };
  const known = { log: log.name, next: log.next, ...leaf, ...shown(log) };
  publish(`${log.gateway}/ack/${options.id}`, { ...known, ...(gap === undefined ? {} : { gap }), stored_at: nowS() });
};

/** The last entry, for a gateway that asked to see it. */
const shown = (log: Log): { readonly head?: string } => {
  if (log.next === 0 || !doubting.delete(log.gateway)) return {};
  return { head: bytes(entryAt.get(log.name, log.next - 1)?.bytes).toString() };
};

const ask = (log: Log, [from, to]: readonly [number, number]): void => {
  const args = { from, to: Math.min(to, from + MOST_ASKED) };
  publish(`${log.gateway}/cmd/${options.id}`, { id: randomUUID(), op: 'resync', args, expires_at: nowS() + 60 });
};

// ---- the connection

const arrived: Arrived[] = [];
let greetingDue = false;
let session = '';
let ended = false;

const presence = (state: 'online' | 'stopped' | 'lost') => ({ state, session, at: nowS() });
const presenceTopic = `_fleet/collector/${options.id}`;

const sayOnline = (): void => {
  presenceMs = nowMs();
  publish(presenceTopic, presence('online'), { retain: true, expiryS: 900 });
};

const file = (path: string | undefined): Buffer | undefined => (path === undefined ? undefined : readFileSync(path));
const [ca, cert, key] = [file(options.ca), file(options.cert), file(options.key)];

/** A client and a session for each connection: the will of an earlier one, which may come late, is not taken for this one's. */
const connect = (): void => {
  session = randomUUID();
  client = mqtt.connect(url, {
    protocolVersion: options.mqtt5 ? 5 : 4,
    clientId: options.id,
    clean: true,
    reconnectPeriod: 0,
    queueQoSZero: false,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    will: {
      topic: `${base}/${presenceTopic}`,
      payload: Buffer.from(JSON.stringify(presence('lost'))),
      qos: 1,
      retain: true,
    },
  });
  client.on('error', ({ message }) => {
    // Who took its leave does not mind how the broker ends the connection.
    if (!ended) console.error(`broker: ${message}`);
  });
  client.on('message', (topic, payload) => {
    if (arrived.length < MOST_WAITING) arrived.push({ topic, payload });
  });
  client.on('connect', () => {
    const areas = ['log', 'cp', 'conn', `rsp/${options.id}`];
    client.subscribe(
      areas.map((area) => `${base}/+/${area}`),
      { qos: 1 },
    );
    greetingDue = true;
  });
  client.once('close', () => {
    if (!ended) setTimeout(connect, 1_000 + Math.random() * 4_000);
  });
};

const greet = (): void => {
  greetingDue = false;
  sayOnline();
  // What the broker retains may be incomplete.
  publish(`_fleet/rollcall/${options.id}`, { at: nowS() });
  for (const log of current()) log.ackedMs = Number.NEGATIVE_INFINITY;
};

/** One transaction; if it fails the program ends, and what was not acknowledged comes again. */
const turn = (): void => {
  const batch = arrived.splice(0, BATCH);
  if (batch.length > 0) {
    db.exec('begin');
    for (const message of batch) take(message);
    db.exec('commit');
    printLines();
  }
  if (!client.connected) return;
  if (greetingDue) greet();
  for (const log of current()) tell(log);
  printLines();
  if (nowMs() - presenceMs >= PRESENCE_MS) sayOnline();
};

connect();
const turning = setInterval(turn, TURN_MS);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    ended = true;
    clearInterval(turning);
    if (client.connected) publish(presenceTopic, presence('stopped'), { retain: true, expiryS: 86_400 });
    client.end(false, () => db.close());
  });
}
