import { called, knownBy, modelBefore, named } from './bitmain-api.ts';
import { BITMAIN_CLOSE, CGI_FACTS, CGI_QUERIES } from './bitmain-cgi.ts';
import { defineDriver } from './driver.ts';
import { at, firstOf } from './readers.ts';

const model = modelBefore(/\bhiveon\b.*$/i);

/** Hiveon ASIC on Antminers: the older web interface of Bitmain, and port 4028. */
export const hiveon = defineDriver({
  family: 'hiveon',
  title: 'Hiveon ASIC (Antminer)',
  source: 'Replies of an S9 of 2019; minershive/hiveon-kb; pyasic web/hiveon.py; foreman-apps foreman-antminer',
  ...knownBy(({ Type }) => typeof Type === 'string' && /\bhiveon\b/i.test(Type)),
  vendorLogin: { user: 'root', password: 'root' },
  queries: CGI_QUERIES,
  facts: {
    ...CGI_FACTS,
    'identity.model': firstOf(at('system', '/minertype', model), named('/Type', model)),
    'firmware.name': called('Hiveon'),
  },
  secrets: ['pass'],
  quirks: [
    'S9: `stats` lacks the comma between its two rows.',
    'S9: `Type` has the name of the firmware behind the model; the program is `rwglr`, as that of MSKMiner is.',
    'S9: `chain_power` is `34.65 (AB)`, which is not the power drawn in W, and is not read.',
    'The state of the light is told to a POST of `blink.cgi` only, which is never sent.',
    'unverified: the replies of get_system_info.cgi and get_network_info.cgi are read as those of Bitmain; none was captured.',
    'unverified: miner_stats.cgi, miner_summary.cgi and miner_pools.cgi are not asked; port 4028 says the same.',
    'The link to Hive OS, over which pools and firmware can be changed, shows on no surface that is read.',
  ],
  close: [
    ...BITMAIN_CLOSE,
    'The agent of the maker takes commands from its cloud, of which no reply tells: block it where the site does not use it.',
  ],
});
