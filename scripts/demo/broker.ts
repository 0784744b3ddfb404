import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { Aedes } from 'aedes';

/** Taken where it is free, so that a command typed once works again; else any. */
const USUAL_PORT = 18_830;

/** The embedded broker: MQTT 3.1.1, on the loopback only, without anything kept on disk. */
export class EmbeddedBroker {
  readonly port: number;
  readonly #aedes: Aedes;
  readonly #server: Server;

  private constructor(aedes: Aedes, server: Server, port: number) {
    this.#aedes = aedes;
    this.#server = server;
    this.port = port;
  }

  static async start(): Promise<EmbeddedBroker> {
    const aedes = await Aedes.createBroker();
    const server = createServer((socket) => void aedes.handle(socket));
    const port = await listen(server, USUAL_PORT).catch(() => listen(server, 0));
    return new EmbeddedBroker(aedes, server, port);
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    await new Promise<void>((resolve) => this.#aedes.close(resolve));
    await closed;
  }
}

const listen = async (server: Server, wanted: number): Promise<number> => {
  server.listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
};
