import {
  ABSENT,
  type LivePool,
  type PoolSlot,
  present,
  type Reading,
  type UnknownReason,
  unknown,
} from '../../shared/facts.ts';
import { accountOf } from '../../shared/pool-user.ts';
import { DAMAGED, type JsonObject, type JsonValue } from '../probe/capture.ts';
import { isDoubtful } from './damaged-names.ts';
import {
  asArray,
  asObject,
  count,
  flag,
  integer,
  type MemberName,
  memberIn,
  memberOf,
  type Reader,
  scalarText,
  text,
  UNREADABLE,
  whenPresent,
} from './readers.ts';

/**
 * Pool lists. The URL is handed on as the device spells it, with host and port put together where they come apart;
 * its canonical form is the business of `normalise`. A list that cannot be read whole is unknown: half a list of pools
 * would look like a removed pool.
 */

/** The members of one pool row, by the firmware's names. */
export interface PoolMembers {
  readonly url: MemberName;
  /** Where host and port are members of their own. */
  readonly port?: MemberName;
  readonly user?: MemberName;
  /** The slot number, where rows carry one; else the position in the list. */
  readonly slot?: MemberName;
  /** 0 is tried first; without it the slot number. */
  readonly priority?: MemberName;
  readonly quota?: MemberName;
  /** The part of all work, in millionths. */
  readonly share?: MemberName;
  readonly tls?: MemberName;
  /** The key by which a Stratum V2 pool proves itself, where it is a member of its own. */
  readonly authority?: MemberName;
  /** What the pool is reached through: its host and port, or the whole URL. */
  readonly proxy?: MemberName;
  /** The kind of the proxy, where it is a member of its own. */
  readonly proxyType?: MemberName;
  readonly status?: MemberName;
  readonly active?: MemberName;
  /** The host connected now. */
  readonly host?: MemberName;
}

/** Empty while the row is not connected. */
const CONNECTED = 'Stratum URL';

/** Members of a `POOLS` row of the CGMiner API and its forks. */
export const CGMINER_POOL = {
  url: 'URL',
  user: ['User', 'USER'],
  slot: 'POOL',
  priority: 'Priority',
  quota: 'Quota',
  proxy: 'Proxy',
  proxyType: 'Proxy Type',
  status: 'Status',
  active: 'Stratum Active',
  host: CONNECTED,
} as const satisfies PoolMembers;

const { quota: _, ...WITHOUT_QUOTA } = CGMINER_POOL;

/** The same without the quota, where it is always 1 and unknown to the stored list that the device has beside this one. */
export const RUNTIME_POOL: PoolMembers = WITHOUT_QUOTA;

/** A pool with the host connected now, before it becomes a slot or a live pool. */
interface Row extends PoolSlot {
  readonly host?: string;
}

/** A pool user, byte for byte: even a blank in it is another account. */
const exactText: Reader<string> = (value) => {
  if (value === null || value === '') return ABSENT;
  return typeof value === 'string' ? present(value) : UNREADABLE;
};

