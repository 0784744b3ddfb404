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
  scaled,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { isServed } from './served.ts';
import { withTold } from './stored-pools.ts';

/**
 * Pools of Braiins OS: the stored ones, in groups that mine at the same time, from the REST API or from GraphQL, and the
 * running ones from port 4028, where anybody can change them until the next start.
 */

/** What a group gets of the work: a quota beside those of others, or a fixed part of all, in millionths. */
type Share = { readonly quota: number } | { readonly share: number };

/** Rows of a group as flat rows, each with the share of its group. */
const groupRows = (
  group: JsonValue,
  shareOf: (group: JsonObject) => Reading<Share>,
  rowOf: (pool: JsonObject) => JsonObject,
): readonly JsonObject[] | undefined => {
  const object = asObject(group);
  const pools = asArray(object?.pools);
  if (object === undefined || pools === undefined) return undefined;
  const share = shareOf(object);
  const rows = pools.map(asObject);
  if (share.kind === 'unknown' || rows.includes(undefined)) return undefined;
  const further = share.kind === 'present' ? share.value : {};
  return rows.map((row) => ({ ...rowOf(row ?? {}), ...further }));
};

/** The slots of all groups, counted through, as port 4028 counts them. */
const slotsOf = (
  groups: JsonValue,
  shareOf: (group: JsonObject, at: number) => Reading<Share>,
  rowOf: (pool: JsonObject) => JsonObject,
): Reading<readonly PoolSlot[]> => {
  const list = asArray(groups);
  if (list === undefined || list.length === 0) return UNREADABLE;
  const rows: JsonObject[] = [];
  for (const [at, group] of list.entries()) {
    const found = groupRows(group, (object) => shareOf(object, at), rowOf);
    if (found === undefined) return UNREADABLE;
    rows.push(...found);
  }
  return poolList(GROUP_POOL)(rows);
};

const GROUP_POOL: PoolMembers = {
  url: 'url',
  user: 'user',
  quota: 'quota',
  share: 'share',
  status: 'status',
  active: 'active',
};

const inMillionths = scaled(1e6);

/**
 * How a group shares: by a quota, or by a fixed ratio. `null`, and an object without members, say nothing of it; anything else
 * was damaged, and a share that is missing would look changed.
 */
const shareIn =
  (ratio: string, told: (member: JsonValue) => JsonValue | undefined) =>
  ({ strategy }: JsonObject): Reading<Share> => {
    if (strategy === null) return ABSENT;
    const object = asObject(strategy);
    if (object === undefined) return UNREADABLE;
    const { quota, [ratio]: fixed } = object;
    const read = (member: JsonValue, reader: Reader<number>): Reading<number> => {
      const value = told(member);
      return value === undefined || value === null ? UNREADABLE : reader(value);
    };
    if (quota !== undefined && quota !== null)
      return whenPresent(read(quota, count), (value) => present({ quota: value }));
    if (fixed !== undefined && fixed !== null)
      return whenPresent(read(fixed, inMillionths), (share) => present({ share }));
    return Object.keys(object).every((key) => key === 'quota' || key === ratio) ? ABSENT : UNREADABLE;
  };

const restShare = shareIn('fixed_share_ratio', (member) => asObject(member)?.value);

const graphShare = shareIn('fixedShareRatio', (member) => member);

/** `alive` and `enabled` in the words of port 4028. */
const restRow = ({ enabled, alive, ...row }: JsonObject): JsonObject => {
  if (enabled === false) return { ...row, status: 'Disabled' };
  return typeof alive === 'boolean' ? { ...row, status: alive ? 'Alive' : 'Dead' } : row;
};

const restPools = (reply: JsonValue): Reading<readonly PoolSlot[]> => slotsOf(reply, restShare, restRow);

const graphRow = ({ status, ...row }: JsonObject): JsonObject =>
  typeof status === 'string' ? { ...row, status: status.charAt(0) + status.slice(1).toLowerCase() } : row;

const CONFIG = place('/bosminer/config');
const RUNNING_GROUPS = place('/bosminer/info/poolGroups');

/** Groups of a document that did not ask for their pools. */
const isBare = (group: JsonValue): boolean =>
  Object.keys(asObject(group) ?? { pools: null }).every((key) => key === 'id' || key === 'strategy');

/** The stored groups of GraphQL with what runs; where the configuration cannot be read, and has no member, what runs stands in. */
const graphPools = (data: JsonValue): Reading<readonly PoolSlot[]> => {
  const found = CONFIG(data);
  const config = found.kind === 'present' ? asObject(found.value) : undefined;
  if (config === undefined) return UNREADABLE;
  const groups = asArray(config.groups);
  if (groups === undefined && Object.keys(config).length > 0) return UNREADABLE;
  const running = whenPresent(RUNNING_GROUPS(data), (list) =>
    slotsOf(list, (_, at) => graphShare(asObject(groups?.[at]) ?? { strategy: null }), graphRow),
  );
  if (groups === undefined || (groups.length > 0 && groups.every(isBare))) return standingIn(running, 'absent');
  return whenPresent(slotsOf(groups, graphShare, graphRow), (stored) =>
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
    return standingIn(present(withRuntime(stored.value, withKey(running.value, stored.value))), stored.standsIn);
  },
};
