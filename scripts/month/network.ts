import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { PORTS, type PortName } from '../../agent/drivers/driver.ts';
import type { Endpoint } from '../../agent/probe/connection.ts';
import { DeviceSocket } from '../../agent/probe/device-socket.ts';
import { serveCgminer } from '../../test/simulator/cgminer-server.ts';
import type { Addresses, SimulatedDevice } from '../../test/simulator/device.ts';
import { serveFramed } from '../../test/simulator/framed-server.ts';
import { serveHttp } from '../../test/simulator/http-server.ts';
import { type Violation, Watch } from '../../test/simulator/watch.ts';

const SERVE = { cgminer: serveCgminer, http: serveHttp, framed: serveFramed };

/** Nothing listens for TLS, which the servers of the simulator speak over real sockets only. */
const { https: _, ...SPOKEN } = PORTS;
const NAME_OF = new Map<number, PortName>(Object.entries(SPOKEN).map(([name, port]) => [port, name as PortName]));
// Object.entries gives text; the keys are those of the table.

/**
 * How replies come in: `cut` is the share of them that break off somewhere. Chance is each device's own, and begins anew every quarter of an
 * hour, so that it depends neither on which of several answers first nor on how often one was asked long before.
 */
export interface Line {
  readonly cut: number;
  readonly randomOf: (device: string, quarter: string) => () => number;
}

/** Who had an address from when on; nobody where there is no device. */
interface Tenancy {
  readonly fromMs: number;
  readonly device: SimulatedDevice | undefined;
}

/** What happened on the wire. */
export interface Traffic {
  connections: number;
  replies: number;
  cut: number;
}

/**
 * The network between the gateway and the devices. `install` puts it in the place of the one call by which sockets to devices connect: it takes
 * the bytes of each question to the device at that address, and brings those of the reply, whole or cut.
 */
export class SimulatedNetwork implements Addresses {
  readonly traffic: Traffic = { connections: 0, replies: 0, cut: 0 };
  readonly #line: Line;
  readonly #devices = new Map<string, SimulatedDevice>();
  readonly #chances = new Map<string, { readonly quarter: number; readonly random: () => number }>();
  readonly #tenancies = new Map<string, Tenancy[]>();
  readonly #watch: Watch;
  readonly #nowMs: () => number;

  constructor(line: Line, allowed: Iterable<string>, nowMs: () => number) {
    this.#line = line;
    this.#nowMs = nowMs;
    this.#watch = new Watch(allowed);
  }

  /** What should never have been asked. */
  violations(): readonly Violation[] {
    return this.#watch.violations;
  }

  /** Gives a device its address. Throws where another one has it. */
  readonly take = async (device: SimulatedDevice): Promise<void> => {
    const there = this.#devices.get(device.address);
    if (there !== undefined) throw new Error(`${device.address} is that of ${there.id}: ${device.id} cannot have it`);
    this.#devices.set(device.address, device);
    this.#note(device.address, device);
  };

  readonly leave = async (device: SimulatedDevice): Promise<void> => {
    if (this.#devices.get(device.address) !== device) return;
    this.#devices.delete(device.address);
    this.#note(device.address, undefined);
  };

  #note(address: string, device: SimulatedDevice | undefined): void {
    this.#tenancies.getOrInsertComputed(address, () => []).push({ fromMs: this.#nowMs(), device });
  }

  /** Which device answered at an address at that time; the last one that did where none did then. */
  deviceAt(address: string, atMs: number): SimulatedDevice | undefined {
    const before = this.#tenancies.get(address)?.filter(({ fromMs, device }) => fromMs <= atMs && device !== undefined);
    return before?.at(-1)?.device;
  }

  /** Takes the place of `connect` of sockets to devices, for good; other sockets of this process are left alone. */
  install(): void {
    const dial = (socket: DeviceSocket, endpoint: Endpoint): void => this.#dial(socket, endpoint);
    DeviceSocket.prototype.connect = function (this: DeviceSocket, endpoint: Endpoint): DeviceSocket {
      dial(this, endpoint);
      return this;
    } as DeviceSocket['connect'];
    // Of its many forms the probe stage uses this one.
  }

