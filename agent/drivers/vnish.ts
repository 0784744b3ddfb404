import { ABSENT, present, type Reading, standingIn, unknown } from '../../shared/facts.ts';
import type { JsonObject } from '../probe/capture.ts';
import { inData, sumOf } from './antminer-stats.ts';
import { API_FACTS, knownBy, named } from './bitmain-api.ts';
import { CGI_FACTS, CGI_PARTS, CGI_QUERIES, cgiPools } from './bitmain-cgi.ts';
import { asset, type Clues, defineDriver, type Query, type Replies, type Source } from './driver.ts';
import { type FeeTest, feePools, operatorPools, operatorShares, priorityFrom } from './fee-pools.ts';
import { components } from './named-texts.ts';
import { livePools, RUNTIME_POOL } from './pools.ts';
import { answer, anyOf, at, closedBy, firstOf, flag, memberIn, type Reader, text, whenPresent } from './readers.ts';
import { isInfo, isOlder, isRest, REST_FACTS, REST_QUERIES } from './vnish-rest.ts';
import { letIn, PRIVILEGED } from './write-access.ts';

// ---- the older generation --------------------------------------------------------------------------------------------

/** How the firmware and its rebrands call themselves behind the model, in `Type`, or in `Miner`: `(vnish 3.8.6)`. */
const BRAND = /\b(vnish|anthillos|7miners)\s+v?(\d[\w.-]*)/i;

const saysBrand = ({ Type, Miner }: JsonObject): boolean =>
  [Type, Miner].some((said) => BRAND.test(String(said ?? '')));

const brand =
  (part: 1 | 2): Reader<string> =>
  (value) =>
    whenPresent(text(value), (found) => {
      const word = BRAND.exec(found)?.[part];
      return word === undefined ? ABSENT : present(word);
    });

const branded = (part: 1 | 2) => firstOf(named('/Type', brand(part)), named('/Miner', brand(part)));

/** The model without the firmware behind it. */
const model: Reader<string> = (value) =>
  whenPresent(text(value), (found) =>
    text(found.replace(/\s*\([^()]*\)$/, (behind) => (BRAND.test(behind) ? '' : behind))),
  );

const behindAll = priorityFrom(990);

/** Its maker's pool says DevFee in both members; its place is behind all others (S9, priority 993). */
const isFee: FeeTest = (row) => row.URL === 'DevFee' || behindAll(row);

/** `manual_fan_mode` of `stats`, where the configuration does not say it. */
const fanMode = (row: JsonObject): Reading<string> =>
  whenPresent(memberIn(row, 'manual_fan_mode', flag), (manual) => present(manual ? 'manual' : 'auto'));

const OLDER_FACTS = {
  ...CGI_FACTS,
  'identity.model': firstOf(at('system', '/minertype', model), named('/Type', model)),
  'firmware.name': branded(1),
  'firmware.version': branded(2),
  'firmware.components': components(CGI_PARTS),
  pools: cgiPools(isFee),
  live_pools: at('pools', '/POOLS', operatorPools(isFee, livePools(RUNTIME_POOL))),
  fee_pools: at('pools', '/POOLS', feePools(isFee, { url: 'URL', user: 'User' })),
  'config.fan_mode': firstOf(CGI_FACTS['config.fan_mode'], at('stats', '', inData(fanMode))),
  'telemetry.power_w': anyOf(API_FACTS['telemetry.power_w'], at('stats', '', inData(sumOf(/^chain_consumption\d+$/)))),
  ...operatorShares(isFee),
};

/** Questions of the older generation cost a device that has the REST interface nothing. */
const unlessRest = <const Q extends Query>(query: Q): Q => ({ ...query, unless: isRest });

const OLDER_QUERIES = {
  conf: unlessRest(CGI_QUERIES.conf),
  system: unlessRest(CGI_QUERIES.system),
  network: unlessRest(CGI_QUERIES.network),
  pools: unlessRest(CGI_QUERIES.pools),
  version: unlessRest(CGI_QUERIES.version),
  stats: unlessRest(CGI_QUERIES.stats),
  summary: unlessRest(CGI_QUERIES.summary),
} as const;

// ---- both generations ------------------------------------------------------------------------------------------------

