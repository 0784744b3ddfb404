import { ABSENT, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import {
  answersOf,
  describedBy,
  inRows,
  lastShareAge,
  namedRate,
  numbered,
  rowsOf,
  shareDifficulty,
  sumOfRates,
} from './cgminer-api.ts';
import { isDoubtful } from './damaged-names.ts';
import { cgminer as ask, type Clues, cgminerCheck, defineDriver, type Replies } from './driver.ts';
import { components, keysOf, settings } from './named-texts.ts';
import { CGMINER_POOL, connectedPools, poolList } from './pools.ts';
import {
  answer,
  anyOf,
  asObject,
  at,
  count,
  firstOf,
  insteadOf,
  mac,
  memberIn,
  memberOf,
  type Reader,
  scalarText,
  text,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { above, eachOnce, elseIfAsked, firstRow, hottest, listed } from './rows.ts';
import { saidIn } from './said.ts';
import { statusOf } from './status.ts';
import { accessIn } from './write-access.ts';

/** The programs this driver is for, by the key of VERSION or the first word of `Description`. */
const PROGRAM = /^(cg|sg|bfg)miner\b/i;

/**
 * Words of families that imitate this API. A device that says one of them has a driver of its own, or deserves one:
 * reading it as plain cgminer would call its pools whole where its firmware hides some.
 */
const OTHER_FAMILY = new RegExp(
  [
    'btminer|bitmicro|whatsminer|avalon|canaan|gcminer|fluxos|auradine|bdminer|sealminer|intchains|kdaminer|goldshell',
    'innominer|innosilicon|dragonmint|hammer|blackminer|volcminer|antminer|elphapex|iceriver|axeos|nerdaxe|bitaxe',
    'bosminer|boser|braiins|luxminer|hiveon|rwglr|kaonsu|marafw|vnish|bcfminer|fdminer|asicseer|blissz|chipless',
  ].join('|'),
  'i',
);

/**
 * What the landing page of such a family shows. "Miner UI" is not among them: Auradine has that title, and says GCMiner in
 * every reply; Baikal has it as well, and is sgminer.
 */
const OTHER_PAGE =
  /cloud-box|axeos|avalon|dragonmint|proto os|volcminer|anthillos|miner web dashboard|braiins os|luxor firmware/i;

/** LuCI is OpenWrt, which stands beside plain cgminer as well as beside what makers built of it. */
const OPENWRT = /luci/i;

const programOf = (reply: JsonValue): string | undefined =>
  Object.keys(firstRow('VERSION')(reply) ?? {}).find((key) => PROGRAM.test(key)) ??
  PROGRAM.exec(describedBy(reply))?.[0];

const isOfOther = (reply: JsonValue): boolean => OTHER_FAMILY.test(saidIn(reply));

/** The replies in which makers show themselves that built on this program: the section, and what is in any row of this program there. */
const TELLING = {
  version: { section: 'VERSION', isRow: (row: JsonObject) => Object.keys(row).some((name) => PROGRAM.test(name)) },
  summary: { section: 'SUMMARY', isRow: ({ Elapsed }: JsonObject) => Elapsed !== undefined },
  stats: { section: 'STATS', isRow: ({ ID }: JsonObject) => ID !== undefined },
} as const;

/** Members of makers, whatever they say: of Avalon, StrongU, MicroBT and Bitmain. */
const SIGNS = [
  'PROD',
  'HWTYPE',
  'MM ID0',
  'MM Count',
  'Miner type',
  'Fan Num',
  'Fan Speed In',
  'Fan Speed Out',
  'miner_count',
];

/**
 * Whether a reply in which makers show themselves says that there is none: the section has rows, each is one of this program, and
 * no member in which a maker may stand is there, or damaged. In `version` and `stats` that is any.
 */
const isPlain = (command: string, reply: JsonValue): boolean => {
  if (statusOf(reply) !== 'answer' || !isTelling(command)) return true;
  const { section, isRow } = TELLING[command];
  const rows = rowsOf(asObject(reply)?.[section]) ?? [];
  return (
    rows.length > 0 && rows.every((row) => isRow(row) && !isSigned(row) && (command === 'summary' || !isDoubtful(row)))
  );
};

const isTelling = (command: string): command is keyof typeof TELLING => Object.hasOwn(TELLING, command);

const isSigned = (row: JsonObject): boolean => SIGNS.some((name) => memberOf(row, name) !== undefined);

/** Beside a page that many makers have, too, nothing short of all replies of the API shows that it is plain. */
const isMakersPage = ({ cgminer, web }: Clues): boolean => {
  if (OPENWRT.test(web?.location ?? '')) return true;
  const isWhole = ['version', 'summary', 'stats', 'devs'].every((command) => cgminer.has(command));
  return OPENWRT.test(web?.body ?? '') && !isWhole;
};

/** 1 at most: any driver that knows the device better wins. */
const recognise = (clues: Clues): 0 | 1 => {
  const { cgminer, web, http } = clues;
  const replies = [...cgminer.values()];
  if (![...cgminer].every(([command, reply]) => isPlain(command, reply))) return 0;
  if ([...replies, ...http.values()].some(isOfOther) || OTHER_FAMILY.test(web?.realm ?? '')) return 0;
  if (OTHER_PAGE.test(`${web?.body ?? ''} ${web?.location ?? ''}`) || isMakersPage(clues)) return 0;
  return replies.some((reply) => programOf(reply) !== undefined) ? 1 : 0;
};

const stillSpeaks = (replies: Replies): boolean => {
  const version = answer(replies, 'version');
  if (version.kind === 'present') {
    if (isOfOther(version.value) || programOf(version.value) === undefined) return false;
  }
  return answersOf(replies, ['pools', 'summary']).every((reply) => !OTHER_FAMILY.test(describedBy(reply)));
};

/** `Description` is the operator's to set; by default it is name and version, and then both are read from it. */
const DESCRIBED = /^((?:cg|sg|bfg)miner) +(\S.*)$/i;

const described =
  (part: 1 | 2): Reader<string> =>
  (value) =>
    whenPresent(text(value), (found) => {
      const word = DESCRIBED.exec(found)?.[part];
      return word === undefined ? ABSENT : present(word);
    });

const programRow: Reader<readonly [string, JsonValue]> = (reply) => {
  const row = firstRow('VERSION')(reply);
  if (row === undefined) return UNREADABLE;
  const entry = Object.entries(row).find(([key]) => PROGRAM.test(key));
  return entry === undefined ? ABSENT : present(entry);
};

/** Some bfgminer kept the key `CGMiner`: a description with the same version is the program's own, and tells more. */
const programName: Reader<string> = (reply) =>
  whenPresent(programRow(reply), ([key, version]) => {
    const [, name = key, ofName] = DESCRIBED.exec(describedBy(reply)) ?? [];
    const told = scalarText(version);
    const isOwn = told.kind === 'present' && told.value === ofName;
    return present((isOwn ? name : key).toLowerCase());
  });

const programVersion: Reader<string> = (reply) => whenPresent(programRow(reply), ([, version]) => scalarText(version));

/** The kinds of devices in slot order, once each: one name on an ASIC machine, several on a host with sticks. */
const deviceNames = (...names: readonly string[]): Reader<string> =>
  inRows((rows) => eachOnce(rows.map((row) => nameIn(row, names))));

const nameIn = (row: JsonObject, names: readonly string[]): Reading<string> =>
  names.map((name) => memberIn(row, name, text)).find(({ kind }) => kind !== 'absent') ?? ABSENT;

const hottestDevice: Reader<number> = inRows((rows) => hottest(rows.map(({ Temperature }) => Temperature)));

/** Fans that turn. */
const fans = (rows: readonly JsonObject[], name: RegExp): Reading<readonly number[]> =>
  listed(
    above(
      0,
      rows.flatMap((row) => numbered(row, name)),
    ),
  );

const deviceFans: Reader<readonly number[]> = inRows((rows) => fans(rows, /^Fan Speed$/));

const summaryFans: Reader<readonly number[]> = (row) => {
  const object = asObject(row);
  return object === undefined ? UNREADABLE : fans([object], /^Fan\d+$/);
};

/** Members of CONFIG that count devices or pools, or are facts of their own. */
const NOT_A_SETTING = /count$|^strategy$|^os$|^device code$/i;

const inVersion = (pointer: string) => at('version', `/VERSION/0${pointer}`, scalarText);

/** cgminer, sgminer and bfgminer as such: hosts with sticks or cards, and machines whose maker added nothing to the API. */
export const cgminer = defineDriver({
  family: 'cgminer',
  title: 'cgminer, sgminer, bfgminer',
  source: 'ckolivas/cgminer API-README and api.c; replies of sgminer 5.5 and 5.6, bfgminer 5.4, cgminer 4.10 and 4.11',
  recognise,
  stillSpeaks,
  // No fact stands in it: makers that built on this program show themselves there, and it may be one of theirs after all.
  proofs: ['stats'],
  queries: {
    pools: ask('pools', { cadence: 'pools' }),
    summary: ask('summary', { cadence: 'pools' }),
    version: ask('version'),
    config: ask('config'),
    devs: ask('devs'),
    devdetails: ask('devdetails'),
    may_add_pool: cgminerCheck('addpool'),
    stats: ask('stats'),
  },
  facts: {
    'identity.model': firstOf(
      at('version', '/VERSION/0/Type', text),
      at('devdetails', ['/DEVDETAILS', '/DEVS'], deviceNames('Model', 'Product', 'Name', 'Driver')),
      insteadOf(at('devs', '/DEVS', deviceNames('Name'))),
    ),
    'identity.mac': firstOf(at('summary', '/SUMMARY/0/macaddress', mac), at('version', '/VERSION/0/MAC', mac)),
    'firmware.name': firstOf(
      at('version', '', programName),
      at('summary', '/STATUS/0/Description', described(1)),
      at('pools', '/STATUS/0/Description', described(1)),
    ),
    'firmware.version': firstOf(
      at('version', '', programVersion),
      at('summary', '/STATUS/0/Description', described(2)),
      at('pools', '/STATUS/0/Description', described(2)),
    ),
    'firmware.build': at('version', '/VERSION/0/CompileTime', text),
    'firmware.components': components({
      'config.device-code': at('config', '/CONFIG/0/Device Code', scalarText),
      'config.os': at('config', '/CONFIG/0/OS', scalarText),
      'keys.version': keysOf('version', ['', '/STATUS/0', '/VERSION/0']),
      'version.api': inVersion('/API'),
      'version.build': inVersion('/CompileTime'),
      'version.description': at('version', '/STATUS/0/Description', scalarText),
      'version.miner': inVersion('/Miner'),
      'version.program': at('version', ['/VERSION/0/CGMiner', '/VERSION/0/SGMiner', '/VERSION/0/BFGMiner'], scalarText),
      'version.type': inVersion('/Type'),
    }),
    pools: at('pools', '/POOLS', poolList(CGMINER_POOL)),
    live_pools: at('pools', '/POOLS', connectedPools),
    'access.api_write': accessIn('may_add_pool'),
    'config.strategy': at('config', '/CONFIG/0/Strategy', text),
    'config.other': at(
      'config',
      '/CONFIG/0',
      settings((name) => !NOT_A_SETTING.test(name)),
    ),
    'telemetry.hashrate_hs': elseIfAsked(at('summary', '/SUMMARY/0', namedRate), at('devs', '/DEVS', sumOfRates)),
    'telemetry.temp_max_mc': at('devs', '/DEVS', hottestDevice),
    'telemetry.fans_rpm': anyOf(at('devs', '/DEVS', deviceFans), at('summary', '/SUMMARY/0', summaryFans)),
    'telemetry.elapsed_s': at('summary', '/SUMMARY/0/Elapsed', count),
    'telemetry.accepted': at('summary', '/SUMMARY/0/Accepted', count),
    'telemetry.rejected': at('summary', '/SUMMARY/0/Rejected', count),
    'telemetry.hw_errors': at('summary', '/SUMMARY/0/Hardware Errors', count),
    'telemetry.last_share_age_s': at('pools', '', lastShareAge('Last Share Time')),
    'telemetry.share_difficulty': at('pools', '/POOLS', shareDifficulty),
  },
  secrets: ['PASSWORD', 'Passwd'],
  quirks: [
    'bfgminer averages over 20 s (`MHS 20s`); sgminer adds KHS members for slow algorithms.',
    'bfgminer 5.4: the key of VERSION may be `CGMiner`, and the rows of `devdetails` stand under DEVS, with `Product` for the model.',
    'Dayun Z1: pool rows carry the password and the user a second time, in capitals.',
    'Baikal: the message counts GPUs while the rows are ASC; pool slots are not in order of priority.',
    'cgminer before API 3.1 answers a joined command with code 14; this agent never joins.',
  ],
  close: [
    'Start the program with `--api-allow R:<gateway>`: without a list whoever reaches port 4028 may change pools.',
  ],
});
