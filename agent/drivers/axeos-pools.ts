import { ABSENT, type OtherSetting, type PoolSlot, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { poolList, userIn } from './pools.ts';
import {
  asArray,
  asObject,
  count,
  flag,
  memberIn,
  memberOf,
  type Reader,
  scalarText,
  text,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { inOrder, listed } from './rows.ts';
import { withTold } from './stored-pools.ts';

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
  /** The key of a Stratum V2 pool. */
  readonly authority: JsonValue | undefined;
}

/** Members of the rows made here. */
const MADE = {
  url: 'url',
  port: 'port',
  user: 'user',
  slot: 'slot',
  priority: 'priority',
  tls: 'tls',
  authority: 'authority',
  share: 'share',
  active: 'active',
} as const;

/** A switch that older firmware does not have is off. */
const switchIn = (object: JsonObject, name: string): Reading<boolean> => {
  const reading = memberIn(object, name, flag);
  return reading.kind === 'absent' ? present(false) : reading;
};

/** A certificate of its own. */
const OWN_CERTIFICATE = 2;

/** TLS is true and false, or 0, 1 (known authorities) and 2; each may be quoted. */
const TLS: ReadonlyMap<string, number> = new Map(
  Object.entries({ '0': 0, '1': 1, '2': OWN_CERTIFICATE, false: 0, true: 1 }),
);

/** Whether it is Stratum V2. */
const PROTOCOLS: ReadonlyMap<string, boolean> = new Map(
  Object.entries({ '0': false, '1': true, SV1: false, SV2: true }),
);

/** One of the words of the firmware; any other might mean either. */
const oneOf =
  <T>(words: ReadonlyMap<string, T>): Reader<T> =>
  (value) => {
    const found = words.get(String(value));
    return found === undefined ? UNREADABLE : present(found);
  };

/** Hosts stand without a scheme; what the members beside them say of the transport is said as a scheme here. */
const schemeOf = (v2: boolean, tls: boolean): string => (v2 ? 'stratum2+tcp://' : tls ? 'stratum+ssl://' : '');

/** What a member says, where there is one. */
const said = <T>(value: JsonValue | undefined, reader: Reader<T>): Reading<T> =>
  value === undefined ? ABSENT : reader(value);

/** No scalar: two values under one name, or something that is none of the firmware's spellings. */
const isDoubtful = (value: JsonValue | undefined): boolean =>
  typeof value === 'symbol' || (typeof value === 'object' && value !== null);

/** A host, blank where there is none. */
const hostOf = (url: JsonValue | undefined): Reading<string> => {
  const reading = said(url, text);
  return reading.kind === 'absent' ? present('') : reading;
};

/** A row whose host or transport is in doubt is none: without its scheme it would look like another pool. */
const rowOf = ({ url, port, user, tls, protocol, authority }: Found): Reading<JsonObject> => {
  const host = hostOf(url);
  if (host.kind !== 'present' || isDoubtful(tls) || isDoubtful(protocol)) return UNREADABLE;
  if (host.value === '') return present({ url: '' });
  const [kind, v2] = [said(tls, oneOf(TLS)), said(protocol, oneOf(PROTOCOLS))];
  if (kind.kind === 'unknown') return kind;
  if (v2.kind === 'unknown') return v2;
  const encrypted = kind.kind === 'present' ? kind.value > 0 : undefined;
  const isSecond = v2.kind === 'present' && v2.value;
  return present({
    url: host.value.includes('://') ? host.value : `${schemeOf(isSecond, encrypted === true)}${host.value}`,
    port: port ?? null,
    user: user ?? null,
    ...(encrypted === undefined ? {} : { tls: encrypted }),
    ...(isSecond && authority !== undefined ? { authority } : {}),
  });
};

const readRows = (rows: readonly Reading<JsonObject>[]): Reading<readonly PoolSlot[]> =>
  rows.length === 0 ? UNREADABLE : whenPresent(listed(rows), poolList(MADE));

// ---- the two pools of a NerdQAxe -------------------------------------------------------------------------------------

/** A pool mode of the NerdQAxe: both pools at once. */
const DUAL = 1;

/** What the first and the second pool get of the work, in millionths. */
type Split = readonly [number, number];

/**
 * Absent where the second pool waits for the first. The mode that is set and the one that runs until the next start
 * decide alike; a balance above 100 gives all to the first pool (NerdQAxePlus, stratum_manager_dual_pool.cpp).
 */
const splitIn = (object: JsonObject): Reading<Split> => {
  const modes = ['poolMode', 'activePoolMode'].map((name) => memberIn(object, name, count));
  if (modes.some(({ kind }) => kind === 'unknown')) return UNREADABLE;
  if (!modes.some((mode) => mode.kind === 'present' && mode.value === DUAL)) return ABSENT;
  return whenPresent(memberIn(object, 'poolBalance', count), (percent) => {
    const first = Math.min(percent, 100) * 10_000;
    return present([first, 1_000_000 - first]);
  });
};

const withShare = (row: Reading<JsonObject>, share: number | undefined): Reading<JsonObject> =>
  share === undefined ? row : whenPresent(row, (members) => present({ ...members, share }));

/** A share that is missing would look changed: pools whose split cannot be read are no list. */
const readShared = (rows: readonly Reading<JsonObject>[], split: Reading<Split>): Reading<readonly PoolSlot[]> => {
  if (split.kind === 'unknown') return withTold(split, readRows(rows));
  return readRows(split.kind === 'absent' ? rows : rows.map((row, place) => withShare(row, split.value[place])));
};

/** Absent on boards with one pool at a time. */
const stratumIn = (object: JsonObject): Reading<JsonObject> =>
  memberIn(object, 'stratum', (stratum) => {
    const found = asObject(stratum);
    return found === undefined ? UNREADABLE : present(found);
  });

/** Whether the pool at a place is mined on now. Undefined where the device did not say it legibly. */
type IsActive = (place: number) => boolean | undefined;

const NOBODY_KNOWS: IsActive = () => undefined;

/** Where both are mined on, each says whether it is connected. */
const activeIn = (stratum: Reading<JsonObject>, onFallback: Reading<boolean>): IsActive => {
  if (stratum.kind === 'unknown') return NOBODY_KNOWS;
  const object = stratum.kind === 'present' ? stratum.value : {};
  const mode = memberIn(object, 'activePoolMode', count);
  if (mode.kind === 'unknown') return NOBODY_KNOWS;
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

const withActive = (row: Reading<JsonObject>, active: boolean | undefined): Reading<JsonObject> =>
  active === undefined ? row : whenPresent(row, (members) => present({ ...members, active }));

/** What the members of a pool of `info` begin with. */
type Prefix = 'stratum' | 'fallbackStratum';

/** The keys of Stratum V2 pools as Bitaxe and as NerdQAxe call them. */
const AUTHORITY = {
  stratum: ['stratumV2AuthorityPubkey', 'sv2AuthorityPubkey'],
  fallbackStratum: ['fallbackStratumV2AuthorityPubkey', 'fallbackSv2AuthorityPubkey'],
} as const satisfies { readonly [name in Prefix]: readonly string[] };

const flatRow = (info: JsonObject, prefix: Prefix): Reading<JsonObject> =>
  rowOf({
    url: memberOf(info, `${prefix}URL`),
    port: memberOf(info, `${prefix}Port`),
    user: memberOf(info, `${prefix}User`),
    tls: memberOf(info, `${prefix}TLS`),
    protocol: memberOf(info, `${prefix}Protocol`),
    authority: memberOf(info, AUTHORITY[prefix]),
  });

/** The primary and the fallback pool, in this order. */
const flatPools = (info: JsonObject): Reading<readonly PoolSlot[]> => {
  const stratum = stratumIn(info);
  const isActive = activeIn(stratum, switchIn(info, 'isUsingFallbackStratum'));
  const rows = [flatRow(info, 'stratum'), flatRow(info, 'fallbackStratum')];
  return readShared(
    rows.map((row, place) => withActive(row, isActive(place))),
    whenPresent(stratum, splitIn),
  );
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
    const [slot, priority] = [memberOf(pool, 'id') ?? null, rank === -1 ? inUse.length + place : rank];
    const row = whenPresent(flatRow(pool, 'stratum'), (members) => present({ ...members, slot, priority }));
    return withActive(row, active && isSame(active, id));
  });
  return readRows(rows);
};

