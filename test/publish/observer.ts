import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';

export interface Heard {
  readonly topic: string;
  readonly text: string;
  readonly retain: boolean;
  readonly packet: mqtt.IPublishPacket;
}

/** A subscriber, to everything unless it is told otherwise, that keeps what it heard and survives a restart of the broker. */
export class Observer {
  readonly heard: Heard[] = [];
  readonly #client: mqtt.MqttClient;

  private constructor(client: mqtt.MqttClient) {
    this.#client = client;
    client.on('message', (topic, payload, packet) =>
      this.heard.push({ topic, text: payload.toString('utf8'), retain: packet.retain, packet }),
    );
  }

  static async connect(
    url: string,
    options: mqtt.IClientOptions = {},
    filters: readonly string[] = ['#'],
  ): Promise<Observer> {
    const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 50, clientId: 'observer', ...options });
    client.on('error', () => {});
    const observer = new Observer(client);
    await new Promise((resolve) => client.once('connect', resolve));
    if (filters.length > 0) await client.subscribeAsync([...filters], { qos: 1 });
    return observer;
  }

  on(topic: string): readonly Heard[] {
    return this.heard.filter((message) => message.topic === topic);
  }

  /** The `seq` of what came on a topic, in order of arrival. */
  seqs(topic: string): readonly number[] {
    return this.on(topic).map(({ text }) => JSON.parse(text).seq);
  }

  /** The `state` of what came on a presence topic. */
  states(topic: string): readonly string[] {
    return this.on(topic).map(({ text }) => JSON.parse(text).state);
  }

  publish(topic: string, payload: string | Buffer, retain: boolean, properties = {}): Promise<unknown> {
    return this.#client.publishAsync(topic, payload, { qos: 1, retain, properties });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.endAsync(true);
  }
}

/** Waits until something is true; throws with `what` when it is not in time. */
export const until = async (what: string, isTrue: () => boolean, withinMs = 20_000): Promise<void> => {
  const end = Date.now() + withinMs;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`not in ${withinMs} ms: ${what}`);
    await delay(10);
  }
};

/** 0, 1, 2 … n-1 */
export const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, index) => index);
