import { ABSENT, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { readItems, readModuleVersion } from './avalon-text.ts';
import { answersOf, lastShareAge, numbered, rowsOf, shareDifficulty } from './cgminer-api.ts';
import { type Clues, cgminer, cgminerCheck, defineDriver, httpGet, type Replies, type Source } from './driver.ts';
import { components, keysOf, settingsFrom } from './named-texts.ts';
import { CGMINER_POOL, connectedPools, poolList } from './pools.ts';
import {
  asObject,
  at,
  firstOf,
  type MemberName,
  mac,
  memberIn,
  memberOf,
  type Reader,
  scalarText,
  scaled,
  serial,
  temperatureMc,
  text,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import {
  above,
  betterIfAsked,
  eachOnce,
  firstRow,
  highest,
  inRow,
  known,
  listed,
  ofRow,
  sum,
  valuesOf,
} from './rows.ts';
import { ifServed } from './served.ts';
import { accessIn } from './write-access.ts';

// ---- modules ---------------------------------------------------------------------------------------------------------

/** One mining module: the whole unit from A10 on, one of many behind a controller of A7 to A9. */
interface Module {
  /** `MM ID<n>` from 1 are modules behind a controller; a unit that is its own controller has `MM ID0`. */
  readonly behindController: boolean;
  readonly items: JsonObject;
}

const MODULE_KEY = /^MM ID(\d+)(:Summary)?$/;

/** Under another key it is a module whose key is damaged. */
const isModuleText = (value: JsonValue): boolean => typeof value === 'string' && /^'?Ver\[/.test(value);

/**
 * The modules of a `stats` reply. A controller keeps the entries of modules that were plugged in again, under the
 * same DNA; the last entry is the one that runs.
 */
const modulesOf = (reply: JsonValue): readonly Module[] | undefined => {
  const modules = new Map<string, Module>();
  for (const row of rowsOf(asObject(reply)?.STATS) ?? []) {
    const isController = controllerIn(row);
    for (const [key, value] of Object.entries(row)) {
      const place = MODULE_KEY.exec(key)?.[1];
      if (place === undefined && !isModuleText(value)) continue;
      // The others would not be all.
      if (place === undefined || typeof value !== 'string') return undefined;
      const module = { behindController: place !== '0', items: readItems(value) };
      // The number in the key is damaged, or the name of the row.
      if (isController === !module.behindController) return undefined;
      const number = dnaOf(module);
      modules.set(number.kind === 'present' ? number.value : `${scalarOf(row.ID)} ${key}`, module);
    }
  }
  const found = [...modules.values()];
  // Behind a controller there is none that is its own: the number in one of the keys is damaged.
  return found.every(({ behindController }) => behindController === found[0]?.behindController) ? found : undefined;
};

/** Whether the miner program of a row drives a controller of A7 to A9, or a unit of its own; undefined where its name does not say. */
const controllerIn = ({ ID: id }: JsonObject): boolean | undefined => {
  if (/^AV[789]\d+$/.test(scalarOf(id))) return true;
  return /^AVA(10|LON)\d+$/.test(scalarOf(id)) ? false : undefined;
};

const scalarOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

/** Something of the modules, in the order of the reply. */
const ofModules = <T>(read: (modules: readonly Module[]) => Reading<T>): Source<T, 'stats'> =>
  at('stats', '', (reply) => {
    const modules = modulesOf(reply) ?? [];
    return modules.length === 0 ? UNREADABLE : read(modules);
  });

const item = <T>({ items }: Module, key: string, reader: Reader<T>): Reading<T> => memberIn(items, key, reader);

/** What the modules say under a key, each text once, in their order. Where one does not say it, the others are not all. */
const distinct = (key: string, reader: Reader<string> = text): Source<string, 'stats'> =>
  ofModules((modules) => {
    const said = modules.map((module) => item(module, key, reader));
    const silent = said.filter(({ kind }) => kind === 'absent').length;
    return silent > 0 && silent < said.length ? UNREADABLE : eachOnce(said);
  });

const total = (key: string): Source<number, 'stats'> =>
  ofModules((modules) => sum(modules.map((module) => item(module, key, scaled(1)))));

// ---- identity --------------------------------------------------------------------------------------------------------

/**
 * The number burnt into the controller chip of a unit or module. Zeros, and what is no number, identify nothing; what has a bracket or a
 * space in it ran into the next item.
 */
const dna: Reader<string> = (value) =>
  whenPresent(serial(value), (found) => {
    if (/^[0-9a-f]{16,64}$/i.test(found)) return present(found.toLowerCase());
    return /[\s[\]]/.test(found) ? UNREADABLE : ABSENT;
  });

const dnaOf = (module: Module): Reading<string> =>
  ['DNA', 'HDNA'].map((key) => item(module, key, dna)).find(({ kind }) => kind !== 'absent') ?? ABSENT;

/** A unit that is its own controller has one chip; the chips behind a controller stand for the boards. */
const ownDna = (modules: readonly Module[]): Reading<string> => {
  const [unit] = modules;
  return unit === undefined || unit.behindController ? ABSENT : dnaOf(unit);
};

/** A module without any such item beside others that have one lost it on the way: the others are not all. */
const moduleDnas = (modules: readonly Module[]): Reading<readonly string[]> => {
  const behind = modules.filter(({ behindController }) => behindController);
  const silent = behind.filter(({ items }) => memberOf(items, ['DNA', 'HDNA']) === undefined).length;
  return silent > 0 && silent < behind.length ? UNREADABLE : listed(behind.map(dnaOf));
};

const modelInVer: Reader<string> = (value) =>
  whenPresent(text(value), (found) => {
    const { model } = readModuleVersion(found);
    return model === undefined ? ABSENT : present(model);
  });

const versionInVer: Reader<string> = (value) =>
  whenPresent(text(value), (found) => present(readModuleVersion(found).version));

/** Versions begin with the day of the build and its number on that day. */
const buildOf: Reader<string> = (value) =>
  whenPresent(text(value), (found) => {
    const day = /^(\d{8})_/.exec(found)?.[1];
    return day === undefined ? ABSENT : present(day);
  });

const buildInVer: Reader<string> = (value) => whenPresent(versionInVer(value), buildOf);

// ---- measurements ----------------------------------------------------------------------------------------------------

/** Sensors in °C; -273 stands for one that is not there. */
const TEMPERATURES = /^(TMax|MTmax|Temp|ITemp|OTemp|HBITemp|HBOTemp)$/;

const NO_SENSOR_MC = -273_000;

const numbersIn = (value: string): readonly string[] => value.trim().split(/\s+/);

const temperaturesOf = ({ items }: Module): readonly Reading<number>[] =>
  Object.entries(items)
    .filter(([key]) => TEMPERATURES.test(key))
    .flatMap(([, value]) =>
      typeof value === 'string' ? above(NO_SENSOR_MC, numbersIn(value).map(temperatureMc)) : [UNREADABLE],
    );

const fansOf = ({ items }: Module): readonly Reading<number>[] => numbered(items, /^Fan\d*$/);

/** Place of the power at the wall among the numbers of `PS`; units that do not measure it have six numbers, or zeros. */
const WALL = 6;

const wallPowerOf = (module: Module): Reading<number> => {
  const power = item(module, 'WALLPOWER', scaled(1));
  const reading = power.kind !== 'absent' ? power : item(module, 'PS', (value) => scaled(1)(wallIn(value)));
  return reading.kind === 'present' && reading.value <= 0 ? ABSENT : reading;
};

const wallIn = (value: JsonValue): JsonValue => (typeof value === 'string' ? (numbersIn(value)[WALL] ?? null) : null);

const meanFrequency = (modules: readonly Module[]): Reading<number> =>
  whenPresent(listed(modules.map((module) => item(module, 'Freq', scaled(1000)))), (values) =>
    present(Math.round(values.reduce((all, value) => all + value, 0) / values.length / 1000)),
  );

/** The rate that the modules measure now. */
const moduleRate = ofModules((modules) => sum(modules.map((module) => item(module, 'GHSspd', scaled(1e9)))));

/** Averages of `summary`, which start from 0 and count shares: these are there soon after a start. */
const SHORT_AVERAGES = ['MHS 30s', 'MHS 5s', 'MHS 1m'] as const;

/** After this the average of 5 minutes no longer shows the start, s. */
const SETTLED_S = 900;

/** A slower unit (Nano) finds so few shares that a short average is chance, H/s. */
const SLOW_HS = 10e12;

/** Longer averages stay high for long while the unit rests, so they are not read; nor that of 5 minutes where a short one is 0. */
const summaryRate = (row: JsonObject): Reading<number> => {
  const rate = (name: string): Reading<number> => memberIn(row, name, scaled(1e6));
  const short = SHORT_AVERAGES.map(rate).find(({ kind }) => kind !== 'absent') ?? ABSENT;
  const [elapsedS = 0] = valuesOf([memberIn(row, 'Elapsed', scaled(1))]);
  const long = rate('MHS 5m');
  const isSlow = long.kind === 'present' && long.value < SLOW_HS && elapsedS >= SETTLED_S;
  return isSlow && short.kind === 'present' && short.value > 0 ? long : short;
};

// ---- recognition -----------------------------------------------------------------------------------------------------

const isAvalon = (reply: JsonValue): boolean => {
  const product = firstRow('VERSION')(reply)?.PROD;
  return (typeof product === 'string' && /^avalon/i.test(product)) || hasModule(reply);
};

/** Also where one of the others is damaged, so that nobody can tell them all. */
const hasModule = (reply: JsonValue): boolean =>
  (rowsOf(asObject(reply)?.STATS) ?? []).some((row) =>
    Object.entries(row).some(
      ([key, value]) => isModuleText(value) || (MODULE_KEY.test(key) && typeof value === 'string'),
    ),
  );

const recognise = ({ cgminer: replies, web }: Clues): 0 | 1 | 2 | 3 => {
  if ([...replies.values()].some(isAvalon)) return 3;
  if ([...replies.values()].some(hasDriver)) return 2;
  return web !== undefined && /<title>\s*Avalon Device|AvalonMiner/i.test(web.body) ? 2 : 0;
};

/** `devdetails` and `config` name the driver of the miner program. */
const hasDriver = (reply: JsonValue): boolean => {
  const names: readonly (JsonValue | undefined)[] = [
    firstRow('DEVDETAILS')(reply)?.Driver,
    firstRow('CONFIG')(reply)?.['Device Code'],
  ];
  return names.some((name) => typeof name === 'string' && /^avalon/i.test(name.trim()));
};

// ---- driver ----------------------------------------------------------------------------------------------------------

const inVersion = <T>(name: MemberName, reader: Reader<T>) => inRow('version', firstRow('VERSION'), name, reader);
const inSummary = <T>(name: MemberName, reader: Reader<T>) => inRow('summary', firstRow('SUMMARY'), name, reader);

const firstStats = <T>(name: MemberName, reader: Reader<T>) => inRow('stats', firstRow('STATS'), name, reader);

const macInVersion = inVersion('MAC', mac);

const hasMac = (replies: Replies): boolean => macInVersion.read(replies).kind === 'present';

/** Canaan Avalon on port 4028: A7 to A9 module controllers, A10 to A15 units, and the home units Q, Nano and Mini. */
export const avalon = defineDriver({
  family: 'avalon',
  title: 'Canaan Avalon (A7 to A15, Q, Nano, Mini)',
  source: 'Avalon A10 API manual 0.2; replies of units from 2017 to 2025',
  recognise,
  stillSpeaks: (replies) => {
    const telling = answersOf(replies, ['version', 'stats', 'config']);
    return telling.length === 0 || telling.some((reply) => isAvalon(reply) || hasDriver(reply));
  },
  queries: {
    summary: cgminer('summary', { cadence: 'pools' }),
    pools: cgminer('pools', { cadence: 'pools' }),
    version: cgminer('version'),
    stats: cgminer('stats'),
    config: cgminer('config'),
    may_add_pool: cgminerCheck('addpool'),
    // Of units whose `version` has no MAC it stands here alone.
    minerinfo: httpGet('/get_minerinfo.cgi', { cadence: 'config', unless: hasMac }),
  },
  facts: {
    'identity.make': known('pools', 'Canaan'),
    'identity.model': firstOf(inVersion('MODEL', text), distinct('Ver', modelInVer), inVersion('PROD', text)),
    'identity.mac': firstOf(macInVersion, ifServed('minerinfo', '/mac', mac)),
    'identity.control_board': inVersion('HWTYPE', text),
    'identity.chip_id': firstOf(inVersion('DNA', dna), ofModules(ownDna)),
    'identity.hashboards': ofModules(moduleDnas),

    'firmware.name': known('pools', 'Avalon'),
    'firmware.version': firstOf(inVersion(['VERSION', 'LVERSION'], text), distinct('Ver', versionInVer)),
    'firmware.build': firstOf(inVersion(['VERSION', 'LVERSION'], buildOf), distinct('Ver', buildInVer)),
    'firmware.components': components({
      api: inVersion('API', scalarText),
      bversion: inVersion('BVERSION', text),
      cgminer: inVersion('CGMiner', scalarText),
      cgversion: inVersion('CGVERSION', text),
      fanmcuversion: inVersion('FANMCUVERSION', text),
      fw: distinct('FW'),
      hbmcuversion: inVersion('HBMCUVERSION', text),
      hversion: inVersion('HVERSION', text),
      'keys.version': keysOf('version', ['', '/STATUS/0', '/VERSION/0']),
      loader: inVersion('LOADER', text),
      lversion: inVersion('LVERSION', text),
      mcuversion: inVersion('MCUVERSION', text),
      'module.bver': distinct('BVer'),
      'module.lver': distinct('LVer'),
      'module.ver': distinct('Ver'),
      prod: inVersion('PROD', text),
      stm8: inVersion('STM8', text),
      swtype: inVersion('SWTYPE', text),
      upapi: inVersion('UPAPI', scalarText),
      version: inVersion('VERSION', text),
    }),

    pools: at('pools', '/POOLS', poolList(CGMINER_POOL)),
    live_pools: at('pools', '/POOLS', connectedPools),

    'config.mode': distinct('WORKMODE'),
    'config.preset': distinct('WORKLEVEL'),
    'config.power_limit_w': total('MPO'),
    'config.freq_mhz': ofModules(meanFrequency),
    'config.strategy': at('config', '/CONFIG/0/Strategy', text),
    'access.api_write': accessIn('may_add_pool'),
    'config.other': settingsFrom({
      smart_speed: firstStats('Smart Speed', scalarText),
      solo_allowed: distinct('SoloAllowed'),
      target_temp_c: distinct('TarT'),
      voltage_level_offset: firstStats(['Voltage Level Offset', 'Voltage Offset'], scalarText),
    }),

    'telemetry.hashrate_hs': betterIfAsked(moduleRate, ofRow('summary', firstRow('SUMMARY'), summaryRate)),
    'telemetry.power_w': ofModules((modules) => sum(modules.map(wallPowerOf))),
    'telemetry.temp_max_mc': ofModules((modules) => highest(modules.flatMap(temperaturesOf))),
    'telemetry.fans_rpm': ofModules((modules) => listed(modules.flatMap(fansOf))),
    'telemetry.chips': total('TA'),
    'telemetry.elapsed_s': inSummary('Elapsed', scaled(1)),
    'telemetry.accepted': inSummary('Accepted', scaled(1)),
    'telemetry.rejected': inSummary('Rejected', scaled(1)),
    'telemetry.hw_errors': inSummary('Hardware Errors', scaled(1)),
    'telemetry.last_share_age_s': at('pools', '', lastShareAge('Last Share Time')),
    'telemetry.share_difficulty': at('pools', '/POOLS', shareDifficulty),
  },
  secrets: ['Password'],
  quirks: [
    'A7 to A9 controllers name no product in `version`; they are known by the module texts of `stats`.',
    'A controller keeps entries of modules that were plugged in again; the last entry of a DNA counts (A9).',
    'Modules of several models may stand behind one controller (841 and 821 seen together).',
    'Controllers of A7 to A9 and the Nano 3 report no MAC on port 4028; `get_minerinfo.cgi`, a script of the web interface, has it (1047).',
    'The settings of the network stand in the web interface only, behind a cookie made of the password; how it is made is not documented, and they are not read.',
    'unverified: whether `get_minerinfo.cgi` answers without a log-in on every generation; where it does not, the MAC is `refused` or absent.',
    'A resting unit keeps its average rates; the rates of the last minute say 0 (Q).',
    'The short averages of `summary` count shares, of which a slow unit finds few (Nano 3); its average of 5 minutes is read where `stats` was not asked.',
    'A DNA of zeros identifies nothing; `HDNA` stands in for it.',
    'A temperature of -273 is a sensor that is not there (A15).',
    'The time of the last share and the time of the reply may come from different clocks (Q).',
    'Most writes on 4028 need no log-in: every Avalon takes `ascset`, of which nobody may ask. `access.api_write` and its finding are about `addpool`; firmware without that (Q) says nothing of it, which does not make it safe.',
    'There is one list of pools. Where the host that is connected (`Stratum URL`) is none of theirs, the device was redirected or hijacked, or whoever recorded the replies changed one (two A10 show that): ask the operator.',
    'A pool set by the vendor tool takes effect after a restart and is not seen before.',
    '`litestats` and `estats` answer in the shape of `stats`, which every generation has; they are not asked.',
  ],
  close: [
    'Port 4028 of every Avalon takes orders without a log-in (`ascset`: pools, password, network, stop), whether or not a finding says so: only this gateway and the managing host should reach it.',
  ],
});
