import { ABSENT, type PoolSlot, present } from '../../shared/facts.ts';
import type { JsonObject } from '../probe/capture.ts';
import { API_FACTS, API_PARTS, API_QUERIES, maker, part, RUNTIME_POOL, singleSpaced } from './bitmain-api.ts';
import { CGI_POOL, fanMode, macAddress, networkFacts, networkInfo, storedConfig, systemInfo } from './cgi-lineage.ts';
import type { Source } from './driver.ts';
import { operatorPools } from './fee-pools.ts';
import { components, keysOf, settings } from './named-texts.ts';
import { type PoolMembers, poolList, withRuntime, withStatus } from './pools.ts';
import {
  answer,
  anyOf,
  asObject,
  at,
  closedBy,
  firstOf,
  isLost,
  type Reader,
  scaled,
  serial,
  text,
  UNREADABLE,
  whenPresent,
  worded,
} from './readers.ts';

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

const STORED_POOL: PoolMembers = { url: 'url', user: 'user' };

const storedPools = poolList(STORED_POOL);
const runtimePools = poolList(RUNTIME_POOL);
const cgiPools = poolList(CGI_POOL);

const section =
  <T>(name: string, reader: Reader<T>): Reader<T> =>
  (reply) => {
    const value = asObject(reply)?.[name];
    return value === undefined ? UNREADABLE : reader(value);
  };

/**
 * The stored slots, with where each stands now. One surface alone only where the other is closed, not where it was late.
 * `pools.cgi` is asked in full looks only: it may say how a slot stands, but not that there are more.
 */
export const storedAndRunning = (
  isFee?: (row: JsonObject) => boolean,
): Source<readonly PoolSlot[], 'conf' | 'pools'> => {
  const operators = isFee === undefined ? runtimePools : operatorPools(isFee, runtimePools);
  return {
    queries: ['conf', 'pools'],
    read: (replies) => {
      const stored = whenPresent(answer(replies, 'conf'), section('pools', storedPools));
      const running = whenPresent(answer(replies, 'pools'), section('POOLS', operators));
      if (isLost(stored)) return stored;
      if (isLost(running)) return running;
      if (stored.kind !== 'present') return running.kind === 'present' ? running : stored;
      if (running.kind === 'present') return present(withRuntime(stored.value, running.value));
      const listed = whenPresent(answer(replies, 'web_pools'), section('POOLS', cgiPools));
      return present(listed.kind === 'present' ? withStatus(stored.value, listed.value) : stored.value);
    },
    // The two spell schemes and users differently.
    standsIn: (replies) =>
      answer(replies, 'pools').kind === 'present' ? closedBy(answer(replies, 'conf')) : undefined,
  };
};

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
  pools: storedAndRunning(),
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
