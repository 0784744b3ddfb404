import { called, knownBy, modelBefore, named } from './bitmain-api.ts';
import { BITMAIN_CLOSE, CGI_FACTS, CGI_QUERIES, cgiPools } from './bitmain-cgi.ts';
import { defineDriver } from './driver.ts';
import { feePools, operatorPools, operatorShares, priorityFrom } from './fee-pools.ts';
import { livePools, RUNTIME_POOL } from './pools.ts';
import { at, firstOf, type Reader, text, whenPresent } from './readers.ts';

/** The firmware and its version stand behind the model: `Antminer D3 Blissz v2.06 beta`. */
const WORDS = /\bblissz\b\s*(?:v\.?)?(.*)$/i;

const model = modelBefore(WORDS);

const version: Reader<string> = (value) => whenPresent(text(value), (found) => text(WORDS.exec(found)?.[1] ?? null));

/** Its two rows have 9998 and 9999. */
const isFee = priorityFrom(9998);

/** Firmware of Blissz on Antminers of 2017 and 2018. */
export const blissz = defineDriver({
  family: 'blissz',
  title: 'Blissz (Antminer)',
  source: 'Replies of a D3 with v2.06 beta (foreman-apps foreman-antminer)',
  ...knownBy(({ Type }) => typeof Type === 'string' && /\bblissz\b/i.test(Type)),
  queries: CGI_QUERIES,
  facts: {
    ...CGI_FACTS,
    'identity.model': firstOf(at('system', '/minertype', model), named('/Type', model)),
    'firmware.name': called('Blissz'),
    'firmware.version': named('/Type', version),
    pools: cgiPools(isFee),
    live_pools: at('pools', '/POOLS', operatorPools(isFee, livePools(RUNTIME_POOL))),
    fee_pools: at('pools', '/POOLS', feePools(isFee, RUNTIME_POOL)),
    ...operatorShares(isFee),
  },
  secrets: ['pass'],
  quirks: [
    'D3: `stats` lacks the comma between its two rows.',
    "D3: the pools of the maker stand in the runtime list with priority 9998 and 9999; one may have the host of the operator's pool. Their shares are not counted.",
    'D3: GHS means MH/s.',
    'D3: `Type` has the name and the version of the firmware behind the model.',
    'unverified: models other than the D3; that `version` has the same `Type` as `stats`; the CGIs, which are read as those of Bitmain.',
  ],
  close: [...BITMAIN_CLOSE],
});
