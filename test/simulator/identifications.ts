import { DRIVERS } from '../../agent/drivers/index.ts';
import { lookDeps } from '../../agent/look.ts';
import { systemClock } from '../../agent/platform/clock.ts';
import { type Identification, identify } from '../../agent/probe/identify.ts';
import type { Specimen } from '../specimens/specimen.ts';
import { startFleet } from './fleet.ts';

/** What it took to identify one specimen of which nothing was known. */
export interface Identified {
  readonly specimen: string;
  readonly family: string;
  readonly found: Identification;
  /** Connections that were made. */
  readonly connections: number;
  /** Attempts at ports that are closed. */
  readonly refused: number;
}

const limits = { connectMs: 2000, exchangeMs: 4000, deviceMs: 20_000, maxReplyBytes: 1_048_576 };

/** Identifies each specimen that is of a family, on sockets of its own. */
export const measureIdentifications = (specimens: readonly Specimen[]): Promise<readonly Identified[]> =>
  Array.fromAsync(
    specimens.filter(({ device }) => 'family' in device),
    measure,
  );

const measure = async (specimen: Specimen): Promise<Identified> => {
  const deps = lookDeps({ drivers: DRIVERS, limits, clock: systemClock(), wait: () => Promise.resolve() });
  await using fleet = await startFleet({ specimens: [specimen], base: '127.29.0.1', exact: true });
  const found = await identify({ address: fleet.device(0).address, ports: fleet.ports }, DRIVERS, deps);
  const evidence = found.kind === 'identified' ? found.evidence : [];
  return {
    specimen: specimen.name,
    family: 'family' in specimen.device ? specimen.device.family : '',
    found,
    connections: fleet.connections(),
    refused: evidence.filter((line) => line.endsWith(', ECONNREFUSED') && !line.includes('not asked again')).length,
  };
};
