import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Terms } from '../../../shared/index.ts';
import { phaseOfPlan } from '../../baseline/standing.ts';
import { loadConfig } from '../../config/load.ts';
import { askAgent } from '../../platform/control.ts';
import type { Order } from '../../record/orders.ts';
import { Store } from '../../record/store.ts';
import { accountName } from '../ask.ts';
import { type Io, printable, printJson } from '../io.ts';
import { table } from '../table.ts';

/** What is in force at a gateway, and ending it before its time. */

interface ListOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** `plan list`, `waiver list`: what is in force, from the store; the agent need not run. */
export const listVerb = (parent: Command, kind: 'plan' | 'waiver', io: Io): void => {
  parent
    .command('list')
    .description(`show the ${kind}s in force at this gateway`)
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--json', 'one JSON object per line')
    .action(({ config, json }: ListOptions) => {
      const orders = ordersOf(config).filter(({ terms }) => terms.kind === kind);
      if (json) for (const order of orders) printJson(io, order);
      else if (orders.length === 0) io.out.write(`no ${kind} is in force\n`);
      else io.out.write(table(io, HEADINGS[kind], orders.map(rowOf)));
    });
};

/** What the store of this gateway holds in force. */
export const ordersOf = (config: string): readonly Order[] => {
  using store = Store.openReadOnly(loadConfig(resolve(config)).config.state_dir);
  // Written by this agent.
  return store.orders((text) => JSON.parse(text) as Order);
};

const HEADINGS = {
  plan: ['plan', 'state', 'from (UTC)', 'to (UTC)', 'findings', 'matched', 'ticket', 'by'],
  waiver: ['waiver', 'ends (UTC)', 'findings', 'matched', 'reason', 'by'],
} as const;

const rowOf = ({ terms, matched = [], by }: Order): readonly string[] => {
  const count = matched.length === 0 ? 'nothing yet' : `${matched.length}`;
  return cellsOf(terms, count, by.join(', ')).map(printable);
};

const cellsOf = (terms: Terms, count: string, by: string): readonly string[] => {
  switch (terms.kind) {
    case 'plan':
      return [
        terms.plan_id,
        PHASES[phaseOfPlan(terms, Date.now())],
        utc(terms.not_before_at),
        utc(terms.not_after_at),
        terms.ids.join(' '),
        count,
        terms.dispatch === undefined
          ? (terms.ticket ?? '')
          : `${terms.dispatch.dispatcher} ${terms.dispatch.reference}`,
        by,
      ];
    case 'waiver':
      return [terms.waiver_id, utc(terms.expires_at), terms.ids.join(' '), count, terms.reason, by];
    case 'reference':
      return [terms.ref_id, String(terms.version), count, by];
  }
};

const PHASES = { before: 'to come', open: 'open', late: 'window closed', over: 'over' } as const;

export const utc = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ');

interface CloseOptions {
  readonly config: string;
  readonly by?: string;
  readonly json?: boolean;
}

/** `plan close`, `waiver close`: ends it before its time; what it covered counts again. */
export const closeVerb = (parent: Command, kind: 'plan' | 'waiver', io: Io): void => {
  parent
    .command('close')
    .description(`end a ${kind} before its time; the agent must run`)
    .argument('<name>', `name of the ${kind}, as \`assayer ${kind} list\` shows it`)
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--by <name>', 'who ends it; without it the account of this process')
    .option('--json', 'print the result as JSON')
    .action(async (id: string, { config, by = accountName(), json }: CloseOptions) => {
      const stateDir = loadConfig(resolve(config)).config.state_dir;
      const result = await askAgent(stateDir, { do: 'close', kind, id, by });
      if (json) printJson(io, result as object);
      else io.out.write(`${kind} ${printable(id)} is closed\n`);
    });
};
