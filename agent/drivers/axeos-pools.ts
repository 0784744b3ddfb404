import { ABSENT, type PoolSlot, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { poolList } from './pools.ts';
import { asArray, asObject, count, flag, memberIn, memberOf, type Reader, UNREADABLE, whenPresent } from './readers.ts';
import { inOrder } from './rows.ts';

/**
 * The pools of AxeOS, which every generation keeps elsewhere: primary and fallback members of one object (Bitaxe to
 * 2.14, NerdQAxe), a list of stored pools of which two are in use (Bitaxe 2.15), a list of slots (NerdQAxe API v2).
 */

/** One pool, by whatever names it was found. */
interface Found {
  readonly url: JsonValue | undefined;
  readonly port: JsonValue | undefined;
  readonly user: JsonValue | undefined;
  readonly tls: JsonValue | undefined;
  readonly protocol: JsonValue | undefined;
}

/** Members of the rows made here. */
const MADE = {
  url: 'url',
  port: 'port',
  user: 'user',
  slot: 'slot',
  priority: 'priority',
  tls: 'tls',
  active: 'active',
} as const;

/** A switch that older firmware does not have is off. */
const switchIn = (object: JsonObject, name: string): Reading<boolean> => {
  const reading = memberIn(object, name, flag);
  return reading.kind === 'absent' ? present(false) : reading;
};

/** TLS is true and false, or 0, 1 (known authorities) and 2 (a certificate of its own). */
const usesTls = (value: JsonValue | undefined): boolean | undefined => {
  if (typeof value === 'number') return value > 0;
  return typeof value === 'boolean' ? value : undefined;
};

/** Hosts stand without a scheme; what the members beside them say of the transport is said as a scheme here. */
const schemeOf = (protocol: JsonValue | undefined, tls: boolean | undefined): string => {
  if (protocol === 'SV2' || protocol === 1) return 'stratum2+tcp://';
  return tls === true ? 'stratum+ssl://' : '';
};

/** No scalar: two values under one name, or something that is none of the firmware's spellings. */
const isDoubtful = (value: JsonValue | undefined): boolean =>
  typeof value === 'symbol' || (typeof value === 'object' && value !== null);

/** A row whose host or transport is in doubt has a URL that no reader takes for one. */
const rowOf = ({ url, port, user, tls, protocol }: Found): JsonObject => {
  const doubtful = [url, tls, protocol].find(isDoubtful);
  if (doubtful !== undefined) return { url: doubtful, port: port ?? null, user: user ?? null };
  const host = typeof url === 'string' ? url.trim() : '';
  const encrypted = usesTls(tls);
  return {
    url: host === '' || host.includes('://') ? host : `${schemeOf(protocol, encrypted)}${host}`,
    port: port ?? null,
    user: user ?? null,
    ...(encrypted === undefined ? {} : { tls: encrypted }),
  };
};

const readRows = (rows: readonly JsonObject[]): Reading<readonly PoolSlot[]> => poolList(MADE)(rows);

/** A pool mode of the NerdQAxe: both pools at once. */
const DUAL = 1;

/** Whether the pool at a place is mined on now. Undefined where the device did not say it legibly. */
type IsActive = (place: number) => boolean | undefined;

const NOBODY_KNOWS: IsActive = () => undefined;

/** Where there are two, each says whether it is connected. `stratum` is absent on boards with one. */
const activeIn = (stratum: Reading<JsonValue>, onFallback: Reading<boolean>): IsActive => {
  if (stratum.kind === 'unknown') return NOBODY_KNOWS;
  const object = stratum.kind === 'present' ? asObject(stratum.value) : {};
  const mode = object === undefined ? UNREADABLE : memberIn(object, 'activePoolMode', count);
  if (object === undefined || mode.kind === 'unknown') return NOBODY_KNOWS;
  if (mode.kind === 'absent' || mode.value !== DUAL) {
    return onFallback.kind === 'present' ? (place) => place === (onFallback.value ? 1 : 0) : NOBODY_KNOWS;
  }
  const live = memberIn(object, 'pools', rows);
  const connected = whenPresent(live, (pools) => present(pools.map((pool) => memberIn(pool, 'connected', flag))));
  if (connected.kind !== 'present') return NOBODY_KNOWS;
  return (place) => {
    const reading = connected.value[place];
    return reading?.kind === 'present' ? reading.value : undefined;
  };
};

const withActive = (row: JsonObject, active: boolean | undefined): JsonObject =>
  active === undefined ? row : { ...row, active };

const flatRow = (info: JsonObject, prefix: 'stratum' | 'fallbackStratum'): JsonObject =>
  rowOf({
    url: memberOf(info, `${prefix}URL`),
    port: memberOf(info, `${prefix}Port`),
    user: memberOf(info, `${prefix}User`),
    tls: memberOf(info, `${prefix}TLS`),
    protocol: memberOf(info, `${prefix}Protocol`),
  });

/** The primary and the fallback pool, in this order. */
const flatPools = (info: JsonObject): Reading<readonly PoolSlot[]> => {
  const isActive = activeIn(memberIn(info, 'stratum', present), switchIn(info, 'isUsingFallbackStratum'));
  const rows = [flatRow(info, 'stratum'), flatRow(info, 'fallbackStratum')];
  return readRows(rows.map((row, place) => withActive(row, isActive(place))));
};

const isSame = (one: Reading<number>, other: Reading<number>): boolean =>
  one.kind === 'present' && other.kind === 'present' && one.value === other.value;

const idOf = (pool: JsonObject): Reading<number> => memberIn(pool, 'id', count);

/** Any number of pools under ids, two of which are in use by rank; the others wait in the order of their ids. */
const storedPools = (info: JsonObject, listed: readonly JsonObject[]): Reading<readonly PoolSlot[]> =>
  whenPresent(inOrder(listed, idOf), (pools) => rankedPools(info, pools));

const rankedPools = (info: JsonObject, pools: readonly JsonObject[]): Reading<readonly PoolSlot[]> => {
  const inUse = ['primaryPoolIndex', 'secondaryPoolIndex'].map((name) => memberIn(info, name, count));
  // Which pools are tried first decides where shares go.
  if (inUse.some(({ kind }) => kind === 'unknown')) return UNREADABLE;
  const onFallback = switchIn(info, 'isUsingFallbackStratum');
  const active = onFallback.kind === 'present' ? inUse[onFallback.value ? 1 : 0] : undefined;
  const rows = pools.map((pool, place) => {
    const id = idOf(pool);
    const rank = inUse.findIndex((used) => isSame(used, id));
    const row = {
      ...flatRow(pool, 'stratum'),
      slot: memberOf(pool, 'id') ?? null,
      priority: rank === -1 ? inUse.length + place : rank,
    };
    return withActive(row, active && isSame(active, id));
  });
  return readRows(rows);
};

/** Rows, each of which is an object: without one that is none the others are not all. */
const rows: Reader<readonly JsonObject[]> = (value) => {
  const objects = asArray(value)?.map(asObject);
  return objects?.every((object) => object !== undefined) ? present(objects) : UNREADABLE;
};

/** The configured pools of `/api/system/info`. */
export const poolsOfInfo: Reader<readonly PoolSlot[]> = (value) => {
  const info = asObject(value);
  if (info === undefined) return UNREADABLE;
  const stored = memberIn(info, 'pools', (pools) => (pools === null ? ABSENT : rows(pools)));
  if (stored.kind === 'unknown') return stored;
  if (stored.kind === 'present' && stored.value.length > 0) return storedPools(info, stored.value);
  return memberOf(info, 'stratumURL') === undefined ? UNREADABLE : flatPools(info);
};

/** The configured pools of `/api/v2/settings`, of which `/api/v2/dashboard`, where it answered, says which is active. */
export const poolsOfSettings = (value: JsonValue, dashboard: JsonValue | undefined): Reading<readonly PoolSlot[]> => {
  const settings = asObject(value);
  if (settings === undefined) return UNREADABLE;
  const stratum = memberIn(asObject(dashboard) ?? {}, 'stratum', present);
  const status = stratum.kind === 'present' ? asObject(stratum.value) : undefined;
  const isActive = status === undefined ? NOBODY_KNOWS : activeIn(stratum, switchIn(status, 'usingFallback'));
  return whenPresent(memberIn(settings, 'pools', rows), (pools) =>
    readRows(
      pools.map((pool, place) => {
        const row = rowOf({
          url: memberOf(pool, 'url'),
          port: memberOf(pool, 'port'),
          user: memberOf(pool, 'user'),
          tls: memberOf(pool, 'tls'),
          protocol: memberOf(pool, 'protocol'),
        });
        return withActive(row, isActive(place));
      }),
    ),
  );
};
