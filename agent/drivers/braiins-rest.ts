import { ABSENT } from '../../shared/facts.ts';
import { ofRows } from './braiins-readers.ts';
import { httpGet, type Login, PASSWORD, type Replies, type Source, USER } from './driver.ts';
import { asObject, at, memberIn, type Reader, scalarText, text } from './readers.ts';
import { eachOnce } from './rows.ts';
import { isServed, supportedWhere } from './served.ts';

/** The REST API of Braiins OS, from 25.07 on: whether a device has it, what it is asked, and where its documents hold things. */

/** The version of the REST API is open to everybody: where there is none, there is no REST API. */
export const hasNoRest = (replies: Replies): boolean => !isServed(replies.get('api'));

/** A fact at one place of a document; unsupported where there is no REST API. */
export const inRest = <T, const Name extends string>(
  query: Name,
  pointer: string,
  reader: Reader<T>,
): Source<T, Name> => supportedWhere(at(query, pointer, reader), (replies) => !hasNoRest(replies));

/** A fact of `/miner/details`. */
export const inDetails = <T>(pointer: string, reader: Reader<T>) => inRest('details', pointer, reader);

/** A fact of `/miner/stats`. */
export const inStats = <T>(pointer: string, reader: Reader<T>) => inRest('stats', pointer, reader);

/** A fact of `/network`. */
export const inNetwork = <T>(pointer: string, reader: Reader<T>) => inRest('network', pointer, reader);

/** A member of the power supply; absent where none is known. */
export const psuPart = (name: string) =>
  inDetails('/psu_info', (value) => {
    const object = asObject(value);
    return object === undefined ? ABSENT : memberIn(object, name, scalarText);
  });

/** A member of all boards, each value once. */
export const kinds = (name: string) =>
  inRest(
    'hashboards',
    '/hashboards',
    ofRows((rows) => eachOnce(rows.map((row) => memberIn(row, name, text)))),
  );

/** The REST API has a list of pools, whether or not it came this time: no second list is asked for. */
export const hasStored = (replies: Replies): boolean => {
  const reply = replies.get('stored');
  return reply?.kind === 'reply' || (reply !== undefined && isServed(reply) && reply.reason !== 'refused');
};

/** The REST API told about the machine. */
export const hasDetails = (replies: Replies): boolean => replies.get('details')?.kind === 'reply';

/** The one POST of the REST API that changes nothing. The token goes into the header as it is, without a scheme. */
const login: Login = {
  kind: 'login',
  method: 'POST',
  path: '/api/v1/auth/login',
  as: 'json',
  members: { username: USER, password: PASSWORD },
  gives: { kind: 'token', pointer: '/token', header: 'Authorization' },
};

/** A look that asks for the pools alone does not know whether there is a REST API: what has none is not sent the password. */
const loginIfAsked: Login = { ...login, ifAsked: true };

const rest = { cadence: 'config', auth: login, unless: hasNoRest } as const;

/** Open to everybody: asked first, as it says whether the others are to be asked. */
export const REST_VERSION = httpGet('/api/v1/version/', { cadence: 'config' });

/** The pools that are stored. */
export const REST_POOLS = httpGet('/api/v1/pools/', { ...rest, auth: loginIfAsked, cadence: 'pools' });

/** What full looks ask. */
export const REST_QUERIES = {
  details: httpGet('/api/v1/miner/details', rest),
  stats: httpGet('/api/v1/miner/stats', rest),
  hashboards: httpGet('/api/v1/miner/hw/hashboards', rest),
  cooling: httpGet('/api/v1/cooling/state', rest),
  configuration: httpGet('/api/v1/configuration/miner', rest),
  tuner: httpGet('/api/v1/performance/tuner-state', rest),
  network: httpGet('/api/v1/network/', rest),
} as const;
