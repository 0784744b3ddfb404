import mqtt from 'mqtt';

/** What goes on in place of a message: usually itself. */
export type Tamper = (topic: string, payload: Buffer) => readonly Buffer[];

const honest: Tamper = (_topic, payload) => [payload];

/** What a gateway says goes one way, what collectors say the other. */
const DOWN = ['attest/v1/+/log', 'attest/v1/+/cp', 'attest/v1/+/conn', 'attest/v1/+/rsp/+'];
const UP = ['attest/v1/+/ack/+', 'attest/v1/+/cmd/+', 'attest/v1/_fleet/+/+'];

/** Two brokers as one, with somebody between them who can leave out, change and add messages: the broker that nobody has to trust. */
export class Relay implements AsyncDisposable {
  tamper: Tamper = honest;
  /** What came up from collectors. */
  readonly said: { readonly topic: string; readonly text: string }[] = [];
  readonly #gateways: mqtt.MqttClient;
  readonly #collectors: mqtt.MqttClient;

  private constructor(gateways: mqtt.MqttClient, collectors: mqtt.MqttClient) {
    this.#gateways = gateways;
    this.#collectors = collectors;
  }

  static async between(gateways: string, collectors: string): Promise<Relay> {
    const options = { protocolVersion: 5, clientId: 'relay' } as const;
    const relay = new Relay(await mqtt.connectAsync(gateways, options), await mqtt.connectAsync(collectors, options));
    relay.#gateways.on('message', (topic, payload, { retain }) => {
      for (const message of relay.tamper(topic, payload)) relay.#down(topic, message, retain);
    });
    relay.#collectors.on('message', (topic, payload, { retain }) => {
      relay.said.push({ topic, text: payload.toString() });
      relay.#gateways.publish(topic, payload, { qos: 1, retain });
    });
    await relay.#gateways.subscribeAsync(DOWN, { qos: 1, rap: true });
    await relay.#collectors.subscribeAsync(UP, { qos: 1, rap: true });
    return relay;
  }

  /** Says something in the name of a gateway. */
  inject(topic: string, payload: Buffer): void {
    this.#down(topic, payload, false);
  }

  /** Asks a gateway something. */
  ask(op: string, args: object): Promise<unknown> {
    const request = { id: `${op}-${this.said.length}`, op, args, expires_at: Math.floor(Date.now() / 1000) + 60 };
    return this.#gateways.publishAsync('attest/v1/gw-1/cmd/tester', JSON.stringify(request), { qos: 1 });
  }

  #down(topic: string, payload: Buffer, retain: boolean): void {
    this.#collectors.publish(topic, payload, { qos: 1, retain });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#gateways.endAsync(true), this.#collectors.endAsync(true)]);
  }
}
