import { ALL_PORTS, type Query } from '../drivers/driver.ts';
import { DRIVERS } from '../drivers/index.ts';
import { placeKey } from '../schedule/places.ts';
import type { Contradiction } from './meaning.ts';
import type { Config } from './schema.ts';

type Ports = Config['devices'][number]['ports'];
type Source = Config['credentials'][string];

/** An entry that names one address, and the log-in for it. */
interface Entry {
  readonly ports: Ports;
  readonly name: string;
  readonly source: Source;
}

/**
 * Two passwords for one interface of one address: one of them would be refused for as long as both stand there. Two machines behind
 * one address have ports of their own.
 */
export const doorsWithTwoKeys = ({ devices, credentials }: Config): readonly Contradiction[] => {
  const known = new Map<string, Entry[]>();
  return devices.flatMap((device, index) => {
    const source = credentials[device.credentials ?? ''];
    if (!('host' in device) || device.credentials === undefined || source === undefined) return [];
    const entry = { ports: device.ports, name: device.credentials, source };
    const before = known.getOrInsert(device.host, []);
    const found = before.flatMap((other) => clashes(other, entry, device.host, index)).slice(0, 1);
    before.push(entry);
    return found;
  });
};

const clashes = (one: Entry, other: Entry, host: string, index: number): readonly Contradiction[] => {
  // Told already: it is listed twice.
  if (placeKey(host, one.ports) === placeKey(host, other.ports)) return [];
  const port = sharedPort(one, other);
  if (port === undefined || isSameLogin(one.source, other.source) || areForOthers(one.source, other.source)) return [];
  return [
    {
      path: ['devices', index, 'credentials'],
      message: `${host} is listed with the credentials "${one.name}" and "${other.name}" for the same port ${port}: a device takes one of them, and would refuse another for ever`,
      remedy:
        'keep the log-in that the device takes, and remove the other entry; two machines behind one address need ports of their own, for example ports: { http: 8081 }',
    },
  ];
};

/** Interfaces at which devices ask for a log-in. */
const DOORS = ['http', 'https', 'auradine', 'grpc'] as const;

/**
 * The port of an interface at which both are shown, and that both entries have. The usual one of all but the web interface says nothing
 * where a log-in may also go elsewhere: it stands in every entry, whether anything listens there or not.
 */
const sharedPort = (one: Entry, other: Entry): number | undefined => {
  const [ours, theirs] = [doorsOf(one.source), doorsOf(other.source)];
  const isOnly = ours.length === 1 || theirs.length === 1;
  return ours
    .filter((name) => theirs.includes(name) && one.ports[name] === other.ports[name])
    .filter((name) => name === 'http' || isOnly || one.ports[name] !== ALL_PORTS[name])
    .map((name) => one.ports[name])[0];
};

/** Where the families ask for it that it is meant for; anywhere, where it is for all, or for one from outside. */
const doorsOf = ({ families }: Source): readonly (typeof DOORS)[number][] => {
  const drivers = families?.map((name) => DRIVERS.find(({ family }) => family === name));
  if (drivers === undefined || drivers.includes(undefined)) return DOORS;
  const asking = drivers.flatMap((driver) => Object.values(driver?.queries ?? {}).filter(asksForLogin));
  return DOORS.filter((name) => asking.some(({ port }) => port === name));
};

const asksForLogin = (query: Query): boolean => 'auth' in query && query.auth !== 'none';

const isSameLogin = (one: Source, other: Source): boolean =>
  (['user', 'password_file', 'password_env', 'vendor_default'] as const).every((name) => one[name] === other[name]);

/** No device is shown both. */
const areForOthers = ({ families: one }: Source, { families: other }: Source): boolean =>
  one !== undefined && other !== undefined && !one.some((family) => other.includes(family));
