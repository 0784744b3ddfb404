import type { Config } from '../config/schema.ts';
import type { Store } from '../record/store.ts';
import { type Place, placesOf } from '../schedule/places.ts';

/** Hosts of the configuration of which the log says nothing yet. In a range nobody says where a device is. */
export const neverSeen = (
  config: Pick<Config, 'devices' | 'labels'>,
  store: Pick<Store, 'newestAttestations'>,
): readonly (Place & { readonly id: string })[] => {
  const attested = new Set(store.newestAttestations().map(({ device }) => device));
  return placesOf(config).flatMap(({ id, ...place }) =>
    id === undefined || attested.has(id) ? [] : [{ ...place, id }],
  );
};
