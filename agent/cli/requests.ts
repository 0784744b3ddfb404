import type { Command } from 'commander';
import { closest } from 'fastest-levenshtein';
import { ALL_PORTS } from '../drivers/driver.ts';
import { DRIVERS } from '../drivers/index.ts';
import { AgentError } from '../platform/errors.ts';
import { HANDSHAKES, type Sendable, sendable } from '../probe/allow.ts';
import { IDENTIFICATION } from '../probe/identify.ts';
import { type Io, printJson } from './io.ts';
import { table } from './table.ts';

/** `requests`: everything that this program can send to a miner; the transports send from the same list. */
export const requestsVerb = (program: Command, io: Io): void => {
  program
    .command('requests')
    .description('list everything that can be sent to a miner')
    .option('--json', 'print one JSON array')
    .option('--family <id>', 'only what a device of this family is asked')
    .action(({ json, family }: { json?: boolean; family?: string }) => {
      const listed = family === undefined ? requestsJson() : askedOf(family);
      if (json) printJson(io, listed);
      else io.out.write(table(io, ['request', 'port', 'asked', 'families'], listed.map(rowOf)));
    });
};

/** A request as `--json` prints it and the documentation keeps it; `port` is the usual number of the port. */
export type ListedRequest = Omit<Sendable, 'port'> & { readonly port: number };

/** Everything that can be sent. */
export const requestsJson = (): readonly ListedRequest[] =>
  [...sendable(DRIVERS, IDENTIFICATION), ...HANDSHAKES].map((one) => ({ ...one, port: ALL_PORTS[one.port] }));

const askedOf = (family: string): readonly ListedRequest[] => {
  const known = DRIVERS.map((driver) => driver.family);
  if (!known.includes(family)) {
    throw new AgentError({
      code: 'usage.family',
      message: `there is no family ${JSON.stringify(family)}`,
      remedy: `did you mean ${closest(family, known)}? There are: ${known.join(', ')}`,
    });
  }
  // What names no family is for all of them.
  return requestsJson().filter(
    ({ families, uses }) => families.includes(family) || families.length === 0 || uses.includes('identification'),
  );
};

const rowOf = ({ request, port, uses, families }: ListedRequest): readonly string[] => [
  request,
  String(port),
  uses.join(', '),
  families.join(' '),
];
