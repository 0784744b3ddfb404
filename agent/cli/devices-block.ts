import { stringify } from 'yaml';
import type { Target } from '../probe/target.ts';

/** A `devices:` block for the configuration; `ports` where they are not the usual ones. */
export const devicesBlock = (addresses: readonly string[], ports: Partial<Target['ports']> = {}): string =>
  stringify(
    { devices: addresses.map((host) => ({ host, ...(Object.keys(ports).length === 0 ? {} : { ports }) })) },
    { aliasDuplicateObjects: false },
  );
