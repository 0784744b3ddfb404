import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { AgentError } from '../platform/errors.ts';
import { createKey, loadKey } from '../platform/keys.ts';
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

/** `init`: writes a commented configuration, makes the signing key, says what to do next. Never overwrites anything. */
export const initVerb = (program: Command, io: Io): void => {
  program
    .command('init')
    .description('write a commented configuration and make the signing key of this gateway')
    .option('-c, --config <file>', 'configuration file to write', 'assayer.yaml')
    .option('--gateway <id>', 'id of this gateway', idOf(hostname()))
    .option('--operator <domain>', 'domain of the operator', 'example.org')
    .option('--state-dir <folder>', 'folder of the store and the key', 'assayer-state')
    .option('--range <range>', 'addresses of the miners', ownRange())
    .option('--broker <url>', 'MQTT broker, e.g. mqtts://broker.example.org:8883')
    .action((options: InitOptions) => init(options, io));
};

const init = (options: InitOptions, io: Io): void => {
  const file = resolve(options.config);
  writeConfig(file, options);
  const { config } = loadConfig(file);
  const stateDir = config.state_dir;
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const existing = existsSync(resolve(stateDir, 'gateway.key'));
  const key = existing ? loadKey(stateDir) : createKey(stateDir);
  io.out.write(
    [
      `Configuration: ${file}`,
      `Signing key:   ${resolve(stateDir, 'gateway.key')} (mode 0600, ${existing ? 'kept' : 'new'})`,
      `Public key:    ${resolve(stateDir, 'gateway.jwk.json')} (give this to whoever verifies)`,
      `Key id:        ${key.kid}`,
      '',
      'Next:',
      `  1. edit ${options.config}: devices, credentials, mqtt`,
      `  2. assayer check-config -c ${options.config}`,
      `  3. assayer scan ${options.range}`,
      `  4. assayer run -c ${options.config}`,
      '',
    ].join('\n'),
  );
};

const writeConfig = (file: string, options: InitOptions): void => {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, configText(options), { flag: 'wx', mode: 0o640 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new AgentError({
      code: code === 'EEXIST' ? 'config.exists' : 'config.unwritable',
      message: code === 'EEXIST' ? `${file} exists and is left as it is` : `cannot write ${file}: ${code}`,
      remedy:
        code === 'EEXIST'
          ? 'name another file with -c, or remove it first'
          : 'choose a folder you may write to with -c',
      cause,
    });
  }
};

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

gateway: ${options.gateway}              # id of this gateway = certificate CN = MQTT client id
operator: ${options.operator}            # domain of the operator
state_dir: ${options.stateDir}           # store and signing key; mode 0700; back up the key, never copy it to a second gateway

# Labels travel with every statement; "site" and "tenant" have meaning to rules.
labels: { site: site-1 }

# Where the miners are. A range is searched and ids follow the machine; a host is a position.
devices:
  - range: ${options.range}
#   credentials: stock
#   labels: { building: B2 }
# - host: 10.20.15.7
#   name: b2-r14-07

# Read-only log-ins for web interfaces that ask for one. Passwords live in files or environment variables, never here.
# credentials:
#   stock: { user: root, password_file: /etc/assayer/secrets/stock }

# When rounds open (cron, UTC). A pools round asks for pools and liveness, a config round asks for everything.
schedule:
  pools: "* * * * *"
  config: "*/15 * * * *"

# The only pools that may be used here. Without this list the check pool.outside-allowlist does not run.
# pools:
#   allow:
#     - { url: "stratum+tcp://*.pool.example:3333", user: "acme.*" }

${options.broker === undefined ? BROKER_COMMENT : `mqtt:\n  url: ${options.broker}\n`}`;

const BROKER_COMMENT = `# Where the attestations go. Without it they stay in the local log.
# mqtt:
#   url: mqtts://broker.example.org:8883
#   ca: /etc/assayer/ca.pem
#   cert: /etc/assayer/gw.pem
#   key: /etc/assayer/gw.key
`;
