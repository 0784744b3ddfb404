import { tellsKey } from '../../baseline/compared.ts';
import { isListed } from '../allow.ts';
import { marksOfHost, sameOwner, sameUrl } from '../pool-url.ts';
import { type Deviation, defineRule } from '../rule.ts';
import { compareSlots } from '../slots.ts';
import { FIRST_TOLD } from './pool-user-changed.ts';

/** Scheme, host or port of a configured slot differs from the baseline (catalogue 5.1). */
export const poolUrlChanged = defineRule({
  id: 'pool.url-changed',
  title: 'Pool URL changed',
  meaning:
    'A configured pool slot points to another scheme, host or port than the reference says, or holds the pool to another key. The reason `first-told` says that people approved the pool without a key; `malformed-host` that the new host is neither an address nor a name: a miner may connect elsewhere than it seems.',
  benign: ['pool migration', 'tenant move', 'profit switching', 'firmware or an agent that tells keys'],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 2,
  against: 'reference',
  reads: ['pools'],
  appraise: (observed, approved, { allow, commissioned = false, device }) =>
    compareSlots(approved.pools, observed.pools).changed.flatMap(({ part, before, after }): readonly Deviation[] => {
      if (sameUrl(before.url, after.url)) return [];
      const isKeyed = tellsKey(before.url, after.url);
      // Where nobody approved the pools the key is learned.
      if (isKeyed && !commissioned) return [];
      const owner = sameOwner(before.url, after.url);
      const listed =
        allow === undefined ? [] : [isListed(allow, after.url, after.user, device) ? 'listed' : 'not-listed'];
      const change = { part, before: before.url, after: after.url };
      // Without a key the pool was whoever answered there: one that first shows takes nothing away.
      if (isKeyed) return [{ ...change, severity: 'low', reasons: [FIRST_TOLD, ...listed] }];
      return [
        {
          ...change,
          severity: owner ? 'medium' : 'high',
          reasons: [...(owner ? ['same-domain'] : []), ...listed, ...marksOfHost(after.url)],
        },
      ];
    }),
});
