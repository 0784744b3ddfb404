import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../../shared/jcs.ts';
import type { Config } from '../config/schema.ts';
import { ALL_PORTS } from '../drivers/driver.ts';
import { type Place, placesOf } from '../schedule/places.ts';

/** How an entry under `devices` is asked, as the store keeps it: ports that are not the usual ones, and a log-in by its name alone. */
export type AskedEntry = (
  | { readonly host: string; readonly name?: string | undefined }
  | { readonly range: string }
) & {
  readonly ports: { readonly [name: string]: number };
  readonly credentials?: string | undefined;
};

type Usual = { readonly [name: string]: number };

/** How every entry is asked. */
export const askedEntries = ({ devices }: Config): readonly AskedEntry[] =>
  devices.map(({ labels: _, ports, ...entry }) => ({
    ...entry,
    ports: Object.fromEntries(Object.entries(ports).filter(([name, port]) => (ALL_PORTS as Usual)[name] !== port)),
  }));

/**
 * The entries by which an address, or a device of a given name, is asked otherwise than before, though it was named before, too,
 * however ranges are split and whichever entry names it now. What came or left altogether is none of them.
 */
export const askedOtherwise = (before: readonly AskedEntry[], now: readonly AskedEntry[]): readonly string[] => {
  if (isDeepStrictEqual(before, now)) return [];
  const known = asksOf(before);
  return [
    ...new Set(
      [...asksOf(now)].flatMap(([whom, asks]) => {
        const former = known.get(whom);
        // Several machines share an address behind different ports: one that came or left changes nothing for the others.
        const isOtherwise = former !== undefined && !isWithin(former, asks) && !isWithin(asks, former);
        return isOtherwise ? [...asks.values()] : [];
      }),
    ),
  ];
};

/** How it is asked, and by which entry. */
type Asks = Map<string, string>;

const isWithin = (some: Asks, others: Asks): boolean => [...some.keys()].every((ask) => others.has(ask));

/** Everybody who is asked: each address, and each position that has a name. */
const asksOf = (entries: readonly AskedEntry[]): ReadonlyMap<string, Asks> => {
  const found = new Map<string, Asks>();
  // All addresses of a range have the ports of its entry.
  const byPorts = new Map<Place['ports'], string>();
  for (const place of placesOf(configured(entries))) {
    const ask = byPorts.getOrInsertComputed(place.ports, () => askOf(place));
    for (const whom of namesOf(place)) found.getOrInsertComputed(whom, () => new Map()).set(ask, place.entry);
  }
  return found;
};

const namesOf = ({ address, id }: Place): readonly string[] => [
  `address ${address}`,
  ...(id === undefined ? [] : [`device ${id}`]),
];

const askOf = ({ ports, credentials = '' }: Place): string => canonicalJson([ports, credentials]);

/** As they stood in the configuration, without labels. */
const configured = (entries: readonly AskedEntry[]): Pick<Config, 'devices' | 'labels'> => ({
  labels: {},
  devices: entries.map((entry) => ({ ...entry, labels: {}, ports: { ...ALL_PORTS, ...entry.ports } })),
});
