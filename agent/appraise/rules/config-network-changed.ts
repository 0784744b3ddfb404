import { changedSettings, keyedValues, tellsFact } from '../keyed.ts';
import { defineRule } from '../rule.ts';

const SETTINGS = [
  'network.hostname',
  'network.dhcp',
  'network.netmask',
  'network.gateway',
  'network.dns',
  'network.ntp',
  'network.vlan',
] as const;

/** Network settings differ from the baseline; the address alone is `identity.address-moved` (catalogue 5.3). */
export const configNetworkChanged = defineRule({
  id: 'config.network-changed',
  title: 'Network settings changed',
  meaning:
    'Host name, gateway, netmask, DNS, NTP, VLAN or the use of DHCP differs from the reference, or is set where the reference knows that it was not (`null`).',
  benign: ['options of the DHCP server'],
  severity: 'medium',
  gravest: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A1',
  version: 2,
  against: 'reference',
  reads: [],
  compares: SETTINGS,
  absences: SETTINGS,
  sees: (key, observed, absent) => tellsFact(`network.${key}` as 'network.hostname', observed, absent),
  appraise: (observed, approved, { absent }) => {
    const changes = changedSettings(SETTINGS, observed, approved, absent);
    if (changes.length === 0) return [];
    const values = keyedValues(changes);
    if (changes.some(({ key, after }) => key === 'hostname' && METACHARACTER.test(String(after))))
      return [{ ...values, severity: 'high', confirm: 'C1', reasons: ['injection-shape'] }];
    const unlisted = changes.some(({ key, before, after }) => SERVERS.has(key) && hasNew(before, after));
    return [{ ...values, severity: unlisted ? 'high' : 'medium', reasons: unlisted ? ['unlisted-server'] : [] }];
  },
});

/** A shell would not take these as part of a name. */
const METACHARACTER = /[$`;&|<>(){}[\]\\'"!*?~#\s]/;

const SERVERS = new Set(['dns', 'ntp']);

/** The reference is the list: fewer or reordered servers are known ones. */
const hasNew = (before: unknown, after: unknown): boolean => {
  const known = new Set((before ?? []) as readonly string[]);
  return (after as readonly string[]).some((server) => !known.has(server));
};
