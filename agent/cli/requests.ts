import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { ALL_PORTS, type Driver } from '../drivers/driver.ts';
import { DRIVERS } from '../drivers/index.ts';
import { HANDSHAKES, type Sendable, sendable } from '../probe/allow.ts';
import { IDENTIFICATION } from '../probe/identify.ts';
import { type Io, printJson } from './io.ts';
import { collect, DRIVER_HELP, driversWith, familyNamed } from './probe.ts';
import { table } from './table.ts';

/** `requests`: everything that this program can send to a miner; the transports send from the same list. */
export const requestsVerb = (program: Command, io: Io): void => {
  program
    .command('requests')
    .description('list everything that can be sent to a miner')
    .option('--json', 'print one JSON array')
    .option('--family <id>', 'only what a device of this family is asked')
    .option('--driver <file>', DRIVER_HELP, collect)
    .option('-c, --config <file>', 'with the driver files that this configuration names')
    .action(({ json, family, driver, config }: RequestsOptions) => {
      const drivers = driversWith(driver, config === undefined ? DRIVERS : loadConfig(resolve(config)).drivers);
      const listed = family === undefined ? requestsJson(drivers) : askedOf(family, drivers);
      if (json) printJson(io, listed);
      else io.out.write(table(io, ['request', 'port', 'asked', 'families'], listed.map(rowOf)));
    });
};

interface RequestsOptions {
  readonly json?: boolean;
  readonly family?: string;
  readonly driver?: readonly string[];
  readonly config?: string;
}

/** A request as `--json` prints it and the documentation keeps it; `port` is the usual number of the port. */
export type ListedRequest = Omit<Sendable, 'port'> & { readonly port: number };

/** Everything that can be sent. */
export const requestsJson = (drivers: readonly Driver[] = DRIVERS): readonly ListedRequest[] =>
  [...sendable(drivers, IDENTIFICATION), ...HANDSHAKES].map((one) => ({ ...one, port: ALL_PORTS[one.port] }));

const askedOf = (family: string, drivers: readonly Driver[]): readonly ListedRequest[] => {
  familyNamed(family, drivers);
  // What names no family is for all of them.
  return requestsJson(drivers).filter(
    ({ families, uses }) => families.includes(family) || families.length === 0 || uses.includes('identification'),
  );
};

const rowOf = ({ request, port, uses, families }: ListedRequest): readonly string[] => [
  request,
  String(port),
  uses.join(', '),
  families.join(' '),
];
