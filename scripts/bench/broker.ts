import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { Aedes } from 'aedes';

/** A statement of the log as it reached the broker. Nothing here verifies it. */
export interface Published {
  readonly kind: string;
  /** Device of an attestation or a finding. */
  readonly device?: string;
  readonly finding?: string;
  readonly state?: string;
  readonly after?: unknown;
  /** Unix milliseconds with a fraction. */
  readonly atMs: number;
}

/** A broker in this process that notes when each entry of a log arrives. */
export class Broker implements AsyncDisposable {
  readonly #aedes: Aedes;
  readonly #server: Server;
  #take: (published: Published) => void = () => undefined;

  private constructor(aedes: Aedes) {
    this.#aedes = aedes;
    this.#server = createServer((socket) => {
      socket.setNoDelay();
      aedes.handle(socket);
    });
    aedes.on('publish', ({ topic, payload }) => {
      if (topic.endsWith('/log'))
        this.#take(publishedIn(payload.toString(), performance.timeOrigin + performance.now()));
    });
  }

  static async start(): Promise<Broker> {
    const broker = new Broker(await Aedes.createBroker());
    broker.#server.listen(0, '127.0.0.1');
    await once(broker.#server, 'listening');
    return broker;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the broker does not listen');
    return `mqtt://127.0.0.1:${address.port}`;
  }

  /** Every entry from now on goes to `take`. */
  follow(take: (published: Published) => void): void {
    this.#take = take;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()));
  }
}

/** The members that the bench looks at; the text is a statement of the agent under test. */
const publishedIn = (text: string, atMs: number): Published => {
  const { kind, subject, finding } = JSON.parse(text) as {
    readonly kind: string;
    readonly subject?: { readonly device?: string };
    readonly finding?: {
      readonly id: string;
      readonly state: string;
      readonly device?: string;
      readonly after?: unknown;
    };
  };
  const device = finding?.device ?? subject?.device;
  return {
    kind,
    atMs,
    ...(device === undefined ? {} : { device }),
    ...(finding === undefined ? {} : { finding: finding.id, state: finding.state, after: finding.after }),
  };
};
