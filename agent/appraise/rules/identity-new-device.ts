import type { Facts } from '../../../shared/facts.ts';
import type { Value } from '../finding.ts';
import type { RuleEntry } from '../rule.ts';

/** A machine that the store does not know, after the first pass over its entry (catalogue 5.6). */
export const identityNewDevice: RuleEntry = {
  id: 'identity.new-device',
  title: 'New device',
  meaning:
    'A machine answers that was not there when its entry was searched first. Where it stands in the place of another one, or shows serials or the MAC of another one, and works for another account or pool than that one did, it weighs more, its pools are not learned, and it stays until it is accepted by who may approve a change of pools. So does a known machine that takes the place of one which answered until then, works for somebody else than that one did, while that one shows nowhere; it ends when that one is found.',
  benign: ['intake', 'a machine that was exchanged for one that works for somebody else'],
  severity: 'info',
  unplanned: 'medium',
  gravest: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A1',
  version: 2,
};

/** Among commissioned devices somebody has to accept it; elsewhere it stops being new after this. */
export const QUARANTINE_MS = 24 * 3_600_000;

/** The inventory of the device, for people. */
export const newDeviceSeen = (facts: Facts, address: string): Value => ({
  address,
  family: facts.family,
  ...(facts['identity.model'] === undefined ? {} : { model: facts['identity.model'] }),
  ...(facts['identity.serial'] === undefined ? {} : { serial: facts['identity.serial'] }),
  ...(facts['identity.mac'] === undefined ? {} : { mac: facts['identity.mac'] }),
});
