/**
 * Every topic below `<prefix>/v1`, and how a message on it is published (mqtt.md §2, §3): with QoS 1; `ack` with QoS 0
 * where it would have to wait for answers (docs/decisions/0014). Agent and collector make their topics of this table, and
 * docs/interface/asyncapi.yaml is written from it.
 */

const STATEMENT = 'application/vnd.miner-attestation+json';
const JSON_TEXT = 'application/json';

/** How a message is published. `expiryS` and `contentType` are conveniences of MQTT 5. */
export interface Publishing {
  readonly retain: boolean;
  readonly expiryS?: number;
  readonly contentType: string;
}

interface ChannelRow extends Publishing {
  /** Names in braces are ids, `severity` is that of a finding. */
  readonly path: string;
}

export const CHANNELS = {
  log: { path: '{gateway}/log', retain: false, expiryS: 3_600, contentType: STATEMENT },
  cp: { path: '{gateway}/cp', retain: true, expiryS: 86_400, contentType: `${STATEMENT};type=cp` },
  conn: { path: '{gateway}/conn', retain: true, expiryS: 900, contentType: JSON_TEXT },
  ack: { path: '{gateway}/ack/{collector}', retain: false, expiryS: 60, contentType: JSON_TEXT },
  cosig: { path: '{gateway}/cosig/{collector}', retain: true, contentType: JSON_TEXT },
  cmd: { path: '{gateway}/cmd/{collector}', retain: false, expiryS: 60, contentType: JSON_TEXT },
  rsp: { path: '{gateway}/rsp/{collector}', retain: false, expiryS: 300, contentType: JSON_TEXT },
  dev: { path: '{gateway}/dev/{device}', retain: true, contentType: STATEMENT },
  finding: { path: '{gateway}/finding/{severity}', retain: false, expiryS: 3_600, contentType: STATEMENT },
  ref: { path: '{gateway}/ref/{terms}', retain: true, contentType: JSON_TEXT },
  tenantDev: { path: '{gateway}/tenant/{tenant}/dev/{device}', retain: true, contentType: STATEMENT },
  tenantFinding: {
    path: '{gateway}/tenant/{tenant}/finding/{severity}',
    retain: false,
    expiryS: 3_600,
    contentType: STATEMENT,
  },
  tenantCoverage: { path: '{gateway}/tenant/{tenant}/coverage', retain: false, expiryS: 3_600, contentType: STATEMENT },
  collector: { path: '_fleet/collector/{collector}', retain: true, expiryS: 900, contentType: JSON_TEXT },
  epoch: { path: '_fleet/epoch/{collector}', retain: true, expiryS: 900, contentType: JSON_TEXT },
  rollcall: { path: '_fleet/rollcall/{collector}', retain: false, expiryS: 60, contentType: JSON_TEXT },
  trust: { path: '_fleet/trust', retain: true, contentType: JSON_TEXT },
} as const satisfies { readonly [name: string]: ChannelRow };

export type ChannelName = keyof typeof CHANNELS;

/** How long the end of a presence stays, by whomever it was told. */
export const GONE_EXPIRY_S = 86_400;

/** How messages of a channel are published. */
export const publishingOn = (channel: ChannelName): Publishing => {
  const { path: _path, ...publishing }: ChannelRow = CHANNELS[channel];
  return publishing;
};

/** A topic or filter of a channel. Ids are checked by who forms them. */
export const topicOn = (channel: ChannelName, prefix: string, names: { readonly [name: string]: string }): string =>
  `${prefix}/v1/${CHANNELS[channel].path.replaceAll(/\{(\w+)\}/g, (_braced, name: string) => {
    const id = names[name];
    if (id === undefined) throw new Error(`a topic of ${channel} needs a ${name}`);
    return id;
  })}`;
