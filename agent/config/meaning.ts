import { closest } from 'fastest-levenshtein';
import cron from 'node-cron';
import { isId } from '../../shared/ids.ts';
import { TEMPLATE_FIELDS } from '../../shared/terms.ts';
import { RULES } from '../appraise/index.ts';
import { parseEndpoint } from '../appraise/pool-url.ts';
import { fieldsOf } from '../appraise/template.ts';
import { brokenAddressIn } from '../appraise/wallet.ts';
import { checkTarget } from '../notify/target.ts';
import { LONGEST_STATE_DIR } from '../platform/control.ts';
import { AgentError } from '../platform/errors.ts';
import { isVendorDefault, readSecret, type SecretSource } from '../platform/secrets.ts';
import { checkBroker } from '../publish/broker.ts';
import { readCredentials } from '../publish/credentials.ts';
import { readWitnesses } from '../record/witness-keys.ts';
import { placeKey, positionId } from '../schedule/places.ts';
import { asSpelledHere, isHost, isNoDevice, noDevice, parseRange } from '../schedule/range.ts';
import { OFF } from '../schedule/turns.ts';
import type { Config } from './schema.ts';
import { doorsWithTwoKeys } from './shared-doors.ts';

/** A setting that is well-formed but cannot work: its path in the file, why, and the remedy. */
export interface Contradiction {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly remedy: string;
}

/** Everything the schema cannot say: references, cron expressions, ranges, secrets that are not there, unsafe brokers. */
export const checkMeaning = (config: Config): readonly Contradiction[] => [
  ...stateDir(config),
  ...schedules(config),
  ...config.devices.flatMap((_entry, index) => deviceEntry(config, index)),
  ...duplicatePositions(config),
  ...doorsWithTwoKeys(config),
  ...tenantLabels(config),
  ...allowLists(config).flatMap(([path, allow]) => allowedPools(config, path, allow)),
  ...Object.keys(config.tenants).flatMap((tenant) => assignments(config, tenant)),
  ...unknownDevices(config),
  ...overlaps(config),
  ...Object.keys(config.credentials).flatMap((name) => credential(config, name)),
  ...broker(config),
  ...targets(config),
];

/** The socket of the running agent stands in the folder, and systems bound the path of one. */
const stateDir = ({ state_dir }: Config): readonly Contradiction[] => {
  const bytes = Buffer.byteLength(state_dir);
  if (bytes <= LONGEST_STATE_DIR) return [];
  return [
    {
      path: ['state_dir'],
      message: `the path ${state_dir} has ${bytes} bytes, too many for the socket of the agent in it`,
      remedy: `choose a folder with a path of at most ${LONGEST_STATE_DIR} bytes`,
    },
  ];
};

const schedules = ({ schedule }: Config): readonly Contradiction[] =>
  (['pools', 'config', 'web', 'tls', 'ssh', 'ports'] as const).flatMap((name) => {
    const path = ['schedule', name];
    const expression = schedule[name];
    if (isOff(name, expression)) return [];
    if (!cron.validate(expression)) {
      const remedy = 'five fields (minute hour day month weekday), or six with seconds first, e.g. "*/15 * * * *"';
      return [{ path, message: `"${expression}" is not a cron expression`, remedy }];
    }
    return stepsTooLong(expression).map(({ step, field, longest }) => ({
      path,
      message: `"${expression}" has the step ${step} in the field ${field}, which begins anew before that`,
      remedy: `a step of at most ${longest} there; what is to happen less often goes into the fields to the right`,
    }));
  });

/** What is not the device's own answer can be left alone. */
const isOff = (name: string, expression: string): boolean =>
  name !== 'pools' && name !== 'config' && expression === OFF;

/** The fields of an expression with seconds, and after how many the numbers of each begin anew. */
const FIELDS = [
  { field: 'second', longest: 60 },
  { field: 'minute', longest: 60 },
  { field: 'hour', longest: 24 },
  { field: 'day', longest: 31 },
  { field: 'month', longest: 12 },
  { field: 'weekday', longest: 7 },
] as const;

