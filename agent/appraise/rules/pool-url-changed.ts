import { isListed } from '../allow.ts';
import { marksOfHost, sameOwner, sameUrl } from '../pool-url.ts';
import { defineRule } from '../rule.ts';
import { compareSlots } from '../slots.ts';

/** Scheme, host or port of a configured slot differs from the baseline (catalogue 5.1). */
export const poolUrlChanged = defineRule({
  id: 'pool.url-changed',
  title: 'Pool URL changed',
  meaning:
    'A configured pool slot points to another scheme, host or port than the reference says. The reason `malformed-host` says that the new host is neither an address nor a name: a miner may connect elsewhere than it seems.',
  benign: ['pool migration', 'tenant move', 'profit switching'],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 1,
  against: 'reference',
  reads: ['pools'],
  appraise: (observed, approved, { allow, device }) =>
    compareSlots(approved.pools, observed.pools).changed.flatMap(({ part, before, after }) => {
      if (sameUrl(before.url, after.url)) return [];
      const owner = sameOwner(before.url, after.url);
      const listed =
        allow === undefined ? [] : [isListed(allow, after.url, after.user, device) ? 'listed' : 'not-listed'];
      return [
        {
          part,
          before: before.url,
          after: after.url,
          severity: owner ? 'medium' : 'high',
          reasons: [...(owner ? ['same-domain'] : []), ...listed, ...marksOfHost(after.url)],
        },
      ];
    }),
});