/** A fact that both generations tell, from the one that answers. */
const either = <T, const A extends string, const B extends string>(
  rest: Source<T, A>,
  older: Source<T, B>,
): Source<T, A | B> => ({
  queries: [...rest.queries, ...older.queries],
  read: (replies) => {
    if (!isOlder(replies)) return rest.read(replies);
    // Without a web port nobody knows which generation it is: port 4028, which both have, stands in.
    const closed = closedBy(answer(replies, 'v1_summary'));
    return standingIn(older.read(replies), closed === 'unreachable' ? closed : undefined);
  },
});

/** What the REST interface does not tell. */
const untold: Source<never, 'v1_summary'> = {
  queries: ['v1_summary'],
  read: (replies) => whenPresent(answer(replies, 'v1_summary'), () => unknown('unsupported')),
};

/** What the older generation does not tell. */
const untoldBefore: Source<never, never> = { queries: [], read: () => unknown('unsupported') };

// ---- recognition -----------------------------------------------------------------------------------------------------

const byProgram = knownBy(saysBrand);

const recognise = (clues: Clues): 0 | 1 | 2 | 3 => {
  if ([...clues.http.values()].some(isInfo)) return 3;
  if (byProgram.recognise(clues) === 3) return 3;
  return /anthillos/i.test(clues.web?.body ?? '') ? 2 : 0;
};

const stillSpeaks = (replies: Replies): boolean => {
  const info = answer(replies, 'v1_info');
  if (info.kind === 'present' && !isInfo(info.value)) return false;
  return isRest(replies) || byProgram.stillSpeaks?.(replies) !== false;
};

// ---- driver ----------------------------------------------------------------------------------------------------------

