import { present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { API_FACTS, API_PARTS, API_QUERIES, DESCRIBED, maker } from './bitmain-api.ts';
import { cgiAndWebPools, webPools } from './bitmain-cgi.ts';
import { DIGEST } from './cgi-lineage.ts';
import { answersOf, describedBy, rowsOf } from './cgminer-api.ts';
import { type Clues, defineDriver, httpGet, type Replies } from './driver.ts';
import { components, keysOf } from './named-texts.ts';
import { livePools, type PoolMembers, poolList } from './pools.ts';
import {
  anyOf,
  asArray,
  asObject,
  at,
  count,
  firstOf,
  mac,
  memberIn,
  type Pointer,
  type Reader,
  rateFactor,
  scalarText,
  scaled,
  serial,
  temperatureMc,
  text,
  UNREADABLE,
  watts,
  whenPresent,
} from './readers.ts';
import { firstIfAsked, hottest, known, listed, ofRow, sum } from './rows.ts';
import { saidIn } from './said.ts';
import { descend, settingsIn, sortedSettings } from './sections.ts';
import { letIn, PRIVILEGED } from './write-access.ts';

// ---- recognition -----------------------------------------------------------------------------------------------------

/** The firmware and the maker of its program, wherever `version` says them. */
const MARK = /kaonsu|mara\s?fw/i;

const isMarked = (reply: JsonValue): boolean => MARK.test(saidIn(reply));

const recognise = ({ cgminer, web }: Clues): 0 | 2 | 3 => {
  if ([...cgminer.values()].some(isMarked)) return 3;
  return MARK.test(`${web?.realm ?? ''} ${web?.body ?? ''}`) ? 2 : 0;
};

const DOCUMENTS = ['conf', 'overview', 'brief', 'hashboards'];

const stillSpeaks = (replies: Replies): boolean => {
  const [version] = answersOf(replies, ['version']);
  if (version !== undefined) return isMarked(version);
  if (answersOf(replies, DOCUMENTS).length > 0) return true;
  return answersOf(replies, ['pools', 'summary'])
    .map(describedBy)
    .every((words) => DESCRIBED.test(words));
};

// ---- places ----------------------------------------------------------------------------------------------------------

/** A list is the document, or stands in it under the name of the document. */
const rowsIn = <T, const Name extends string>(query: Name, name: string, reader: Reader<T>) =>
  at(query, [`/${name}`, ''], reader);

const inBoards = <T>(read: (boards: readonly JsonObject[]) => Reading<T>) =>
  rowsIn('hashboards', 'hashboards', (list) => {
    const boards = rowsOf(list);
    return boards === undefined ? UNREADABLE : read(boards);
  });

const WEB_POOL: PoolMembers = { url: 'url', user: 'user', status: 'status' };

const inOverview = <T>(pointer: Pointer, reader: Reader<T>) => at('overview', pointer, reader);

// ---- readers ---------------------------------------------------------------------------------------------------------

/** TH/s, unless a unit stands beside it. */
const rate = (brief: JsonObject): Reading<number> => {
  const unit = memberIn(brief, ['hashrate_realtime_unit', 'hashrate_unit'], text);
  if (unit.kind === 'unknown') return unit;
  const factor = unit.kind === 'present' ? rateFactor(unit.value) : 1e12;
  return factor === undefined ? UNREADABLE : memberIn(brief, 'hashrate_realtime', scaled(factor));
};

const sensors = (boards: readonly JsonObject[]): Reading<number> =>
  hottest(
    boards.flatMap(({ temperature_pcb, temperature_chip }) =>
      [temperature_pcb, temperature_chip].flatMap((list) => asArray(list) ?? list ?? []),
    ),
  );

const fanSpeeds: Reader<readonly number[]> = (list) => {
  const fans = rowsOf(list);
  return fans === undefined ? UNREADABLE : listed(fans.map((fan) => memberIn(fan, 'current_speed', scaled(1))));
};

/** Fans follow the temperature unless their owner fixed them; in oil or water there are none to control. */
const fanMode: Reader<string> = (conf) =>
  whenPresent(whenPresent(descend(conf, ['general-config', 'environment-profile']), text), (profile) => {
    if (profile !== 'AirCooling') return present(profile);
    const fixed = descend(conf, ['advance-config', 'override-fan-control']);
    return fixed.kind === 'unknown'
      ? fixed
      : present(fixed.kind === 'present' && fixed.value === true ? 'manual' : 'auto');
  });

/** Members that are facts of their own. */
const HAS_FACT: ReadonlySet<string> = new Set([
  'environment-profile',
  'override-fan-control',
  'power-target',
  'select',
  'work-mode-selector',
]);

const furtherSettings = settingsIn(
  {
    advance: ['advance-config'],
    concorde: ['mode', 'concorde'],
    fixed: ['mode', 'fixed'],
    general: ['general-config'],
    mode: ['mode'],
  },
  (name) => !HAS_FACT.has(name),
);

// ---- driver ----------------------------------------------------------------------------------------------------------

const kaonsu = (name: string) => httpGet(`/kaonsu/v1/${name}`, DIGEST);

/** MaraFW on Antminers: port 4028 of Bitmain's program, and a web interface of its own behind the log-in. */
export const marafw = defineDriver({
  family: 'marafw',
  title: 'MaraFW (Antminer)',
  source: 'pyasic web/marathon.py and miners/backends/marathon.py; no reply of a device was seen',
  recognise,
  stillSpeaks,
  vendorLogin: { user: 'root', password: 'root' },
  queries: {
    ...API_QUERIES,
    privileged: PRIVILEGED,
    conf: httpGet('/kaonsu/v1/miner_config', { cadence: 'pools', auth: 'digest' }),
    web_pools: webPools('/kaonsu/v1/pools'),
    overview: kaonsu('overview'),
    brief: kaonsu('brief'),
    hashboards: kaonsu('hashboards'),
    fans: kaonsu('fans'),
    network: kaonsu('network_config'),
  },
  facts: {
    ...API_FACTS,
    'identity.make': firstOf(inOverview('/model', maker), API_FACTS['identity.make']),
    'identity.model': firstOf(inOverview('/model', text), API_FACTS['identity.model']),
    'identity.serial': inOverview('/serial', serial),
    'identity.mac': inOverview('/mac', mac),
    'identity.control_board': inOverview('/control_board', text),
    'identity.hashboards': inBoards((boards) =>
      listed(boards.map((board) => memberIn(board, 'serial_number', serial))),
    ),
    'firmware.name': firstOf(known('version', 'MaraFW'), known('overview', 'MaraFW')),
    'firmware.version': inOverview('/version_firmware', text),
    'firmware.components': components({
      ...API_PARTS,
      'keys.overview': keysOf('overview', ['']),
      'overview.control-board': inOverview('/control_board', scalarText),
      'overview.firmware': inOverview('/version_firmware', scalarText),
      'overview.model': inOverview('/model', scalarText),
    }),
    pools: cgiAndWebPools(rowsIn('web_pools', 'pools', poolList(WEB_POOL))),
    live_pools: firstIfAsked(API_FACTS.live_pools, rowsIn('web_pools', 'pools', livePools(WEB_POOL))),
    'config.mode': at('conf', ['/mode/work-mode-selector', '/mode/select'], text),
    'config.power_target_w': at('conf', '/mode/concorde/power-target', watts),
    'config.fan_mode': at('conf', '', fanMode),
    'config.other': at('conf', '', (conf) => whenPresent(furtherSettings(conf), sortedSettings)),
    'network.hostname': at('network', '/hostname', text),
    'access.api_write': letIn('privileged'),
    'telemetry.hashrate_hs': anyOf(ofRow('brief', asObject, rate), API_FACTS['telemetry.hashrate_hs']),
    'telemetry.power_w': anyOf(at('brief', '/power_consumption_estimated', watts), API_FACTS['telemetry.power_w']),
    'telemetry.temp_max_mc': anyOf(
      inBoards(sensors),
      at('brief', '/temperature_max', temperatureMc),
      API_FACTS['telemetry.temp_max_mc'],
    ),
    'telemetry.fans_rpm': anyOf(rowsIn('fans', 'fans', fanSpeeds), API_FACTS['telemetry.fans_rpm']),
    'telemetry.chips': anyOf(
      inBoards((boards) => sum(boards.map((board) => memberIn(board, 'asic_num', count)))),
      API_FACTS['telemetry.chips'],
    ),
    'telemetry.elapsed_s': anyOf(at('brief', '/elapsed', count), API_FACTS['telemetry.elapsed_s']),
  },
  quirks: [
    'unverified: nothing of this family was seen on the wire; places and units are those of the program that drives it (pyasic).',
    'unverified: that port 4028 answers more than `version` as the program of Bitmain does.',
    'unverified: the rate is taken for TH/s unless the reply says its unit, and the power is an estimate of the firmware.',
    'unverified: the work mode stands under `work-mode-selector` in one source and under `select` in the other.',
    'unverified: the serial number of the machine; only the overview is looked at.',
    'Pools of port 4028 that the stored configuration lacks are slots behind the stored ones.',
    'The history of configuration changes that the device keeps is not asked for.',
  ],
  close: [
    'Change the log-in of the web interface; the factory has root and root. It also resets, reloads and changes the network.',
    'Where `access.api_write` is true, port 4028 takes writes from this gateway, and most likely from everybody.',
  ],
});
