import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import type { Driver } from '../drivers/driver.ts';
import { DRIVERS } from '../drivers/index.ts';
import { type DriverFile, readDriverFiles } from '../outside/load.ts';
import { AgentError } from '../platform/errors.ts';
import { type Approvers, readApprovers } from './approvers.ts';
import { NO_TEXT, parseYaml, textOf } from './document.ts';
import { checkFirmware, joinedLists, readFirmwareFile } from './firmware.ts';
import { type Contradiction, checkFamilies, checkMeaning } from './meaning.ts';
import { type ConfigProblem, describeProblem, problemAt, schemaProblems } from './problems.ts';
import { type Config, configSchema } from './schema.ts';
import { withoutWrong } from './sound.ts';

/**
 * What the operator wrote, as the file says it and the driver and firmware files that it names: aliases are expanded, and nothing
 * is filled in, so a later version reads the same in it.
 */
export interface Written extends Omit<z.input<typeof configSchema>, 'drivers'> {
  readonly drivers: readonly unknown[];
}

/** A file that was read and found good, with all that it names of drivers. */
export interface LoadedConfig {
  readonly config: Config;
  readonly written: Written;
  readonly file: string;
  /** What the `session` statements call the digest of the configuration, b64u. */
  readonly sha256: string;
  /** Every family that may be recognised: the built-in ones, and those of the driver files. */
  readonly drivers: readonly Driver[];
  readonly approvers: Approvers;
}

/** What a configuration file itself says, and the keys of its approvers. What its driver and firmware files say is not in it. */
export interface Settings {
  readonly config: Omit<Config, 'drivers' | 'firmware'>;
  readonly approvers: Approvers;
}

/** Reads and checks a configuration file. Throws `config.unreadable` or `config.invalid` (message: one line per problem). */
export const loadConfig = (file: string): LoadedConfig => {
  const path = resolve(file);
  const bytes = readFile(path);
  const { config, written, outside, named, approvers } = goodOf(path, parseConfigFile(bytes, dirname(path)));
  const drivers = [...DRIVERS, ...outside.map(({ driver }) => driver)];
  return { config, written, file: path, sha256: configDigest(bytes, named), drivers, approvers };
};

/**
 * The same for what looks at the store, or asks the agent: the driver and firmware files are not read, since the store is there, and
 * the agent goes on, while one of them is wrong.
 */
export const loadSettings = (file: string): Settings => {
  const path = resolve(file);
  const { config, approvers } = goodOf(path, parseBytes(readFile(path), { folder: dirname(path), readsNamed: false }));
  return { config, approvers };
};

const goodOf = (path: string, parsed: Parsed): Extract<Parsed, { kind: 'good' }> => {
  if (parsed.kind === 'good') return parsed;
  throw new AgentError({
    code: 'config.invalid',
    message: parsed.problems.map((problem) => describeProblem(path, problem)).join('\n'),
    remedy: `correct the file, then run: assayer check-config -c ${path}`,
  });
};

/**
 * SHA-256 of the file; where it names driver files or a firmware file, SHA-256 of its digest and theirs, 32 bytes each, the
 * drivers in the order in which it names them: a changed driver is another configuration.
 */
const configDigest = (bytes: Uint8Array, named: readonly Uint8Array[]): string =>
  named.length === 0
    ? hash('sha256', bytes, 'base64url')
    : hash('sha256', Buffer.concat([bytes, ...named].map(sha256)), 'base64url');

const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');

const readFile = (path: string): Uint8Array => {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new AgentError({
      code: 'config.unreadable',
      message: `cannot read the configuration ${path}: ${(cause as Error).message}`,
      remedy: 'name an existing file with -c, or make one: assayer init',
      cause,
    });
  }
};

type Parsed =
  | {
      readonly kind: 'good';
      readonly config: Config;
      readonly written: Written;
      readonly outside: readonly DriverFile[];
      readonly approvers: Approvers;
      /** The bytes of every file that the configuration names, in its order. */
      readonly named: readonly Uint8Array[];
    }
  | { readonly kind: 'bad'; readonly problems: readonly ConfigProblem[] };

/** What a text is looked at with. */
interface Looked {
  /** Paths in it are relative to this. */
  readonly folder: string;
  /** Finds what else contradicts. */
  readonly also?: ((config: Config) => readonly Contradiction[]) | undefined;
  /** Whether driver files are read, and a firmware file, which can only be held against all families. */
  readonly readsNamed?: boolean;
}

/** Checks the bytes of a configuration file. */
export const parseConfigFile = (bytes: Uint8Array, folder: string, also?: Looked['also']): Parsed =>
  parseBytes(bytes, { folder, also });

const parseBytes = (bytes: Uint8Array, looked: Looked): Parsed => {
  const text = textOf(bytes);
  return text === undefined ? { kind: 'bad', problems: [NO_TEXT] } : parseText(text, looked);
};

/**
 * Checks the text of a configuration. Paths in it are relative to `folder`. Finds every problem it can: syntax first,
 * then unknown and wrong settings, settings that contradict each other, what `also` looks at, and driver files. What rests on a setting
 * that is wrong, or missing, is told once that is right.
 */
export const parseConfig = (text: string, folder: string, also?: Looked['also']): Parsed =>
  parseText(text, { folder, also });

