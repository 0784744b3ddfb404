import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { loadConfig, parseConfig } from '../config/load.ts';
import { AgentError } from '../platform/errors.ts';
import { createKey, loadKey } from '../platform/keys.ts';
import { lastBegun } from '../record/incarnation.ts';
import { idOf } from '../schedule/places.ts';
import type { Io } from './io.ts';

interface InitOptions {
  readonly config: string;
  readonly gateway: string;
  readonly operator: string;
  readonly stateDir: string;
  readonly range: string;
  readonly broker?: string;
}

/** `init`: writes a commented configuration, makes the signing key, says what to do next. What exists is left as it is. */
export const initVerb = (program: Command, io: Io): void => {
  program
    .command('init')
    .description('write a commented configuration and make the signing key of this gateway')
    .option('-c, --config <file>', 'configuration file to write', 'assayer.yaml')
    .option('--gateway <id>', 'id of this gateway', idOf(hostname()))
    .option('--operator <domain>', 'domain of the operator', 'example.org')
    .option('--state-dir <folder>', 'folder of the store and the key (default: assayer-state beside the file)')
    .option('--range <range>', 'addresses of the miners', ownRange())
    .option('--broker <url>', 'MQTT broker, e.g. mqtts://broker.example.org:8883')
    .action((options: InitOptions) => init(placed(options), io));
};

/** As every path of a command line it is meant from where the command is given; the file says it from where the file stands. */
const placed = ({
  stateDir,
  ...options
}: Omit<InitOptions, 'stateDir'> & { readonly stateDir?: string }): InitOptions => {
  if (stateDir === undefined) return { ...options, stateDir: 'assayer-state' };
  const fromFile = relative(dirname(resolve(options.config)), resolve(stateDir)) || '.';
  return { ...options, stateDir: isAbsolute(stateDir) ? stateDir : fromFile };
};

const init = (options: InitOptions, io: Io): void => {
  const file = resolve(options.config);
  const isNew = !existsSync(file);
  const { config } = isNew ? checked(options, file) : loadConfig(file);
  const stateDir = config.state_dir;
  const hasKey = existsSync(resolve(stateDir, 'gateway.key'));
  if (!isNew && hasKey) throw nothingToDo(file);
  if (!hasKey && lastBegun(stateDir) !== undefined) throw keyLost(stateDir);
  if (isNew) writeConfig(file, options);
  makeFolder(stateDir, 0o700);
  const key = hasKey ? loadKey(stateDir) : createKey(stateDir);
  io.out.write(
    [
      `Configuration: ${file} (${isNew ? 'new' : 'kept as it is'})`,
      `Signing key:   ${resolve(stateDir, 'gateway.key')} (mode 0600, ${hasKey ? 'kept' : 'new'})`,
      `Public key:    ${resolve(stateDir, 'gateway.jwk.json')} (give this to whoever verifies, after the first start)`,
      `Key id:        ${key.kid}`,
      '',
      'Next:',
      `  1. edit ${options.config}: gateway and operator first, they name the log for ever: ${config.operator}/${config.gateway};`,
      '     then devices, credentials, mqtt',
      `  2. assayer check-config -c ${options.config}`,
      `  3. assayer scan ${config.devices.map((entry) => ('range' in entry ? entry.range : entry.host))[0]}`,
      `  4. assayer doctor -c ${options.config}`,
      `  5. assayer run -c ${options.config}`,
      '',
    ].join('\n'),
  );
};

/** The configuration that the options make; a wrong option is found before anything is written. */
const checked = (options: InitOptions, file: string): Extract<ReturnType<typeof parseConfig>, { kind: 'good' }> => {
  const parsed = parseConfig(configText(options), dirname(file));
  if (parsed.kind === 'good') return parsed;
  throw new AgentError({
    code: 'usage.option',
    message: parsed.problems.map(({ path, message, remedy }) => `${path}: ${message} (${remedy})`).join('\n'),
    remedy: 'correct the option of init that gives this setting; nothing was written',
  });
};

const nothingToDo = (file: string): AgentError =>
  new AgentError({
    code: 'config.exists',
    message: `${file} and its signing key exist and are left as they are`,
    remedy: 'name another file and --state-dir for another gateway',
  });

const keyLost = (stateDir: string): AgentError =>
  new AgentError({
    code: 'key.lost',
    message: `the log in ${stateDir} was begun with a key that is not there any more`,
    remedy:
      'put gateway.key back from a backup, or choose an empty --state-dir: the new key begins a log and learns anew',
  });

const writeConfig = (file: string, options: InitOptions): void => {
  makeFolder(dirname(file), 0o755);
  try {
    writeFileSync(file, configText(options), { flag: 'wx', mode: 0o640 });
  } catch (cause) {
    throw unwritable(file, cause);
  }
};

