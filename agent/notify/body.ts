import { hash } from 'node:crypto';
import type { Notification } from '../../shared/notification.ts';
import type { Skipped, Transition } from './feed.ts';
import { utc, wordsOf, wordsOfSkipped } from './words.ts';

/** Who tells whom, out of which log. */
export interface Sender {
  readonly target: string;
  readonly gateway: string;
  readonly log: string;
}

/** The same for the same thing, whenever it is told again, and without a full stop, which the signature needs (Standard Webhooks 1.0). */
const deliveryOf = (...names: readonly (string | number)[]): string =>
  `msg_${hash('sha256', JSON.stringify(names), 'base64url').slice(0, 22)}`;

/** Names a finding everywhere, from its first transition to its end. */
const keyOf = (log: string, openedSeq: number): string => `${log}/${openedSeq}`;

type TypeOf = Extract<Notification, { data: { finding: unknown } }>['type'];

/** One transition of one finding. */
export const transitionBody = ({ seq, iat, finding }: Transition, { target, gateway, log }: Sender): Notification => ({
  // The specification knows no dash in a type.
  type: `finding.${finding.state.replace('-', '_')}` as TypeOf,
  timestamp: utc(iat),
  data: {
    delivery: deliveryOf(target, log, seq),
    target,
    gateway,
    text: wordsOf(finding),
    log,
    seq,
    key: keyOf(log, finding.opened_seq),
    finding,
  },
});

const MOST_ENDED = 256;

/** What was passed over; `next`: the lowest entry that was not. */
export const skippedBody = (
  skipped: Skipped,
  { next, sender }: { readonly next: number; readonly sender: Sender },
): Notification => {
  const { target, gateway, log } = sender;
  return {
    type: 'notify.skipped',
    timestamp: utc(skipped.toAt),
    data: {
      delivery: deliveryOf(target, log, 'skipped', next),
      target,
      gateway,
      text: wordsOfSkipped(skipped),
      log,
      skipped: {
        count: skipped.count,
        by_severity: { ...skipped.bySeverity },
        from_at: skipped.fromAt,
        to_at: skipped.toAt,
        ended: skipped.ended.slice(0, MOST_ENDED).map((openedSeq) => keyOf(log, openedSeq)),
      },
    },
  };
};

/** Somebody tries the target. `nonce`: another one each time. */
export const testBody = (
  { target, gateway }: Omit<Sender, 'log'>,
  { atS, nonce }: { readonly atS: number; readonly nonce: string },
): Notification => ({
  type: 'notify.test',
  timestamp: utc(atS),
  data: {
    delivery: deliveryOf(target, gateway, nonce),
    target,
    gateway,
    text: `test of the target ${target} by ${gateway}: nothing has happened`,
  },
});
