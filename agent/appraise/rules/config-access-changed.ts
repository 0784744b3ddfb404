import { closes } from '../closings.ts';
import { changedParts, changedSettings, keyedValues, othersOf, tellsFact } from '../keyed.ts';
import { defineRule } from '../rule.ts';
import { tellsSetting } from '../safety.ts';

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

/** Settings without a fact of their own that decide the same: groups of the API, the pool page, marks of the password. */
export const ACCESS_KEYS = /^other\.(?:api-groups|(?:.*[._-])?web_?pools|(?:.*[._-])?passw(?:or)?d(?:[._-].*)?)$/i;

/** The reason of a finding that tells a change which closes no way in. */
const SWITCHED = 'switched';

const CLOSED = 'closed';

/** Whether all that such a finding tells is ways into the device that were closed. */
export const isClosing = ({ reasons }: { readonly reasons?: readonly string[] | undefined }): boolean =>
  reasons?.includes(CLOSED) === true && !reasons.includes(SWITCHED);

/** A switch that decides who may reach into the device differs from the baseline (catalogue 5.3). */
export const configAccessChanged = defineRule({
  id: 'config.access-changed',
  title: 'Access changed',
  meaning:
    'SSH, telnet, the list, the groups or the switch of the API, the web log-in, a mark that the password was changed, the pool page, the cloud link, the fleet manager or the update source differs from the reference, or is told where the reference knows that there was none (`null`). Where every difference closes a way in that the reference has open (`closed`: writes over the API, SSH, telnet or the cloud off, a log-in asked for, a list of the API that lets in nobody new) it is low, and one person approves it: somebody set the device right, or shut others out.',
  benign: ['hardening'],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'AP',
  version: 4,
  against: 'reference',
  reads: [],
  compares: [...SWITCHES, 'config.other'],
  absences: SWITCHES,
  sees: (key, observed, absent) =>
    ACCESS_KEYS.test(key) ? tellsSetting(key, observed) : tellsFact(`access.${key}` as 'access.ssh', observed, absent),
  appraise: (observed, approved, { absent }) => {
    const further = changedParts(othersOf(observed), othersOf(approved)).filter(({ key }) => ACCESS_KEYS.test(key));
    const changes = [...changedSettings(SWITCHES, observed, approved, absent), ...further];
    if (changes.length === 0) return [];
    const closed = changes.every(closes);
    return [{ ...keyedValues(changes), severity: closed ? 'low' : 'high', reasons: [closed ? CLOSED : SWITCHED] }];
  },
});
