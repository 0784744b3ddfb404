import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../../shared/jcs.ts';
import type { Config } from '../config/schema.ts';
import { ALL_PORTS } from '../drivers/driver.ts';
import { type Place, placesOf } from '../schedule/places.ts';
import { partsTold } from './settings.ts';

/**
 * An entry under `devices` as the store keeps it, as far as an edit of it alone may blind the gateway: ports that are not the usual ones,
 * a log-in by its name, and how it is cooled.
 */
export type AskedEntry = (
  | { readonly host: string; readonly name?: string | undefined }
  | { readonly range: string }
) & {
  readonly ports: Ports;
  readonly credentials?: string | undefined;
  readonly cooling?: string | undefined;
};

type Ports = { readonly [name: string]: number };

/** How every entry is asked and judged. */
export const askedEntries = (config: Config): readonly AskedEntry[] =>
  config.devices.map(({ labels: { cooling = config.labels.cooling }, ports, ...entry }) => ({
    ...entry,
    ports: Object.fromEntries(Object.entries(ports).filter(([name, port]) => (ALL_PORTS as Ports)[name] !== port)),
    ...(cooling === undefined ? {} : { cooling }),
  }));

/** The parts in which an edit of entries is told. */
const PARTS = partsTold((teller) => teller.kind === 'asked');

type Settings = NonNullable<ReturnType<(typeof PARTS)['get']>>;

/** An edited part, and the entries that say it now. */
export interface EditedEntries {
  readonly part: string;
  readonly entries: readonly string[];
}

/**
 * Where an address, or a device of a given name, is asked or judged otherwise than before, though it was named before, too, however
 * ranges are split and whichever entry names it now. What came or left altogether is not told: that is daily work.
 */
export const askedOtherwise = (before: readonly AskedEntry[], now: readonly AskedEntry[]): readonly EditedEntries[] => {
  if (isDeepStrictEqual(before, now)) return [];
  const [former, present] = [placesOf(configured(before)), placesOf(configured(now))];
  return [...PARTS].flatMap(([part, settings]) => {
    const entries = changedEntries(saidOf(former, settings), saidOf(present, settings));
    return entries.length === 0 ? [] : [{ part, entries }];
  });
};

/** What is said of one, and by which entry. */
type Said = Map<string, string>;

const changedEntries = (before: ReadonlyMap<string, Said>, now: ReadonlyMap<string, Said>): readonly string[] => [
  ...new Set(
    [...now].flatMap(([whom, said]) => {
      const former = before.get(whom);
      // Several machines share an address behind different ports: one that came or left changes nothing for the others.
      const isOtherwise = former !== undefined && !isWithin(former, said) && !isWithin(said, former);
      return isOtherwise ? [...said.values()] : [];
    }),
  ),
];

const isWithin = (some: Said, others: Said): boolean => [...some.keys()].every((one) => others.has(one));

/** What is said of everybody: of each address, and of each position. */
const saidOf = (places: readonly Place[], settings: Settings): ReadonlyMap<string, Said> => {
  const found = new Map<string, Said>();
  const ofAll = settings.filter(({ ofPosition }) => ofPosition !== true);
  // All addresses of a range have the ports of its entry.
  const byPorts = new Map<Place['ports'], string>();
  for (const place of places) {
    const said = byPorts.getOrInsertComputed(place.ports, () => textOf(place, ofAll));
    found.getOrInsertComputed(`address ${place.address}`, () => new Map()).set(said, place.entry);
    if (place.id !== undefined) found.set(`device ${place.id}`, new Map([[textOf(place, settings), place.entry]]));
  }
  return found;
};

const textOf = (place: Place, settings: Settings): string => canonicalJson(settings.map(({ read }) => read(place)));

/** As they stood in the configuration, without other labels. */
const configured = (entries: readonly AskedEntry[]): Pick<Config, 'devices' | 'labels'> => ({
  labels: {},
  devices: entries.map(({ cooling, ...entry }) => ({
    ...entry,
    labels: cooling === undefined ? {} : { cooling },
    // An object of its own for each entry.
    ports: { ...ALL_PORTS, ...entry.ports },
  })),
});
