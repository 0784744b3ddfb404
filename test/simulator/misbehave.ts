import type { Socket } from 'node:net';
import type { Behaviour } from './behaviour.ts';

const FLOOD_BYTES = 50_000_000;
const DRIP_MS = 1000;

/**
 * Sends `reply` (Latin-1) as a device of that behaviour does. True when the connection is now the business of the
 * behaviour; false for a reply to be given as usual.
 */
export const misbehave = (behaviour: Behaviour, socket: Socket, reply: () => string): boolean => {
  switch (behaviour) {
    case 'honest':
    case 'code45':
    case 'other-family':
    case 'busy':
      return false;
    case 'silent':
      return true;
    case 'early-close':
      socket.end();
      return true;
    case 'reset':
      socket.resetAndDestroy();
      return true;
    case 'drip':
      drip(socket, reply());
      return true;
    case 'flood':
      flood(socket, reply());
      return true;
    case 'garbage':
      socket.end(noise(3000), 'latin1');
      return true;
    case 'truncate': {
      const whole = reply();
      socket.end(whole.slice(0, Math.floor(whole.length * 0.6)), 'latin1');
      return true;
    }
    case 'half-open':
      socket.write(reply(), 'latin1');
      return true;
  }
};

const drip = (socket: Socket, reply: string): void => {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(reply[at] ?? ' ', 'latin1');
    at += 1;
  }, DRIP_MS);
  socket.once('close', () => clearInterval(timer));
};

/** The beginning of an honest reply, and then no end. */
const flood = (socket: Socket, reply: string): void => {
  const piece = Buffer.alloc(65_536, '{"STATUS":"S"},');
  let left = FLOOD_BYTES;
  const pour = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= piece.length;
      if (!socket.write(piece)) {
        socket.once('drain', pour);
        return;
      }
    }
    socket.end();
  };
  socket.write(reply.slice(0, Math.floor(reply.length / 2)), 'latin1');
  pour();
};

/** Bytes of all kinds, the same every time. */
const noise = (length: number): string => {
  let state = 1;
  let out = '';
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    out += String.fromCharCode((state >> 16) & 0xff);
  }
  return out;
};
