import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Terms, termsId } from '../../../shared/index.ts';
import { phaseOfPlan } from '../../baseline/standing.ts';
import { loadSettings } from '../../config/load.ts';
import { goneSigners } from '../../desk/signers.ts';
import { askAgent } from '../../platform/control.ts';
import type { Order } from '../../record/orders.ts';
import { accountName } from '../ask.ts';
import { type Io, printable, printJson } from '../io.ts';
import { openStore } from '../look.ts';
import { table, utc } from '../table.ts';
import { type DecisionOptions, emergencyOf, isWanted } from './decision.ts';
import { closingLines } from './ending.ts';

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
      const orders = ordersOf(config, io).filter(({ terms }) => terms.kind === kind);
      if (json) for (const order of orders) printJson(io, order);
      else if (orders.length === 0) io.out.write(`no ${kind} is in force\n`);
      else io.out.write(table(io, HEADINGS[kind], orders.map(rowOf)));
    });
};

/** A document in force, with who signed it and is no approver any more. */
export type ListedOrder = Order & { readonly signers_gone?: readonly string[] };

/** What the store of this gateway holds in force. */
export const ordersOf = (file: string, io: Io): readonly ListedOrder[] => {
  const { config, approvers } = loadSettings(resolve(file));
  using store = openStore(config.state_dir, io);
  // Written by this agent.
  const orders = store.orders((text) => JSON.parse(text) as Order);
  return orders.map((order) => {
    const gone = goneSigners(order, approvers);
    return gone.length === 0 ? order : { ...order, signers_gone: gone };
  });
};

/** Who signed or laid it down. */
export const byText = ({ by, signers_gone: gone = [] }: ListedOrder): string =>
  by.map((name) => (gone.includes(name) ? `${name} (no approver any more)` : name)).join(', ');

const HEADINGS = {
  plan: ['plan', 'state', 'from (UTC)', 'to (UTC)', 'findings', 'matched', 'ticket', 'by'],
  waiver: ['waiver', 'ends (UTC)', 'findings', 'matched', 'reason', 'by'],
} as const;

const rowOf = (order: ListedOrder): readonly string[] => {
  const { terms, matched = [] } = order;
  const count = matched.length === 0 ? 'nothing yet' : `${matched.length}`;
  return cellsOf(terms, count, byText(order)).map(printable);
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

/** `plan close`, `waiver close`: ends it before its time; what it covered counts again. */
export const closeVerb = (parent: Command, kind: 'plan' | 'waiver', io: Io): void => {
  parent
    .command('close')
    .description(`end a ${kind} before its time, after what follows was shown; the agent must run`)
    .argument('<name>', `name of the ${kind}, as \`assayer ${kind} list\` shows it`)
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--by <name>', 'who ends it; without it the account of this process')
    .option('--break-glass', 'end alone what two people stand behind; it is reported as a finding')
    .option('--note <text>', 'why; needed with --break-glass, goes into the log')
    .option('-y, --yes', 'do not ask after it was shown what ends')
    .option('--json', 'print what ends as text on stderr, and the result as JSON')
    .action((id: string, options: DecisionOptions) => close(kind, id, options, io));
};

const close = async (kind: 'plan' | 'waiver', id: string, options: DecisionOptions, io: Io): Promise<void> => {
  const { by = accountName() } = options;
  const emergency = emergencyOf(options, by);
  const stateDir = loadSettings(resolve(options.config)).config.state_dir;
  const order = await orderInForce(stateDir, ({ terms }) => terms.kind === kind && termsId(terms) === id);
  // Of a name that is none the agent says so.
  if (order !== undefined) {
    const shown = closingLines(order, stateDir, Math.floor(Date.now() / 1000), io);
    if (!(await isWanted(shown, { question: `End this ${kind}?`, done: 'closed' }, options, io))) return;
  }
  const result = await askAgent(stateDir, { do: 'close', kind, id, by, ...emergency });
  if (options.json) printJson(io, result as object);
  else io.out.write(`${kind} ${printable(id)} is closed\n`);
};

/** One of the documents that the running agent holds to. Throws `agent.*` where none runs. */
export const orderInForce = async (
  stateDir: string,
  isMeant: (order: Order) => boolean,
): Promise<Order | undefined> => {
  // The answer of an agent of the same version.
  const orders = (await askAgent(stateDir, { do: 'orders' })) as readonly Order[];
  return orders.find(isMeant);
};