/** The library takes a step of any length: one beyond its field would mean once, and look like more seldom. */
const stepsTooLong = (expression: string) => {
  const words = expression.trim().split(/\s+/);
  return words.flatMap((word, index) => {
    const at = FIELDS[index + FIELDS.length - words.length];
    if (at === undefined) return [];
    return [...word.matchAll(/\/(\d+)/g)]
      .map(([, step]) => ({ ...at, step: Number(step) }))
      .filter(({ step, longest }) => step > longest);
  });
};

const deviceEntry = (config: Config, index: number): readonly Contradiction[] => {
  const entry = config.devices[index];
  if (entry === undefined) return [];
  const found: Contradiction[] = [];
  if (entry.credentials !== undefined && config.credentials[entry.credentials] === undefined) {
    found.push({
      path: ['devices', index, 'credentials'],
      message: `there is no credential "${entry.credentials}"`,
      remedy: `add it under credentials; there is: ${Object.keys(config.credentials).join(', ') || 'none'}`,
    });
  }
  if ('range' in entry) {
    const range = parseRange(entry.range);
    if (range.kind === 'bad')
      found.push({ path: ['devices', index, 'range'], message: range.message, remedy: range.remedy });
  } else if (isNoDevice(entry.host)) {
    found.push({ path: ['devices', index, 'host'], ...noDevice(entry.host) });
  } else if (!isHost(entry.host)) {
    const port = /^[^:]*:(\d+)$/.exec(entry.host)?.[1];
    found.push({
      path: ['devices', index, 'host'],
      message: `${JSON.stringify(entry.host)} is not an IP address or host name`,
      remedy:
        port === undefined
          ? 'write for example 10.20.15.7, miner7.example or fd00::7'
          : `write the address alone, and beside it for example ports: { cgminer: ${port} }`,
    });
  } else if (asSpelledHere(entry.host) !== entry.host) {
    found.push({
      path: ['devices', index, 'host'],
      message: `${entry.host} is another spelling of ${asSpelledHere(entry.host)}`,
      remedy: `write ${asSpelledHere(entry.host)}, so that a machine listed twice is seen to be one, and give the entry a name if its device is to keep its id`,
    });
  }
  return found;
};

/** One position under two ids, or two positions under one, would mix two histories. */
const duplicatePositions = (config: Config): readonly Contradiction[] => {
  const ids = new Set<string>();
  const places = new Set<string>();
  return config.devices.flatMap((entry, index) => {
    if (!('host' in entry)) return [];
    const id = positionId(entry);
    const place = placeKey(entry.host, entry.ports);
    const path = ['devices', index, entry.name === undefined ? 'host' : 'name'];
    const found: Contradiction[] = [];
    if (ids.has(id)) found.push({ path, message: `"${id}" is used twice`, remedy: 'give each device its own name' });
    else if (places.has(place))
      found.push({
        path,
        message: `${entry.host} is listed twice with the same ports`,
        remedy: 'remove one of the entries',
      });
    ids.add(id);
    places.add(place);
    return found;
  });
};

/** The lists of pools, and where each stands. */
export const allowLists = ({ pools, tenants }: Config) => [
  [['pools', 'allow'], pools.allow ?? []] as const,
  ...Object.entries(tenants).map(([name, { allow = [] }]) => [['tenants', name, 'allow'], allow] as const),
];

/** A host, alone or behind a star for the labels in front of it, or a star alone. */
const isPlace = (host: string): boolean =>
  host === '*' || isHost(host.replace(/^\*\./, '').replace(/^\[(.*)\]$/, '$1'));

/** What is wrong with the place that a line names. Only digits are a port: with anything else there, the colon and it are taken for part of the host. */
const misplaced = (url: string): Pick<Contradiction, 'message' | 'remedy'> | undefined => {
  const { scheme, host } = parseEndpoint(url);
  if (isPlace(host)) return undefined;
  const [, place = '', port = ''] = /^(.*):([^:\]]*)$/s.exec(host) ?? [];
  if (!isPlace(place))
    return {
      message: `${JSON.stringify(url)} names no host`,
      remedy: 'write for example stratum+tcp://pool.example:3333 or stratum+tcp://*.pool.example:3333',
    };
  const own = scheme === undefined ? place : `${scheme}://${place}`;
  return {
    message: `${JSON.stringify(url)} names no port: ${JSON.stringify(port)} is no number`,
    remedy: `leave it out where any port may be: ${own}, or write its number: ${own}:3333`,
  };
};

