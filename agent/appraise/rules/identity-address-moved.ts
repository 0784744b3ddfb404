import type { Deviation, RuleEntry } from '../rule.ts';

/** The same machine answers at another address (catalogue 5.6). */
export const identityAddressMoved: RuleEntry = {
  id: 'identity.address-moved',
  title: 'Address moved',
  meaning: 'A known machine answers at another address than before.',
  benign: ['new DHCP lease', 'moved to another rack'],
  severity: 'info',
  gravest: 'low',
  basis: 'gateway-observed',
  confirm: 'C2',
  approval: 'A0',
  version: 1,
};

/** Labels that say where in the building an address is. */
const PLACES = ['rack', 'feeder'] as const;

type Labels = { readonly [name: string]: string };

/** The finding ends by itself: once confirmed the new address is the known one. `from` and `to`: what is noted of the two. */
export const addressMoved = (
  known: string,
  answered: string,
  from: Labels = {},
  to: Labels = {},
): readonly Deviation[] => {
  if (known === answered) return [];
  const elsewhere = PLACES.filter(
    (name) => from[name] !== undefined && to[name] !== undefined && from[name] !== to[name],
  );
  const reasons = elsewhere.map((name) => `other-${name}`);
  return [{ before: known, after: answered, ...(reasons.length === 0 ? {} : { severity: 'low', reasons }) }];
};
