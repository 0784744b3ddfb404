import { AgentError } from '../platform/errors.ts';
import { MIGRATIONS } from './schema.ts';

/** Throws `store.version` for tables of another release. */
export const requireVersion = (version: number, where: string): void => {
  if (version === MIGRATIONS.length) return;
  throw new AgentError({
    code: 'store.version',
    message: `the store ${where} has version ${version}, this program knows ${MIGRATIONS.length}`,
    remedy:
      version > MIGRATIONS.length
        ? 'use the newer release that wrote it'
        : 'start the collector once, it brings the store up to date',
  });
};
