import { ABSENT, type PoolSlot, present, type Reading, standingIn, unknown } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import type { Replies, Source } from './driver.ts';
import { graphAnswer } from './graphql.ts';
import { CGMINER_POOL, type PoolMembers, poolList, withRuntime } from './pools.ts';
import {
  answer,
  asArray,
  asObject,
  closedBy,
  count,
  isLost,
  place,
  type Reader,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { isServed } from './served.ts';
import { withTold } from './stored-pools.ts';

/**
 * Pools of Braiins OS: the stored ones, in groups that mine at the same time, from the REST API or from GraphQL, and the
 * running ones from port 4028, where anybody can change them until the next start.
 */

/** Rows of a group as flat rows, each with the quota of its group. */
const groupRows = (
  group: JsonValue,
  quotaOf: (group: JsonObject) => Reading<number>,
  rowOf: (pool: JsonObject) => JsonObject,
): readonly JsonObject[] | undefined => {
  const object = asObject(group);
  const pools = asArray(object?.pools);
  if (object === undefined || pools === undefined) return undefined;
  const quota = quotaOf(object);
  const rows = pools.map(asObject);
  if (quota.kind === 'unknown' || rows.includes(undefined)) return undefined;
  const further = quota.kind === 'present' ? { quota: quota.value } : {};
  return rows.map((row) => ({ ...rowOf(row ?? {}), ...further }));
};

/** The slots of all groups, counted through, as port 4028 counts them. */
const slotsOf = (
  groups: JsonValue,
  quotaOf: (group: JsonObject, at: number) => Reading<number>,
  rowOf: (pool: JsonObject) => JsonObject,
): Reading<readonly PoolSlot[]> => {
  const list = asArray(groups);
  if (list === undefined || list.length === 0) return UNREADABLE;
  const rows: JsonObject[] = [];
  for (const [at, group] of list.entries()) {
    const found = groupRows(group, (object) => quotaOf(object, at), rowOf);
    if (found === undefined) return UNREADABLE;
    rows.push(...found);
  }
  return poolList(GROUP_POOL)(rows);
};

const GROUP_POOL: PoolMembers = { url: 'url', user: 'user', quota: 'quota', status: 'status', active: 'active' };

/**
 * How a group shares: by a quota, or by a fixed ratio, of which there is no fact. `null` and, in GraphQL, an object without
 * members stand for the ratio; anything else was damaged, and a quota that is missing would look changed.
 */
const quotaIn = ({ strategy }: JsonObject, reader: Reader<number>): Reading<number> => {
  if (strategy === null) return ABSENT;
  const object = asObject(strategy);
  if (object === undefined) return UNREADABLE;
  if (object.quota !== undefined && object.quota !== null) return reader(object.quota);
  return Object.keys(object).every((key) => key === 'quota' || key === 'fixed_share_ratio') ? ABSENT : UNREADABLE;
};

const restQuota = (group: JsonObject): Reading<number> =>
  quotaIn(group, (quota) => {
    const value = asObject(quota)?.value;
    return value === undefined ? UNREADABLE : count(value);
  });

const graphQuota = (group: JsonObject): Reading<number> => quotaIn(group, count);

/** `alive` and `enabled` in the words of port 4028. */
const restRow = ({ enabled, alive, ...row }: JsonObject): JsonObject => {
  if (enabled === false) return { ...row, status: 'Disabled' };
  return typeof alive === 'boolean' ? { ...row, status: alive ? 'Alive' : 'Dead' } : row;
};

const restPools = (reply: JsonValue): Reading<readonly PoolSlot[]> => slotsOf(reply, restQuota, restRow);

const graphRow = ({ status, ...row }: JsonObject): JsonObject =>
  typeof status === 'string' ? { ...row, status: status.charAt(0) + status.slice(1).toLowerCase() } : row;

const CONFIG = place('/bosminer/config');
const RUNNING_GROUPS = place('/bosminer/info/poolGroups');

/** Groups of a document that did not ask for their pools. */
const isBare = (group: JsonValue): boolean =>
  Object.keys(asObject(group) ?? { pools: null }).every((key) => key === 'id' || key === 'strategy');

/** The stored groups of GraphQL with what runs; what runs alone where the configuration cannot be read, and has no member. */
const graphPools = (data: JsonValue): Reading<readonly PoolSlot[]> => {
  const found = CONFIG(data);
  const config = found.kind === 'present' ? asObject(found.value) : undefined;
  if (config === undefined) return UNREADABLE;
  const groups = asArray(config.groups);
  if (groups === undefined && Object.keys(config).length > 0) return UNREADABLE;
  const running = whenPresent(RUNNING_GROUPS(data), (list) =>
    slotsOf(list, (_, at) => graphQuota(asObject(groups?.[at]) ?? { strategy: null }), graphRow),
  );
  if (groups === undefined || (groups.length > 0 && groups.every(isBare))) return running;
  return whenPresent(slotsOf(groups, graphQuota, graphRow), (stored) =>
    present(running.kind === 'present' ? withRuntime(stored, running.value) : stored),
  );
};

/** The key of the pool is the path of its address; a running row without one is the stored pool of that address. */
const withKey = (rows: readonly PoolSlot[], stored: readonly PoolSlot[]): readonly PoolSlot[] =>
  rows.map((row) => {
    if (/^[^/]*:\/\/[^/]+\//.test(row.url)) return row;
    const keyed = stored.find(({ url, slot }) => slot === row.slot && url.startsWith(`${row.url}/`));
    return keyed === undefined ? row : { ...row, url: keyed.url };
  });

/** The stored list, by the first surface that has it; refused only where both are closed. */
const storedPools = (replies: Replies): Reading<readonly PoolSlot[]> => {
  const rest =
    isServed(replies.get('api')) && isServed(replies.get('stored'))
      ? whenPresent(answer(replies, 'stored'), restPools)
      : unknown('unsupported');
  if (rest.kind === 'present' || isLost(rest)) return rest;
  const graph = whenPresent(graphAnswer(replies, 'gql_pools'), graphPools);
  if (graph.kind === 'present' || isLost(graph)) return graph;
  if (closedBy(rest) !== undefined) return rest;
  // Where none of the two is served by now, one of them was: these devices have a stored list.
  const asked = answer(replies, 'gql_pools');
  return closedBy(asked) === 'elsewhere' && asked.kind !== 'present' ? asked : graph;
};

/** The stored slots, with where each stands now; a pool that runs and is not stored is a slot behind them. */
export const pools: Source<readonly PoolSlot[], 'stored' | 'gql_pools' | 'pools'> = {
  queries: ['stored', 'gql_pools', 'pools'],
  read: (replies) => {
    const stored = storedPools(replies);
    const running = whenPresent(answer(replies, 'pools'), (reply) => {
      const section = asObject(reply)?.POOLS;
      // The section is not there while the program does not mine.
      return section === undefined ? ABSENT : poolList(CGMINER_POOL)(section);
    });
    if (isLost(stored)) return withTold(stored, running);
    if (isLost(running)) return withTold(running, stored);
    // Port 4028 lists what runs, which need not be what is stored.
    if (stored.kind !== 'present') return running.kind === 'present' ? standingIn(running, closedBy(stored)) : stored;
    if (running.kind !== 'present') return stored;
    return present(withRuntime(stored.value, withKey(running.value, stored.value)));
  },
};
