import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { command } from '../../agent/cli/program.ts';
import { parseTrustedKeys, type TrustedKeys } from '../../shared/index.ts';
import { LOGINS, MINERS, type Place } from './miners.ts';

/** What `assayer init` and an operator's editor leave behind. */
export interface Gateway {
  readonly config: string;
  readonly publicKey: string;
  readonly keys: TrustedKeys;
}

/** Makes a gateway as an operator would: `assayer init`, then the configuration is edited. */
export const prepareGateway = async (
  folder: string,
  { places, broker }: { readonly places: readonly Place[]; readonly broker: string },
): Promise<Gateway> => {
  const config = join(folder, 'assayer.yaml');
  const state = join(folder, 'state');
  await init(['--config', config, '--gateway', 'demo-gw', '--state-dir', state, '--broker', broker]);
  writePasswords(folder);
  writeFileSync(config, edited(readFileSync(config, 'utf8'), folder, places));
  const publicKey = join(state, 'gateway.jwk.json');
  return { config, publicKey, keys: parseTrustedKeys(JSON.parse(readFileSync(publicKey, 'utf8'))) };
};

const init = async (words: readonly string[]): Promise<void> => {
  const silent = { write: () => true };
  await command(['init', ...words], { out: silent, err: process.stderr, input: process.stdin });
};

const passwordFile = (folder: string, login: string): string => join(folder, `${login}.password`);

const writePasswords = (folder: string): void => {
  for (const [name, { password }] of Object.entries(LOGINS)) {
    writeFileSync(passwordFile(folder, name), `${password}\n`, { mode: 0o600 });
  }
};

/** The configuration of `init` with the miners of the demo and with short periods; its comments stay. */
const edited = (text: string, folder: string, places: readonly Place[]): string => {
  const document = parseDocument(text);
  document.set('devices', document.createNode(places.map(deviceEntry)));
  document.set(
    'credentials',
    Object.fromEntries(
      Object.entries(LOGINS).map(([name, { user }]) => [name, { user, password_file: passwordFile(folder, name) }]),
    ),
  );
  // The miners of the demo have no endpoint beside their interfaces, and port 22 here is that of this machine.
  const off = { web: 'off', tls: 'off', ssh: 'off' };
  document.set('schedule', { pools: EVERY_TEN_SECONDS, config: EVERY_TEN_SECONDS, ...off });
  document.set('confirm_s', 3);
  document.set('coverage_s', 10);
  document.setIn(['mqtt', 'protocol'], '3.1.1');
  document.setIn(['mqtt', 'spread_s'], 0);
  return document.toString();
};

const EVERY_TEN_SECONDS = '*/10 * * * * *';

const deviceEntry = ({ name, address, ports }: Place): object => {
  const credentials = MINERS.find((miner) => miner.name === name)?.credentials;
  return { host: address, name, ports, ...(credentials === undefined ? {} : { credentials }) };
};