  #dial(socket: DeviceSocket, { host, port }: Endpoint): void {
    this.traffic.connections += 1;
    const end = new GatewayEnd(socket);
    const device = this.#devices.get(host);
    const name = NAME_OF.get(port);
    const speaks = name === undefined ? undefined : device?.script.speaks[name];
    if (device === undefined || name === undefined) end.broken('EHOSTUNREACH');
    else if (speaks === undefined || speaks === 'grpc') end.broken('ECONNREFUSED');
    else end.meet(this.#serve(device, name, speaks, end));
  }

  #serve(device: SimulatedDevice, port: PortName, speaks: keyof typeof SERVE, end: GatewayEnd): DeviceEnd {
    const far = new DeviceEnd(end, { cut: this.#line.cut, random: () => this.#randomOf(device) }, this.traffic);
    // The servers of the simulator use of a socket what stands in `DeviceEnd`.
    const socket = far as unknown as Socket;
    this.#watch.connected(device, socket);
    far.on('close', () => device.connections.delete(socket));
    SERVE[speaks](socket, { device, port, watch: this.#watch, stranger: () => device.script });
    return far;
  }

  #randomOf({ id }: SimulatedDevice): number {
    const quarter = Math.floor(this.#nowMs() / QUARTER_MS);
    const known = this.#chances.get(id);
    const chance = known?.quarter === quarter ? known : { quarter, random: this.#line.randomOf(id, String(quarter)) };
    this.#chances.set(id, chance);
    return chance.random();
  }
}

/** What chance goes by. */
const QUARTER_MS = 900_000;

/** The gateway's end of a connection: a socket of the probe stage that no operating system knows of. */
class GatewayEnd {
  readonly #socket: DeviceSocket;
  #far: DeviceEnd | undefined;

  constructor(socket: DeviceSocket) {
    this.#socket = socket;
    socket.write = (bytes: string | Uint8Array): boolean => {
      const question = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes);
      this.#later(() => this.#far?.hear(question));
      return true;
    };
    socket.on('close', () => this.#far?.gone());
  }

  meet(far: DeviceEnd): void {
    this.#far = far;
    this.#later(() => this.#socket.emit('connect'));
  }

  /** What the device says, in pieces as a socket brings them. */
  hear(text: string): void {
    this.#later(() => {
      for (let at = 0; at < text.length && !this.#socket.destroyed; at += PIECE_BYTES)
        this.#socket.owner?.heard(Buffer.from(text.slice(at, at + PIECE_BYTES), 'latin1'));
    });
  }

  /** The device has closed. */
  over(): void {
    this.#later(() => this.#socket.emit('end'));
  }

  broken(code: string): void {
    this.#later(() => this.#socket.destroy(Object.assign(new Error(code), { code })));
  }

  #later(work: () => void): void {
    queueMicrotask(() => {
      if (!this.#socket.destroyed) work();
    });
  }
}

/** As much as a socket reads at once. */
const PIECE_BYTES = 65_536;

interface Chance {
  readonly cut: number;
  readonly random: () => number;
}

/** The device's end: of a socket, what the servers of the simulator use. */
class DeviceEnd extends EventEmitter {
  bytesRead = 0;
  destroyed = false;
  readonly #near: GatewayEnd;
  readonly #chance: Chance;
  readonly #traffic: Traffic;

  constructor(near: GatewayEnd, chance: Chance, traffic: Traffic) {
    super();
    this.#near = near;
    this.#chance = chance;
    this.#traffic = traffic;
  }

  hear(question: Buffer): void {
    this.bytesRead += question.length;
    this.emit('data', question);
  }

  write(reply: string): boolean {
    this.#say(reply, false);
    return true;
  }

  end(reply = ''): this {
    this.#say(reply, true);
    return this;
  }

  #say(reply: string, last: boolean): void {
    const { cut, random } = this.#chance;
    this.#traffic.replies += 1;
    const breaks = random() < cut;
    if (breaks) this.#traffic.cut += 1;
    this.#near.hear(breaks ? reply.slice(0, Math.floor(random() * reply.length)) : reply);
    if (breaks || last) this.#near.over();
  }

  destroy(): this {
    this.#near.broken('ECONNRESET');
    return this.gone();
  }

  resetAndDestroy(): this {
    return this.destroy();
  }

  /** Nobody is there any more. */
  gone(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.emit('close');
    return this;
  }
}
