import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { ApprovedFact } from '../../appraise/origin.ts';
import { loadSettings } from '../../config/load.ts';
import { shownValue } from '../../normalise/shown.ts';
import { askAgent } from '../../platform/control.ts';
import { type Io, printable, printJson } from '../io.ts';
import { namesText, shortened, table, utc } from '../table.ts';
import { byText, ordersOf } from '../terms/orders.ts';

interface ShowOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** `baseline show`: the documents in force; of a device what is approved, and who says so. */
export const showVerb = (baseline: Command, io: Io): void => {
  baseline
    .command('show')
    .description('show the references in force, or what is approved of one device and where that comes from')
    .argument('[device]', 'id of a device; then the agent must run')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--json', 'print JSON: one object per reference, or one list of facts')
    .action((device: string | undefined, options: ShowOptions) =>
      device === undefined ? showReferences(options, io) : showDevice(device, options, io),
    );
};

const showReferences = ({ config, json }: ShowOptions, io: Io): void => {
  const orders = ordersOf(config, io).filter(({ terms }) => terms.kind === 'reference');
  if (json) {
    for (const order of orders) printJson(io, order);
    return;
  }
  if (orders.length === 0) {
    io.out.write('no signed reference is in force: devices are held against what was learned or accepted\n');
    return;
  }
  const rows = orders.flatMap((order) => {
    const { terms, seq, adoptedAt } = order;
    return terms.kind === 'reference'
      ? [
          [
            terms.ref_id,
            String(terms.version),
            JSON.stringify(terms.scope ?? {}),
            contentOf(terms, order.left),
            String(seq),
            utc(adoptedAt),
            byText(order),
          ].map(printable),
        ]
      : [];
  });
  io.out.write(table(io, ['reference', 'version', 'scope', 'says', 'entry', 'since (UTC)', 'by'], rows));
  if (orders.some(({ left }) => left !== undefined)) io.out.write(AGAIN);
};

const AGAIN =
  'which left: the configuration; where they are back their document holds again once it is adopted again: assayer baseline adopt <signed file>\n';

const contentOf = (
  {
    values = [],
    entries = [],
    admits = [],
  }: {
    values?: readonly unknown[];
    entries?: readonly unknown[];
    admits?: readonly { readonly name: string }[];
  },
  left: readonly string[] = [],
): string =>
  [
    values.length === 0 ? '' : `${values.length} value${values.length === 1 ? '' : 's'}`,
    entries.length === 0 ? '' : `${entries.length} device${entries.length === 1 ? '' : 's'} as attested`,
    left.length === 0 ? '' : `nothing at ${namesText(left)}, which left`,
    admits.length === 0 ? '' : `admits ${admits.map(({ name }) => name).join(', ')}`,
  ]
    .filter((text) => text !== '')
    .join(', ');

const showDevice = async (device: string, { config, json }: ShowOptions, io: Io): Promise<void> => {
  const stateDir = loadSettings(resolve(config)).config.state_dir;
  // The answer of an agent of the same version.
  const facts = (await askAgent(stateDir, { do: 'approved', device })) as readonly ApprovedFact[];
  if (json) printJson(io, facts);
  else io.out.write(table(io, ['fact', 'approved', 'seen', 'class', 'origin'], facts.map(rowOf)));
};

const rowOf = ({ fact, value, seen, class: kind, ...origin }: ApprovedFact): readonly string[] =>
  [fact, textOf(value), textOf(seen), kind, originOf(origin)].map(printable);

const originOf = ({
  approval,
  layer,
  seq,
  ref_id: refId,
  carried,
  by = [],
}: Omit<ApprovedFact, 'fact' | 'class' | 'value'>): string => {
  if (carried) return 'device: known from before, in no entry';
  const entry = seq === undefined ? 'not recorded yet' : `entry ${seq}`;
  if (refId !== undefined) return `${layer}: ${refId}, ${by.join(' and ')}, ${entry}`;
  return `device: ${approval === 'none' ? 'learned' : approval === 'local' ? 'accepted here' : 'signed'}, ${entry}`;
};

const textOf = (value: unknown): string =>
  value === undefined ? '' : value === null ? 'not set' : shortened(shownValue(value));
