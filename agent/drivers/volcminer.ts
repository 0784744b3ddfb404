import { ABSENT, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { numberedFans } from './antminer-stats.ts';
import { program } from './ccminer.ts';
import {
  CGI_POOL,
  macAddress,
  meanOf,
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
import { inRows, sumOfRows } from './cgminer-api.ts';
import { type Clues, cgminer, defineDriver, httpGet } from './driver.ts';
import { components, keysOf, settings } from './named-texts.ts';
import { livePools, RUNTIME_POOL } from './pools.ts';
import {
  anyOf,
  asArray,
  asObject,
  at,
  count,
  firstOf,
  memberIn,
  type Reader,
  scaled,
  text,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { elseIfAsked, firstIfAsked, hottest, known } from './rows.ts';
import { storedAndRunning } from './stored-pools.ts';

const NAME = /^volcminer\b/i;

/** The host name is the model until somebody changes it: what is more than a model is a name. */
const modelInHostname: Reader<string> = (value) =>
  whenPresent(text(value), (name) => (/^volcminer [a-z]\d+\+?( [a-z]+)?$/i.test(name) ? present(name) : ABSENT));

const hasHostname = (reply: JsonValue): boolean =>
  memberIn(asObject(reply) ?? {}, 'hostname', modelInHostname).kind === 'present';

/** The realm alone is Hammer's and Blackminer's as well; but these name their model in the system document, and VolcMiner's 4.12.0 line does not. */
const recognise = ({ cgminer: asked, http, web }: Clues): 0 | 1 | 2 | 3 => {
  const models = modelsIn([...asked.values(), ...http.values()]);
  if (models.length > 0) return models.every((model) => NAME.test(model)) ? 3 : 0;
  if (/volcminer/i.test(web?.body ?? '') || [...http.values()].some(hasHostname)) return 2;
  if (!/^blackminer/i.test(web?.realm ?? '')) return 0;
  const system = asObject(http.get(systemInfo.path));
  return system?.macaddr !== undefined && system.minertype === undefined ? 2 : 1;
};

/** No reply names the control board; the kernel is built for it. */
const boardInKernel: Reader<string> = (value) =>
  whenPresent(text(value), (kernel) => {
    const board = /xilinx/i.exec(kernel)?.[0];
    return board === undefined ? ABSENT : present(board);
  });

// ---- the status document ---------------------------------------------------------------------------------------------

const inStatus = <T>(pointer: string, reader: Reader<T>) => at('status', pointer, reader);

/** The hashboards in the status document. A board that is missing has blank members. */
const inBoards = <T>(read: (boards: readonly JsonObject[]) => Reading<T>) => inStatus('/devs', inRows(read));

/** `temp` is a list of sensors, or one. */
const temperatures = inBoards((boards) => hottest(boards.flatMap(({ temp }) => asArray(temp) ?? [temp ?? null])));

const fans: Reader<readonly number[]> = (value) => {
  const status = asObject(value);
  return status === undefined ? UNREADABLE : numberedFans(status);
};

const rpc = { cadence: 'config', port: 'volcminer' } as const;

/** VolcMiner, scrypt machines: the program of Blackminer at a port of its own, and the web interface. */
export const volcminer = defineDriver({
  family: 'volcminer',
  title: 'VolcMiner (D1, D1 Pro, D1 Mini, D3)',
  source: 'Replies of a VolcMiner D1 (2025); how public tools read the others',
  recognise,
  stillSpeaks: stillCalled(NAME, ['version', 'stats', 'system'], 'system'),
  proofs: ['version', 'system'],
  queries: {
    pools: cgminer('pools', { cadence: 'pools', port: 'volcminer' }),
    conf: storedConfig,
    version: cgminer('version', rpc),
    summary: cgminer('summary', rpc),
    stats: cgminer('stats', rpc),
    system: systemInfo,
    status: httpGet('/cgi-bin/get_miner_status.cgi', { cadence: 'pools', auth: 'digest' }),
    network: networkInfo,
  },
  vendorLogin: { user: 'root', password: 'ltc@dog' },
  facts: {
    'identity.make': firstOf(known('system', 'VolcMiner'), known('version', 'VolcMiner')),
    'identity.model': firstOf(
      at('system', '/minertype', text),
      program.model,
      at('system', '/hostname', modelInHostname),
    ),
    'identity.mac': macAddress,
    'identity.control_board': firstOf(
      at('system', '/bb_hwv', text),
      at('system', '/system_kernel_version', boardInKernel),
    ),

    'firmware.name': program.name,
    'firmware.version': program.version,
    'firmware.build': firstOf(at('system', '/system_filesystem_version', text), program.build),
    'firmware.kernel': at('system', '/system_kernel_version', text),
    'firmware.components': components({
      ...program.parts,
      ...systemParts,
      'keys.system': keysOf('system', ['']),
      'keys.version': keysOf('version', ['', '/STATUS/0', '/VERSION/0']),
    }),

    pools: storedAndRunning(storedSlots, slotsIn('pools', 'POOLS', RUNTIME_POOL), slotsIn('status', 'pools', CGI_POOL)),
    live_pools: firstIfAsked(program.livePools, inStatus('/pools', livePools(CGI_POOL))),

    'config.freq_mhz': anyOf(program.frequency, inBoards(meanOf('freq')), at('conf', '/freq', scaled(1))),
    'config.other': at(
      'conf',
      '',
      settings((name) => name !== 'api-allow'),
    ),
    ...networkFacts,
    'access.api_allow': at('conf', '/api-allow', text),

    // `ghs5s` is MH/s.
    'telemetry.hashrate_hs': anyOf(program.rate, inStatus('/summary/ghs5s', scaled(1e6))),
    'telemetry.temp_max_mc': anyOf(program.temperature, temperatures),
    'telemetry.fans_rpm': anyOf(program.fans, inStatus('', fans)),
    'telemetry.chips': anyOf(program.chips, inStatus('/devs', sumOfRows('chain_acn'))),
    'telemetry.elapsed_s': anyOf(program.elapsed, inStatus('/summary/elapsed', count)),
    'telemetry.accepted': elseIfAsked(program.accepted, inStatus('/pools', sumOfRows('accepted'))),
    'telemetry.rejected': elseIfAsked(program.rejected, inStatus('/pools', sumOfRows('rejected'))),
    'telemetry.hw_errors': program.errors,
    'telemetry.last_share_age_s': program.shareAge,
  },
  secrets: ['pass'],
  quirks: [
    'The miner program listens on port 8359, not on 4028.',
    "The digest realm `blackMiner Configuration` is Hammer's and Blackminer's as well: without a program on 4028 or 8359 the device is `ambiguous` until the system document, behind the log-in, tells: Hammer and Blackminer name their model there, the 4.12.0 line of VolcMiner names none.",
    '`stats` may lack the comma between its two rows.',
    'Numbers of the status document are texts with thousands commas, and `ghs5s` and `ghsav` are MH/s.',
    'A missing hashboard has blank members, not zeros.',
    "The host name is the last place that tells the model, and the operator's to change.",
    'The control board is told by the kernel line alone where no reply names it.',
    'Firmware of the 4.12.0 line has documents of a second version (`get_miner_statusV1.cgi` …) that put bare JSON into a text and are no JSON; they are not asked.',
    'Unverified: whether port 8359 takes writes without a log-in; models other than D1.',
  ],
  close: [
    'Change the log-in of the web interface; the factory has root and ltc@dog.',
    'Port 8359 speaks the CGMiner API: only this gateway and the managing host should reach it.',
  ],
});
