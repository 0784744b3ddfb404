import type { Socket } from 'node:net';
import type { Specimen } from '../specimens/specimen.ts';
import { serveCgminer } from './cgminer-server.ts';
import { SimulatedDevice } from './device.ts';
import { serveFramed } from './framed-server.ts';
import { serveGrpc } from './grpc-server.ts';
import { serveHttp } from './http-server.ts';
import { type Listeners, listenAny, listenEach, type Ports } from './listeners.ts';
import { type Script, scriptOf } from './script.ts';
import { serveHttps } from './tls-server.ts';
import { type Violation, Watch } from './watch.ts';

export interface FleetOptions {
  /** Dealt to the devices in turn. */
  readonly specimens: readonly Specimen[];
  /** How many; default: one of each specimen. */
  readonly devices?: number;
  /** First address, inside 127.0.0.0/8; the others follow it. */
  readonly base?: string;
  /** Number of the first device, 1 by default: fleets whose numbers do not meet share no identity. */
  readonly first?: number;
  /** 0, the default, is a free one; the same on every address. */
  readonly ports?: Partial<Ports>;
  /** What may be asked, as `AllowList.listed` has it. Without it only requests that are known to change miners count as violations. */
  readonly allowed?: Iterable<string>;
  /** The very bytes of the specimens: no identities, no time. */
  readonly exact?: boolean;
  /** Unix milliseconds. */
  readonly nowMs?: () => number;
}

/** With more devices than this one listener serves all addresses: a process may have 20 000 files or fewer. */
const MOST_LISTENED_EACH = 4000;

/** Miners that exist only here, on loopback addresses, and what was sent to them. */
export interface Fleet extends AsyncDisposable {
  readonly devices: readonly SimulatedDevice[];
  readonly ports: Ports;
  /** By id, address or index. Throws where there is none. */
  readonly device: (which: string | number) => SimulatedDevice;
  /** Every request that came and how often: `{"command":"version"}`, `GET /path`. */
  readonly requests: () => ReadonlyMap<string, number>;
  /** What should never have come; empty, or the test fails. */
  readonly violations: () => readonly Violation[];
  /** How many connections were made to all devices. */
  readonly connections: () => number;
  /** The most connections that one device had at the same time. */
  readonly maxConnections: () => number;
  /** When the first request came, Unix milliseconds with a fraction. */
  readonly firstRequestMs: () => number | undefined;
  /** Tells `listener` of every request from now on, before it is answered. */
  readonly follow: (listener: (device: SimulatedDevice, request: string) => void) => void;
  readonly stop: () => Promise<void>;
}

/** Starts a fleet; resolves when every device answers. */
export const startFleet = async (options: FleetOptions): Promise<Fleet> => {
  const { specimens, base = '127.20.0.1', first = 1, exact = false, nowMs = Date.now } = options;
  if (specimens.length === 0) throw new Error('a fleet needs a specimen');
  const count = options.devices ?? specimens.length;
  const ports = { cgminer: 0, http: 0, auradine: 0, volcminer: 0, whatsminer: 0, grpc: 0, https: 0, ...options.ports };
  const watch = new Watch(options.allowed);
  const open = new Set<Socket>();

  const scripts = new Map<Specimen, Script>();
  const script = (specimen: Specimen): Script => {
    const known = scripts.get(specimen) ?? scriptOf(specimen, { exact });
    scripts.set(specimen, known);
    return known;
  };
  const scriptAt = (at: number): Script => script(specimens[at % specimens.length] as Specimen);
  const stranger = (device: SimulatedDevice): Script =>
    specimens.map(script).find((other) => familyOf(other) !== device.family) ?? device.script;

  const serve = (port: keyof Ports, socket: Socket, device: SimulatedDevice): void => {
    watch.connected(device, socket);
    open.add(socket);
    // The peer has closed: it may connect anew before our side of this connection is gone.
    socket.on('end', () => device.connections.delete(socket));
    socket.on('close', () => {
      device.connections.delete(socket);
      open.delete(socket);
    });
    const speaks = port === 'https' ? port : (device.script.speaks[port] ?? 'cgminer');
    SERVE[speaks](socket, { device, port, watch, stranger });
  };
  const listeners: Listeners =
    count > MOST_LISTENED_EACH ? await listenAny(ports, serve) : await listenEach(ports, base, serve);

  let numbers = first - 1 + count;
  const shared = {
    addresses: listeners,
    nowMs,
    exact,
    freshNumber: () => {
      numbers += 1;
      return numbers;
    },
    scriptOf: script,
  };
  const devices = Array.from(
    { length: count },
    (_, at) => new SimulatedDevice(first + at, addressAfter(base, at), scriptAt(at), shared),
  );
  try {
    for (const device of devices) await listeners.take(device);
  } catch (error) {
    await listeners.close();
    throw error;
  }

  const stop = async (): Promise<void> => {
    for (const socket of open) socket.destroy();
    await listeners.close();
  };
  return {
    devices,
    ports: listeners.ports,
    device: (which) => {
      const found =
        typeof which === 'number'
          ? devices[which]
          : devices.find(({ id, address }) => id === which || address === which);
      if (found === undefined) throw new Error(`no device ${which}`);
      return found;
    },
    requests: () => watch.requests,
    violations: () => watch.violations,
    connections: () => watch.connections,
    maxConnections: () => watch.maxConnections,
    firstRequestMs: () => watch.firstMs,
    follow: (listener) => watch.follow(listener),
    stop,
    [Symbol.asyncDispose]: stop,
  };
};

const SERVE = { cgminer: serveCgminer, http: serveHttp, framed: serveFramed, grpc: serveGrpc, https: serveHttps };

const familyOf = ({ device }: Script): string | undefined => ('family' in device ? device.family : undefined);

/** The IPv4 address `steps` after `base`. */
export const addressAfter = (base: string, steps: number): string => {
  const value = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + steps;
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
};
