import type { FeePool } from '../../shared/facts.ts';
import { ABSENT, present } from '../../shared/facts.ts';
import type { JsonObject } from '../probe/capture.ts';
import { API_FACTS, knownBy, part } from './bitmain-api.ts';
import { BITMAIN_CLOSE, CGI_FACTS, CGI_PARTS, CGI_QUERIES } from './bitmain-cgi.ts';
import { DIGEST } from './cgi-lineage.ts';
import { describedBy, inRows, sumOfRates } from './cgminer-api.ts';
import { cgminer, defineDriver, httpGet } from './driver.ts';
import { feePools } from './fee-pools.ts';
import { components } from './named-texts.ts';
import {
  anyOf,
  asObject,
  at,
  firstOf,
  memberIn,
  type Reader,
  scalarText,
  serial,
  text,
  UNREADABLE,
  whenPresent,
  worded,
} from './readers.ts';
import { listed } from './rows.ts';

/** BCFMiner until 2024, FDMiner since. */
const NAME = /^(BCF|FD)Miner\b/i;

const isOurs = (row: JsonObject, described: string): boolean =>
  NAME.test(described) || Object.keys(row).some((name) => NAME.test(name));

const name: Reader<string> = (reply) => {
  const maker = NAME.exec(describedBy(reply))?.[1];
  return maker === undefined ? ABSENT : present(`${maker.toUpperCase()}Miner`);
};

const PROGRAM = part(
  'version',
  ['BCFMiner', 'FDMiner', 'BMMiner'].map((program) => `/VERSION/0/${program}`),
);

const workMode = worded({ '0': 'normal', '1': 'sleep', '2': 'high-power', '3': 'low-power', '4': 'advanced' });

const ntpServers: Reader<readonly string[]> = (value) => {
  const servers = asObject(value);
  if (servers === undefined) return UNREADABLE;
  return listed(['ntpServer0', 'ntpServer1', 'ntpServer2'].map((server) => memberIn(servers, server, text)));
};

/** One pool for all machines of a firmware, on a page of its own. */
const feePool: Reader<readonly FeePool[]> = (value) => {
  const quota = memberIn(asObject(value) ?? {}, 'quota', scalarText);
  if (quota.kind === 'unknown') return quota;
  return whenPresent(feePools(() => true, { url: 'pool', port: 'port', user: 'user' })([value]), (pools) =>
    present(quota.kind === 'present' ? pools.map((pool) => ({ ...pool, quota: quota.value })) : pools),
  );
};

const boardSerials = inRows((boards) => listed(boards.map((board) => memberIn(board, 'BoardSerialNumber', serial))));

/** `ipaddres` in both replies. */
const ADDRESS = ['/ipaddress', '/ipaddres'];

/** The serial number here is that of the control board. */
const { 'identity.serial': _, ...FACTS } = CGI_FACTS;

/** FDMiner of Foundry, before 2025 BCFMiner, on Antminers of the S19 series and on control boards of its own. */
export const fdminer = defineDriver({
  family: 'fdminer',
  title: 'Foundry FDMiner, BCFMiner (Antminer)',
  source: 'API document of its maker, with replies of S19 XP and S19j Pro',
  ...knownBy(isOurs, NAME),
  queries: {
    ...CGI_QUERIES,
    devs: cgminer('devs'),
    ntp: httpGet('/cgi-bin/get_ntp_server.cgi', DIGEST),
    eeprom: httpGet('/cgi-bin/getEepromData.cgi', DIGEST),
    fee: httpGet('/cgi-bin/getDevFeeInfo.cgi', DIGEST),
  },
  facts: {
    ...FACTS,
    'identity.control_board': firstOf(
      at('system', '/serinum', serial),
      at('version', '/VERSION/0/Miner', text),
      at('stats', '/STATS/0/Miner', text),
    ),
    'identity.hashboards': at('eeprom', '/minerEepromArray', boardSerials),
    'firmware.name': firstOf(at('version', '', name), at('stats', '', name), at('summary', '', name)),
    'firmware.version': firstOf(PROGRAM, part('stats', '/STATS/0/BMMiner')),
    'firmware.components': components({ ...CGI_PARTS, '4028.program': PROGRAM }),
    fee_pools: at('fee', '', feePool),
    'config.mode': at('conf', '/bitmain-work-mode', workMode),
    'network.ntp': at('ntp', '', ntpServers),
    'network.address': anyOf(at('system', ADDRESS, text), at('network', ADDRESS, text)),
    'telemetry.hashrate_hs': anyOf(API_FACTS['telemetry.hashrate_hs'], at('devs', '/DEVS', sumOfRates)),
  },
  secrets: ['pass'],
  quirks: [
    'S19 XP: the rows of `devs` are an object with the key "", not a list.',
    'S19 XP: get_system_info.cgi lacks the comma before `serinum`, and spells `ipaddres`.',
    '`serinum` is the serial number of the control board; `Miner` names the kind of that board, not a version.',
    'restart.cgi, reboot.cgi and resetAndCheck.cgi (which updates the firmware) act on a plain GET; none is ever sent.',
    'unverified: the pool of the maker (getDevFeeInfo.cgi), the time servers and the hashboard serials (getEepromData.cgi) are read as the maker documents them; they were not captured.',
    "unverified: log-in by digest, as on Bitmain's firmware.",
  ],
  close: [
    ...BITMAIN_CLOSE,
    '`restart.cgi` acts on a plain GET: no page of another site should be able to reach the web interface.',
  ],
});
