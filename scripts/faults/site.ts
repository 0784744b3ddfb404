import { join } from 'node:path';
import { signingCollector } from '../../agent/collect/witness.ts';
import { FleetProcess } from '../bench/processes.ts';
import { bundleAgent } from '../bundle.ts';
import { RUNTIME_OPTIONS } from '../runtime-options.ts';
import { Broker } from './broker.ts';
import { Clock } from './clock.ts';
import { Collector } from './collector.ts';
import { Disk } from './disk.ts';
import { Gateway } from './gateway.ts';
import { done, type Missing } from './machine.ts';
import { Network } from './network.ts';
import type { OwnEnd, Protocol } from './service.ts';

export type Owner = 'agent' | 'broker' | 'collector';

/** Everything that a fault can be done to, and the miners that the agent looks at. */
export interface Site {
  /** The words that start assayer, without its arguments. */
  readonly program: readonly string[];
  readonly fleet: FleetProcess;
  readonly network: Network;
  readonly broker: Broker;
  readonly gateway: Gateway;
  readonly collector: Collector;
  readonly disks: { readonly [owner in Owner]: Disk };
  readonly clocks: { readonly [owner in Owner]: Clock };
}

export interface SiteOptions {
  /** Where files may be made; whoever starts the run removes it. */
  readonly folder: string;
  readonly devices: number;
  readonly protocol: Protocol;
  /** The agent waits for no collector. */
  readonly unconfirmed?: true;
  readonly missing: Missing;
  readonly tell: (end: OwnEnd) => void;
}

/** Starts everything; it ends with `started`. */
export const openSite = async (options: SiteOptions, started: AsyncDisposableStack): Promise<Site> => {
  const { folder, protocol, missing, tell, unconfirmed } = options;
  // What libfaketime shares goes by the number of a process, and those of a namespace are not of the machine.
  if (missing.mounts === undefined) done(['mount', '-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', '/dev/shm']);
  const program = [process.execPath, ...RUNTIME_OPTIONS, await bundleAgent(folder)];
  const network = started.use(await Network.open({ isLinked: missing.network === undefined }));
  const fleet = started.use(await FleetProcess.start(options.devices, '127.90.0.1'));
  const disks = each((owner) => new Disk(join(folder, owner), { isMounted: missing.mounts === undefined }));
  const clocks = each((owner) => new Clock(join(folder, `${owner}.clock`)));
  const cosignFile = join(folder, 'cosign.key');
  const { vkey } = signingCollector(cosignFile, 'collector-a');
  const side = (owner: 'agent' | 'collector') => {
    return { folder, program, protocol, url: network.urls[owner], disk: disks[owner], clock: clocks[owner] };
  };
  const broker = new Broker(folder, { network, disk: disks.broker, clock: clocks.broker }, tell);
  const requires = unconfirmed ? '' : 'collector-a';
  const gateway = new Gateway({ ...side('agent'), fleet, vkey, requires }, tell);
  const collector = new Collector({ ...side('collector'), keyFile: gateway.keyFile, cosignFile }, tell);
  for (const service of [broker, gateway, collector]) {
    service.start();
    started.defer(() => service.kill());
  }
  return { program, fleet, network, broker, gateway, collector, disks, clocks };
};

const each = <T>(make: (owner: Owner) => T): { readonly [owner in Owner]: T } => ({
  agent: make('agent'),
  broker: make('broker'),
  collector: make('collector'),
});
