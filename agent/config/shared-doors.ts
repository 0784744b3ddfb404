import { ALL_PORTS } from '../drivers/driver.ts';
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
  const port = sharedPort(one.ports, other.ports);
  if (port === undefined || isSameLogin(one.source, other.source) || areForOthers(one.source, other.source)) return [];
  return [
    {
      path: ['devices', index, 'credentials'],
      message: `${host} is listed with the credentials "${one.name}" and "${other.name}" for the same port ${port}: the device would refuse one of them for ever`,
      remedy:
        'keep the log-in that the device takes, and remove the other entry; two machines behind one address need ports of their own, for example ports: { http: 8081 }',
    },
  ];
};

/**
 * The port of an interface that asks for log-ins and that both entries have. The usual one of all but the web interface says nothing:
 * it stands in every entry, whether anything listens there or not.
 */
const sharedPort = (one: Ports, other: Ports): number | undefined =>
  (['http', 'https', 'auradine', 'grpc'] as const)
    .filter((name) => one[name] === other[name] && (name === 'http' || one[name] !== ALL_PORTS[name]))
    .map((name) => one[name])[0];

const isSameLogin = (one: Source, other: Source): boolean =>
  (['user', 'password_file', 'password_env', 'vendor_default'] as const).every((name) => one[name] === other[name]);

/** No device is shown both. */
const areForOthers = ({ families: one }: Source, { families: other }: Source): boolean =>
  one !== undefined && other !== undefined && !one.some((family) => other.includes(family));
