import type { JsonObject, JsonValue } from '../probe/capture.ts';
import {
  chainFrequency,
  chainSerials,
  chainTemperatures,
  fansOf,
  headerRow,
  inChains,
  inData,
  listedFans,
  power,
  rateWithUnit,
  sumOfChains,
} from './antminer-stats.ts';
import {
  ANTMINER,
  API_FACTS,
  DESCRIBED,
  imitatesStock,
  LABELLED_RATE,
  maker,
  minerVersion,
  namingRow,
  PROGRAMS,
  part,
  STATED_RATE,
  singleSpaced,
  versionRow,
} from './bitmain-api.ts';
import {
  BITMAIN_CLOSE,
  CGI_FACTS,
  CGI_PARTS,
  CGI_QUERIES,
  cgiAndWebPools,
  SYSTEM_BUILD,
  webPools,
} from './bitmain-cgi.ts';
import { CGI_POOL, DIGEST, slotsIn } from './cgi-lineage.ts';
import { answersOf, describedBy, isDescribed, lastShareAge, sumOfRows } from './cgminer-api.ts';
import { isDoubtful } from './damaged-names.ts';
import { type Clues, defineDriver, httpGet, type Replies } from './driver.ts';
import { components } from './named-texts.ts';
import { livePools } from './pools.ts';
import { anyOf, at, count, firstOf, text } from './readers.ts';
import { firstIfAsked } from './rows.ts';
import { saidIn } from './said.ts';

/** Other firmwares on the same hardware keep the digest realm and most CGI names, but not these words. */
const OTHER_FIRMWARE =
  /bosminer|boser|braiins|luxminer|luxor firmware|"luxos"|hiveon|kaonsu|marafw|rwglr|vnish|7miners|anthillos|asicseer|blissz|chipless|bcfminer|fdminer/i;

type Row = JsonObject | undefined;

/** The program alone, without a model: Bitmain's first builds, and anybody's cgminer. */
const isBare = (version: Row): boolean => version !== undefined && hasProgram(version) && version.Type === undefined;

/** The one row of the first builds (S5): Bitmain's driver by its id, and the state of its chains. */
const isEarlyRow = (row: Row): boolean =>
  typeof row?.ID === 'string' && /^BMM\d/.test(row.ID) && Object.keys(row).some((name) => name.startsWith('chain_ac'));

const hasProgram = (row: JsonObject): boolean => PROGRAMS.some((name) => row[name] !== undefined);

const isBitmain = (row: JsonObject): boolean =>
  typeof row.Type === 'string' && ANTMINER.test(row.Type) && hasProgram(row);

/**
 * Whether a reply has all the texts of which other firmware on this hardware keeps all but one: what the program is called, its
 * version, when it was built, the model.
 */
const isWhole = (row: Row, reply: JsonValue | undefined): boolean =>
  row !== undefined &&
  reply !== undefined &&
  isDescribed(reply) &&
  typeof row.Type === 'string' &&
  typeof row.CompileTime === 'string' &&
  PROGRAMS.some((name) => typeof row[name] === 'string');

const isOfOther = (reply: JsonValue | undefined): boolean => OTHER_FIRMWARE.test(saidIn(reply));

/** 3 for the version of a Bitmain build, 2 for what only its first builds say, or what LuxOS may say until `config` was asked, 1 for the realm alone, which third-party builds keep. */
const recognise = ({ cgminer: asked, web, http }: Clues): 0 | 1 | 2 | 3 => {
  if ([...asked.values(), ...http.values()].some(isOfOther) || OTHER_FIRMWARE.test(web?.body ?? '')) return 0;
  const [version, header] = [versionRow(asked.get('version')), headerRow(asked.get('stats'))];
  const naming = namingRow(version, header);
  // A member that cannot be read may have been the word of another firmware.
  if ([version, naming].some((row) => row !== undefined && isDoubtful(row))) return 0;
  if (naming !== undefined) {
    if (!isBitmain(naming)) return 0;
    // The word of another firmware may be what is missing: the header of `stats` says all of it again.
    if (!isWhole(version, asked.get('version')) && !isWhole(header, asked.get('stats'))) return 0;
    return imitatesStock(naming) && !asked.has('config') ? 2 : 3;
  }
  if (version !== undefined && !isBare(version)) return 0;
  if (isEarlyRow(header)) return 2;
  return /^antminer/i.test(web?.realm ?? '') ? 1 : 0;
};

const stillSpeaks = (replies: Replies): boolean => {
  const [version, stats] = ['version', 'stats'].map((query) => answersOf(replies, [query])[0]);
  const program = versionRow(version);
  const naming = namingRow(program, headerRow(stats));
  if (naming === undefined ? program !== undefined && !isBare(program) : !isBitmain(naming)) return false;
  const described = answersOf(replies, ['version', 'pools', 'stats', 'summary']).map(describedBy);
  if (isOfOther(version) || OTHER_FIRMWARE.test(described.join(' '))) return false;
  return naming !== undefined || described.every((program) => DESCRIBED.test(program));
};

/**
 * Bitmain's own firmware on Antminers, both generations of its web interface. Without the web password, port 4028
 * alone gives model, version, pools and telemetry.
 */
