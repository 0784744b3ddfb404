import { createServer, type Server, type Socket } from 'node:net';
import type { Addresses, SimulatedDevice } from './device.ts';

/** The TCP ports of a fleet; the same on every address. */
export interface Ports {
  readonly cgminer: number;
  readonly http: number;
}

type Protocol = keyof Ports;
const PROTOCOLS: readonly Protocol[] = ['cgminer', 'http'];

export type Serve = (protocol: Protocol, socket: Socket, device: SimulatedDevice) => void;

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

/** A listener for each address and protocol that a device speaks. Nothing is open beyond the loopback. */
export const listenEach = async (wanted: Ports, probe: string, serve: Serve): Promise<Listeners> => {
  const ports = { cgminer: await freePort(probe, wanted.cgminer), http: await freePort(probe, wanted.http) };
  const servers = new Map<string, Server>();
  const nameOf = (protocol: Protocol, { address }: SimulatedDevice): string => `${protocol} ${address}`;

  const take = async (device: SimulatedDevice): Promise<void> => {
    const spoken = PROTOCOLS.filter((protocol) => device.script.speaks[protocol]);
    await Promise.all(
      spoken.map(async (protocol) => {
        const server = newServer((socket) => serve(protocol, socket, device));
        await listen(server, device.address, ports[protocol]);
        servers.set(nameOf(protocol, device), server);
      }),
    );
  };
  const leave = async (device: SimulatedDevice): Promise<void> => {
    for (const protocol of PROTOCOLS) {
      const server = servers.get(nameOf(protocol, device));
      servers.delete(nameOf(protocol, device));
      if (server !== undefined) await closed(server);
    }
  };
  return { ports, take, leave, close: async () => void (await Promise.all([...servers.values()].map(closed))) };
};

/** A port that is free at `address`, which stands for the others of the fleet. */
const freePort = async (address: string, wanted: number): Promise<number> => {
  if (wanted !== 0) return wanted;
  const server = createServer();
  const port = await listen(server, address, 0);
  await closed(server);
  return port;
};

/**
 * One listener per protocol for any number of addresses, for fleets that would need more listeners than a process may
 * have files. Linux takes connections to all of 127.0.0.0/8 only through a listener on every address, so connections
 * that did not come to a loopback address are torn down unanswered; so are those to an address without a device.
 */
export const listenAny = async (wanted: Ports, serve: Serve): Promise<Listeners> => {
  const devices = new Map<string, SimulatedDevice>();
  const serverFor = (protocol: Protocol): Server =>
    newServer((socket) => {
      const device = devices.get(socket.localAddress ?? '');
      if (device?.script.speaks[protocol] !== true) socket.resetAndDestroy();
      else serve(protocol, socket, device);
    });
  const servers = { cgminer: serverFor('cgminer'), http: serverFor('http') };
  return {
    ports: {
      cgminer: await listen(servers.cgminer, '0.0.0.0', wanted.cgminer),
      http: await listen(servers.http, '0.0.0.0', wanted.http),
    },
    take: async (device) => void devices.set(device.address, device),
    leave: async (device) => {
      if (devices.get(device.address) === device) devices.delete(device.address);
    },
    close: async () => void (await Promise.all(Object.values(servers).map(closed))),
  };
};
