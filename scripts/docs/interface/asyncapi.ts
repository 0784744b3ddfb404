import { stringify } from 'yaml';
import { CHANNELS, type ChannelName, GONE_EXPIRY_S, publishingOn } from '../../../shared/channels.ts';
import { PAYLOADS, type PayloadName } from './payloads.ts';

/** Who speaks or listens. `display` is whatever shows the mirrors, `tenant` whoever the devices are assigned to. */
type Party = 'gateway' | 'collector' | 'display' | 'tenant' | 'authority' | 'approver';

interface Conversation {
  readonly title: string;
  readonly description: string;
  readonly messages: readonly PayloadName[];
  readonly from: Party;
  readonly to: readonly Party[];
}

const ENTRIES = ['session', 'baseline', 'change', 'attestation', 'finding', 'coverage', 'key'] as const;

/** What each channel of the table is for: who says what to whom. */
export const CONVERSATIONS: { readonly [Name in ChannelName]: Conversation } = {
  log: {
    title: 'The log',
    description: 'Every entry of the log, byte for byte, in the order of `seq`, live and sent again.',
    messages: ENTRIES,
    from: 'gateway',
    to: ['collector'],
  },
  cp: {
    title: 'Checkpoint',
    description: 'The newest checkpoint, every minute while the log grows, else every five minutes.',
    messages: ['checkpoint'],
    from: 'gateway',
    to: ['collector', 'display', 'tenant'],
  },
  conn: {
    title: 'Presence of a gateway',
    description: '`online` after each connect and every five minutes, `stopped` before it leaves, `lost` as its will.',
    messages: ['conn'],
    from: 'gateway',
    to: ['collector', 'display'],
  },
  ack: {
    title: 'Acknowledgement',
    description:
      'After the commit of the collector, at most five a second, after each connect, and every minute while idle; with QoS 0 where ' +
      'one with QoS 1 would have to wait behind answers. It moves what the ' +
      'gateway sends only where the collector is in its `mqtt.collectors`.',
    messages: ['ack'],
    from: 'collector',
    to: ['gateway'],
  },
  cosig: {
    title: 'Cosigned checkpoint',
    description:
      'The newest checkpoint that a collector cosigned: the receipt that permits a gateway to remove old entries.',
    messages: ['cosig'],
    from: 'collector',
    to: ['gateway', 'collector'],
  },
  cmd: {
    title: 'Requests',
    description: 'Never retained. Answered on `rsp` of the same collector, wherever a response topic points.',
    messages: ['cmd'],
    from: 'collector',
    to: ['gateway'],
  },
  rsp: {
    title: 'Answers',
    description: 'To the requests of one collector. Correlation data of the request comes back.',
    messages: ['rsp'],
    from: 'gateway',
    to: ['collector'],
  },
  dev: {
    title: 'Mirror: a device',
    description:
      'For displays: the newest attestation of one device, the same signed bytes as in the log. Best effort, not evidence of order or ' +
      'completeness, and off above 500 devices unless `mqtt.mirror` is `on`.',
    messages: ['attestation'],
    from: 'gateway',
    to: ['display'],
  },
  finding: {
    title: 'Mirror: findings',
    description:
      'For displays: each transition of a confirmed finding, the same signed bytes as in the log. Best effort.',
    messages: ['finding'],
    from: 'gateway',
    to: ['display'],
  },
  ref: {
    title: 'Terms of approvers',
    description:
      'A reference, plan or waiver for this gateway, named as it names itself. The gateway adopts it where enough of its approvers signed it, once; the log says so. ' +
      'Ending it takes the gateway: an empty message only keeps new ones from hearing of it.',
    messages: ['terms'],
    from: 'approver',
    to: ['gateway'],
  },
  tenantDev: {
    title: 'Mirror: a device of a tenant',
    description:
      'For the tenant in the label `tenant` of the device: the newest attestation, as on `dev`. Cleared when the device leaves or goes to ' +
      'another tenant.',
    messages: ['attestation'],
    from: 'gateway',
    to: ['tenant'],
  },
  tenantFinding: {
    title: 'Mirror: findings of a tenant',
    description:
      'For that tenant: each transition of a confirmed finding of one of its devices. A parent finding, which names many devices, is not here.',
    messages: ['finding'],
    from: 'gateway',
    to: ['tenant'],
  },
  tenantCoverage: {
    title: 'Mirror: coverage of a tenant',
    description:
      'For that tenant: the `coverage` entry of its devices, once in a period. Half an hour without one, while `cp` is fresh, is a sign.',
    messages: ['coverage'],
    from: 'gateway',
    to: ['tenant'],
  },
  collector: {
    title: 'Presence of a collector',
    description: '`online` after each connect and every five minutes, `stopped` before it leaves, `lost` as its will.',
    messages: ['collector'],
    from: 'collector',
    to: ['gateway'],
  },
  epoch: {
    title: 'Marker of time',
    description: 'Every five minutes. Gateways name the newest one in their entries.',
    messages: ['epoch'],
    from: 'collector',
    to: ['gateway', 'collector'],
  },
  rollcall: {
    title: 'Rollcall',
    description:
      'Every gateway publishes `conn` and `cp` again within `mqtt.spread_s`. To be sent after each connect: what a broker retains may be incomplete.',
    messages: ['rollcall'],
    from: 'collector',
    to: ['gateway'],
  },
  trust: {
    title: 'Manifest of trust',
    description: 'Which keys an authority vouches for.',
    messages: ['trust'],
    from: 'authority',
    to: ['collector'],
  },
};

