import type { Kind } from './kinds.ts';
import type { Side } from './relay.ts';
import type { Owner, Site } from './site.ts';

/** Makes a fault, waits while it `lasts`, and ends it. `draw` is what else is left to chance, from 0 to below 1. */
type Action = (site: Site, draw: number, lasts: () => Promise<void>) => Promise<void>;

const MOST_DELAY_MS = 1_500;
/** The clock of the agent is set back only: a log of the future is refused by whoever verifies it now. */
const MOST_OFFSET_S = { agent: 7_200, broker: 7_200, collector: 1_800 };

const down =
  (who: 'gateway' | 'broker' | 'collector'): Action =>
  async (site, _draw, lasts) => {
    await site[who].kill();
    await lasts();
    site[who].start();
  };

const cut =
  (side: Side): Action =>
  async ({ network }, draw, lasts) => {
    const end = draw < 0.5 ? 'near' : 'far';
    network.cut(side, end);
    await lasts();
    network.mend(side, end);
  };

/** Both ends of a link get a queue of that kind. */
const queued =
  (discipline: (draw: number) => readonly string[]): Action =>
  async ({ network }, draw, lasts) => {
    const side = draw < 0.5 ? 'agent' : 'collector';
    network.queue(side, discipline((draw * 2) % 1));
    await lasts();
    network.unqueue(side);
  };

const weather =
  (side: Side, what: 'delay' | 'stall'): Action =>
  async ({ network }, draw, lasts) => {
    const ms = Math.round(draw * MOST_DELAY_MS);
    network.tell(what === 'delay' ? { side, do: 'delay', ms, jitterMs: ms } : { side, do: 'stall' });
    await lasts();
    network.tell({ side, do: 'pass' });
  };

const full =
  (owner: Owner): Action =>
  async ({ disks }, _draw, lasts) => {
    disks[owner].fill();
    await lasts();
    disks[owner].free();
  };

const step =
  (owner: Owner): Action =>
  async ({ clocks }, draw, lasts) => {
    // From seconds to hours, small ones as often as large ones.
    const size = Math.round(MOST_OFFSET_S[owner] ** ((draw * 2) % 1));
    clocks[owner].set(owner === 'agent' || draw < 0.5 ? -size : size);
    await lasts();
    clocks[owner].set(0);
  };

/** What each fault is. */
export const ACTIONS: { readonly [kind in Kind]: Action } = {
  'agent-killed': down('gateway'),
  'broker-killed': down('broker'),
  'collector-killed': down('collector'),
  'broker-wiped': async ({ broker }, _draw, lasts) => {
    await broker.kill();
    broker.wipe();
    await lasts();
    broker.start();
  },
  'collector-restored': async ({ collector }, draw, lasts) => {
    await collector.kill();
    await collector.putBack(draw);
    await lasts();
    collector.start();
  },
  'agent-cut': cut('agent'),
  'collector-cut': cut('collector'),
  'packets-disturbed': queued((draw) => ['netem', 'delay', '100ms', '50ms', 'loss', `${Math.round(draw * 40)}%`]),
  'link-narrow': queued((draw) => [
    'tbf',
    'rate',
    `${40 + Math.round(draw * 400)}kbit`,
    'burst',
    '4kb',
    'limit',
    '8kb',
  ]),
  'agent-slow': weather('agent', 'delay'),
  'collector-slow': weather('collector', 'delay'),
  'agent-stalled': weather('agent', 'stall'),
  'collector-stalled': weather('collector', 'stall'),
  'connections-reset': async ({ network }) => {
    network.tell({ side: 'agent', do: 'reset' });
    network.tell({ side: 'collector', do: 'reset' });
  },
  'agent-disk-full': full('agent'),
  'broker-disk-full': full('broker'),
  'collector-disk-full': full('collector'),
  'agent-clock': step('agent'),
  'broker-clock': step('broker'),
  'collector-clock': step('collector'),
};
