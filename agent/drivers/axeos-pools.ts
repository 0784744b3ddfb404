import { type PoolSlot, type Reading, unknown } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { poolList } from './pools.ts';
import { asArray, asObject, flag, memberOf, type Reader } from './readers.ts';

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

const isTrue = (value: JsonValue | undefined): boolean => {
  const reading = flag(value ?? null);
  return reading.kind === 'present' && reading.value;
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

/** The places of the pools that are mined on now. Where there are two, each says whether it is connected. */
const activePlaces = (stratum: JsonObject | undefined, onFallback: boolean): readonly number[] => {
  if (stratum?.activePoolMode !== DUAL) return [onFallback ? 1 : 0];
  const live = asArray(stratum.pools) ?? [];
  return live.flatMap((pool, place) => (isTrue(asObject(pool)?.connected) ? [place] : []));
};

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
  const active = activePlaces(asObject(info.stratum), isTrue(info.isUsingFallbackStratum));
  const rows = [flatRow(info, 'stratum'), flatRow(info, 'fallbackStratum')];
  return readRows(rows.map((row, place) => ({ ...row, active: active.includes(place) })));
};

/** Any number of pools under ids, two of which are in use by rank; the others wait in their order. */
const storedPools = (info: JsonObject, pools: readonly JsonObject[]): Reading<readonly PoolSlot[]> => {
  const inUse = [info.primaryPoolIndex, info.secondaryPoolIndex];
  const active = inUse[isTrue(info.isUsingFallbackStratum) ? 1 : 0];
  const rows = pools.map((pool, place) => {
    const rank = inUse.indexOf(pool.id);
    return {
      ...flatRow(pool, 'stratum'),
      slot: memberOf(pool, 'id') ?? null,
      priority: rank === -1 ? inUse.length + place : rank,
      active: pool.id === active,
    };
  });
  return readRows(rows);
};

const objectsIn = (value: JsonValue | undefined): readonly JsonObject[] =>
  (asArray(value) ?? []).map(asObject).filter((object) => object !== undefined);

/** The configured pools of `/api/system/info`. */
export const poolsOfInfo: Reader<readonly PoolSlot[]> = (value) => {
  const info = asObject(value);
  if (info === undefined) return unknown('unreadable');
  const pools = memberOf(info, 'pools');
  const stored = objectsIn(pools);
  if (stored.length > 0) return storedPools(info, stored);
  return isDoubtful(pools) || memberOf(info, 'stratumURL') === undefined ? unknown('unreadable') : flatPools(info);
};

/** The configured pools of `/api/v2/settings`, of which `/api/v2/dashboard`, where it answered, says which is active. */
export const poolsOfSettings = (value: JsonValue, dashboard: JsonValue | undefined): Reading<readonly PoolSlot[]> => {
  const stratum = asObject(asObject(dashboard)?.stratum);
  const active = stratum && activePlaces(stratum, isTrue(stratum.usingFallback));
  const rows = objectsIn(asObject(value)?.pools).map((pool, place) => ({
    ...rowOf({
      url: memberOf(pool, 'url'),
      port: memberOf(pool, 'port'),
      user: memberOf(pool, 'user'),
      tls: memberOf(pool, 'tls'),
      protocol: memberOf(pool, 'protocol'),
    }),
    ...(active === undefined ? {} : { active: active.includes(place) }),
  }));
  return readRows(rows);
};
