import { type PoolSlot, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { answersOf } from './cgminer-api.ts';
import { httpGet, type Replies, type Source } from './driver.ts';
import { type PoolMembers, poolList } from './pools.ts';
import {
  anyOf,
  asObject,
  at,
  firstOf,
  flag,
  mac,
  memberIn,
  memberOf,
  place,
  type Reader,
  scalarText,
  scaled,
  text,
  textList,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { listed } from './rows.ts';

/**
 * What Bitmain's web interface and those that other makers took over from it have in common: CGIs behind Digest, with the
 * stored configuration, the network and the system each in a document of its own. Antminer firmware of all makers, Hammer,
 * Blackminer, VolcMiner, Elphapex, StrongU.
 */

export const DIGEST = { cadence: 'config', auth: 'digest' } as const;

/** The stored configuration, asked with the pools because it is what says which there are. */
export const storedConfig = httpGet('/cgi-bin/get_miner_conf.cgi', { cadence: 'pools', auth: 'digest' });
export const networkInfo = httpGet('/cgi-bin/get_network_info.cgi', DIGEST);
export const systemInfo = httpGet('/cgi-bin/get_system_info.cgi', DIGEST);

// ---- pools -----------------------------------------------------------------------------------------------------------

/** A document that lacks the section of its pools is not one of a miner without pools. */
const section =
  <T>(name: string, reader: Reader<T>): Reader<T> =>
  (document) => {
    const value = memberOf(asObject(document) ?? {}, name);
    return value === undefined ? UNREADABLE : reader(value);
  };

/** The slots of a section of a document, or of the part of it that `of` leaves. */
export const slotsIn = <const Name extends string>(
  query: Name,
  name: string,
  members: PoolMembers,
  of: (reader: Reader<readonly PoolSlot[]>) => Reader<readonly PoolSlot[]> = (reader) => reader,
): Source<readonly PoolSlot[], Name> => at(query, '', section(name, of(poolList(members))));

/** The slots of the stored configuration. */
export const storedSlots = slotsIn('conf', 'pools', { url: 'url', user: 'user' });

/** Members of a pool row that the web interface lists. */
export const CGI_POOL: PoolMembers = {
  url: 'url',
  user: 'user',
  slot: 'index',
  priority: 'priority',
  status: 'status',
};

// ---- settings and network --------------------------------------------------------------------------------------------

/** `…-fan-ctrl` hands the fans to the operator's fixed speed. */
export const fanMode: Reader<string> = (value) =>
  whenPresent(flag(value), (fixed) => present(fixed ? 'manual' : 'auto'));

export const dhcp: Reader<boolean> = (value) =>
  whenPresent(text(value), (kind) => {
    if (/^dhcp$/i.test(kind)) return present(true);
    return /^static$/i.test(kind) ? present(false) : UNREADABLE;
  });

/** What the two documents say of the network: as configured, else as it is now. `conf_*` is blank while DHCP gives it. */
export const networkFacts = {
  'network.hostname': firstOf(at('network', '/conf_hostname', text), at('system', '/hostname', text)),
  'network.dhcp': firstOf(at('network', ['/conf_nettype', '/nettype'], dhcp), at('system', '/nettype', dhcp)),
  'network.netmask': firstOf(
    at('network', '/conf_netmask', text),
    at('network', '/netmask', text),
    at('system', '/netmask', text),
  ),
  'network.gateway': firstOf(
    at('network', '/conf_gateway', text),
    at('network', '/gateway', text),
    at('system', '/gateway', text),
  ),
  'network.dns': firstOf(
    at('network', '/conf_dnsservers', textList),
    at('network', '/dnsservers', textList),
    at('system', '/dnsservers', textList),
  ),
  'network.address': anyOf(at('system', '/ipaddress', text), at('network', '/ipaddress', text)),
} as const;

export const macAddress = firstOf(at('system', '/macaddr', mac), at('network', '/macaddr', mac));

// ---- measurements ----------------------------------------------------------------------------------------------------

/** A member of all hashboards that have it, its mean as a whole number. */
export const meanOf =
  (name: string) =>
  (boards: readonly JsonObject[]): Reading<number> =>
    whenPresent(listed(boards.map((board) => memberIn(board, name, scaled(1)))), (values) =>
      present(Math.round(values.reduce((total, value) => total + value, 0) / values.length)),
    );

// ---- firmware --------------------------------------------------------------------------------------------------------

const inSystem = (pointer: string) => at('system', pointer, scalarText);

/** The parts of the firmware that the system document names. */
export const systemParts = {
  'system.algorithm': inSystem('/Algorithm'),
  'system.board': inSystem('/bb_hwv'),
  'system.filesystem': inSystem('/system_filesystem_version'),
  'system.firmware-type': inSystem('/firmware_type'),
  'system.kernel': inSystem('/system_kernel_version'),
  'system.miner': inSystem('/cgminer_version'),
  'system.model': inSystem('/minertype'),
} as const;

// ---- recognition -----------------------------------------------------------------------------------------------------

/** Where the replies of these machines, on whatever surface, name the model. */
const MODEL = ['/VERSION/0/Type', '/STATS/0/Type', '/INFO/type', '/minertype'].map((pointer) => place(pointer));

/** What replies call the machine they are from. */
export const modelsIn = (replies: Iterable<JsonValue>): readonly string[] =>
  [...replies].flatMap((reply) =>
    MODEL.map((find) => find(reply)).flatMap((found) =>
      found.kind === 'present' && typeof found.value === 'string' ? [found.value] : [],
    ),
  );

/**
 * Whether the replies still come from a machine that is called so; those that call it nothing leave it at that.
 * `served`: the query that every such machine has an answer to.
 */
export const stillCalled =
  (name: RegExp, queries: readonly string[], served: string) =>
  (replies: Replies): boolean => {
    const reply = replies.get(served);
    if (reply?.kind === 'no-reply' && reply.reason === 'unsupported') return false;
    return modelsIn(answersOf(replies, queries)).every((model) => name.test(model));
  };
