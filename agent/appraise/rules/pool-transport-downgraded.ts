import type { PoolSlot } from '../../../shared/facts.ts';
import { parseEndpoint } from '../pool-url.ts';
import { defineRule } from '../rule.ts';
import { pairedSlots } from '../slots.ts';

/** An encrypted or authenticated connection to a pool was replaced by a weaker one (catalogue 5.1). */
export const poolTransportDowngraded = defineRule({
  id: 'pool.transport-downgraded',
  title: 'Pool transport downgraded',
  meaning:
    'A configured pool slot that was encrypted or held the pool to its key now trusts whoever answers, or the whole way there.',
  benign: ['the pool gave up an endpoint'],
  severity: 'medium',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 1,
  against: 'reference',
  reads: ['pools'],
  appraise: (observed, approved) =>
    pairedSlots(approved.pools, observed.pools).flatMap(({ part, before, after }) => {
      const [was, is] = [transportOf(before), transportOf(after)];
      if (was === undefined || is === undefined || STRENGTH[is] >= STRENGTH[was]) return [];
      return [{ part, before: { url: before.url, transport: was }, after: { url: after.url, transport: is } }];
    }),
});

/** Stratum V2 without the key of the pool is encrypted for whoever answers. */
const STRENGTH = { plaintext: 0, 'sv2-without-key': 1, tls: 2, 'sv2-with-key': 3 } as const;

/** Undefined where neither a scheme nor a flag tells. */
const transportOf = ({ url, tls }: PoolSlot): keyof typeof STRENGTH | undefined => {
  const { scheme, path } = parseEndpoint(url);
  if (scheme?.startsWith('stratum2') === true) return path.length > 1 ? 'sv2-with-key' : 'sv2-without-key';
  if (tls === true || (scheme !== undefined && ENCRYPTED.test(scheme))) return 'tls';
  return scheme === undefined && tls === undefined ? undefined : 'plaintext';
};

/** `stratum+ssl`, `stratum+tls`, `ssl`, `tls`, `stratums`, `stratum1+tls`, `wss`. */
const ENCRYPTED = /ssl|tls|wss$|^stratums$/;
