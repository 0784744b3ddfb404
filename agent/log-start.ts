import type { LogEnd } from '../shared/statement.ts';
import { readDevice } from './appraise/device.ts';
import { namesUsers } from './appraise/promote.ts';
import { storeLost } from './appraise/rules/evidence-agent-gap.ts';
import type { Config } from './config/schema.ts';
import type { Ground } from './ground.ts';
import type { Emit } from './platform/events.ts';
import { stateOfGateway } from './record/batch.ts';
import { lastBegun, type Replaces, staleness } from './record/incarnation.ts';
import { Log, type ReadOptions, type Transaction } from './record/log.ts';
import type { Order } from './record/orders.ts';
import { restate, restatement } from './record/restate.ts';
import type { StartFacts } from './record/session.ts';
import type { Store } from './record/store.ts';
import type { Fleet } from './schedule/fleet.ts';

/** The log at the start of the agent: continued, begun, or in place of one that is not the log that was written. */

/** The log that the store holds, or the one that replaces it where it is not the one that was written. */
export const readLog = (
  { operator, gateway, state_dir }: Config,
  {
    head,
    replaces,
    ...rest
  }: Omit<ReadOptions, 'operator' | 'gateway' | 'former' | 'prior' | 'replaces'> & {
    readonly head: LogEnd | undefined;
    readonly replaces: Replaces | undefined;
  },
): Log => {
  const former = lastBegun(state_dir)?.origin;
  const options = { ...rest, operator, gateway, former, prior: head?.log === former ? head : undefined };
  const log = Log.read(options);
  const stale =
    replaces ?? withLost(rest.store.lost, staleness({ origin: log.origin, size: log.size() }, { head, begun: former }));
  return stale === undefined ? log : Log.read({ ...options, replaces: stale });
};

/** A store that lost its end is an older state, too, whatever stands beside it. */
const withLost = (lost: string | undefined, stale: Replaces | undefined): Replaces | undefined =>
  lost === undefined ? stale : { ...stale, why: stale === undefined ? lost : `${lost}; ${stale.why}` };

/**
 * Begins the log. One that replaces another says first what of that is in force; what is known of the devices is carried over. `wasBegun`: a
 * log was begun here before. One that begins without all that the former knew says so in its first transaction, or a start that comes to no
 * end would leave a log in which nobody sees it.
 */
export const beginLog = (
  start: StartFacts,
  { store, log, orders, recorder }: Ground,
  about: {
    readonly fleet: Fleet;
    readonly isRedacting: boolean;
    readonly wasBegun: boolean;
    readonly nowMs: number;
    readonly emit: Emit;
  },
): void => {
  const { fleet, isRedacting, wasBegun, nowMs, emit } = about;
  const { replaced } = log;
  const stateLoss = (tx: Transaction): void => void stateOfGateway(tx, storeLost(nowMs));
  if (replaced === undefined) {
    log.begin(start, log.isNew && wasBegun ? stateLoss : undefined);
    return;
  }
  const states = [...store.devices(readDevice)];
  const pages = restatement(store, states, replaced);
  const isWithheld = ({ terms }: Order): boolean => isRedacting && namesUsers(terms);
  let carried: ReturnType<typeof restate> = { states: [], orders: [] };
  log.begin(start, (tx) => {
    carried = restate(tx, { pages, states, orders: orders.all(), isWithheld });
    stateLoss(tx);
  });
  orders.carry(carried.orders);
  const known = carried.states.filter(({ id }) => fleet.state(id) !== undefined);
  // What a look has touched meanwhile stays: every state of a device holds the same marks.
  for (const state of known) fleet.keep({ ...state, marks: fleet.state(state.id)?.marks ?? state.marks });
  recorder.takeRestated(known);
  emit('warn', 'log.replaced', { log: log.origin, former: replaced, restated: pages.length });
};

/** Once another log has begun: what the former one lost is known to collectors, or to nobody. */
export const tellLost = (lost: string, store: Store, emit: Emit): void =>
  emit('error', 'store.end-lost', {
    message: `${lost}; what stood there is not in this store, and another log has begun`,
    kept: store.settleLost(),
    remedy:
      'check the disk (dmesg, smartctl); what had been sent of the former log is at its collectors: look there for what was found last. Remove the kept file when nobody needs it',
  });

/** The store that held the former log is gone or was emptied: somebody should know why. */
export const tellBegunAnew = (log: Log, { origin }: { readonly origin?: string }, emit: Emit): void =>
  emit('warn', 'log.begun-anew', {
    log: log.origin,
    former: origin ?? 'unknown',
    remedy: 'if nobody removed the store on purpose, find out who did; a backup of it holds the former log',
  });
