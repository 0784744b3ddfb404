import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Database } from '../../collect/database.ts';
import { Postgres } from '../../collect/postgres.ts';
import { Sqlite } from '../../collect/sqlite.ts';
import { readSecret } from '../../platform/secrets.ts';

/** Where a collector keeps what it has. */
export interface Place {
  readonly state: string;
  readonly postgres?: string;
  readonly postgresPasswordFile?: string;
}

/** The options that say it, for the collector and for every query. */
export const withPlace = (command: Command): Command =>
  command
    .option('--state <folder>', 'folder of the SQLite store', 'collector')
    .addOption(
      new Option(
        '--postgres <url>',
        'keep everything in PostgreSQL instead: postgresql://role@host/database?sslrootcert=<file>',
      ).conflicts('state'),
    )
    .option('--postgres-password-file <file>', 'file that holds its password; without it PGPASSWORD is used');

export const openForWriting = (place: Place): Promise<Database> => opened(place, Postgres.open, Sqlite.open);

export const openForLooking = (place: Place): Promise<Database> =>
  opened(place, Postgres.openReadOnly, Sqlite.openReadOnly);

const opened = async (
  { state, postgres, postgresPasswordFile }: Place,
  inPostgres: typeof Postgres.open,
  inFolder: typeof Sqlite.open,
): Promise<Database> => {
  if (postgres === undefined) return inFolder(resolve(state));
  const password = postgresPasswordFile && readSecret({ password_file: postgresPasswordFile });
  return inPostgres({ url: postgres, password });
};