const parseText = (text: string, looked: Looked): Parsed => {
  const read = parseYaml(text);
  if (read.kind === 'bad') return read;
  if (read.value === null) return { kind: 'bad', problems: [NO_SETTING] };
  const checked = configSchema.safeParse(read.value);
  // What the schema let through.
  if (checked.success) return examined(checked.data, read.value as WrittenHere, read, looked);
  const described = { ...read, schema: configSchema, page: 'docs/configuration.md' };
  const problems = schemaProblems(checked.error.issues, described);
  const rest = withoutWrong(read.value);
  if (rest === undefined) return { kind: 'bad', problems };
  const { config, written, isSound } = rest;
  const others = examined(config, written, read, { ...looked, isSound });
  return { kind: 'bad', problems: [...problems, ...(others.kind === 'bad' ? others.problems : [])] };
};

type WrittenHere = z.input<typeof configSchema>;

/** Looks at what no schema can say, of what `isSound`: all of it, unless a part of the file was left aside. */
const examined = (
  checked: Config,
  written: WrittenHere,
  read: Parameters<typeof problemAt>[0],
  {
    folder,
    also = () => [],
    readsNamed = true,
    isSound = () => true,
  }: Looked & { readonly isSound?: (path: readonly PropertyKey[]) => boolean },
): Parsed => {
  const config = withSharedParts(withAbsolutePaths(checked, folder));
  const outside = readDriverFiles(readsNamed ? config.drivers : [], DRIVERS);
  const families = [...DRIVERS, ...outside.files.map(({ driver }) => driver)].map(({ family }) => family);
  // A driver file that was not read, could not be, or is not named rightly, has a family, too.
  const known = !readsNamed || outside.problems.length > 0 || !isSound(['drivers']) ? undefined : families;
  const strangers = known === undefined ? [] : checkFamilies(config, known);
  const firmware = firmwareOf(config, written, known);
  const { approvers, problems: keyProblems } = readApprovers(config);
  const settings = [...checkMeaning(config), ...keyProblems, ...strangers];
  const contradictions = [...settings, ...firmware.contradictions, ...also(config)].filter(({ path }) => isSound(path));
  const problems = [...contradictions.map((one) => problemAt(read, one)), ...outside.problems, ...firmware.problems];
  return problems.length === 0
    ? {
        kind: 'good',
        config: firmware.config,
        written: { ...written, firmware: firmware.written, drivers: outside.files.map((driver) => driver.written) },
        outside: outside.files,
        approvers,
        named: [...outside.files.map(({ bytes }) => bytes), ...firmware.bytes],
      }
    : { kind: 'bad', problems };
};

const NO_SETTING: ConfigProblem = {
  line: 1,
  path: '',
  message: 'it holds no setting',
  remedy: 'assayer init writes one with comments; docs/configuration.md has every setting',
};

/** The configuration with the lists of its firmware file, where it names one. `families`: undefined where they are not known. */
const firmwareOf = (
  config: Config,
  { firmware: here }: Pick<Written, 'firmware'>,
  families: readonly string[] | undefined,
) => {
  const nothing = { config, written: here, contradictions: [], problems: [], bytes: [] };
  if (config.firmware === undefined || families === undefined) return nothing;
  const { file, approved, advisories } = config.firmware;
  const contradictions = checkFirmware({ approved, advisories }, families).map((one) => ({
    ...one,
    path: ['firmware', ...one.path],
  }));
  if (file === undefined) return { ...nothing, contradictions };
  const read = readFirmwareFile(file, families);
  if (read.kind === 'bad') return { ...nothing, contradictions, problems: read.problems };
  const firmware = { file, ...joinedLists(config.firmware, read.lists) };
  // Which file says it does not matter.
  const written = joinedLists(here ?? {}, read.written);
  return { config: { ...config, firmware }, written, contradictions, problems: [], bytes: [read.bytes] };
};

/** Ports and labels that are the same in many entries are one object: a fleet may be named device by device. */
const withSharedParts = (config: Config): Config => {
  const [ports, labels] = [sharing<Entry['ports']>(), sharing<Entry['labels']>()];
  const devices = config.devices.map((entry) => ({
    ...entry,
    ports: ports(entry.ports),
    labels: labels(entry.labels),
  }));
  return { ...config, devices };
};

type Entry = Config['devices'][number];

const sharing = <Part extends object>(): ((part: Part) => Part) => {
  const known = new Map<string, Part>();
  return (part) => known.getOrInsertComputed(JSON.stringify(part), () => Object.freeze(part));
};

const FILE_SETTINGS = ['ca', 'cert', 'key', 'password_file', 'secret_file', 'authorization_file'] as const;

const withAbsolutePaths = (config: Config, folder: string): Config => {
  const absolute = <T extends object>(part: T): T => ({
    ...part,
    ...Object.fromEntries(
      FILE_SETTINGS.flatMap((name) => {
        const value = (part as { readonly [name: string]: unknown })[name];
        return typeof value === 'string' ? [[name, resolve(folder, value)]] : [];
      }),
    ),
  });
  return {
    ...config,
    state_dir: resolve(folder, config.state_dir),
    drivers: config.drivers.map((file) => resolve(folder, file)),
    approvers: Object.fromEntries(
      Object.entries(config.approvers).map(([name, file]) => [name, resolve(folder, file)]),
    ),
    ...(config.firmware?.file === undefined
      ? {}
      : { firmware: { ...config.firmware, file: resolve(folder, config.firmware.file) } }),
    ...(config.mqtt === undefined ? {} : { mqtt: absolute(config.mqtt) }),
    notify: config.notify.map((target) =>
      'webhook' in target ? { ...target, webhook: absolute(target.webhook) } : target,
    ),
    credentials: Object.fromEntries(Object.entries(config.credentials).map(([name, value]) => [name, absolute(value)])),
  };
};
