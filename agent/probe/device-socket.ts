import { Socket } from 'node:net';
import { together } from '../platform/together.ts';
import type { Endpoint } from './connection.ts';

/** Who is told what happens at a socket. */
export interface SocketOwner {
  readonly connected: () => void;
  /** The piece is overwritten after the call. */
  readonly heard: (piece: Buffer) => void;
  readonly failed: (error: NodeJS.ErrnoException) => void;
  /** The last that is told. */
  readonly closed: () => void;
}

/**
 * A TCP socket to a device, which lets go of its owner when it is closed. Node makes a function for each socket that V8
 * puts among the old objects at once: the socket, and everything that can be reached from it, is then kept and moved about
 * until these are collected, a thousand looks later. For the same reason the listeners are one set for all sockets.
 */
export class DeviceSocket extends Socket {
  owner: SocketOwner | undefined;
  readonly endpoint: Endpoint;

  /** Connects in the next turn of the event loop. */
  constructor(endpoint: Endpoint, owner: SocketOwner) {
    // A device that closes has said everything: closing in turn is enough, without announcing it first.
    super({ allowHalfOpen: true, onread: READING });
    this.owner = owner;
    this.endpoint = endpoint;
    this.on('connect', onConnect);
    this.on('end', this.leave);
    this.on('error', onError);
    this.on('close', onClose);
    connecting(this);
  }

  /** Closes in the next turn of the event loop. */
  leave(): void {
    leaving(this);
  }
}

const connecting = together((socket: DeviceSocket) => {
  if (socket.destroyed) return;
  const { host, port } = socket.endpoint;
  // One attempt: racing two address families would be two connections to one device.
  socket.connect({ host, port, autoSelectFamily: false });
});

const leaving = together((socket: DeviceSocket) => void socket.destroy());

function onRead(this: DeviceSocket, length: number, buffer: Uint8Array): boolean {
  // The buffer that is given below.
  this.owner?.heard((buffer as Buffer).subarray(0, length));
  return true;
}

/** One buffer for all sockets: it is read into and emptied within one turn of the event loop. */
const READING = { buffer: Buffer.allocUnsafeSlow(65_536), callback: onRead };

function onConnect(this: DeviceSocket): void {
  this.owner?.connected();
}

function onError(this: DeviceSocket, error: NodeJS.ErrnoException): void {
  this.owner?.failed(error);
}

function onClose(this: DeviceSocket): void {
  const { owner } = this;
  this.owner = undefined;
  owner?.closed();
}
