import mqtt from 'mqtt';
import { ackSchema, gatewayOf, toBase64url } from '../../shared/index.ts';
import { heartbeat } from '../shared/collector/bench.ts';
import type { Writing } from '../shared/writing.ts';

const LEAD = 256;
/** Without progress for so long it begins again where the collector is; a real one waits for 30 s. */
const PATIENCE_MS = 1_500;

/** A gateway that delivers its log as mqtt.md §5 says: at most `lead` beyond what the collector confirmed, again from there. */
export class SimulatedGateway {
  readonly log: Writing;
  readonly id: string;
  /** Every number the collector named, in order. */
  readonly acks: number[] = [];
  /** Acknowledgements below one before: of a collector that was restored from an older copy. */
  readonly lowered: number[] = [];
  /** Acknowledgements of entries that this gateway never wrote. */
  readonly wrong: string[] = [];
  acked = 0;
  readonly #client: mqtt.MqttClient;
  readonly #collector: string;
  readonly #timers: NodeJS.Timeout[] = [];
  #cursor = 0;
  #progressMs = Date.now();
  #isPumping = false;

  private constructor(client: mqtt.MqttClient, log: Writing, collector: string) {
    this.#client = client;
    this.log = log;
    this.id = gatewayOf(log.next.log).split('/')[1] ?? '';
    this.#collector = collector;
  }

  static async connect(url: string, log: Writing, collector = 'collector-a'): Promise<SimulatedGateway> {
    const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 100, queueQoSZero: false });
    client.on('error', () => {});
    const gateway = new SimulatedGateway(client, log, collector);
    client.on('message', (topic, payload) => gateway.#hear(topic, payload));
    client.on('connect', () => void gateway.#begin());
    await new Promise((resolve) => client.once('connect', resolve));
    gateway.#timers.push(setInterval(() => gateway.#lookAround(), 200));
    return gateway;
  }

  /** Tells that there are more entries. */
  wake(): void {
    void this.#pump();
  }

  /** Everything that was written is confirmed. */
  get isDone(): boolean {
    return this.acked === this.log.messages.length;
  }

  publish(area: string, payload: string | Buffer): Promise<unknown> {
    return this.#client.publishAsync(`attest/v1/${this.id}/${area}`, payload, { qos: 1 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#client.endAsync(true);
  }

  async #begin(): Promise<void> {
    this.#cursor = this.acked;
    const topics = [`attest/v1/${this.id}/ack/${this.#collector}`, `attest/v1/_fleet/rollcall/${this.#collector}`];
    await this.#client.subscribeAsync(topics, { qos: 1 }).catch(() => {});
    this.#report();
    void this.#pump();
  }

  #report(): void {
    const { topic, payload } = heartbeat(this.log, this.log.messages.length);
    this.#client.publish(topic, Buffer.from(payload), { qos: 1, retain: true });
  }

  #hear(topic: string, payload: Buffer): void {
    if (topic.includes('/rollcall/')) {
      this.#report();
      return;
    }
    const { log, next, leaf, gap } = ackSchema.parse(JSON.parse(payload.toString()));
    const own = next === 0 ? undefined : this.log.leaf(next - 1);
    if (log !== this.log.next.log || next > this.log.messages.length || leaf !== own) {
      this.wrong.push(payload.toString());
      return;
    }
    this.acks.push(next);
    if (next < this.acked) this.lowered.push(next);
    if (next !== this.acked) this.#progressMs = Date.now();
    if (next < this.acked || gap !== undefined) this.#cursor = next;
    this.acked = next;
    void this.#pump();
  }

  #lookAround(): void {
    if (this.isDone || Date.now() - this.#progressMs < PATIENCE_MS) return;
    this.#progressMs = Date.now();
    this.#cursor = this.acked;
    void this.#pump();
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#client.connected && this.#cursor < Math.min(this.log.messages.length, this.acked + LEAD)) {
      const message = this.log.messages[this.#cursor] ?? Buffer.alloc(0);
      this.#cursor += 1;
      await this.publish('log', message).catch(() => {});
    }
    this.#isPumping = false;
  }
}

/** The bytes of an entry as text, for comparisons that say which one differs. */
export const textOf = (bytes: Uint8Array): string => toBase64url(Buffer.from(bytes));