/** VNish, AnthillOS and rebrands on Antminers: the REST generation and the one before it, which a unit leaves by an upgrade. */
export const vnish = defineDriver({
  family: 'vnish',
  title: 'VNish, AnthillOS',
  source:
    'xminer-api descriptions of 1.2.6, 1.2.7 and 1.3.4; public API notes of an S19; replies of S19 1.2.6 and S9 3.8.6',
  recognise,
  stillSpeaks,
  proofs: ['v1_info'],
  queries: { ...REST_QUERIES, ...OLDER_QUERIES, privileged: PRIVILEGED },
  assets: [asset('/'), asset('/docs/api-doc.json')],
  facts: {
    'identity.make': either(REST_FACTS['identity.make'], OLDER_FACTS['identity.make']),
    'identity.model': either(REST_FACTS['identity.model'], OLDER_FACTS['identity.model']),
    'identity.serial': either(REST_FACTS['identity.serial'], OLDER_FACTS['identity.serial']),
    'identity.mac': either(REST_FACTS['identity.mac'], OLDER_FACTS['identity.mac']),
    'identity.control_board': either(REST_FACTS['identity.control_board'], OLDER_FACTS['identity.control_board']),
    'identity.chip_id': either(untold, OLDER_FACTS['identity.chip_id']),
    'identity.hashboards': either(REST_FACTS['identity.hashboards'], OLDER_FACTS['identity.hashboards']),
    'identity.psu': either(REST_FACTS['identity.psu'], untoldBefore),
    'firmware.name': either(REST_FACTS['firmware.name'], OLDER_FACTS['firmware.name']),
    'firmware.version': either(REST_FACTS['firmware.version'], OLDER_FACTS['firmware.version']),
    'firmware.build': either(REST_FACTS['firmware.build'], OLDER_FACTS['firmware.build']),
    'firmware.kernel': either(untold, OLDER_FACTS['firmware.kernel']),
    'firmware.medium': either(REST_FACTS['firmware.medium'], untoldBefore),
    'firmware.components': either(REST_FACTS['firmware.components'], OLDER_FACTS['firmware.components']),
    pools: either(REST_FACTS.pools, OLDER_FACTS.pools),
    live_pools: either(REST_FACTS.live_pools, OLDER_FACTS.live_pools),
    fee_pools: either(REST_FACTS.fee_pools, OLDER_FACTS.fee_pools),
    'config.mode': either(untold, OLDER_FACTS['config.mode']),
    'config.preset': either(REST_FACTS['config.preset'], untoldBefore),
    'config.freq_mhz': either(REST_FACTS['config.freq_mhz'], OLDER_FACTS['config.freq_mhz']),
    'config.voltage_mv': either(REST_FACTS['config.voltage_mv'], OLDER_FACTS['config.voltage_mv']),
    'config.fan_mode': either(REST_FACTS['config.fan_mode'], OLDER_FACTS['config.fan_mode']),
    'config.fan_min_pct': either(REST_FACTS['config.fan_min_pct'], untoldBefore),
    'config.temp_limit_mc': either(REST_FACTS['config.temp_limit_mc'], untoldBefore),
    'config.other': either(REST_FACTS['config.other'], OLDER_FACTS['config.other']),
    'network.hostname': either(REST_FACTS['network.hostname'], OLDER_FACTS['network.hostname']),
    'network.dhcp': either(REST_FACTS['network.dhcp'], OLDER_FACTS['network.dhcp']),
    'network.netmask': either(REST_FACTS['network.netmask'], OLDER_FACTS['network.netmask']),
    'network.gateway': either(REST_FACTS['network.gateway'], OLDER_FACTS['network.gateway']),
    'network.dns': either(REST_FACTS['network.dns'], OLDER_FACTS['network.dns']),
    'network.address': either(REST_FACTS['network.address'], OLDER_FACTS['network.address']),
    'access.api_write': letIn('privileged'),
    'access.api_allow': either(untold, OLDER_FACTS['access.api_allow']),
    'access.write_session': either(REST_FACTS['access.write_session'], untoldBefore),
    'telemetry.faults': either(REST_FACTS['telemetry.faults'], untoldBefore),
    'telemetry.hashrate_hs': either(REST_FACTS['telemetry.hashrate_hs'], OLDER_FACTS['telemetry.hashrate_hs']),
    'telemetry.power_w': either(REST_FACTS['telemetry.power_w'], OLDER_FACTS['telemetry.power_w']),
    'telemetry.temp_max_mc': either(REST_FACTS['telemetry.temp_max_mc'], OLDER_FACTS['telemetry.temp_max_mc']),
    'telemetry.fans_rpm': either(REST_FACTS['telemetry.fans_rpm'], OLDER_FACTS['telemetry.fans_rpm']),
    'telemetry.chips': either(REST_FACTS['telemetry.chips'], OLDER_FACTS['telemetry.chips']),
    'telemetry.elapsed_s': either(untold, OLDER_FACTS['telemetry.elapsed_s']),
    'telemetry.uptime_s': either(REST_FACTS['telemetry.uptime_s'], untoldBefore),
    'telemetry.accepted': either(REST_FACTS['telemetry.accepted'], OLDER_FACTS['telemetry.accepted']),
    'telemetry.rejected': either(REST_FACTS['telemetry.rejected'], OLDER_FACTS['telemetry.rejected']),
    'telemetry.hw_errors': either(REST_FACTS['telemetry.hw_errors'], OLDER_FACTS['telemetry.hw_errors']),
    'telemetry.last_share_age_s': either(
      REST_FACTS['telemetry.last_share_age_s'],
      OLDER_FACTS['telemetry.last_share_age_s'],
    ),
  },
  secrets: ['key', 'pw'],
  quirks: [
    'The log-in request is never sent: the password of the credential is the key that the operator made on the device (`x-api-key`, 32 characters), and only a device whose REST interface answered is shown it.',
    'A unit that was upgraded from the older generation needs a new credential: the old web password is no key.',
    'Without the key the pools are those that run; blank slots of the stored list are then not seen.',
    "The pool of the maker says DevFee for its place and its user (S19 1.2.6, S9 3.8.6); pools of the type Refund are taken for the maker's as well.",
    '`devfee_percent` is the share of the rate that the maker gets at the moment, 0 while nothing is mined (S19): it is no setting and not read.',
    'Releases before 1.3 list the boards under `chains`, later ones under `boards`; only the one that the version names is asked for.',
    "A miner that failed to start has no pools but the maker's, no fans and no chains (S19 1.2.6).",
    '`globals.volt` is kept as the device has it; its unit is not documented.',
    'S9 3.8.6: `stats` lacks the comma between its two rows, stored URLs have no scheme, and `api-allow` lets every host write.',
    'unverified: the settings of a unit at work, the list of boards of 1.3, and whether newer builds hide users of pools without the key.',
    'unverified: whether `unlocked` shows the session of another host or only that of the one who asks.',
  ],
  close: [
    'Give the web interface a password of your own, and this gateway a key of its own; take back keys that nobody uses, whose number is watched.',
    'Builds of the older generation have `W:0/0` in `api-allow`, which lets everybody change pools over port 4028.',
  ],
});
