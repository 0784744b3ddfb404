import mqtt from 'mqtt';
import { LogVerifier, type Statement, type TrustedKeys } from '../../shared/index.ts';
import { Ledger } from './ledger.ts';

const GAPS_EVERY_MS = 5000;

/** A collector as anyone could write it: a subscriber that believes nothing but the public key of the gateway. */
export class Collector {
  readonly ledger = new Ledger();
  /** What the gateway, or its will, says of itself; not signed, a hint. */
  presence = 'not seen yet';
  readonly #client: mqtt.MqttClient;
  readonly #verifier: LogVerifier;
  readonly #tell: (statement: Statement) => void;
  readonly #timer: NodeJS.Timeout;

  private constructor(client: mqtt.MqttClient, keys: TrustedKeys, tell: (statement: Statement) => void) {
    this.#client = client;
    this.#verifier = new LogVerifier({ keys, start: 'zero' });
    this.#tell = tell;
    client.on('message', (topic, payload) => this.#receive(topic, payload));
    this.#timer = setInterval(() => this.ledger.take(this.#verifier.tick(Date.now()), Date.now()), GAPS_EVERY_MS);
  }

  /** Subscribes; `tell` gets every statement that was verified, in the order of the log. */
  static async connect(url: string, keys: TrustedKeys, tell: (statement: Statement) => void): Promise<Collector> {
    const client = await mqtt.connectAsync(url, { protocolVersion: 4, clientId: 'demo-collector' });
    const collector = new Collector(client, keys, tell);
    await client.subscribeAsync('attest/v1/#', { qos: 1 });
    return collector;
  }

  /** Log, verified size and root of the tree. */
  end(): { readonly log: string; readonly size: number; readonly root?: string } | undefined {
    return this.#verifier.ends()[0];
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#client.endAsync(true);
  }

  /** Mirrors go through the same verifier: they have to be the same bytes. */
  #receive(topic: string, payload: Buffer): void {
    if (topic.endsWith('/conn')) {
      this.presence = presenceOf(payload);
      return;
    }
    // A checkpoint is about the log and no entry of it; this view shows entries.
    if (topic.endsWith('/cp')) return;
    const nowMs = Date.now();
    for (const statement of this.ledger.take(this.#verifier.accept(payload, { topic, nowMs }), nowMs)) {
      this.#tell(statement);
    }
  }
}

const presenceOf = (payload: Buffer): string => {
  try {
    return String(JSON.parse(payload.toString()).state);
  } catch {
    return 'unreadable';
  }
};
