import { ABSENT, present } from '../../shared/facts.ts';
import { program } from './ccminer.ts';
import {
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
import { answersOf } from './cgminer-api.ts';
import { type Clues, cgminer, defineDriver, type Replies } from './driver.ts';
import { components, keysOf, settings } from './named-texts.ts';
import { RUNTIME_POOL } from './pools.ts';
import { anyOf, at, firstOf, type Reader, scaled, text, whenPresent } from './readers.ts';
import { storedAndRunning } from './stored-pools.ts';
import { letIn, PRIVILEGED } from './write-access.ts';

const MAKERS = ['Hammer', 'Blackminer'];
const NAME = /^(hammer|blackminer)\b/i;

/** The realm alone is VolcMiner's as well. */
const recognise = ({ cgminer: asked, http, web }: Clues): 0 | 1 | 3 => {
  const models = modelsIn([...asked.values(), ...http.values()]);
  if (models.length > 0) return models.every((model) => NAME.test(model)) ? 3 : 0;
  return /^blackminer/i.test(web?.realm ?? '') ? 1 : 0;
};

const stillNamed = stillCalled(NAME, ['version', 'stats', 'system'], 'pools');

/** Every build names the model in `version`. */
const stillSpeaks = (replies: Replies): boolean =>
  answersOf(replies, ['version']).every((version) => modelsIn([version]).length > 0) && stillNamed(replies);

/** The model begins with the name of the maker, of which there are two: in whatever case, it is one of these. */
const maker: Reader<string> = (value) =>
  whenPresent(text(value), (model) => {
    const name = NAME.exec(model)?.[1]?.toLowerCase();
    const found = MAKERS.find((one) => one.toLowerCase() === name);
    return found === undefined ? ABSENT : present(found);
  });

/** Settings that are facts of their own. */
const HAS_FACT: ReadonlySet<string> = new Set(['api-allow', 'bitmain-fan-ctrl']);

/** Hammer and Blackminer: two names of one line of machines, with the same program and the same web interface. */
export const hammer = defineDriver({
  family: 'hammer',
  title: 'Hammer, Blackminer',
  source: 'Replies of Hammer D10 (2023) and Blackminer F1 (2018) and F1-MINI (2020)',
  recognise,
  stillSpeaks,
  proofs: ['system'],
  queries: {
    pools: cgminer('pools', { cadence: 'pools' }),
    conf: storedConfig,
    version: cgminer('version'),
    summary: cgminer('summary'),
    stats: cgminer('stats'),
    privileged: PRIVILEGED,
    system: systemInfo,
    network: networkInfo,
  },
  vendorLogin: { user: 'root', password: 'root' },
  facts: {
    'access.api_write': letIn('privileged'),
    'identity.make': firstOf(
      at('system', '/minertype', maker),
      at('version', '/VERSION/0/Type', maker),
      at('stats', '/STATS/0/Type', maker),
    ),
    'identity.model': firstOf(at('system', '/minertype', text), program.model),
    'identity.mac': macAddress,
    'identity.control_board': at('system', '/bb_hwv', text),

    'firmware.name': program.name,
    'firmware.version': program.version,
    'firmware.build': program.build,
    'firmware.kernel': at('system', '/system_kernel_version', text),
    'firmware.components': components({
      ...program.parts,
      ...systemParts,
      'keys.system': keysOf('system', ['']),
      'keys.version': keysOf('version', ['', '/STATUS/0', '/VERSION/0']),
    }),

    pools: storedAndRunning(storedSlots, slotsIn('pools', 'POOLS', RUNTIME_POOL)),
    live_pools: program.livePools,

    'config.freq_mhz': anyOf(program.frequency, at('conf', ['/freq', '/bitmain-freq'], scaled(1))),
    'config.fan_mode': at('conf', '/bitmain-fan-ctrl', fanMode),
    'config.other': at(
      'conf',
      '',
      settings((name) => !HAS_FACT.has(name)),
    ),
    ...networkFacts,
    'access.api_allow': at('conf', '/api-allow', text),

    'telemetry.hashrate_hs': program.rate,
    'telemetry.temp_max_mc': program.temperature,
    'telemetry.fans_rpm': program.fans,
    'telemetry.chips': program.chips,
    'telemetry.elapsed_s': program.elapsed,
    'telemetry.accepted': program.accepted,
    'telemetry.rejected': program.rejected,
    'telemetry.hw_errors': program.errors,
    'telemetry.last_share_age_s': program.shareAge,
  },
  secrets: ['pass'],
  quirks: [
    "The digest realm `blackMiner Configuration` is VolcMiner's as well; the model in `version` tells them apart, and where 4028 is closed that in the system document, behind the log-in.",
    'Blackminer F1, F1-MINI: `stats` lacks the comma between its two rows.',
    'Hammer D10: the sensors of a board share one name in `stats`, so that `temp_max` is read instead (unverified: whether it is the hottest now or since the start).',
    'Rates are text, `GHS 5s` on Blackminer and `MHS 5s` on Hammer, and mean what they say.',
    '`Accepted` of `summary` is a padded text with another counter; the pool rows are added up.',
    'Hammer D10: the program and the file system were built months apart; both times are components.',
    '`get_miner_status.cgi` is not asked: old Hammer firmware puts a whole row of 4028 into each of its texts.',
    'An empty third slot is no slot.',
    '`uptime` of the system document has no known unit and is not read.',
    'Unverified: D10+ and later; whether repeated wrong log-ins lock the web interface.',
  ],
  close: [
    'Port 4028 lets in whom `api-allow` names: where that has `W:0/0`, everybody may change pools.',
    'Change the log-in of the web interface; the factory has root and root.',
  ],
});