export const CHANNEL_NAMES = Object.keys(CONVERSATIONS) as readonly ChannelName[];

const ID = 'lower case letters, digits and `-`, at most 63, not beginning with `-`';

const PARAMETERS = {
  prefix: {
    description: '`mqtt.prefix` of the configuration, one or two levels.',
    default: 'attest',
    examples: ['attest'],
  },
  gateway: {
    description: `Gateway id: client id, name in the certificate and middle part of the log's name; ${ID}.`,
    examples: ['tx1-gw3'],
  },
  collector: { description: `Collector id; ${ID}.`, examples: ['collector-a'] },
  device: { description: `Device id, as the gateway formed it; ${ID}.`, examples: ['tx1-b2-r14-07'] },
  terms: {
    description: `Name of the document: \`ref_id\`, \`plan_id\` or \`waiver_id\`; ${ID}.`,
    examples: ['site-pools'],
  },
  tenant: { description: `Label \`tenant\` of a device; ${ID}.`, examples: ['acme'] },
  severity: { description: 'Severity of the finding.', enum: ['info', 'low', 'medium', 'high', 'critical'] },
} as const;
type Parameter = keyof typeof PARAMETERS;

const addressOf = (channel: ChannelName): string => `{prefix}/v1/${CHANNELS[channel].path}`;

const parametersOf = (channel: ChannelName): readonly Parameter[] =>
  [...addressOf(channel).matchAll(/\{(\w+)\}/g)].map(([, name]) => {
    if (name === undefined || !(name in PARAMETERS)) throw new Error(`${channel}: what is ${name}?`);
    return name as Parameter;
  });

const MQTT = { bindingVersion: '0.2.0' } as const;

