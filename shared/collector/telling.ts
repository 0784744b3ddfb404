import { publishingOn } from '../channels.ts';
import { cosign, type Witness } from '../cosignature.ts';
import type { Head } from '../heartbeats.ts';
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

/** The request of an observer, whom no gateway waits for, for what is missing and overdue. */
export const tellResync = (
  topics: CollectorTopics,
  machine: LogMachine,
  { nowMs, isBacklog, uuid }: Now & { readonly uuid: () => string },
): readonly Outgoing[] => {
  const overdue = machine.overdue(nowMs, isBacklog);
  if (overdue === undefined) return [];
  const [from, to] = overdue;
  const request: Request = {
    id: uuid(),
    op: 'resync',
    args: { from, to: Math.min(to, from + PAGE_ENTRIES) },
    expires_at: Math.floor(nowMs / 1000) + REQUEST_S,
  };
  return [outgoing(topics.cmd(gatewayIdOf(machine.log.log)), request, publishingOn('cmd'))];
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
