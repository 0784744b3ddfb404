import type { Socket } from 'node:net';
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
  const line = script.lines.get(`cgminer:${commandOf(request)}`);
  return device.render(line?.template ?? script.unanswered) + ending;
};

/** `{"command":"x"}`, `{"cmd":"x"}` or the bare word. */
const commandOf = (request: string): string =>
  request.startsWith('{') ? (/"(?:command|cmd)"\s*:\s*"([^"]*)"/.exec(request)?.[1] ?? '') : request.trim();
