import type { Socket } from 'node:net';
import { knowsBy } from '../specimens/specimen.ts';
import type { SimulatedDevice } from './device.ts';
import { misbehave } from './misbehave.ts';
import { deniedBy, type Script } from './script.ts';
import type { Watch } from './watch.ts';

const ENDINGS = { nul: '\0', newline: '\n', none: '' } as const;

/**
 * Serves one connection of the CGMiner API as its core does: what the first read brings is the request, the reply
 * follows, then the device closes. More bytes after that are not read, but noted.
 */
export const serveCgminer = (
  socket: Socket,
  device: SimulatedDevice,
  watch: Watch,
  stranger: (device: SimulatedDevice) => Script,
): void => {
  let asked = false;
  socket.on('data', (bytes) => {
    const request = bytes.toString('latin1');
    if (asked) {
      watch.odd(device, request);
      return;
    }
    asked = true;
    watch.command(device, request);
    const reply = (): string => replyTo(request, device, stranger);
    if (!misbehave(device.behaviour, socket, reply)) socket.end(reply(), 'latin1');
  });
};

const replyTo = (request: string, device: SimulatedDevice, stranger: (device: SimulatedDevice) => Script): string => {
  const script = device.behaviour === 'other-family' ? stranger(device) : device.script;
  const ending = ENDINGS[script.device.cgminer.ending];
  if (device.behaviour === 'code45') return device.render(deniedBy(script)) + ending;
  const { key, command } = questionIn(request);
  const line = knowsBy(script.device, command, key) ? script.lines.get(`cgminer:${command}`) : undefined;
  return device.render(line?.template ?? script.unanswered) + ending;
};

/** `{"command":"x"}`, `{"cmd":"x"}` or the bare word. */
const questionIn = (request: string): { key: 'command' | 'cmd'; command: string } => {
  if (!request.startsWith('{')) return { key: 'command', command: request.trim() };
  const [, key, command = ''] = /"(command|cmd)"\s*:\s*"([^"]*)"/.exec(request) ?? [];
  return { key: key === 'cmd' ? key : 'command', command };
};
