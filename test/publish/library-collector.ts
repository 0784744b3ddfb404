import { generateKeyPairSync } from 'node:crypto';
import mqtt from 'mqtt';
import {
  type Arrived,
  type Changes,
  Collector,
  type CollectorStore,
  formatVkey,
  jwkOf,
  MemoryStore,
  NOTE_TYPE,
  type Notice,
  type Outgoing,
  parseTrustedKeys,
  signEpoch,
  signerOf,
} from '../../shared/index.ts';

/** A store whose every commit is remembered, so that an older copy of it can be restored. */
export class Journal implements CollectorStore {
  readonly #commits: Changes[] = [];
  #memory = new MemoryStore();

  /** Commits so far. */
  get length(): number {
    return this.#commits.length;
  }

  /** Everything after that many commits never happened. */
  restore(length: number): void {
    this.#commits.length = length;
    this.#memory = new MemoryStore();
    for (const changes of this.#commits) this.#memory.commit(changes);
  }

  readonly logs: CollectorStore['logs'] = () => this.#memory.logs();
  readonly log: CollectorStore['log'] = (log) => this.#memory.log(log);
  readonly entries: CollectorStore['entries'] = (log, seqs) => this.#memory.entries(log, seqs);
  readonly trusted: CollectorStore['trusted'] = () => this.#memory.trusted();

  commit(changes: Changes): void {
    this.#memory.commit(changes);
    this.#commits.push(changes);
  }

  all(log: string): ReturnType<MemoryStore['all']> {
    return this.#memory.all(log);
  }

  get notices(): readonly Notice[] {
    return this.#memory.notices;
  }
}

const { privateKey } = generateKeyPairSync('ed25519');

/** Who cosigns and says what time it is, in these tests. */
const WITNESS = {
  name: 'example.org/col-a',
  jwk: jwkOf(privateKey),
  ...signerOf(privateKey),
};

/** The same as a gateway is told of it. */
export const WITNESS_VKEY = formatVkey(WITNESS.name, NOTE_TYPE.cosignature, WITNESS.jwk);

const TAKE_MS = 20;
const TICK_MS = 200;

export interface LibraryCollectorOptions {
  readonly url: string;
  readonly journal: Journal;
  /** What is trusted, as `gateway.jwk.json` holds it. */
  readonly jwk: unknown;
  readonly protocolVersion?: 4 | 5;
  /** Unless it is false. */
  readonly cosigns?: boolean;
  /** Whether it hears what gateways say of their presence, unless it is false: one of an earlier version shows no entry. */
  readonly heedsPresence?: boolean;
}

/** The collector library on an MQTT client: what `assayer collect` is, without its database. */
export class LibraryCollector {
  readonly collector: Collector;
  readonly #client: mqtt.MqttClient;
  readonly #timers: NodeJS.Timeout[] = [];
  #arrived: Arrived[] = [];
  #connects = 0;
  #killed = false;

  private constructor(
    collector: Collector,
    { url, protocolVersion = 5, heedsPresence = true }: LibraryCollectorOptions,
  ) {
    const session = `c${Math.random().toString(36).slice(2)}`;
    const topic = `attest/v1/_fleet/collector/col-a`;
    const presence = (state: string) =>
      JSON.stringify({ state, session: `${session}.${this.#connects}`, at: Math.floor(Date.now() / 1000) });
    this.collector = collector;
    this.#client = mqtt.connect(url, {
      protocolVersion,
      clientId: 'col-a',
      clean: true,
      reconnectPeriod: 50,
      resubscribe: false,
    });
    this.#client.on('error', () => {});
    this.#client.on('message', (from, payload) => {
      if (heedsPresence || !from.endsWith('/conn')) this.#arrived.push({ topic: from, payload });
    });
    this.#client.on('connect', () => {
      this.#connects += 1;
      this.#client.subscribe([...collector.topics.filters], { qos: 1 }, () => {
        this.#client.publish(topic, presence('online'), { qos: 1, retain: true });
        void this.#report(collector.connected(Date.now()));
        this.#publishMarker();
      });
    });
    this.#timers.push(setInterval(() => this.#take(), TAKE_MS));
    this.#timers.push(setInterval(() => void this.#report(collector.tick(Date.now())), TICK_MS));
  }

  static async start(options: LibraryCollectorOptions): Promise<LibraryCollector> {
    const trusted = parseTrustedKeys(options.jwk);
    const collector = await Collector.open({
      id: 'col-a',
      store: options.journal,
      trust: { kind: 'keys', keys: trusted },
      ...(options.cosigns === false ? {} : { witness: WITNESS }),
    });
    return new LibraryCollector(collector, options);
  }

  /** Ends as a process does that is killed: what it had not committed is gone, and it says nothing more. */
  kill(): void {
    this.#killed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#client.end(true);
    this.#client.stream.destroy();
  }

  #take(): void {
    if (this.#arrived.length === 0) return;
    const batch = this.#arrived;
    this.#arrived = [];
    void this.#report(this.collector.take(batch, Date.now()));
  }

  async #report(report: Promise<{ readonly publish: readonly Outgoing[] }>): Promise<void> {
    const { publish } = await report;
    if (this.#killed || !this.#client.connected) return;
    for (const { topic, payload, retain } of publish) this.#client.publish(topic, payload, { qos: 1, retain });
  }

  #publishMarker(): void {
    const marker = { iss: WITNESS.name, id: 'AAECAwQFBgcICQoLDA0ODw', n: 1, iat: Math.floor(Date.now() / 1000) };
    this.#client.publish('attest/v1/_fleet/epoch/col-a', signEpoch(marker, WITNESS), { qos: 1, retain: true });
  }

  [Symbol.dispose](): void {
    this.kill();
  }
}
