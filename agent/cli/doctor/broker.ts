import { X509Certificate } from 'node:crypto';
import { AgentError } from '../../platform/errors.ts';
import { type Broker, brokersOf, type MqttSettings } from '../../publish/broker.ts';
import { type Credentials, commonName, readCredentials } from '../../publish/credentials.ts';
import { describeEnding, type Ending, reasonText } from '../../publish/ending.ts';
import { Sessions } from '../../publish/presence.ts';
import type { ReceiverStatus } from '../../publish/receivers.ts';
import { remedyOf } from '../../publish/remedy.ts';
import { topicsOf } from '../../publish/topics.ts';
import { type Rights, type Trial, type TrialOptions, tryBroker } from '../../publish/trial.ts';
import type { UplinkStatus } from '../../publish/uplink.ts';
import { earlierBoots } from '../../record/boots.ts';
import { Store } from '../../record/store.ts';
import { type Check, fail, ok, type Result, type Visit, warn } from './result.ts';

const DAY_MS = 86_400_000;
const SOON_MS = 30 * DAY_MS;

/** The way to the broker: files, name, TLS, MQTT, rights. A running agent says itself how it stands; another connection proves less. */
export const broker: Check = {
  name: 'broker',
  run: async (visit) => {
    const { mqtt, gateway } = visit.config;
    if (mqtt === undefined) return [ok('none configured: entries stay in the local log')];
    const credentials = readCredentials(mqtt, gateway);
    const own = ownCertificate(credentials, visit);
    if (!(visit.agent instanceof AgentError)) return [...own, ...uplink(visit.agent.uplink)];
    if (visit.agent.code !== 'agent.not-running') return [...own, unasked(visit.agent)];
    const options = { ...fromStore(visit), settings: mqtt, credentials, gateway };
    const results: Result[] = [];
    // One after the other: to two names of one broker it would be two clients of one id.
    for (const each of brokersOf(mqtt)) results.push(...(await trial(each, options, visit)));
    return [...own, ...results];
  },
};

/** Dates of the client certificate, and whose it is: brokers take the name of the gateway from it. */
const ownCertificate = ({ cert }: Credentials, visit: Visit): readonly Result[] => {
  if (cert === undefined) return [];
  const { validFrom, validTo } = new X509Certificate(cert);
  const { gateway } = visit.config;
  const name = commonName(cert);
  return [
    ...(Date.parse(validFrom) > visit.nowMs
      ? [fail(`the client certificate is not valid before ${validFrom}`, CLOCK_REMEDY)]
      : expiry('the client certificate', Date.parse(validTo), visit)),
    ...(name === gateway
      ? []
      : [
          warn(
            `the client certificate is of ${JSON.stringify(name)}, and this gateway is ${JSON.stringify(gateway)}`,
            `issue one whose common name is ${gateway}: brokers bind client id, user name and topics to it`,
          ),
        ]),
  ];
};

const CLOCK_REMEDY = 'set the clock of this host: timedatectl; where it is right, issue the certificate anew';

const expiry = (what: string, endsMs: number, { nowMs }: Visit): readonly Result[] => {
  const day = new Date(endsMs).toISOString().slice(0, 10);
  const remedy = 'renew it; the agent reads new files by itself, within a minute';
  if (endsMs <= nowMs) return [fail(`${what} ended on ${day}`, remedy)];
  return [endsMs - nowMs <= SOON_MS ? warn(`${what} ends on ${day}`, remedy) : ok(`${what} is valid until ${day}`)];
};

const uplink = (status: UplinkStatus | null): readonly Result[] => {
  if (status === null)
    return [fail('the running agent has no broker', 'make it read the configuration again: kill -HUP <pid>')];
  const { state, broker: url, lastError, held, refused = [], cursor, size } = status;
  const without = refused.map((topic) => fail(`the broker does not let the agent publish to ${topic}`, LIST));
  if (held !== undefined) return [...without, fail(`the agent holds entries back: ${held.message}`, held.remedy)];
  if (state !== 'connected') {
    const why = lastError?.message ?? state;
    return [fail(`the agent is not connected to ${url}: ${why}`, lastError?.remedy ?? 'assayer status says more')];
  }
  const connected = ok(`the agent is connected to ${url}, ${cursor} of ${size} entries taken`);
  return [...without, connected, ...status.collectors.flatMap(missing)];
};

/** Others go on without it, so nothing is held back: its entries wait in the log. */
const missing = ({ collector, state, lag, problem }: ReceiverStatus): readonly Result[] => {
  if (problem !== undefined) return [fail(problem.message, problem.remedy)];
  return state === 'online'
    ? []
    : [
        warn(
          `the required collector ${collector} is away, ${lag} entries wait for it`,
          `start it: assayer collect <broker-url> --id ${collector}`,
        ),
      ];
};

