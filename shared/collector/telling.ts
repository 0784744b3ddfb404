import { publishingOn } from '../channels.ts';
import { cosign, type Witness } from '../cosignature.ts';
import type { Head } from '../heartbeats.ts';
import type { Asked } from './asked.ts';
import { gatewayIdOf } from './fleet.ts';
import type { LogMachine } from './machine.ts';
import { type Outgoing, outgoing, type Request, type Rollcall } from './messages.ts';
import type { CollectorTopics } from './topics.ts';

/** What a collector says to gateways (mqtt.md §2, §3). Everything here speaks of what is stored. */

const REQUEST_S = 60;
const PAGE_ENTRIES = 1_000;

/** When it is told, and whether a backlog is coming in. */
interface Now {
  readonly nowMs: number;
  readonly isBacklog: boolean;
}

/** The acknowledgement of a log that is due, with the range that is missing and overdue. */
export const tellAck = (
  topics: CollectorTopics,
  machine: LogMachine,
  { nowMs, isBacklog }: Now,
): readonly Outgoing[] => {
  const ack = machine.ack(nowMs, machine.overdue(nowMs, isBacklog));
  if (ack === undefined) return [];
  return [outgoing(topics.ack(gatewayIdOf(ack.log)), ack, { ...publishingOn('ack'), prompt: true })];
};

/** What a request needs beside the time: an id, and a note of what was asked. */
interface Inquiry extends Now {
  readonly uuid: () => string;
  readonly asked: Asked;
}

/** The request of an observer, whom no gateway waits for, for what is missing and overdue. */
export const tellResync = (topics: CollectorTopics, machine: LogMachine, inquiry: Inquiry): readonly Outgoing[] => {
  const overdue = machine.overdue(inquiry.nowMs, inquiry.isBacklog);
  if (overdue === undefined) return [];
  const [from, end] = overdue;
  const to = Math.min(end, from + PAGE_ENTRIES);
  return [ask(topics, machine, inquiry, { op: 'resync', from, to })];
};

/** The request for what joins our tree to a log whose entries between are lost. */
export const tellTiles = (topics: CollectorTopics, machine: LogMachine, inquiry: Inquiry): readonly Outgoing[] => {
  const lacked = machine.lackedTiles(inquiry.nowMs);
  return lacked === undefined ? [] : [ask(topics, machine, inquiry, { op: 'tiles', ...lacked })];
};

const ask = (
  topics: CollectorTopics,
  { log: { log } }: LogMachine,
  { nowMs, uuid, asked }: Inquiry,
  { op, from, to }: { readonly op: 'resync' | 'tiles'; readonly from: number; readonly to: number },
): Outgoing => {
  const gateway = gatewayIdOf(log);
  const request: Request = { id: uuid(), op, args: { from, to }, expires_at: Math.floor(nowMs / 1000) + REQUEST_S };
  asked.note(request.id, { gateway, log, ...(op === 'resync' ? { op, entries: to - from } : { op }) }, nowMs);
  return outgoing(topics.cmd(gateway), request, publishingOn('cmd'));
};

/** The cosignature of a checkpoint that agreed, and is noted as cosigned in the store. */
export const tellCosignature = (
  topics: CollectorTopics,
  {
    log,
    head,
    witness,
    nowMs,
  }: { readonly log: string; readonly head: Head; readonly witness: Witness; readonly nowMs: number },
): Outgoing => {
  const note = cosign(head.note, witness, Math.floor(nowMs / 1000));
  return outgoing(topics.cosig(gatewayIdOf(log)), { log, size: head.size, note }, publishingOn('cosig'));
};

/** Asks every gateway to say where it stands. */
export const tellRollcall = (topics: CollectorTopics, nowMs: number): Outgoing => {
  const rollcall: Rollcall = { at: Math.floor(nowMs / 1000) };
  return outgoing(topics.rollcall, rollcall, publishingOn('rollcall'));
};