/**
 * A line that names no host allows nothing, and every pool would be outside the list; a template that fits no device likewise.
 * A line with an address that nobody owns allows all earnings to go nowhere.
 */
const allowedPools = (
  config: Config,
  path: readonly PropertyKey[],
  allow: NonNullable<Config['pools']['allow']>,
): readonly Contradiction[] =>
  allow.flatMap(({ url, user = '' }, index) => {
    const wrong = misplaced(url);
    const known = [...TEMPLATE_FIELDS, ...labelNames(config)];
    const strange = fieldsOf(user).filter((field) => !known.includes(field));
    const broken = brokenAddressIn(user);
    return [
      ...(wrong === undefined ? [] : [{ path: [...path, index, 'url'], ...wrong }]),
      ...strange.map((field) => ({
        path: [...path, index, 'user'],
        message: `no device has a label "${field}" for {${field}}`,
        remedy: `did you mean {${closest(field, known)}}? known here: ${known.join(', ')}`,
      })),
      ...(broken === undefined
        ? []
        : [
            {
              path: [...path, index, 'user'],
              message: `${broken} is no wallet address that can be paid: its checksum fails`,
              remedy: `copy it from the wallet again; for the name of an account that only looks like an address put a star right behind it: ${broken}*`,
            },
          ]),
    ];
  });

/** The names of labels that devices of this gateway have. */
export const labelNames = (config: Config): readonly string[] => [...labelsIn(config).keys()];

/** Every label that some device has, with its values; also those that assignments give. */
const labelsIn = ({ labels, devices, tenants }: Config): ReadonlyMap<string, ReadonlySet<string>> => {
  const found = new Map<string, Set<string>>([['tenant', new Set(Object.keys(tenants))]]);
  for (const given of [labels, ...devices.map((entry) => entry.labels)])
    for (const [name, value] of Object.entries(given)) found.getOrInsert(name, new Set()).add(value);
  return found;
};

/** Of a tenant that nobody wrote down nothing is known; and a tenant is a level of topics. */
const tenantLabels = ({ labels, devices, tenants }: Config): readonly Contradiction[] => {
  const known = Object.keys(tenants);
  const given = [
    { path: ['labels', 'tenant'], tenant: labels.tenant },
    ...devices.map((entry, index) => ({ path: ['devices', index, 'labels', 'tenant'], tenant: entry.labels.tenant })),
  ];
  return given.flatMap(({ path, tenant }) => {
    if (tenant === undefined) return [];
    if (!isId(tenant))
      return [
        {
          path,
          message: `"${tenant}" cannot be the name of a tenant: it is the level of a topic`,
          remedy: 'lower-case letters, digits and dashes, at most 63, not starting with a dash',
        },
      ];
    if (known.length === 0 || known.includes(tenant)) return [];
    const remedy = `did you mean "${closest(tenant, known)}"? or add it under tenants; there is: ${known.join(', ')}`;
    return [{ path, message: `there is no tenant "${tenant}"`, remedy }];
  });
};

const assignments = (config: Config, tenant: string): readonly Contradiction[] =>
  (config.tenants[tenant]?.devices ?? []).flatMap(({ device, range, labels = {}, from, until }, index) => {
    const path = ['tenants', tenant, 'devices', index];
    const found: Contradiction[] = [];
    if (device === undefined && range === undefined && Object.keys(labels).length === 0)
      found.push({ path, message: 'it names no device', remedy: 'give it device, range or labels' });
    const parsed = range === undefined ? undefined : parseRange(range);
    if (parsed?.kind === 'bad')
      found.push({ path: [...path, 'range'], message: parsed.message, remedy: parsed.remedy });
    const known = labelsIn(config);
    for (const [name, value] of Object.entries(labels)) {
      if (known.get(name)?.has(value) === true) continue;
      const there = [...known].flatMap(([label, values]) => [...values].map((one) => `${label}: ${one}`));
      found.push({
        path: [...path, 'labels', name],
        message: `no device has the label ${name}: ${value}`,
        remedy:
          there.length === 0
            ? 'give it to entries under devices'
            : `did you mean ${closest(`${name}: ${value}`, there)}?`,
      });
    }
    if (from !== undefined && until !== undefined && Date.parse(until) <= Date.parse(from))
      found.push({ path: [...path, 'until'], message: 'it ends before it begins', remedy: 'give a time after from' });
    return found;
  });