/** The host of what is connected, with its port where the device tells that, too. Some firmware gives the whole URL, with a key behind it. */
const hostName: Reader<string> = (value) =>
  whenPresent(text(value), (found) =>
    text(
      found
        .replace(/^[^/]*:\/\//, '')
        .replace(/[/?#].*$/s, '')
        .replace(/^.*@/s, ''),
    ),
  );

const member = <T>(row: JsonObject, name: MemberName | undefined, reader: Reader<T>): Reading<T> =>
  name === undefined ? ABSENT : memberIn(row, name, reader);

const valueIn = <T>(reading: Reading<T>): T | undefined => (reading.kind === 'present' ? reading.value : undefined);

/** Absent where the slot is blank; a row without the member at all is no pool row. */
const urlOf = (row: JsonObject, members: PoolMembers): Reading<string> => {
  const value = memberOf(row, members.url);
  if (value === undefined) return UNREADABLE;
  return whenPresent(text(value), (host) => {
    if (members.port === undefined) return present(host);
    const port = member(row, members.port, count);
    if (port.kind === 'unknown') return port;
    return present(port.kind === 'present' && port.value > 0 ? withPort(host, port.value) : host);
  });
};

/**
 * The URL of a slot; of a blank one that is mined for all the same the host it is connected to, or nobody knows which. Lists
 * that tell no hosts may call a place active that is not in use any more.
 */
const reachedIn = (row: JsonObject, members: PoolMembers, connected: MemberName | undefined): Reading<string> => {
  const url = urlOf(row, members);
  if (url.kind !== 'absent' || connected === undefined) return url;
  const host = member(row, connected, hostName);
  if (host.kind !== 'absent') return host;
  const active = member(row, members.active, flag);
  return active.kind === 'absent' || valueIn(active) === false ? ABSENT : UNREADABLE;
};

/** A bare IPv6 address needs brackets before a port can follow; a host that already names a port keeps it. */
const withPort = (host: string, port: number): string => {
  // With an account in front, whose password may hold any mark.
  const account = host.slice(0, host.lastIndexOf('@') + 1);
  if (account.includes(':') && !/^[^:]*:\/\/[^:]*$/.test(account))
    return `${account}${withPort(host.slice(account.length), port)}`;
  const name = host.replace(/^[^/]*:\/\//, '').replace(/\/.*$/s, '');
  if (/^[^:]*:[0-9]+$|\]:[0-9]+$/.test(name)) return host;
  const bracketed = name.includes(':') && !name.startsWith('[') ? host.replace(name, () => `[${name}]`) : host;
  return `${bracketed.replace(/\/$/, '')}:${port}`;
};

/** With another key a Stratum V2 pool is another one: the key is the path of the URL, as many firmwares write it. */
export const withAuthority = (url: string, key: string): string =>
  /^stratum2\+[a-z]+:\/\/[^/]+\/?$/i.test(url) ? `${url.replace(/\/$/, '')}/${key}` : url;

const NO_PROXY = /^(?:none|null|off|direct)?$/i;

/** `socks5://host:port`, as `--socks-proxy` has it: BFGMiner tells the whole, CGMiner the kind apart. */
const proxyOf = (row: JsonObject, { proxy, proxyType }: PoolMembers): Reading<string> =>
  whenPresent(member(row, proxy, exactText), (told) => {
    const place = told.trim();
    if (NO_PROXY.test(place)) return ABSENT;
    if (place.includes('://')) return present(place);
    const kind = member(row, proxyType, text);
    if (kind.kind === 'unknown') return kind;
    return present(kind.kind === 'present' ? `${kind.value.toLowerCase()}://${place}` : place);
  });

/** The user of a row. Where none is named, a member with two values may hold it: then its name became that of the other one. */
export const userIn = (row: JsonObject, name: MemberName): JsonValue | undefined =>
  memberOf(row, name) ?? (isDoubtful(row) ? DAMAGED : undefined);

const userOf = (row: JsonObject, name: MemberName | undefined): Reading<string> => {
  const user = name === undefined ? undefined : userIn(row, name);
  return user === undefined ? ABSENT : exactText(user);
};

/** What decides where shares go must be readable; what only describes the moment is left out if it is not. */
const rowOf = (
  members: PoolMembers,
  value: JsonValue,
  position: number,
  connected: MemberName | undefined,
): Reading<Row> => {
  const row = asObject(value);
  if (row === undefined) return UNREADABLE;
  const url = reachedIn(row, members, connected);
  if (url.kind !== 'present') return url;
  const user = userOf(row, members.user);
  const number = member(row, members.slot, count);
  const rank = member(row, members.priority, integer);
  const quota = member(row, members.quota, count);
  const share = member(row, members.share, count);
  const tls = member(row, members.tls, flag);
  const authority = member(row, members.authority, text);
  const proxy = proxyOf(row, members);
  if (user.kind === 'unknown') return user;
  if (number.kind === 'unknown') return number;
  if (rank.kind === 'unknown') return rank;
  if (quota.kind === 'unknown') return quota;
  if (share.kind === 'unknown') return share;
  if (tls.kind === 'unknown') return tls;
  if (authority.kind === 'unknown') return authority;
  if (proxy.kind === 'unknown') return proxy;
  const slot = valueIn(number) ?? position;
  const made: { -readonly [Member in keyof Row]: Row[Member] } = {
    slot,
    url: authority.kind === 'present' ? withAuthority(url.value, authority.value) : url.value,
    priority: valueIn(rank) ?? slot,
  };
  if (user.kind === 'present') made.user = user.value;
  if (quota.kind === 'present') made.quota = quota.value;
  if (share.kind === 'present') made.share_ppm = share.value;
  if (tls.kind === 'present') made.tls = tls.value;
  if (proxy.kind === 'present') made.proxy = proxy.value;
  const status = member(row, members.status, scalarText);
  if (status.kind === 'present') made.status = status.value;
  const active = member(row, members.active, flag);
  if (active.kind === 'present') made.active = active.value;
  const host = member(row, members.host, hostName);
  if (host.kind === 'present') made.host = host.value;
  return present(made);
};

/** The rows of a list that can be read, in order, and why they are not all of them. */
interface Rows {
  readonly rows: readonly Row[];
  readonly lost?: UnknownReason;
}

const rowsOf = (members: PoolMembers, list: JsonValue, connected: MemberName | undefined): Rows => {
  const elements = asArray(list);
  if (elements === undefined || elements.length === 0) return { rows: [], lost: 'unreadable' };
  const rows: Row[] = [];
  let numbered = 0;
  let lost: Rows['lost'];
  for (let position = 0; position < elements.length; position += 1) {
    const element = elements[position] as JsonValue;
    const row = rowOf(members, element, position, connected);
    if (row.kind === 'unknown') lost ??= row.reason;
    if (row.kind !== 'present') continue;
    rows.push(row.value);
    if (hasNumber(element, members)) numbered += 1;
  }
  const inOrder = bySlot(rows);
  // A row that lost its number would be taken for the one that belongs to its place.
  const isMixed = numbered > 0 && numbered < rows.length;
  if (isMixed || inOrder.some(isTwin)) lost ??= 'unreadable';
  return lost === undefined ? { rows: inOrder } : { rows: inOrder, lost };
};

const hasNumber = (row: JsonValue, { slot }: PoolMembers): boolean => {
  const object = asObject(row);
  return object !== undefined && slot !== undefined && memberIn(object, slot, count).kind === 'present';
};

/** Whether a row of a sorted list has the number of the one before it: one of the two numbers is damaged or gone. */
const isTwin = ({ slot }: PoolSlot, at: number, rows: readonly PoolSlot[]): boolean => rows[at - 1]?.slot === slot;

/**
 * By number, so that a list in another order gives the same slots. Nearly every list is in order already, and looking
 * costs less than sorting.
 */
const bySlot = <Slot extends PoolSlot>(slots: readonly Slot[]): readonly Slot[] =>
  slots.every(({ slot }, at) => at === 0 || (slots[at - 1] as Slot).slot <= slot)
    ? slots
    : slots.toSorted((a, b) => a.slot - b.slot);

const livePoolOf = ({ url, user, status, active, host, proxy }: Row): LivePool => ({
  url,
  ...(user === undefined ? {} : { user }),
  ...(status === undefined ? {} : { status }),
  ...(active === undefined ? {} : { active }),
  ...(host === undefined ? {} : { host }),
  ...(proxy === undefined ? {} : { proxy }),
});

/**
 * The slots of a list of rows. Blank slots are dropped, their numbers stay. A section without any row is no list. One with a row that
 * cannot be read is unknown, and what the others tell is told.
 */
export const poolList =
  // A slot has no host: the one connected now is read where nothing else says where it leads.
    ({ host, ...members }: PoolMembers): Reader<readonly PoolSlot[]> =>
    (value) => {
      const { rows, lost } = rowsOf(members, value, host);
      if (lost === undefined) return present(rows);
      return rows.length === 0 ? unknown(lost) : { kind: 'unknown', reason: lost, toldPools: rows };
    };

/**
 * What the rows of a list count from, blank ones too: 0 where they do so one after the other, 1 where none is 0 or twice.
 * Undefined else: one of the numbers is damaged, and would shift all the others.
 */
export const firstNumber = (list: JsonValue, name: MemberName): 0 | 1 | undefined => {
  const readings = (asArray(list) ?? []).map((row) => memberIn(asObject(row) ?? {}, name, count));
  const numbers = readings.map((reading) => valueIn(reading) ?? 0);
  if (numbers.includes(0)) return numbers.every((number, at) => number === at) ? 0 : undefined;
  return new Set(numbers).size === numbers.length ? 1 : undefined;
};

/** The slots of a list whose rows count from 0 or from 1; ours count from 0. Rows that all lack their number have that of their place. */
export const poolsFromZero =
  (members: PoolMembers & { readonly slot: MemberName }): Reader<readonly PoolSlot[]> =>
  (list) =>
    whenPresent(poolList(members)(list), (slots) => {
      if (asArray(list)?.some((row) => hasNumber(row, members)) !== true) return present(slots);
      const base = firstNumber(list, members.slot);
      return base === undefined ? UNREADABLE : present(slots.map((slot) => ({ ...slot, slot: slot.slot - base })));
    });

/** The same list as a surface of its own: where each pool stands now. */
export const livePools =
  (members: PoolMembers): Reader<readonly LivePool[]> =>
  (value) => {
    const { rows, lost } = rowsOf(members, value, members.host);
    return lost === undefined ? present(rows.map(livePoolOf)) : unknown(lost);
  };

/**
 * The one list of a device that is both what is configured and what runs, once more as the latter for the host that is
 * connected: a pool may have sent the miner elsewhere. Absent where no row names one: it says nothing that the slots do not.
 */
export const connectedPools: Reader<readonly LivePool[]> = (list) =>
  whenPresent(livePools(RUNTIME_POOL)(list), (rows) =>
    asArray(list)?.some((row) => memberOf(asObject(row) ?? {}, CONNECTED) !== undefined) ? present(rows) : ABSENT,
  );

/** Scheme, case, fragment and a last slash do not make another pool when two surfaces of one device are matched. */
const endpoint = (url: string): string =>
  url
    .toLowerCase()
    .replace(/^[^/]*:\/\//, '')
    .replace(/#.*$/s, '')
    .replace(/\/$/, '');

const sameEndpoint = (a: PoolSlot, b: PoolSlot): boolean => a.url === b.url || endpoint(a.url) === endpoint(b.url);

/**
 * A row that tells no user may be that of any; one that tells another account is another pool. Firmwares append a worker, made of
 * the address of the machine, to a user that has none.
 */
const sameAccount = (stored: PoolSlot, row: PoolSlot): boolean =>
  row.user === undefined || (stored.user !== undefined && accountOf(stored.user) === accountOf(row.user));

const agrees = (stored: PoolSlot, row: PoolSlot): boolean => sameEndpoint(stored, row) && sameAccount(stored, row);

/** For each stored slot the row that is the same pool, best the one in its place; and the rows that are none of them. */
const matched = (
  stored: readonly PoolSlot[],
  rows: readonly PoolSlot[],
): { readonly rowOf: (slot: PoolSlot) => PoolSlot | undefined; readonly left: readonly PoolSlot[] } => {
  const free = new Set(rows);
  const found = new Map<PoolSlot, PoolSlot>();
  const claim = (fits: (slot: PoolSlot, row: PoolSlot) => boolean): void => {
    for (const slot of stored) {
      const row = found.has(slot) ? undefined : free.values().find((other) => agrees(slot, other) && fits(slot, other));
      if (row === undefined) continue;
      free.delete(row);
      found.set(slot, row);
    }
  };
  claim((slot, row) => row.slot === slot.slot);
  claim((slot, row) => row.user === slot.user);
  claim(() => true);
  return { rowOf: (slot) => found.get(slot), left: [...free] };
};

const withRow = (slot: PoolSlot, row: PoolSlot | undefined): PoolSlot =>
  row === undefined
    ? slot
    : {
        ...slot,
        priority: row.priority,
        ...(row.proxy === undefined ? {} : { proxy: row.proxy }),
        ...(row.status === undefined ? {} : { status: row.status }),
        ...(row.active === undefined ? {} : { active: row.active }),
      };

/** Rows as slots of their own: in their place where nothing is stored there, else behind all others. */
const beside = (slots: readonly PoolSlot[], rows: readonly PoolSlot[]): readonly PoolSlot[] => {
  const filled = new Set(slots.map(({ slot }) => slot));
  let last = Math.max(...filled, ...rows.map(({ slot }) => slot));
  return bySlot(rows).map((row) => {
    if (!filled.has(row.slot)) return row;
    last += 1;
    return { ...row, slot: last };
  });
};

/**
 * Stored slots with status, active, priority and proxy of the runtime rows that are the same pools. A runtime row that is none
 * of them was set through the API, whatever place it took: it is a slot too.
 */
export const withRuntime = (stored: readonly PoolSlot[], runtime: readonly PoolSlot[]): readonly PoolSlot[] => {
  const { rowOf, left } = matched(stored, runtime);
  const slots = stored.map((slot) => withRow(slot, rowOf(slot)));
  return bySlot(left.length === 0 ? slots : [...slots, ...beside(slots, left)]);
};

/** Stored slots as they are, and behind them the connections of the moment that are none of them: these have no places. */
export const withConnected = (stored: readonly PoolSlot[], connected: readonly LivePool[]): readonly PoolSlot[] => {
  const last = Math.max(-1, ...stored.map(({ slot }) => slot));
  const rows = connected.map(({ host: _, ...pool }, at) => ({ slot: last + 1 + at, priority: last + 1 + at, ...pool }));
  const { left } = matched(stored, rows);
  return left.length === 0 ? stored : [...stored, ...left];
};
