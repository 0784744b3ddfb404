import type { Config } from '../config/schema.ts';
import { ALL_PORTS } from '../drivers/driver.ts';
import { isVendorDefault } from '../platform/secrets.ts';
import { REFUSED_LOGINS, type RefusedDoor, refusedDoors } from '../probe/logins.ts';
import type { Store } from '../record/store.ts';
import { type Place, placeKey, placesOf } from '../schedule/places.ts';

/**
 * What stands between a device and what it keeps behind a log-in: the one that is configured is refused, or none is configured. A
 * closed surface without either is one that nothing listens on, or one that is for others.
 */
export type LoginState = 'refused' | 'missing';

type Configured = Pick<Config, 'devices' | 'labels' | 'credentials'>;

/** The places of the configuration whose log-in was refused when it was shown last, as the store knows within a second. */
export const refusedPlaces = (config: Configured, store: Pick<Store, 'meta'>): readonly Place[] => {
  const doors = Map.groupBy(store.meta(REFUSED_LOGINS, refusedDoors) ?? [], ({ host }) => host);
  if (doors.size === 0) return [];
  return placesOf(config).filter((place) => doors.get(place.address)?.some((door) => isOf(door, place, config)));
};

/** A log-in that the configuration does not name any more is refused by nobody. */
const isOf = ({ port, user }: RefusedDoor, { ports, credentials }: Place, { credentials: sources }: Configured) => {
  const source = sources[credentials ?? ''];
  if (source === undefined || !(isVendorDefault(source) || source.user === user)) return false;
  return Object.values({ ...ALL_PORTS, ...ports }).includes(port);
};

/** How it stands with the log-in of each device: `address` is that of its newest attestation. */
export const loginStates = (
  config: Configured,
  store: Pick<Store, 'meta'>,
): ((device: string, address: string) => LoginState | undefined) => {
  const refused = refusedPlaces(config, store);
  const places = placesOf(config);
  const named = new Map(places.flatMap((place) => (place.id === undefined ? [] : [[place.id, place]])));
  const ranged = new Map(places.flatMap((place) => (place.id === undefined ? [[place.address, place]] : [])));
  const keys = new Set(refused.map(keyOf));
  return (device, address) => {
    const place = named.get(device) ?? ranged.get(address);
    if (place === undefined) return undefined;
    if (keys.has(keyOf(place))) return 'refused';
    return place.credentials === undefined ? 'missing' : undefined;
  };
};

const keyOf = ({ address, ports }: Place): string => placeKey(address, ports);
