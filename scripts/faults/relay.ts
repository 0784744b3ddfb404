/**
 * The way between the clients and the broker, as a process of its own: a TCP relay with a port for each side, whose bytes can be
 * delayed, held back or cut off by orders on stdin, one JSON object a line. `relay.ts <host> <broker port> <agent port>
 * <collector port>`; prints its two ports when it listens. Ends with stdin.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export type Side = 'agent' | 'collector';

/** `pass` ends a delay or a stall. */
export type RelayOrder =
  | { readonly side: Side; readonly do: 'delay'; readonly ms: number; readonly jitterMs: number }
  | { readonly side: Side; readonly do: 'stall' | 'pass' | 'reset' };

/** Bytes of one direction that wait here; beyond, the sender feels it. */
const MOST_WAITING = 262_144;

/** What bytes of one side go through at the moment. */
class Weather {
  ms = 0;
  jitterMs = 0;
  isStalled = false;
  readonly sockets = new Set<Socket>();
  readonly flows = new Set<Flow>();

  obey(order: RelayOrder): void {
    switch (order.do) {
      case 'delay':
        this.ms = order.ms;
        this.jitterMs = order.jitterMs;
        return;
      case 'stall':
        this.isStalled = true;
        return;
      case 'pass':
        this.ms = 0;
        this.jitterMs = 0;
        this.isStalled = false;
        for (const flow of this.flows) flow.move();
        return;
      case 'reset':
        for (const socket of this.sockets) socket.resetAndDestroy();
        return;
    }
  }

  delayMs(): number {
    return this.ms + Math.random() * this.jitterMs;
  }
}

/** One direction of a connection: its bytes in order, each piece no earlier than it is due. */
class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #weather: Weather;
  /** The end of the stream is a piece without bytes. */
  readonly #waiting: { readonly dueMs: number; readonly piece: Buffer | undefined }[] = [];
  #bytes = 0;
  #dueMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, weather: Weather) {
    this.#from = from;
    this.#to = to;
    this.#weather = weather;
    weather.flows.add(this);
    from.on('data', (piece: Buffer) => this.#take(piece));
    from.on('end', () => this.#take(undefined));
    from.on('close', (isBroken) => {
      if (isBroken) to.destroy();
      if (isBroken || this.#waiting.length === 0) this.#done();
    });
    to.on('drain', () => this.move());
  }

  #take(piece: Buffer | undefined): void {
    this.#dueMs = Math.max(this.#dueMs, performance.now() + this.#weather.delayMs());
    this.#waiting.push({ dueMs: this.#dueMs, piece });
    this.#bytes += piece?.length ?? 0;
    if (this.#bytes > MOST_WAITING) this.#from.pause();
    this.move();
  }

  move(): void {
    clearTimeout(this.#timer);
    while (!this.#weather.isStalled && !this.#to.writableNeedDrain) {
      const next = this.#waiting[0];
      if (next === undefined) break;
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.move(), waitMs);
        return;
      }
      this.#waiting.shift();
      this.#bytes -= next.piece?.length ?? 0;
      if (next.piece === undefined) {
        this.#to.end();
        this.#done();
      } else this.#to.write(next.piece);
    }
    if (this.#bytes <= MOST_WAITING / 2) this.#from.resume();
  }

  #done(): void {
    clearTimeout(this.#timer);
    this.#weather.flows.delete(this);
  }
}

const [host = '', broker, ...ports] = process.argv.slice(2);
const weathers: { readonly [side in Side]: Weather } = { agent: new Weather(), collector: new Weather() };

const relay = async (weather: Weather, port: number): Promise<number> => {
  const server = createServer((client) => {
    const upstream = connect(Number(broker), '127.0.0.1');
    for (const socket of [client, upstream]) {
      socket.setNoDelay();
      weather.sockets.add(socket);
      socket.on('error', () => {
        // Its close follows, which ends the other one.
      });
      socket.on('close', () => weather.sockets.delete(socket));
    }
    new Flow(client, upstream, weather);
    new Flow(upstream, client, weather);
  });
  server.listen(port, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

const listening = [await relay(weathers.agent, Number(ports[0])), await relay(weathers.collector, Number(ports[1]))];
process.stdout.write(`${listening.join(' ')}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  // Written by `network.ts`.
  const order = JSON.parse(line) as RelayOrder;
  weathers[order.side].obey(order);
}
process.exit(0);
