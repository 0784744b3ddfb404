import { accountOf } from '../../shared/pool-user.ts';
import { parseEndpoint } from './pool-url.ts';

/**
 * What devices mine on as they leave the box, as far as it is known: the users that makers write into the configuration
 * of new machines. Seen in recorded replies of stock, VNish and Hiveon Antminers and in the default settings of ESP-Miner.
 */
const ACCOUNTS: ReadonlySet<string> = new Set([
  'antminer_1',
  'bc1qnp980s5fpp8l94p5cvttmtdqy8rvrq74qly2yrfmzkdsntqzlc5qkc4rkq',
]);

/** `antminer.1` of newer Antminers is a worker of an account that anybody could have, but for this maker's pool. */
const WORKERS: ReadonlyMap<string, RegExp> = new Map([['antminer.1', /(?:^|\.)antpool\.com$/]]);

/** How long a new device may work for its maker's default before it is a finding. */
export const FACTORY_MS = 30 * 60_000;

/** Whether a pool is the one with which the maker delivers. */
export const isFactoryPool = (url: string, user: string | undefined): boolean =>
  user !== undefined && (ACCOUNTS.has(accountOf(user)) || WORKERS.get(user)?.test(parseEndpoint(url).host) === true);
