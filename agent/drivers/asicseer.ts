import { type LivePool, present } from '../../shared/facts.ts';
import { called, knownBy, ofProgram } from './bitmain-api.ts';
import { BITMAIN_CLOSE, CGI_FACTS, CGI_QUERIES } from './bitmain-cgi.ts';
import { DIGEST } from './cgi-lineage.ts';
import { defineDriver, httpGet } from './driver.ts';
import { livePools, poolList, RUNTIME_POOL } from './pools.ts';
import { at, type Reader, text, UNREADABLE, whenPresent } from './readers.ts';

/** None of the pools that are shown is ever active, whatever the machine does: that says nothing of them. */
const { active: _, ...SHOWN_POOL } = RUNTIME_POOL;

/** The active pool is not visible, which is neither "none" nor one of those that are shown. */
const visiblePools: Reader<readonly LivePool[]> = (list) =>
  whenPresent(livePools(RUNTIME_POOL)(list), (rows) =>
    rows.some(({ active }) => active === true) ? present(rows) : UNREADABLE,
  );

/** Behind that of the program it is made from: `2.4.0-asicseer-1.1.9-…`. */
const version: Reader<string> = (value) =>
  whenPresent(text(value), (found) => text(/\basicseer-(\S+)/i.exec(found)?.[1] ?? null));

/** asicseer on the Antminer S9. */
export const asicseer = defineDriver({
  family: 'asicseer',
  title: 'asicseer (Antminer S9)',
  source: 'foreman-apps foreman-antminer, an S9 with 1.1.9',
  ...knownBy((row) => /asicseer/i.test(JSON.stringify(row))),
  queries: {
    ...CGI_QUERIES,
    // The pools are set from elsewhere: those that are stored here need not be used.
    conf: httpGet('/cgi-bin/get_miner_conf.cgi', DIGEST),
  },
  facts: {
    ...CGI_FACTS,
    'firmware.name': called('asicseer'),
    'firmware.version': ofProgram(version),
    pools: at('pools', '/POOLS', poolList(SHOWN_POOL)),
    live_pools: at('pools', '/POOLS', visiblePools),
  },
  secrets: ['pass'],
  quirks: [
    'S9: the pools that an operator configured have priority 3 to 5 and none is active while the machine hashes: the active pool is not visible, and this program does not say which it is.',
    'S9: pools are set in the remote configuration of asicseer; writes on port 4028 or the web interface do not last.',
    'S9: the name of the firmware stands in the version of the program only.',
    'unverified: the CGIs, which are read as those of Bitmain; of the stored configuration the pools are not read.',
  ],
  close: [
    ...BITMAIN_CLOSE,
    'Pools come from the remote configuration of the maker: whoever has the account there sets them.',
  ],
});
