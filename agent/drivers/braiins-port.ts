import type { JsonValue } from '../probe/capture.ts';
import { hasDetails } from './braiins-rest.ts';
import { answersOf, describedBy } from './cgminer-api.ts';
import { cgminer, cgminerCheck, type Replies } from './driver.ts';
import { graphAnswer } from './graphql.ts';
import { asObject, at, type MemberName, memberIn, type Reader, scalarText, UNREADABLE } from './readers.ts';
import { firstRow } from './rows.ts';

/** The API of bosminer and BOSer on port 4028: how it is told from other programs, what it is asked, and where its answers hold things. */

/** The program that answers port 4028, by the one member of VERSION that is named after it. */
export const PROGRAM = ['BOSer', 'BOSminer', 'BOSminer+', 'BMMiner'];

/** A member of VERSION. */
export const inVersion = <T>(names: MemberName, reader: Reader<T>) =>
  at('version', '/VERSION/0', (row) => {
    const object = asObject(row);
    return object === undefined ? UNREADABLE : memberIn(object, names, reader);
  });

/** A setting of the fan control. */
export const inTempControl = (name: string) => at('tempctrl', `/TEMPCTRL/0/${name}`, scalarText);

const NAME = /^bos(?:miner|er)\b/i;

/** The reply is one of Braiins OS. */
export const isOwn = (reply: JsonValue): boolean => {
  if (NAME.test(describedBy(reply))) return true;
  const row = firstRow('VERSION')(reply) ?? {};
  // Builds of 2018 are a bmminer of Braiins' own.
  return Object.entries(row).some(
    ([key, value]) => NAME.test(key) || (key === 'Type' && /^braiins\b/i.test(String(value))),
  );
};

/** Whether what answers is still Braiins OS; what says nothing is not taken for another firmware. */
export const stillSpeaks = (replies: Replies): boolean => {
  const answers = answersOf(replies, ['pools', 'version', 'summary']);
  return answers.length === 0 || answers.some(isOwn);
};

/** The web interface has measured everything that port 4028 would tell. */
const isMeasured = (replies: Replies): boolean =>
  hasDetails(replies) || graphAnswer(replies, 'gql_system').kind === 'present';

const fallback = { cadence: 'config', unless: isMeasured } as const;

/** What runs, and what only this port tells of what is stored. */
export const PORT_QUERIES = {
  pools: cgminer('pools', { cadence: 'pools' }),
  version: cgminer('version'),
  summary: cgminer('summary'),
  config: cgminer('config'),
  tempctrl: cgminer('tempctrl'),
  devdetails: cgminer('devdetails', fallback),
  fans: cgminer('fans', fallback),
  temps: cgminer('temps', fallback),
  tunerstatus: cgminer('tunerstatus', fallback),
  may_add_pool: cgminerCheck('addpool'),
} as const;
