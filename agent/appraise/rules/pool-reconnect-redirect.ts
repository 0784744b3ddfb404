import type { Facts, LivePool } from '../../../shared/facts.ts';
import { isListedHost } from '../allow.ts';
import { domainOf, marksOfHost, parseEndpoint } from '../pool-url.ts';
import { defineRule } from '../rule.ts';

/** The miner is connected to a host that belongs to none of its configured pools: somebody sent it there (catalogue 5.1). */
export const poolReconnectRedirect = defineRule({
  id: 'pool.reconnect-redirect',
  title: 'Pool connection redirected',
  meaning:
    'The host that the miner is connected to now lies outside the registered domains of the pools it is configured for: a pool, or whoever sits in between, sent it elsewhere.',
  benign: [
    'a pool that balances its load across brands: list them',
    'pools that were changed on a device that has yet to start again',
  ],
  severity: 'critical',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 1,
  against: 'policy',
  reads: ['live_pools'],
  compares: ['pools', 'fee_pools'],
  shows: ({ after }, observed) => redirected(observed).some((one) => one.after === after),
  appraise: (observed, _approved, { allow = [] }) =>
    redirected(observed).filter(({ after }) => !isListedHost(allow, after)),
});

/** Where no pool of the device leads, whatever a list says of it. A row without a scheme is only where it is connected, and makes nothing known. */
const redirected = ({ live_pools = [], pools, fee_pools = [] }: Facts) => {
  const rows = live_pools.filter(({ url }) => parseEndpoint(url).scheme !== undefined);
  const known = new Set([...rows, ...(pools ?? []), ...fee_pools].map(({ url }) => ownerOf(parseEndpoint(url).host)));
  return live_pools.flatMap((pool, index) => {
    const host = connectedHost(pool);
    if (host === undefined || known.has(ownerOf(host))) return [];
    // Where the slots were not read this time, nothing is known but of rows that say more than where they lead.
    if (pools === undefined && !rows.includes(pool)) return [];
    const before = parseEndpoint(pool.url).host;
    const from = before === host ? {} : { before };
    return [{ part: `live ${index}`, ...from, after: host, reasons: marksOfHost(host) }];
  });
};

/** A row that is not in use may still name the host of its last connection. */
const connectedHost = ({ host, active }: LivePool): string | undefined => {
  if (host === undefined || active === false) return undefined;
  const name = parseEndpoint(host).host;
  return name === '' ? undefined : name;
};

/** Addresses and names that nobody registered are their own owners. */
const ownerOf = (host: string): string => domainOf(host) ?? host;