/** Ids that tenants have devices by and no `host` entry has, and where they stand. */
export const idsOfNoHost = ({
  devices,
  tenants,
}: Config): readonly { readonly id: string; readonly path: readonly PropertyKey[] }[] => {
  const ids = new Set(hostIds({ devices }));
  return Object.entries(tenants).flatMap(([tenant, { devices: assigned }]) =>
    assigned.flatMap(({ device: id }, index) =>
      id === undefined || ids.has(id) ? [] : [{ id, path: ['tenants', tenant, 'devices', index, 'device'] }],
    ),
  );
};

/** The ids that are known before a device was seen. */
export const hostIds = ({ devices }: Pick<Config, 'devices'>): readonly string[] =>
  devices.flatMap((entry) => ('host' in entry ? positionId(entry) : []));

/** In a range ids come from the machines, and nobody can say here which there are. */
export const hasRange = ({ devices }: Pick<Config, 'devices'>): boolean => devices.some((entry) => 'range' in entry);

/** The device that was meant would stay where it was, and be held to the list of somebody else. */
const unknownDevices = (config: Config): readonly Contradiction[] => {
  if (hasRange(config)) return [];
  const known = hostIds(config);
  return idsOfNoHost(config).map(({ id, path }) => ({
    path,
    message: `there is no device "${id}"`,
    remedy: `did you mean "${closest(id, known)}"? an entry under devices has its name for its id, else its address, like 10-20-15-7`,
  }));
};

/** One device cannot work for two tenants at once. Entries that name their devices in different ways may: the later one holds. */
const overlaps = ({ tenants }: Config): readonly Contradiction[] => {
  const all = Object.entries(tenants).flatMap(([tenant, { devices }]) =>
    devices.map(({ from, until, ...whom }, index) => ({
      tenant,
      path: ['tenants', tenant, 'devices', index],
      whom: JSON.stringify([whom.device, whom.range, Object.entries(whom.labels ?? {}).sort()]),
      fromMs: from === undefined ? 0 : Date.parse(from),
      untilMs: until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until),
    })),
  );
  return all.flatMap((one, at) => {
    const other = all
      .slice(0, at)
      .find(
        ({ tenant, whom, fromMs, untilMs }) =>
          tenant !== one.tenant && whom === one.whom && fromMs < one.untilMs && one.fromMs < untilMs,
      );
    if (other === undefined) return [];
    return [
      {
        path: one.path,
        message: `the same devices belong to "${other.tenant}" at the same time`,
        remedy: 'give the earlier entry until, with the time that the later one has as from',
      },
    ];
  });
};

const credential = (config: Config, name: string): readonly Contradiction[] => {
  const source = config.credentials[name];
  if (source === undefined || isVendorDefault(source)) return [];
  return secretProblem(source, ['credentials', name]);
};

/** Where nothing says to which families a log-in may be shown. */
export const SHOWN_TO_WHOEVER =
  'is shown, perhaps in clear, to whatever says at these addresses that it is a miner with a log-in';

/**
 * What works, and tells a password to whoever asks for it: a device is what it says it is, and some families want their
 * log-in in clear.
 */
