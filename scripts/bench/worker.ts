/** A process that does only what is measured: `floor` or `pipeline`. Forked by the bench, told what to do over IPC. */
import { setTimeout as after } from 'node:timers/promises';
import { boundHeap } from '../../agent/platform/heap.ts';
import { type Exchanges, exchangesOf, floorSweep } from './floor.ts';
import { Pipeline } from './pipeline.ts';
import type { Ask, Setup, SweepCost } from './setup.ts';

const kind = process.argv[2];
let setup: Setup | undefined;
let exchanges: Exchanges = new Map();
let pipeline: Pipeline | undefined;

const measured = async (work: () => Promise<unknown>): Promise<SweepCost> => {
  let rss = process.memoryUsage.rss();
  const sampling = setInterval(() => {
    rss = Math.max(rss, process.memoryUsage.rss());
  }, 250);
  const from = process.cpuUsage();
  const fromMs = performance.now();
  await work();
  const { user, system } = process.cpuUsage(from);
  clearInterval(sampling);
  return { cpuUs: user + system, wallMs: performance.now() - fromMs, rss };
};

const obey = async (ask: Ask): Promise<unknown> => {
  switch (ask.do) {
    case 'setup':
      if (kind === 'pipeline') {
        // As the agent that is delivered does.
        boundHeap();
        pipeline = new Pipeline(ask.setup);
        await pipeline.start();
      } else {
        setup = ask.setup;
      }
      return { rss: process.memoryUsage.rss() };
    case 'questions':
      exchanges = exchangesOf(ask.questions);
      return {};
    case 'learn': {
      let found = 0;
      const cost = await measured(async () => {
        found = (await pipeline?.learn()) ?? 0;
      });
      return { ...cost, found };
    }
    case 'settle':
      return measured(async () => pipeline?.settle());
    case 'sweep':
      return measured(async () => (pipeline === undefined ? setup && floorSweep(setup, exchanges) : pipeline.sweep()));
    case 'rest':
      await after(3000);
      return { rss: process.memoryUsage.rss() };
    case 'end':
      pipeline?.[Symbol.dispose]();
      setImmediate(() => process.exit(0));
      return {};
  }
};

process.on('message', (ask: Ask) => void obey(ask).then((answer) => process.send?.(answer)));
// The bench is gone: so is the reason to run.
process.on('disconnect', () => process.exit(1));
