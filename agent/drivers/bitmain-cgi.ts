import { ABSENT, type PoolSlot, present } from '../../shared/facts.ts';
import { API_FACTS, API_PARTS, API_QUERIES, maker, part, singleSpaced } from './bitmain-api.ts';
import {
  fanMode,
  macAddress,
  networkFacts,
  networkInfo,
  slotsIn,
  storedConfig,
  storedSlots,
  systemInfo,
} from './cgi-lineage.ts';
import { httpGet, type Replies, type Source } from './driver.ts';
import { type FeeTest, operatorPools } from './fee-pools.ts';
import { components, keysOf, settings } from './named-texts.ts';
import { RUNTIME_POOL } from './pools.ts';
import { answer, anyOf, at, firstOf, type Reader, scaled, serial, text, whenPresent, worded } from './readers.ts';
import { isServed, supportedWhere } from './served.ts';
import { storedAndRunning } from './stored-pools.ts';

/**
 * The CGIs that both generations of Bitmain's web interface have, together with port 4028. Firmware of other makers on
 * the same hardware keeps their names; such a driver takes these facts and replaces what differs.
 */

export const CGI_QUERIES = {
  ...API_QUERIES,
  conf: storedConfig,
  system: systemInfo,
  network: networkInfo,
} as const;

// ---- pools -----------------------------------------------------------------------------------------------------------

/** The stored slots, with where each of the operator's stands now; `isFee` tells the rows of the firmware's maker. */
export const cgiPools = (isFee?: FeeTest): Source<readonly PoolSlot[], 'conf' | 'pools'> =>
  storedAndRunning(
    storedSlots,
    slotsIn('pools', 'POOLS', RUNTIME_POOL, (reader) => (isFee === undefined ? reader : operatorPools(isFee, reader))),
  );

const tellsPools = (replies: Replies): boolean => answer(replies, 'pools').kind === 'present';

/** What runs as the web interface lists it, for a gateway to whom port 4028 does not. */
export const webPools = (path: string) => httpGet(path, { cadence: 'pools', auth: 'digest', unless: tellsPools });

/** The slots of a web interface that answers `webPools`, too. */
export const cgiAndWebPools = (
  listed: Source<readonly PoolSlot[], 'web_pools'>,
): Source<readonly PoolSlot[], 'conf' | 'pools' | 'web_pools'> =>
  storedAndRunning(
    storedSlots,
    slotsIn('pools', 'POOLS', RUNTIME_POOL),
    supportedWhere(listed, (replies) => isServed(replies.get('web_pools'))),
  );

// ---- readers ---------------------------------------------------------------------------------------------------------

/** S21 XP Hyd. of January 2026 has a year of five digits. */
const DATE = /^(mon|tue|wed|thu|fri|sat|sun)\b.*\b\d{4,5}$/i;

/** `system_filesystem_version` is a release id on new builds … */
const release: Reader<string> = (value) =>
  whenPresent(singleSpaced(value), (found) => (DATE.test(found) ? ABSENT : present(found)));

/** … and the time of the build on others. */
const buildTime: Reader<string> = (value) =>
  whenPresent(singleSpaced(value), (found) => (DATE.test(found) ? present(found) : ABSENT));

export const SYSTEM_BUILD = at('system', '/system_filesystem_version', buildTime);

const workMode = worded({ '0': 'normal', '1': 'sleep', '3': 'low-power' });

/** Scalars of the configuration that have no fact of their own. The measured or secret ones are not among them. */
const HAS_FACT: ReadonlySet<string> = new Set(['bitmain-fan-ctrl', 'bitmain-work-mode', 'miner-mode', 'api-allow']);

// ---- facts -----------------------------------------------------------------------------------------------------------

/** Parts of the firmware fingerprint. */
export const CGI_PARTS = {
  ...API_PARTS,
  'keys.system': keysOf('system', ['']),
  'system.algorithm': part('system', '/Algorithm'),
  'system.filesystem': part('system', '/system_filesystem_version'),
  'system.firmware-type': part('system', '/firmware_type'),
  'system.kernel': part('system', '/system_kernel_version'),
  'system.logic': part('system', '/system_logic_version'),
  'system.miner': part('system', ['/bmminer_version', '/cgminer_version']),
  'system.model': part('system', '/minertype'),
};

export const CGI_FACTS = {
  ...API_FACTS,
  'identity.make': firstOf(at('system', '/minertype', maker), API_FACTS['identity.make']),
  'identity.model': firstOf(at('system', '/minertype', text), API_FACTS['identity.model']),
  'identity.serial': at('system', '/serinum', serial),
  'identity.mac': macAddress,
  'identity.control_board': at('system', ['/ant_hwv', '/bb_hwv', '/hwv'], text),
  'firmware.version': firstOf(at('system', '/system_filesystem_version', release), API_FACTS['firmware.version']),
  'firmware.build': firstOf(API_FACTS['firmware.build'], SYSTEM_BUILD),
  'firmware.kernel': at('system', '/system_kernel_version', text),
  'firmware.components': components(CGI_PARTS),
  pools: cgiPools(),
  'config.mode': at('conf', ['/bitmain-work-mode', '/miner-mode'], workMode),
  'config.freq_mhz': anyOf(API_FACTS['config.freq_mhz'], at('conf', '/bitmain-freq', scaled(1))),
  'config.fan_mode': at('conf', '/bitmain-fan-ctrl', fanMode),
  'config.other': at(
    'conf',
    '',
    settings((name) => !HAS_FACT.has(name)),
  ),
  ...networkFacts,
  'access.api_allow': at('conf', '/api-allow', text),
};

/** What an operator should close on a machine with the web interface and port 4028 of Bitmain, whatever firmware is on it. */
export const BITMAIN_CLOSE: readonly string[] = [
  'Port 4028 lets in whom `api-allow` names: factory builds give everybody five reads, older ones everybody every write (`W:0/0`).',
  'Change the log-in of the web interface; the factory has root and root.',
];
