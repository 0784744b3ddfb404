import { DEFAULT_LOGIN_REFUSED } from '../../../shared/facts.ts';
import { defineRule } from '../rule.ts';

/** The log-in that the maker documents opens the device (catalogue 5.4). It is tried only where the operator allowed that. */
export const remoteControlDefaultCredentials = defineRule({
  id: 'remote-control.default-credentials',
  title: 'Default log-in works',
  meaning: 'The device took the log-in that its maker documents for everybody.',
  benign: ['a machine that was just reset'],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C1',
  approval: 'AN',
  version: 1,
  against: 'policy',
  reads: ['access.default_login'],
  appraise: ({ 'access.default_login': taken }) =>
    taken === DEFAULT_LOGIN_REFUSED ? [] : [{ after: { account: taken } }],
});
