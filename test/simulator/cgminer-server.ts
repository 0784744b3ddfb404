import type { Socket } from 'node:net';
import { knowsBy } from '../specimens/specimen.ts';
import { misbehave } from './misbehave.ts';
import { deniedBy, prefixAt } from './script.ts';
import { speaker, type Visit } from './visit.ts';

const ENDINGS = { nul: '\0', newline: '\n', none: '' } as const;

/**
 * Serves one connection of the CGMiner API as its core does: what the first read brings is the request, the reply
 * follows, then the device closes. More bytes after that are not read, but noted.
 */
export const serveCgminer = (socket: Socket, visit: Visit): void => {
  const { device, watch } = visit;
  let asked = false;
  socket.on('data', (bytes) => {
    const request = bytes.toString('latin1');
    if (asked) {
      watch.odd(device, request);
      return;
    }
    asked = true;
    watch.command(visit, request);
    const reply = (): string => replyTo(request, visit);
    if (!misbehave(device.behaviour, socket, reply)) socket.end(reply(), 'latin1');
  });
};

const replyTo = (request: string, visit: Visit): string => {
  const { device, port } = visit;
  const script = speaker(visit);
  const ending = ENDINGS[script.device.cgminer.ending];
  if (device.behaviour === 'code45') return device.render(deniedBy(script)) + ending;
  const { key, command, about } = questionIn(request);
  const words = about === undefined ? command : `${command} ${about}`;
  const line = knowsBy(script.device, command, key)
    ? script.lines.get(`${prefixAt('cgminer', port)}${words}`)
    : undefined;
  return device.render(line?.template ?? script.unanswered) + ending;
};

/** `{"command":"x"}`, `{"cmd":"x"}`, with a parameter or without, or the bare word. */
const questionIn = (request: string): { key: 'command' | 'cmd'; command: string; about: string | undefined } => {
  if (!request.startsWith('{')) return { key: 'command', command: request.trim(), about: undefined };
  const [, key, command = ''] = /"(command|cmd)"\s*:\s*"([^"]*)"/.exec(request) ?? [];
  const about = /"parameter"\s*:\s*"([^"]*)"/.exec(request)?.[1];
  return { key: key === 'cmd' ? key : 'command', command, about };
};