export const antminerStock = defineDriver({
  family: 'antminer-stock',
  title: 'Bitmain stock firmware (Antminer)',
  vendorLogin: { user: 'root', password: 'root' },
  source:
    'Unpacked images of S21+ Hyd. (2025), X3 (2018) and KS; bmminer-mix api.c; replies of S9, S9k, L3+, E3, Z11, T15, S17, S19, S21, KS5',
  recognise,
  stillSpeaks,
  queries: {
    ...CGI_QUERIES,
    board: httpGet('/cgi-bin/miner_type.cgi', DIGEST),
    web_stats: httpGet('/cgi-bin/stats.cgi', DIGEST),
    web_pools: webPools('/cgi-bin/pools.cgi'),
  },
  facts: {
    ...CGI_FACTS,
    'identity.make': firstOf(CGI_FACTS['identity.make'], at('web_stats', '/INFO/type', maker)),
    'identity.model': firstOf(CGI_FACTS['identity.model'], at('web_stats', '/INFO/type', text)),
    'identity.control_board': firstOf(at('board', '/subtype', text), CGI_FACTS['identity.control_board']),
    'identity.hashboards': firstOf(at('web_stats', '', inChains(chainSerials)), API_FACTS['identity.hashboards']),
    'firmware.version': firstOf(CGI_FACTS['firmware.version'], at('web_stats', '/INFO/miner_version', minerVersion)),
    'firmware.build': firstOf(
      API_FACTS['firmware.build'],
      at('web_stats', '/INFO/CompileTime', singleSpaced),
      SYSTEM_BUILD,
    ),
    'firmware.components': components({
      ...CGI_PARTS,
      'board.firmware': part('board', '/fw_version'),
      'board.subtype': part('board', '/subtype'),
      'web.api': part('web_stats', '/STATUS/api_version'),
      'web.build': part('web_stats', '/INFO/CompileTime'),
      'web.miner': part('web_stats', '/INFO/miner_version'),
      'web.type': part('web_stats', '/INFO/type'),
    }),
    pools: cgiAndWebPools(slotsIn('web_pools', 'POOLS', CGI_POOL)),
    live_pools: firstIfAsked(API_FACTS.live_pools, at('web_pools', '/POOLS', livePools(CGI_POOL))),
    'config.freq_mhz': anyOf(CGI_FACTS['config.freq_mhz'], at('web_stats', '', inChains(chainFrequency))),
    'telemetry.hashrate_hs': anyOf(STATED_RATE, at('web_stats', '', inData(rateWithUnit)), LABELLED_RATE),
    'telemetry.power_w': anyOf(at('web_stats', '', inData(power)), API_FACTS['telemetry.power_w']),
    'telemetry.temp_max_mc': anyOf(
      API_FACTS['telemetry.temp_max_mc'],
      at('web_stats', '', inChains(chainTemperatures)),
    ),
    'telemetry.fans_rpm': anyOf(API_FACTS['telemetry.fans_rpm'], at('web_stats', '', fansOf(listedFans))),
    'telemetry.chips': anyOf(API_FACTS['telemetry.chips'], at('web_stats', '', inChains(sumOfChains('asic_num')))),
    'telemetry.elapsed_s': anyOf(API_FACTS['telemetry.elapsed_s'], at('web_stats', '/STATS/0/elapsed', count)),
    'telemetry.accepted': anyOf(API_FACTS['telemetry.accepted'], at('web_pools', '/POOLS', sumOfRows('accepted'))),
    'telemetry.rejected': anyOf(API_FACTS['telemetry.rejected'], at('web_pools', '/POOLS', sumOfRows('rejected'))),
    'telemetry.hw_errors': anyOf(API_FACTS['telemetry.hw_errors'], at('web_stats', '', inChains(sumOfChains('hw')))),
    'telemetry.last_share_age_s': anyOf(
      API_FACTS['telemetry.last_share_age_s'],
      at('web_pools', '', lastShareAge('lstime')),
    ),
  },
  secrets: ['pass'],
  quirks: [
    'Port 4028 answers `privileged` with a refusal to whoever may only read: `access.api_write` is then false.',
    'unverified: the members of `pool_protect.cgi`, with which new builds say whether the list of pools is locked; it is not asked.',
    'S9, L3+, Z11: `stats` lacks the comma between its two rows.',
    'S19 and S21 CGIs begin their body with blank lines.',
    'The rate label is GHS on every model of the old program; L3+, L7, E3 and D3 mean MH/s, Z9 and Z11 kSol/s (`rate_unit` says so where it exists).',
    'The program of KS3, KS5, KA3, K7, L9 (`version` 2.12, described as `jansson 2.12`) means GH/s by GHS; `RT HASHRATE` of SUMMARY has its unit. Z15 Pro: GHS is G of Sol.',
    'S7, S5: `version` has the program only; S7 names its model in `stats`, S5 nowhere on port 4028.',
    'Hyd. and immersion models list fans that stand still; they have none. S23 Hyd. gives its power in `stats.cgi`.',
    'S7: `voltage` in small letters, in V.',
    'S17 Pro: `Stratum Active` is true for every pool that has a connection, not for one.',
    'L3+, S9: URLs of the stored configuration may have no scheme.',
    'KS5 Pro: `pools.cgi` lists fewer rows than the stored configuration has slots, and `type` lacks "Pro".',
    'Port 4028 spells pools and versions otherwise than the web interface; while that is closed, these facts of a device that was known by it are not compared, but for a pool that is none of the known ones.',
    'A pool of the runtime list that no stored slot has, by endpoint and account, is a slot behind the stored ones.',
    'Release builds from 2020 on leave api-allow, frequency and voltage out of the configuration reply.',
  ],
  close: BITMAIN_CLOSE,
});