/** Rows, each of which is an object: without one that is none the others are not all. */
const rows: Reader<readonly JsonObject[]> = (value) => {
  const objects = asArray(value)?.map(asObject);
  return objects?.every((object) => object !== undefined) ? present(objects) : UNREADABLE;
};

/** The stored pools of an info; absent where it has none, which is before 2.15. */
const storedIn = (info: JsonObject): Reading<readonly JsonObject[]> =>
  whenPresent(
    memberIn(info, 'pools', (pools) => (pools === null ? ABSENT : rows(pools))),
    (pools) => (pools.length === 0 ? ABSENT : present(pools)),
  );

/** The configured pools of `/api/system/info`. */
export const poolsOfInfo: Reader<readonly PoolSlot[]> = (value) => {
  const info = asObject(value);
  if (info === undefined) return UNREADABLE;
  const stored = storedIn(info);
  if (stored.kind === 'unknown') return stored;
  if (stored.kind === 'present') return storedPools(info, stored.value);
  return memberOf(info, 'stratumURL') === undefined ? UNREADABLE : flatPools(info);
};

/** What stands for a certificate or a key where a pool is held to none, whether or not one is stored. */
const NONE = 'none';

/** The certificate that the pool of an object is held to, as a setting. TLS that is a number may have one, a switch has none. */
const certificateIn = (object: JsonObject, prefix: Prefix, key: string): Reading<OtherSetting> => {
  const stored = memberIn(object, `${prefix}Cert`, (cert) =>
    typeof cert === 'string' ? present(cert.trim()) : UNREADABLE,
  );
  const kind = memberIn(object, `${prefix}TLS`, oneOf(TLS));
  if (stored.kind === 'unknown' || kind.kind === 'unknown') return UNREADABLE;
  const isSwitch = ['undefined', 'boolean'].includes(typeof memberOf(object, `${prefix}TLS`));
  if (stored.kind === 'absent' && isSwitch) return ABSENT;
  const isHeld = kind.kind === 'present' && kind.value === OWN_CERTIFICATE;
  const certificate = stored.kind === 'present' && isHeld ? stored.value : '';
  return present({ key, value: certificate === '' ? NONE : certificate });
};