export const shownToAll = ({ credentials, devices }: Config): readonly Omit<Contradiction, 'path'>[] => {
  const used = new Set(devices.map((entry) => entry.credentials));
  const open = Object.entries(credentials)
    .filter(([name, source]) => used.has(name) && !isVendorDefault(source) && source.families === undefined)
    .map(([name]) => name);
  if (open.length === 0) return [];
  return [
    {
      message: `the password of ${open.join(', ')} ${SHOWN_TO_WHOEVER}`,
      remedy: `name the families that you have there: credentials: { ${open[0]}: { families: [antminer-stock] } }`,
    },
  ];
};

/** A family that nobody is recognised as would never be shown the log-in, and nobody would know why. */
export const checkFamilies = ({ credentials }: Config, known: readonly string[]): readonly Contradiction[] =>
  Object.entries(credentials).flatMap(([name, { families = [] }]) =>
    families.flatMap((family, index) =>
      known.includes(family)
        ? []
        : [
            {
              path: ['credentials', name, 'families', index],
              message: `there is no family "${family}"`,
              remedy: `did you mean "${closest(family, known)}"? assayer requests shows them all`,
            },
          ],
    ),
  );

const broker = (config: Config): readonly Contradiction[] => {
  if (config.mqtt === undefined) return [];
  const { mqtt } = config;
  return [
    ...problemAt(['mqtt', 'url'], () => checkBroker(mqtt)),
    ...problemAt(['mqtt', 'witnesses'], () => readWitnesses(mqtt.witnesses, mqtt.quorum)),
    ...(mqtt.password_file === undefined && mqtt.password_env === undefined ? [] : secretProblem(mqtt, ['mqtt'])),
  ];
};

/** A target that cannot be told anything is found out before something happens. */
const targets = ({ notify }: Config): readonly Contradiction[] =>
  notify.flatMap((target, index) => {
    const path = ['notify', index];
    const first = notify.findIndex(({ name }) => name === target.name);
    const twice = {
      path: [...path, 'name'],
      message: `"${target.name}" is used twice`,
      remedy: 'give each target its own name',
    };
    return [
      ...(first < index ? [twice] : []),
      ...(target.ids ?? []).flatMap((id, at) => strangeFinding(id, [...path, 'ids', at])),
      ...checkTarget(target).map(({ path: inside, problem }) => ({
        path: [...path, ...inside],
        message: problem.message,
        remedy: problem.remedy,
      })),
    ];
  });

/** An id that no rule has would never be told, and nobody would know why. */
const strangeFinding = (id: string, path: readonly PropertyKey[]): readonly Contradiction[] => {
  const known = [...new Set(RULES.flatMap((rule) => [rule.id, `${rule.id.split('.')[0]}.*`]))];
  if (known.includes(id)) return [];
  const remedy = `did you mean "${closest(id, known)}"? docs/findings.md has them all`;
  return [{ path, message: `there is no finding "${id}"`, remedy }];
};

const PEM_FILES = ['ca', 'cert', 'key'] as const;

/**
 * The certificate files that `run` will read, for who asks before it. The agent itself reads them whenever it connects, and
 * a verb that only looks needs none. Each by itself first, so that the problem stands at its line; then whether the key is
 * that of the certificate.
 */
export const checkCertificates = ({ mqtt, gateway }: Config): readonly Contradiction[] => {
  if (mqtt === undefined) return [];
  const { ca: _ca, cert: _cert, key: _key, password_file: _file, password_env: _env, ...settings } = mqtt;
  const single = PEM_FILES.flatMap((name) =>
    problemAt(['mqtt', name], () => readCredentials({ ...settings, [name]: mqtt[name] }, gateway)),
  );
  if (single.length > 0) return single;
  const { cert, key } = mqtt;
  return problemAt(['mqtt', 'key'], () => readCredentials({ ...settings, cert, key }, gateway));
};

const secretProblem = (source: SecretSource, path: readonly PropertyKey[]): readonly Contradiction[] =>
  problemAt(path, () => readSecret(source));

const problemAt = (path: readonly PropertyKey[], attempt: () => unknown): readonly Contradiction[] => {
  const problem = problemOf(attempt);
  return problem === undefined ? [] : [{ path, message: problem.message, remedy: problem.remedy }];
};

const problemOf = (attempt: () => unknown): AgentError | undefined => {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof AgentError) return error;
    throw error;
  }
};