const makeFolder = (folder: string, mode: number): void => {
  try {
    mkdirSync(folder, { recursive: true, mode });
  } catch (cause) {
    throw unwritable(folder, cause);
  }
};

const unwritable = (file: string, cause: unknown): AgentError =>
  new AgentError({
    code: 'config.unwritable',
    message: `cannot write ${file}: ${(cause as NodeJS.ErrnoException).code}`,
    remedy: 'choose a folder you may write to with -c and --state-dir',
    cause,
  });

/** The /24 around the first private address of this host; a home network where there is none. */
const ownRange = (): string => {
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal, address }) => family === 'IPv4' && !internal && PRIVATE.test(address));
  return own === undefined ? '192.168.1.0/24' : `${own.address.split('.').slice(0, 3).join('.')}.0/24`;
};

const PRIVATE = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/;

/** The file that `init` writes. Every setting and its unit: docs/configuration.md. */
export const configText = (
  options: Omit<InitOptions, 'config'>,
): string => `# Configuration of assayer. Check it with: assayer check-config
# Every setting with its default and unit is in docs/configuration.md.

gateway: ${scalar(options.gateway)}              # id of this gateway = certificate CN = MQTT client id
operator: ${scalar(options.operator)}            # domain of the operator
state_dir: ${scalar(options.stateDir)}           # store and signing key; mode 0700; back up the key, never copy it to a second gateway

# Labels travel with every statement; "site" and "tenant" have meaning to rules.
labels: { site: site-1 }

# Where the miners are. A range is searched and ids follow the machine; a host is a position.
devices:
  - range: ${scalar(options.range)}
    # credentials: stock
    # labels: { building: B2 }
  # - host: 10.20.15.7
  #   name: b2-r14-07

# Read-only log-ins for web interfaces that ask for one. Passwords live in files or environment variables, never here.
# credentials:
#   stock: { user: root, password_file: /etc/assayer/secrets/stock, families: [antminer-stock] }

# Families that assayer does not know, each in a driver file of yours: docs/write-a-driver.md.
# drivers: [ drivers/acme.yaml ]

# When rounds open (cron, UTC). A pools round asks for pools and liveness, a config round asks for everything.
schedule:
  pools: "* * * * *"
  config: "*/15 * * * *"
  # Seldom: static web pages, and the keys that the TLS and SSH ports show without a log-in. \`off\`: never touched.
  # web: "17 */6 * * *"
  # tls: "23 1 * * *"
  # ssh: "29 2 * * *"
  # Which management ports accept a connection; nothing is sent.
  # ports: "41 3 * * 0"

# The only pools that may be used here. Without this list the check pool.outside-allowlist does not run.
# pools:
#   allow:
#     - { url: "stratum+tcp://*.pool.example:3333", user: "acme.*" }

# Whose devices are, each tenant with a list of its own; devices also by label, range or id, from and until a time.
# tenants:
#   acme: { allow: [ { url: "*.pool.example", user: "acme.*" } ] }

# Firmware that is approved, and versions with known errors; both also in a file of their own (file: firmware.yaml).
# firmware:
#   approved: [ { family: whatsminer, version: "20230911.*" } ]
#   advisories: [ { id: CVE-2026-1234, family: axeos, fixed_in: 2.9.0 } ]

${options.broker === undefined ? BROKER_COMMENT : brokerText(options.broker)}`;

/** A text on one line of YAML, whatever it holds. */
const scalar = (text: string): string =>
  stringify(text, { lineWidth: 0, defaultStringType: /^[^\s"\\]+$/.test(text) ? 'PLAIN' : 'QUOTE_DOUBLE' }).trimEnd();

const brokerText = (url: string): string =>
  [
    '# Where the attestations go.',
    'mqtt:',
    `  url: ${scalar(url)}`,
    ...(url.startsWith('mqtts:') ? [`  ca: ${publicAuthorities()}   # or the file of your own authority`] : []),
    '  # cert: /etc/assayer/gw.pem',
    '  # key: /etc/assayer/gw.key',
    '',
  ].join('\n');

/** Where Debian, Fedora and others keep the authorities that browsers trust. */
const PUBLIC_CA = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
] as const;

const publicAuthorities = (): string => PUBLIC_CA.find((file) => existsSync(file)) ?? PUBLIC_CA[0];

const BROKER_COMMENT = `# Where the attestations go. Without it they stay in the local log.
# mqtt:
#   url: mqtts://broker.example.org:8883
#   ca: /etc/assayer/ca.pem
#   cert: /etc/assayer/gw.pem
#   key: /etc/assayer/gw.key
`;
