import { X509Certificate } from 'node:crypto';
import { AgentError } from '../../platform/errors.ts';
import { type Broker, brokersOf, type MqttSettings } from '../../publish/broker.ts';
import { type Credentials, readCredentials } from '../../publish/credentials.ts';
import { describeEnding, type Ending, REASON } from '../../publish/ending.ts';
import { type Trial, tryBroker } from '../../publish/trial.ts';
import type { UplinkStatus } from '../../publish/uplink.ts';
import { type Check, fail, ok, type Result, type Visit, warn } from './result.ts';

const DAY_MS = 86_400_000;
const SOON_MS = 30 * DAY_MS;

/** The way to the broker: files, name, TLS, MQTT. A running agent says itself how it stands; another connection proves less. */
export const broker: Check = {
  name: 'broker',
  run: async (visit) => {
    const { mqtt, gateway } = visit.config;
    if (mqtt === undefined) return [ok('none configured: entries stay in the local log')];
    const credentials = readCredentials(mqtt, gateway);
    const own = credentials.cert === undefined ? [] : expiry('the client certificate', endOf(credentials.cert), visit);
    if (!(visit.agent instanceof AgentError)) return [...own, ...uplink(visit.agent.uplink)];
    const trials = await Promise.all(brokersOf(mqtt).map((each) => trial(each, { mqtt, credentials, visit })));
    return [...own, ...trials.flat()];
  },
};

const endOf = (pem: Buffer): number => Date.parse(new X509Certificate(pem).validTo);

const expiry = (what: string, endsMs: number, { nowMs }: Visit): readonly Result[] => {
  const day = new Date(endsMs).toISOString().slice(0, 10);
  const remedy = 'renew it; the agent reads new files by itself, within a minute';
  if (endsMs <= nowMs) return [fail(`${what} ended on ${day}`, remedy)];
  return [endsMs - nowMs <= SOON_MS ? warn(`${what} ends on ${day}`, remedy) : ok(`${what} is valid until ${day}`)];
};

const uplink = (status: UplinkStatus | null): readonly Result[] => {
  if (status === null)
    return [fail('the running agent has no broker', 'make it read the configuration again: kill -HUP <pid>')];
  const { state, broker: url, lastError, held, cursor, size } = status;
  if (held !== undefined) return [fail(`the agent holds entries back: ${held.message}`, 'assayer status says more')];
  if (state === 'connected') return [ok(`the agent is connected to ${url}, ${cursor} of ${size} entries taken`)];
  return [fail(`the agent is not connected to ${url}: ${lastError?.message ?? state}`, 'assayer status says more')];
};

const trial = async (
  each: Broker,
  { mqtt, credentials, visit }: { mqtt: MqttSettings; credentials: Credentials; visit: Visit },
): Promise<readonly Result[]> => {
  const result = await tryBroker(each, { settings: mqtt, credentials, gateway: visit.config.gateway });
  const { certificateEndsMs } = result;
  return [
    ...(certificateEndsMs === undefined ? [] : expiry(`the certificate of ${each.url}`, certificateEndsMs, visit)),
    verdict(each, result),
  ];
};

const verdict = ({ url, tls }: Broker, { addresses, protocol, ending }: Trial): Result => {
  if (ending !== undefined) return fail(`${url}: ${describeEnding(ending)}`, remedyOf(ending));
  const text = `${url} (${addresses.join(', ')}) accepts this gateway over MQTT ${protocol}`;
  return tls ? ok(text) : warn(`${text}, without TLS`, 'use mqtts:// wherever the line leaves this host');
};

const remedyOf = (ending: Ending): string => {
  switch (ending.kind) {
    case 'network':
    case 'timeout':
      return 'check url, name service, route and firewall from this host';
    case 'tls':
      return 'check ca, cert, key and tls_min under mqtt, and that the name in url is in the certificate of the broker';
    case 'refused':
      return REFUSED[ending.reason] ?? 'look at the log of the broker';
    default:
      return 'look at the log of the broker';
  }
};

const REFUSED: { readonly [reason: number]: string } = {
  [REASON.badCredentials]: 'check username and password_file under mqtt',
  [REASON.notAuthorised]: 'check username, password_file and certificate, and that the broker lets this gateway in',
  [REASON.clientIdInvalid]: 'this check uses a client id of its own; start the agent and look at: assayer status',
};