/** The certificates that the pools of `/api/system/info` are held to. Another one is let in by whoever stands on the way. */
export const certificatesOfInfo: Reader<readonly OtherSetting[]> = (value) => {
  const info = asObject(value);
  if (info === undefined) return UNREADABLE;
  const stored = storedIn(info);
  if (stored.kind === 'unknown') return stored;
  if (stored.kind === 'absent')
    return listed(
      (['stratum', 'fallbackStratum'] as const).map((prefix) => certificateIn(info, prefix, `${prefix}Cert`)),
    );
  return listed(
    stored.value.map((pool) =>
      whenPresent(idOf(pool), (id) => certificateIn(pool, 'stratum', `pool.${id}.stratumCert`)),
    ),
  );
};

/** Whether one pool waits for the other or both are mined on, as it is set. */
export const poolModeOfInfo: Reader<readonly OtherSetting[]> = (value) => {
  const info = asObject(value);
  if (info === undefined) return UNREADABLE;
  return whenPresent(stratumIn(info), (stratum) =>
    whenPresent(memberIn(stratum, 'poolMode', scalarText), (mode) => present([{ key: 'poolMode', value: mode }])),
  );
};

/** What `/api/v2/settings` tells of a pool, by what the info of some releases calls it. */
const toldOf = (prefix: Prefix) => ({
  coinbaseVerifyMode: [],
  protocol: [`${prefix}Protocol`],
  sv2AuthorityPubkey: AUTHORITY[prefix],
});

const tells = (info: JsonObject, names: readonly string[]): boolean =>
  names.some((name) => memberOf(info, name) !== undefined);

/** One that is blank now may be given a value. */
const settingIn = (pool: JsonObject, name: string, key: string): Reading<OtherSetting> =>
  memberIn(pool, name, (value) => {
    const reading = scalarText(value);
    if (reading.kind === 'unknown') return reading;
    return present({ key, value: reading.kind === 'present' ? reading.value : NONE });
  });

/** Members of the pools of `/api/v2/settings` that `/api/system/info` does not have, as settings. */
export const poolSettingsBeside = (info: JsonObject, settings: JsonObject): Reading<readonly OtherSetting[]> =>
  whenPresent(memberIn(settings, 'pools', rows), (pools) =>
    listed(
      (['stratum', 'fallbackStratum'] as const).flatMap((prefix, place) =>
        Object.entries(toldOf(prefix))
          .filter(([, names]) => !tells(info, names))
          .map(([name]) => settingIn(pools[place] ?? {}, name, `pool.${place}.${name}`)),
      ),
    ),
  );

/** The configured pools of `/api/v2/settings`, of which `/api/v2/dashboard`, where it answered, says which is active. */
export const poolsOfSettings = (value: JsonValue, dashboard: JsonValue | undefined): Reading<readonly PoolSlot[]> => {
  const settings = asObject(value);
  if (settings === undefined) return UNREADABLE;
  const stratum = stratumIn(asObject(dashboard) ?? {});
  const isActive =
    stratum.kind === 'present' ? activeIn(stratum, switchIn(stratum.value, 'usingFallback')) : NOBODY_KNOWS;
  return whenPresent(memberIn(settings, 'pools', rows), (pools) =>
    readShared(
      pools.map((pool, place) => {
        const row = rowOf({
          url: memberOf(pool, 'url'),
          port: memberOf(pool, 'port'),
          user: userIn(pool, 'user'),
          tls: memberOf(pool, 'tls'),
          protocol: memberOf(pool, 'protocol'),
          authority: memberOf(pool, 'sv2AuthorityPubkey'),
        });
        return withActive(row, isActive(place));
      }),
      splitIn(settings),
    ),
  );
};
