import { ABSENT, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject } from '../probe/capture.ts';
import { chainSerials, inChains, inData, listedFans, sumOfChains } from './antminer-stats.ts';
import {
  CGI_POOL,
  DIGEST,
  fanMode,
  macAddress,
  modelsIn,
  networkFacts,
  networkInfo,
  slotsIn,
  stillCalled,
  storedConfig,
  storedSlots,
  systemInfo,
  systemParts,
} from './cgi-lineage.ts';
import { lastShareAge, sumOfRows } from './cgminer-api.ts';
import { type Clues, defineDriver, httpGet } from './driver.ts';
import { components, keysOf, settings } from './named-texts.ts';
import { livePools } from './pools.ts';
import {
  anyOf,
  asArray,
  at,
  count,
  firstOf,
  memberIn,
  type Reader,
  rateFactor,
  scalarText,
  scaled,
  serial,
  text,
  UNREADABLE,
  whenPresent,
  worded,
} from './readers.ts';
import { above, firstRow, highest, known, ofRow } from './rows.ts';
import { storedAndRunning } from './stored-pools.ts';

const NAME = /^dg/i;

const recognise = ({ http, web }: Clues): 0 | 3 => {
  if (/^daoge\b/i.test(web?.realm ?? '')) return 3;
  const models = modelsIn(http.values());
  return models.length > 0 && models.every((model) => NAME.test(model)) ? 3 : 0;
};

/** What every document of the miner program says of the machine beside its data; it may be asked of any of them. */
const inInfo = (member: string, reader: Reader<string>) =>
  firstOf(at('stats', `/INFO${member}`, reader), at('summary', `/INFO${member}`, reader));

/** The kernel line ends with the time of its build. */
const kernelTime: Reader<string> = (value) =>
  whenPresent(text(value), (line) => {
    const time = /\b(?:mon|tue|wed|thu|fri|sat|sun) [a-z]{3} .*\d{4}$/i.exec(line)?.[0];
    return time === undefined ? ABSENT : present(time.replace(/\s+/g, ' '));
  });

/** Chip sensors are texts in milli-°C; one that is not there is blank or 0. */
const hottestChip = (chains: readonly JsonObject[]): Reading<number> =>
  highest(above(0, chains.flatMap(({ temp_chip }) => asArray(temp_chip) ?? temp_chip ?? []).map(scaled(1))));

/** Every rate has its unit beside it. */
const rate = (row: JsonObject): Reading<number> =>
  whenPresent(memberIn(row, 'rate_unit', text), (unit) => {
    const factor = rateFactor(unit);
    return factor === undefined ? UNREADABLE : memberIn(row, 'rate_5s', scaled(factor));
  });

const workMode = worded({ '0': 'normal' });

/** Settings that are facts of their own. */
const HAS_FACT: ReadonlySet<string> = new Set(['fc-fan-ctrl', 'fc-work-mode']);

/** Elphapex, scrypt machines. Everything stands behind the log-in of the web interface. */
export const elphapex = defineDriver({
  family: 'elphapex',
  title: 'Elphapex (DG1, DG1+, DG Home 1, DG Hydro)',
  source: 'Replies of a DG Home 1 (2025); how public tools read a DG1+',
  recognise,
  stillSpeaks: stillCalled(NAME, ['pools', 'stats', 'summary', 'system'], 'system'),
  queries: {
    conf: storedConfig,
    pools: httpGet('/cgi-bin/pools.cgi', { cadence: 'pools', auth: 'digest' }),
    system: systemInfo,
    network: networkInfo,
    summary: httpGet('/cgi-bin/summary.cgi', DIGEST),
    stats: httpGet('/cgi-bin/stats.cgi', DIGEST),
    power: httpGet('/cgi-bin/get_power.cgi', DIGEST),
  },
  vendorLogin: { user: 'root', password: 'root' },
  facts: {
    'identity.make': known('pools', 'Elphapex'),
    'identity.model': firstOf(at('system', '/minertype', text), inInfo('/type', text)),
    'identity.serial': inInfo('/dev_sn', serial),
    'identity.mac': macAddress,
    'identity.control_board': inInfo('/hw_version', text),
    'identity.hashboards': at('stats', '', inChains(chainSerials)),
    'identity.psu': at('power', '/power_sn', serial),

    'firmware.version': firstOf(at('system', '/system_filesystem_version', text), inInfo('/miner_version', text)),
    'firmware.build': firstOf(inInfo('/CompileTime', text), at('system', '/system_kernel_version', kernelTime)),
    'firmware.kernel': at('system', '/system_kernel_version', text),
    'firmware.components': components({
      ...systemParts,
      'keys.system': keysOf('system', ['']),
      'web.api': at('stats', '/STATUS/api_version', scalarText),
      'web.board': at('stats', '/INFO/hw_version', scalarText),
      'web.miner': at('stats', '/INFO/miner_version', scalarText),
      'web.type': at('stats', '/INFO/type', scalarText),
    }),

    pools: storedAndRunning(storedSlots, slotsIn('pools', 'POOLS', CGI_POOL)),
    live_pools: at('pools', '/POOLS', livePools(CGI_POOL)),

    'config.mode': at('conf', '/fc-work-mode', workMode),
    'config.freq_mhz': at('conf', '/fc-freq', scaled(1)),
    'config.fan_mode': at('conf', '/fc-fan-ctrl', fanMode),
    'config.other': at(
      'conf',
      '',
      settings((name) => !HAS_FACT.has(name)),
    ),
    ...networkFacts,

    'telemetry.hashrate_hs': anyOf(ofRow('summary', firstRow('SUMMARY'), rate), at('stats', '', inData(rate))),
    'telemetry.temp_max_mc': at('stats', '', inChains(hottestChip)),
    'telemetry.fans_rpm': at('stats', '', inData(listedFans)),
    'telemetry.chips': at('stats', '', inChains(sumOfChains('asic_num'))),
    'telemetry.elapsed_s': anyOf(at('summary', '/SUMMARY/0/elapsed', count), at('stats', '/STATS/0/elapsed', count)),
    'telemetry.accepted': at('pools', '/POOLS', sumOfRows('accepted')),
    'telemetry.rejected': at('pools', '/POOLS', sumOfRows('rejected')),
    'telemetry.last_share_age_s': at('pools', '', lastShareAge('lstime')),
  },
  secrets: ['pass', 'psk'],
  quirks: [
    'DG Home 1: chain sensors `temp_pcb` and `temp_pic` say the same four numbers on every chain, fitted or not; only `temp_chip`, in milli-°C, is read.',
    'DG Home 1: `hw` of a chain repeats the number of its chips and `hw_all` the average rate; no error count is read.',
    'unverified: where the LuCI page with the time servers stands; it is not asked.',
    '`CompileTime` is blank; the build time is that of the kernel line.',
    'Chains that are not there are listed with 0 chips and no serial.',
    '`freq_avg` of a chain is a number in the tens of thousands and no MHz; the frequency is the configured one.',
    '`fc-voltage` names no unit and stays a setting; so does `get_power.cgi`, of which only the serial is read.',
    'No row says which pool is active: the first Alive one by priority, as far as is known.',
    'An idle machine says rate 0 and calls every pool Unreachable.',
    'The list of radio networks makes a home unit scan and is never asked; the NTP servers have no documented path.',
    'Unverified: Basic in place of Digest, which some reports tell of (Basic is never answered); whether `fc-fan-ctrl` means a fixed speed; work modes other than 0; the hydro models; whether repeated wrong log-ins lock the account.',
  ],
  close: ['Change the log-in of the web interface; the factory has root and root.'],
});
