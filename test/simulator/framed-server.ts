import type { Socket } from 'node:net';
import { misbehave } from './misbehave.ts';
import { prefixAt } from './script.ts';
import { speaker, type Visit } from './visit.ts';

const HEAD_BYTES = 4;

/** Serves one connection of WhatsMiner API 3: one framed question, one framed answer, then the device closes. */
export const serveFramed = (socket: Socket, visit: Visit): void => {
  const { device, watch } = visit;
  let kept: Buffer = Buffer.alloc(0);
  let asked = false;
  socket.on('data', (bytes) => {
    if (asked) {
      watch.odd(device, bytes.toString('latin1'));
      return;
    }
    kept = Buffer.concat([kept, Buffer.from(bytes as Buffer)]);
    if (kept.length < HEAD_BYTES || kept.length < HEAD_BYTES + kept.readUInt32LE(0)) return;
    asked = true;
    const request = kept.toString('latin1', HEAD_BYTES);
    watch.framed(visit, request);
    const reply = (): string => framed(replyTo(request, visit));
    if (!misbehave(device.behaviour, socket, reply)) socket.end(reply(), 'latin1');
  });
};

const framed = (document: string): string => {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(document.length);
  return head.toString('latin1') + document;
};

const replyTo = (request: string, visit: Visit): string => {
  const { device, port } = visit;
  if (device.behaviour === 'code45') return '{"code":-4,"when":0,"msg":"no permission","desc":""}';
  const [, command = '', param] = /^\{"cmd":"([^"]*)"(?:,"param":"([^"]*)")?\}$/.exec(request) ?? [];
  const words = param === undefined ? command : `${command} ${param}`;
  const line = speaker(visit).lines.get(`${prefixAt('framed', port)}${words}`);
  return line === undefined ? '{"code":-2,"when":0,"msg":"invalid command","desc":""}' : device.render(line.template);
};
