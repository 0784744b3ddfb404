import { type ChannelName, topicOn } from '../../shared/channels.ts';
import { isId, isPrefix } from '../../shared/ids.ts';
import type { Severity } from '../appraise/finding.ts';

/** What somebody said to this gateway, or to all, by its topic. */
export type Channel =
  | { readonly kind: 'conn' | 'other' }
  | {
      readonly kind: 'ack' | 'cosig' | 'cmd' | 'presence' | 'epoch' | 'rollcall';
      readonly collector: string;
    }
  | { readonly kind: 'ref'; readonly terms: string };

/** Every topic one gateway writes and reads (mqtt.md §2). Topics route; they are never evidence. */
export interface Topics {
  /** Every log entry, in `seq` order. */
  readonly log: string;
  /** The newest signed checkpoint. */
  readonly cp: string;
  /** Answers to the requests of a collector. */
  readonly rsp: (collector: string) => string;
  /** What to subscribe to. */
  readonly filters: readonly string[];
  /** What a topic of these filters is for. */
  readonly read: (topic: string) => Channel;
  /** Presence: `online`, `stopped`, or the will `lost`. */
  readonly conn: string;
  /** Mirror: the newest attestation of one device. */
  readonly dev: (device: string) => string;
  /** Mirror: transitions of confirmed findings. */
  readonly finding: (severity: Severity) => string;
  /** The mirrors that one tenant may read, and what was covered of its devices. */
  readonly tenant: (tenant: string) => TenantTopics;
}

/** Topics about the devices of one tenant. */
export interface TenantTopics extends Pick<Topics, 'dev' | 'finding'> {
  readonly coverage: string;
}

/** The topics of a gateway. Throws a plain Error for an id that broke the rule: ids are formed by us, never by a device. */
export const topicsOf = (prefix: string, gateway: string): Topics => {
  if (!isPrefix(prefix)) throw new Error(`not a topic prefix: ${JSON.stringify(prefix)}`);
  level(gateway);
  const on = (channel: ChannelName, names = {}): string => topicOn(channel, prefix, { gateway, ...names });
  const from = (channel: ChannelName): string => on(channel, { collector: '' });
  const conn = on('conn');
  const terms = on('ref', { terms: '' });
  const heard: readonly (readonly [folder: string, kind: Exclude<Channel['kind'], 'conn' | 'other' | 'ref'>])[] = [
    [from('ack'), 'ack'],
    [from('cosig'), 'cosig'],
    [from('cmd'), 'cmd'],
    [from('collector'), 'presence'],
    [from('epoch'), 'epoch'],
    [from('rollcall'), 'rollcall'],
  ];
  return {
    filters: [conn, ...heard.map(([folder]) => `${folder}+`), `${terms}+`],
    read: (topic) => {
      if (topic === conn) return { kind: 'conn' };
      if (topic.startsWith(terms)) return { kind: 'ref', terms: topic.slice(terms.length) };
      const found = heard.find(([folder]) => topic.startsWith(folder));
      const collector = found === undefined ? '' : topic.slice(found[0].length);
      return found === undefined || !isId(collector) ? { kind: 'other' } : { kind: found[1], collector };
    },
    log: on('log'),
    cp: on('cp'),
    rsp: (collector) => on('rsp', { collector: level(collector) }),
    conn,
    dev: (device) => on('dev', { device: level(device) }),
    finding: (severity) => on('finding', { severity }),
    tenant: (name) => {
      const tenant = level(name);
      return {
        dev: (device) => on('tenantDev', { tenant, device: level(device) }),
        finding: (severity) => on('tenantFinding', { tenant, severity }),
        coverage: on('tenantCoverage', { tenant }),
      };
    },
  };
};

const level = (id: string): string => {
  if (!isId(id)) throw new Error(`not an id: ${JSON.stringify(id)}`);
  return id;
};
