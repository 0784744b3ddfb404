import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import net, { type Socket } from 'node:net';
import { PORTS, type PortName } from '../../agent/drivers/driver.ts';
import { serveCgminer } from '../../test/simulator/cgminer-server.ts';
import type { Addresses, SimulatedDevice } from '../../test/simulator/device.ts';
import { serveFramed } from '../../test/simulator/framed-server.ts';
import { serveHttp } from '../../test/simulator/http-server.ts';
import { type Violation, Watch } from '../../test/simulator/watch.ts';

const SERVE = { cgminer: serveCgminer, http: serveHttp, framed: serveFramed };

const NAME_OF = new Map<number, PortName>(Object.entries(PORTS).map(([name, port]) => [port, name as PortName]));
// Object.entries gives text; the keys are those of the table.

/** What `connect` is told by the agent. */
interface Wanted {
  readonly host: string;
  readonly port: number;
  readonly onread: { readonly buffer: Uint8Array; readonly callback: (length: number, buffer: Uint8Array) => boolean };
}

/** How replies come in: `cut` is the share of them that break off somewhere. */
export interface Line {
  readonly cut: number;
  readonly random: () => number;
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
 * The network between the gateway and the devices. `install` puts it in the place of the one socket call of the agent: it takes
 * the bytes of each question to the device at that address, and brings those of the reply, whole or cut.
 */
export class SimulatedNetwork implements Addresses {
  readonly traffic: Traffic = { connections: 0, replies: 0, cut: 0 };
  readonly #line: Line;
  readonly #devices = new Map<string, SimulatedDevice>();
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

  /** Takes the place of `connect` for addresses; sockets of the file system are left alone. */
  install(): void {
    const connect = net.connect;
    const dial = (...args: readonly unknown[]): unknown => {
      const [wanted] = args;
      if (typeof wanted === 'object' && wanted !== null && 'onread' in wanted) return this.#dial(wanted as Wanted);
      return Reflect.apply(connect, net, args);
    };
    Object.assign(net, { connect: dial });
    syncBuiltinESMExports();
  }

  #dial(wanted: Wanted): GatewayEnd {
    this.traffic.connections += 1;
    const end = new GatewayEnd(wanted);
    const device = this.#devices.get(wanted.host);
    const port = NAME_OF.get(wanted.port);
    const speaks = port === undefined ? undefined : device?.script.speaks[port];
    if (device === undefined || port === undefined) end.refuse('EHOSTUNREACH');
    else if (speaks === undefined || speaks === 'grpc') end.refuse('ECONNREFUSED');
    else end.meet(this.#serve(device, port, speaks, end));
    return end;
  }

  #serve(device: SimulatedDevice, port: PortName, speaks: keyof typeof SERVE, end: GatewayEnd): DeviceEnd {
    const far = new DeviceEnd(end, this.#line, this.traffic);
    // The servers of the simulator use of a socket what stands in `DeviceEnd`.
    const socket = far as unknown as Socket;
    this.#watch.connected(device, socket);
    far.on('close', () => device.connections.delete(socket));
    SERVE[speaks](socket, { device, port, watch: this.#watch, stranger: () => device.script });
    return far;
  }
}

/** The gateway's end of a connection: of a socket, what the probe stage uses. */
class GatewayEnd extends EventEmitter {
  readonly #onread: Wanted['onread'];
  #far: DeviceEnd | undefined;
  #closed = false;

  constructor({ onread }: Wanted) {
    super();
    this.#onread = onread;
  }

  refuse(code: string): void {
    this.#later(() => {
      this.emit('error', Object.assign(new Error(code), { code }));
      this.destroy();
    });
  }

  meet(far: DeviceEnd): void {
    this.#far = far;
    this.#later(() => this.emit('connect'));
  }

  write(bytes: string | Uint8Array): boolean {
    const question = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes);
    this.#later(() => this.#far?.hear(question));
    return true;
  }

  /** What the device says, as the buffer of the probe stage holds it. */
  hear(text: string): void {
    this.#later(() => {
      const { buffer, callback } = this.#onread;
      for (let at = 0; at < text.length && !this.#closed; at += buffer.length) {
        const piece = text.slice(at, at + buffer.length);
        Buffer.from(buffer.buffer, buffer.byteOffset, buffer.length).write(piece, 'latin1');
        callback(piece.length, buffer);
      }
    });
  }

  /** The device has closed. */
  over(): void {
    this.#later(() => this.emit('end'));
  }

  broken(code: string): void {
    this.#later(() => {
      this.emit('error', Object.assign(new Error(code), { code }));
      this.destroy();
    });
  }

  destroy(): this {
    if (this.#closed) return this;
    this.#closed = true;
    this.#far?.gone();
    queueMicrotask(() => this.emit('close'));
    return this;
  }

  #later(work: () => void): void {
    queueMicrotask(() => {
      if (!this.#closed) work();
    });
  }
}

/** The device's end: of a socket, what the servers of the simulator use. */
class DeviceEnd extends EventEmitter {
  bytesRead = 0;
  destroyed = false;
  readonly #near: GatewayEnd;
  readonly #line: Line;
  readonly #traffic: Traffic;

  constructor(near: GatewayEnd, line: Line, traffic: Traffic) {
    super();
    this.#near = near;
    this.#line = line;
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
    const { cut, random } = this.#line;
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