const channelOf = (channel: ChannelName): object => {
  const { title, description, messages } = CONVERSATIONS[channel];
  return {
    address: addressOf(channel),
    title,
    description,
    parameters: Object.fromEntries(
      parametersOf(channel).map((name) => [name, { $ref: `#/components/parameters/${name}` }]),
    ),
    messages: Object.fromEntries(messages.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
  };
};

const messageOf = (name: PayloadName): object => {
  const { title, description } = PAYLOADS[name];
  const [channel] = CHANNEL_NAMES.filter((each) => CONVERSATIONS[each].messages.includes(name));
  if (channel === undefined) throw new Error(`nobody publishes ${name}`);
  const { contentType } = publishingOn(channel);
  return {
    name,
    title,
    summary: description,
    contentType,
    ...(name === 'cmd' || name === 'rsp' ? { correlationId: { location: '$message.payload#/id' } } : {}),
    payload: { $ref: `./schemas/${name}.json` },
    bindings: { mqtt: { payloadFormatIndicator: 1, contentType, ...MQTT } },
  };
};

const sending = (channel: ChannelName, expiryS = publishingOn(channel).expiryS): object => ({
  qos: 1,
  retain: publishingOn(channel).retain,
  ...(expiryS === undefined ? {} : { messageExpiryInterval: expiryS }),
  ...MQTT,
});

/** What one party does on a channel. */
const operation = (
  {
    channel,
    party,
    action,
    summary = CONVERSATIONS[channel].title,
  }: { channel: ChannelName; party: Party; action: 'send' | 'receive'; summary?: string },
  mqtt: object = action === 'send' ? sending(channel) : { qos: 1, ...MQTT },
): object => ({
  action,
  channel: { $ref: `#/channels/${channel}` },
  summary,
  tags: [{ name: party }],
  messages: CONVERSATIONS[channel].messages.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` })),
  bindings: { mqtt },
  ...(channel === 'cmd'
    ? { reply: { channel: { $ref: '#/channels/rsp' }, messages: [{ $ref: '#/channels/rsp/messages/rsp' }] } }
    : {}),
});

const capital = (word: string): string => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

const operationsOf = (channel: ChannelName): readonly (readonly [name: string, object])[] => {
  const { from, to } = CONVERSATIONS[channel];
  return [
    [`${from}Sends${capital(channel)}`, operation({ channel, party: from, action: 'send' })],
    ...to.map(
      (party) => [`${party}Receives${capital(channel)}`, operation({ channel, party, action: 'receive' })] as const,
    ),
  ];
};

/** The end of a presence stays longer than presence itself, whether it was said or is the will. */
const goneOf = (channel: 'conn' | 'collector', party: Party): readonly [name: string, object] => [
  `${party}Leaves`,
  operation(
    { channel, party, action: 'send', summary: '`stopped`, or the will `lost`' },
    sending(channel, GONE_EXPIRY_S),
  ),
];

const DESCRIPTION = [
  'All topics of assayer, for gateways (the agent), collectors and displays. An operation belongs to the party in its name and tag.',
  'Payloads are JSON in UTF-8, described in JSON Schema 2020-12. QoS, retain flag, expiry and content type are conveniences: no ' +
    'receiver takes them, or the order of arrival, as evidence. Over MQTT 3.1.1 the same messages go without properties; `at` and ' +
    '`expires_at` in the payload say how old something is.',
  'A message that ends with `jws` is signed. Keep its bytes; how to verify them is in [Write a collector](../write-a-collector.md).',
].join('\n\n');

/** `docs/interface/asyncapi.yaml`: AsyncAPI 3.0, made of the table of topics that agent and collector use. */
const asyncApiDocument = (): object => {
  const carried = [...new Set(CHANNEL_NAMES.flatMap((channel) => CONVERSATIONS[channel].messages))];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'assayer',
      version: '1.0.0',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      broker: {
        host: 'broker.example.org:8883',
        protocol: 'secure-mqtt',
        protocolVersion: '5',
        description:
          'The broker of the operator, MQTT 5 or 3.1.1 over TLS 1.3. The client id is the id of the gateway or collector.',
        security: [{ $ref: '#/components/securitySchemes/certificate' }],
      },
    },
    channels: Object.fromEntries(CHANNEL_NAMES.map((channel) => [channel, channelOf(channel)])),
    operations: Object.fromEntries([
      ...CHANNEL_NAMES.flatMap(operationsOf),
      goneOf('conn', 'gateway'),
      goneOf('collector', 'collector'),
    ]),
    components: {
      parameters: PARAMETERS,
      messages: Object.fromEntries(carried.map((name) => [name, messageOf(name)])),
      securitySchemes: { certificate: { type: 'X509', description: 'Client certificate whose CN is the id.' } },
    },
  };
};

export const asyncApiYaml = (): string =>
  `# Generated by scripts/docs.ts from shared/channels.ts. Do not edit; run: npm run docs\n${stringify(asyncApiDocument(), { lineWidth: 120, aliasDuplicateObjects: false })}`;
