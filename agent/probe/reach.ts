import { connect } from 'node:net';
import type { Endpoint } from './connection.ts';

/**
 * Whether anything accepts a connection there: `open`, or why not. Nothing is sent, and the connection is closed at once; it is gone when
 * the answer is there, so that a device that is tried again never sees two.
 */
export const reach = (endpoint: Endpoint, connectMs: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ ...endpoint, autoSelectFamily: false });
    const end = (what: string): void => {
      socket.once('close', () => resolve(what));
      socket.destroy();
    };
    socket.setTimeout(connectMs, () => end('no answer'));
    socket.on('connect', () => end('open'));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