/** Another connection could put out the one of the agent: brokers may take the client id from the certificate. */
const unasked = ({ message, remedy }: AgentError): Result =>
  warn(`the broker is not tried: ${message}, and a connection from here could end the one it has`, remedy);

/** What the store and its folder tell: our own sessions, and an entry that was sent before, or is the first to be sent. */
const fromStore = ({ config, nowMs }: Visit): Pick<TrialOptions, 'sessions' | 'entry' | 'nowS'> => {
  const nowS = Math.floor(nowMs / 1000);
  const sessionsOf = (store: Store | undefined): Sessions => {
    const boots = earlierBoots(config.state_dir, store);
    return new Sessions('', (seed) => boots.has(seed));
  };
  try {
    using store = Store.openReadOnly(config.state_dir);
    const entry = store.entry(Math.max(0, store.cursor('mqtt') - 1));
    return { nowS, sessions: sessionsOf(store), entry };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    // The check of the store says what is wrong with it.
    return { nowS, sessions: sessionsOf(undefined), entry: undefined };
  }
};

const trial = async (each: Broker, options: TrialOptions, visit: Visit): Promise<readonly Result[]> => {
  const result = await tryBroker(each, options);
  const { certificateEndsMs } = result;
  return [
    ...(certificateEndsMs === undefined ? [] : expiry(`the certificate of ${each.url}`, certificateEndsMs, visit)),
    verdict(each, result, options),
    ...(result.rights === undefined ? [] : rightsResults(each, result.rights, options)),
  ];
};

const verdict = ({ url, tls }: Broker, trial: Trial, { gateway, credentials }: TrialOptions): Result => {
  const { addresses, protocol, ending, speaks, idRefused, online } = trial;
  if (speaks !== undefined)
    return fail(
      `${url}: what listens there speaks ${speaks}`,
      speaks === 'TLS' ? 'use mqtts:// with ca, or the port without TLS' : 'use the port of its TLS, usually 8883',
    );
  if (idRefused === true && ending !== undefined)
    return fail(
      `${url}: ${describeEnding(ending)}: it lets this user in, but not with the client id ${gateway}`,
      `allow the client id ${gateway} for this user at the broker: docs/broker.md`,
    );
  if (ending !== undefined) return fail(`${url}: ${describeEnding(ending)}`, remedyFor(ending, credentials));
  if (online !== undefined)
    return online.isOwn
      ? warn(
          `${url} says that ${gateway} is online (session ${online.session}), and no agent of it runs here: it was killed, or a copy of its state_dir is used elsewhere`,
          `start the agent here, or stop the copy; ${DISTURBED}`,
        )
      : fail(
          `${url}: somebody is online as ${gateway} (session ${online.session}): another agent, or what one that was killed has left`,
          `if there is another one, stop it, or give it an id, a key and a certificate of its own; else the agent finds out by itself, within six minutes; ${DISTURBED}`,
        );
  const text = `${url} (${addresses.join(', ')}) accepts this gateway over MQTT ${protocol}`;
  return tls ? ok(text) : warn(`${text}, without TLS`, 'use mqtts:// wherever the line leaves this host');
};

const DISTURBED =
  'where the broker takes client ids from certificates, this check has put it out for a moment, or kept the broker from calling it lost';

const remedyFor = (ending: Ending, { username, cert }: Credentials): string =>
  ending.kind === 'refused' && username === undefined && cert === undefined
    ? `this gateway shows neither user name nor certificate: set password_file, or cert and key; else ${remedyOf(ending)}`
    : remedyOf(ending);

const LIST = 'allow it in the access list of the broker: docs/broker.md';

/** A collector that is not heard may be away, or kept from us: a broker need not refuse what it does not deliver. */
const rightsResults = (
  { url }: Broker,
  { filters, log, collectors }: Rights,
  { settings, gateway }: { readonly settings: MqttSettings; readonly gateway: string },
): readonly Result[] => {
  const topics = topicsOf(settings.prefix, gateway);
  const silent = settings.collectors.filter((collector) => !collectors.includes(collector));
  return [
    ...(filters === undefined
      ? []
      : [
          fail(
            `${url} refuses the subscription of ${gateway}: ${reasonText(filters)}`,
            `${LIST}; ${topics.filters.join(' ')}`,
          ),
        ]),
    ...(log === undefined ? [] : [fail(`${url} refuses entries on ${topics.log}: ${reasonText(log)}`, LIST)]),
    ...silent.map((collector) =>
      warn(
        `${url} says nothing of the required collector ${collector}: it is not connected, or this gateway may not read ${settings.prefix}/v1/_fleet/collector/${collector}`,
        `start it: assayer collect ${url} --id ${collector}; and look at the access list of the broker: docs/broker.md`,
      ),
    ),
  ];
};
