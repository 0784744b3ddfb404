import type { Deviation, RuleEntry } from '../rule.ts';

/** The same machine answers at another address (catalogue 5.6). */
export const identityAddressMoved: RuleEntry = {
  id: 'identity.address-moved',
  title: 'Address moved',
  meaning: 'A known machine answers at another address than before.',
  benign: ['new DHCP lease', 'moved to another rack'],
  severity: 'info',
  basis: 'gateway-observed',
  confirm: 'C2',
  approval: 'A0',
  version: 1,
};

/** The finding ends by itself: once confirmed the new address is the known one. */
export const addressMoved = (known: string, answered: string): readonly Deviation[] =>
  known === answered ? [] : [{ before: known, after: answered }];
