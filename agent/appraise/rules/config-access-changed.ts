import { changedSettings, keyedValues } from '../keyed.ts';
import { defineRule } from '../rule.ts';

const SWITCHES = [
  'access.api_write',
  'access.api_allow',
  'access.api_switch',
  'access.fleet_manager',
  'access.ssh',
  'access.telnet',
  'access.web_auth',
  'access.cloud',
  'access.update_source',
] as const;

/** A switch that decides who may reach into the device differs from the baseline (catalogue 5.3). */
export const configAccessChanged = defineRule({
  id: 'config.access-changed',
  title: 'Access changed',
  meaning:
    'SSH, telnet, the API list or switch, the web log-in, the cloud link, the fleet manager or the update source differs from the reference.',
  benign: ['hardening'],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'AP',
  version: 1,
  against: 'reference',
  reads: [],
  compares: SWITCHES,
  sees: (key, observed) => observed[`access.${key}` as 'access.ssh'] !== undefined,
  appraise: (observed, approved) => {
    const changes = changedSettings(SWITCHES, observed, approved);
    return changes.length === 0 ? [] : [keyedValues(changes)];
  },
});
