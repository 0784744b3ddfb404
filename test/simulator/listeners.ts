import { createServer, type Server, type Socket } from 'node:net';
import { PORTS, type PortName } from '../../agent/drivers/driver.ts';
import type { Addresses, SimulatedDevice } from './device.ts';

/** The TCP ports of a fleet; the same on every address. */
export type Ports = { readonly [Name in PortName]: number };

const NAMES = Object.keys(PORTS) as readonly PortName[];
// Object.keys gives text; the keys are those of the table.

export type Serve = (port: PortName, socket: Socket, device: SimulatedDevice) => void;

/** Where the devices of a fleet can be reached. */
export interface Listeners extends Addresses {
  readonly ports: Ports;
  readonly close: () => Promise<void>;
}

const BACKLOG = 4096;

const newServer = (accept: (socket: Socket) => void): Server =>
  createServer((socket) => {
    // A peer that hangs up in the middle is what peers do.
    socket.on('error', () => socket.destroy());
    accept(socket);
  });

const listen = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** A listener for each address and port that a device speaks at. Nothing is open beyond the loopback. */
export const listenEach = async (wanted: Ports, probe: string, serve: Serve): Promise<Listeners> => {
  const ports = await freePorts(probe, wanted);
  const servers = new Map<string, Server>();
  const nameOf = (port: PortName, { address }: SimulatedDevice): string => `${port} ${address}`;

  const take = async (device: SimulatedDevice): Promise<void> => {
    const spoken = NAMES.filter((port) => device.script.speaks[port] !== undefined);
    await Promise.all(
      spoken.map(async (port) => {
        const server = newServer((socket) => serve(port, socket, device));
        servers.set(nameOf(port, device), server);
        await listen(server, device.address, ports[port]);
      }),
    );
  };
  const leave = async (device: SimulatedDevice): Promise<void> => {
    for (const port of NAMES) {
      const server = servers.get(nameOf(port, device));
      servers.delete(nameOf(port, device));
      if (server !== undefined) await closed(server);
    }
  };
  return { ports, take, leave, close: async () => void (await Promise.all([...servers.values()].map(closed))) };
};

const eachPort = async (portOf: (name: PortName) => Promise<number>): Promise<Ports> => {
  const ports = {} as { -readonly [Name in PortName]: number };
  for (const name of NAMES) ports[name] = await portOf(name);
  return ports;
};

/** Ports that are free at `address`, which stands for the others of the fleet; all held together, so that no two are the same. */
const freePorts = async (address: string, wanted: Ports): Promise<Ports> => {
  const held: Server[] = [];
  const ports = await eachPort(async (name) => {
    if (wanted[name] !== 0) return wanted[name];
    const server = createServer();
    held.push(server);
    return listen(server, address, 0);
  });
  await Promise.all(held.map(closed));
  return ports;
};

/**
 * One listener per port for any number of addresses, for fleets that would need more listeners than a process may
 * have files. Linux takes connections to all of 127.0.0.0/8 only through a listener on every address, so connections
 * that did not come to a loopback address are torn down unanswered; so are those to an address without a device.
 */
export const listenAny = async (wanted: Ports, serve: Serve): Promise<Listeners> => {
  const devices = new Map<string, SimulatedDevice>();
  const servers: Server[] = [];
  const serverFor = (port: PortName): Server => {
    const server = newServer((socket) => {
      const device = devices.get(socket.localAddress ?? '');
      if (device?.script.speaks[port] === undefined) socket.resetAndDestroy();
      else serve(port, socket, device);
    });
    servers.push(server);
    return server;
  };
  return {
    ports: await eachPort((name) => listen(serverFor(name), '0.0.0.0', wanted[name])),
    take: async (device) => void devices.set(device.address, device),
    leave: async (device) => {
      if (devices.get(device.address) === device) devices.delete(device.address);
    },
    close: async () => void (await Promise.all(servers.map(closed))),
  };
};
