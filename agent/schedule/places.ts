import type { Config } from '../config/schema.ts';
import { ALL_PORTS } from '../drivers/driver.ts';
import type { Target } from '../probe/target.ts';
import { parseRange } from './range.ts';

/** One address that the configuration names, and how to ask there. */
export interface Place {
  readonly address: string;
  readonly ports: Target['ports'];
  /** Name of an entry under `credentials`. */
  readonly credentials?: string;
  readonly labels: { readonly [name: string]: string };
  /** A `host` is a position and its id stays with it; in a `range` ids follow the machine. */
  readonly origin: 'host' | 'range';
  /** The entry of the configuration that names it, as text. */
  readonly entry: string;
  /** Id of the position; only for a `host`. */
  readonly id?: string;
}

/** Every address once, in the order of the file; `host` wins over `range`, and of two ranges the first. */
export const placesOf = (config: Pick<Config, 'devices' | 'labels'>): readonly Place[] => {
  const places = new Map<string, Place>();
  const common = commonOf(config.labels);
  const hosts = config.devices.filter((entry) => 'host' in entry);
  const ranges = config.devices.filter((entry) => 'range' in entry);
  for (const entry of hosts) {
    const place = { ...common(entry), address: entry.host, origin: 'host', id: positionId(entry) } as const;
    places.set(placeKey(entry.host, entry.ports), place);
  }
  const taken = new Set(hosts.map((entry) => entry.host));
  for (const entry of ranges) {
    const range = parseRange(entry.range);
    if (range.kind === 'bad') continue;
    const shared = common(entry);
    for (const address of range.addresses) {
      if (taken.has(address)) continue;
      taken.add(address);
      places.set(placeKey(address, entry.ports), { ...shared, address, origin: 'range' });
    }
  }
  return [...places.values()];
};

/** Several machines may share an address behind different ports. */
export const placeKey = (address: string, ports: Place['ports']): string =>
  [address, ...NAMES.map((name) => ports[name] ?? '')].join('|');

/**
 * What is most likely one machine: an address with its CGMiner API and its web interface, however spelled. Another port for what else is
 * asked makes another position, and seldom another machine.
 */
export const machineKey = (address: string, ports: Place['ports']): string =>
  [address.toLowerCase(), ...FRONT.map((name) => ports[name] ?? ALL_PORTS[name])].join('|');

const FRONT = ['cgminer', 'http'] as const;

/** What all places of an entry have in common. Entries with the same labels share one object, as they do in a configuration that was read. */
const commonOf = (ofAll: Config['labels']) => {
  const labelled = new Map<Config['labels'], Place['labels']>();
  return (entry: Config['devices'][number]) => ({
    ports: entry.ports,
    entry: 'host' in entry ? entry.host : entry.range,
    labels: labelled.getOrInsertComputed(entry.labels, (own) => ({ ...ofAll, ...own })),
    ...(entry.credentials === undefined ? {} : { credentials: entry.credentials }),
  });
};

const NAMES = Object.keys(ALL_PORTS) as readonly (keyof typeof ALL_PORTS)[];
// Object.keys gives text; the keys are those of the table.

/** Id of the position that a `host` entry names. */
export const positionId = (entry: {
  readonly host: string;
  readonly name?: string | undefined;
  readonly ports: Place['ports'];
}): string => entry.name ?? hostId(entry.host, entry.ports);

/** `10.20.15.7` becomes `10-20-15-7`; `-<port>` is appended for ports that are not the usual ones. */
const hostId = (host: string, ports: Place['ports']): string => {
  const extra = NAMES.map((name) => ports[name] ?? ALL_PORTS[name]).filter(
    (port, at) => port !== Object.values(ALL_PORTS)[at],
  );
  return idOf([host, ...extra].join('-'));
};

/** Any text as a device id: lower case, other characters a dash, at most 63. */
export const idOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63) || 'device';
