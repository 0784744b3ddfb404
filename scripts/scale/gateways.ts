/** A process that plays gateways: forked by `npm run scale`, told what to do over IPC. */
import { setImmediate as breath } from 'node:timers/promises';
import { systemClock } from '../../agent/platform/clock.ts';
import type { Emit } from '../../agent/platform/events.ts';
import { SimulatedGateway } from './gateway.ts';
import type { GatewaysReport, Order, Rates, Setup, Sizes } from './orders.ts';

const TICK_MS = 100;
/** The agent saves its places this often. */
const SAVE_MS = 5_000;
/** Looks of one gateway in one transaction. */
const TOGETHER = 64;

const gateways: SimulatedGateway[] = [];
const timers: NodeJS.Timeout[] = [];
const errors: { [event: string]: number } = {};
let resent = 0;
let rates: Rates = { refresh: 0, changes: 0, coverage: 0 };
let turnOf = 0;
let isEnding = false;

const clock = systemClock();

const emit: Emit = (level, event, members = {}) => {
  if (event === 'uplink.sends-again') resent += Number(members.to) - Number(members.from);
  if (level !== 'error') return;
  errors[event] = (errors[event] ?? 0) + 1;
  process.stderr.write(`${JSON.stringify({ ...members, level, event })}\n`);
};

const nextGateway = (): SimulatedGateway => {
  const gateway = gateways[turnOf % gateways.length];
  turnOf += 1;
  if (gateway === undefined) throw new Error('there are no gateways yet');
  return gateway;
};

const begin = async (setup: Setup): Promise<void> => {
  for (const id of setup.gateways) {
    if (isEnding) return;
    const gateway = new SimulatedGateway(id, setup, { clock, emit });
    gateways.push(gateway);
    gateway.learn();
    gateway.connect();
    await breath();
  }
  timers.push(setInterval(tickAll, SAVE_MS));
  live();
};

const tickAll = (): void => {
  for (const gateway of gateways) gateway.tick();
};

/** What is due by the rates, evenly over the gateways. */
const live = (): void => {
  const owed = { refresh: 0, changes: 0, coverage: 0 };
  let beforeMs = clock.monoMs();
  const turn = (): void => {
    const nowMs = clock.monoMs();
    for (const kind of ['refresh', 'changes', 'coverage'] as const) {
      owed[kind] += (rates[kind] * (nowMs - beforeMs)) / 1000;
      for (; owed[kind] >= 1; owed[kind] -= 1) write(kind);
    }
    beforeMs = nowMs;
  };
  timers.push(setInterval(turn, TICK_MS));
};

const write = (kind: keyof Rates): void => {
  const gateway = nextGateway();
  if (kind === 'refresh') gateway.refresh(1);
  else if (kind === 'changes') gateway.change();
  else gateway.cover();
};

/** The connections go on meanwhile: a gateway writes while it waits for its collector. */
const writeAll = async (entries: number): Promise<void> => {
  for (let written = 0; written < entries && !isEnding; ) {
    written += nextGateway().refresh(Math.min(TOGETHER, Math.ceil(entries / gateways.length)));
    await breath();
  }
};

const sum = (of: (gateway: SimulatedGateway) => number): number =>
  gateways.reduce((total, gateway) => total + of(gateway), 0);

const report = (): GatewaysReport => ({
  size: sum(({ size }) => size),
  confirmed: sum(({ confirmed }) => confirmed),
  connected: sum(({ isConnected }) => (isConnected ? 1 : 0)),
  resent,
  errors,
});

const sizes = (): Sizes => Object.fromEntries(gateways.map(({ origin, size }) => [origin, size]));

const obey = async (order: Order): Promise<object> => {
  switch (order.do) {
    case 'begin':
      await begin(order.setup);
      return report();
    case 'live':
      rates = order.rates;
      return report();
    case 'write':
      await writeAll(order.entries);
      return report();
    case 'report':
      return report();
    case 'sizes':
      return sizes();
    case 'end':
      isEnding = true;
      for (const timer of timers) clearInterval(timer);
      await Promise.all(gateways.map((gateway) => gateway[Symbol.asyncDispose]()));
      setImmediate(() => process.exit(0));
      return {};
  }
};

process.on('message', ({ id, order }: { readonly id: number; readonly order: Order }) => {
  void obey(order).then(
    (answer) => process.send?.({ id, answer }),
    (problem: unknown) => process.send?.({ id, failed: String(problem) }),
  );
});
// Ctrl-C reaches the whole group; who measures says when this ends.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(1));
