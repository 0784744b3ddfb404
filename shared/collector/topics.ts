import { type ChannelName, topicOn } from '../channels.ts';
import { isId, isPrefix } from '../ids.ts';

/** The topics of a collector (mqtt.md §2). A topic routes; it is never evidence. */

/** What a topic is for, as far as it concerns a collector. */
export type Channel =
  | { readonly kind: 'log' | 'cp' | 'conn'; readonly gateway: string }
  | { readonly kind: 'cosig'; readonly gateway: string; readonly collector: string }
  | { readonly kind: 'rsp'; readonly gateway: string; readonly collector: string }
  | { readonly kind: 'epoch'; readonly collector: string }
  | { readonly kind: 'trust' };

export interface CollectorTopics {
  /** What to subscribe to, with QoS 1. Mirrors are left out: the log has everything. */
  readonly filters: readonly string[];
  /** Undefined for a topic that does not concern a collector. */
  readonly read: (topic: string) => Channel | undefined;
  readonly ack: (gateway: string) => string;
  readonly cosig: (gateway: string) => string;
  readonly cmd: (gateway: string) => string;
  readonly rollcall: string;
  /** Markers of time that this collector issues. */
  readonly epoch: string;
  /** Presence of this collector. */
  readonly presence: string;
}

/** The topics of collector `id` under a prefix. Throws for an id or prefix that breaks the rule. */
export const collectorTopics = (prefix: string, id: string): CollectorTopics => {
  if (!isPrefix(prefix)) throw new Error(`not a topic prefix: ${JSON.stringify(prefix)}`);
  if (!isId(id)) throw new Error(`not a collector id: ${JSON.stringify(id)}`);
  const base = `${prefix}/v1`;
  const all = { gateway: '+', collector: '+' };
  const on = (channel: ChannelName, names = {}): string => topicOn(channel, prefix, { collector: id, ...names });
  return {
    filters: [
      on('log', all),
      on('cp', all),
      on('conn', all),
      on('cosig', all),
      on('rsp', { gateway: '+' }),
      on('epoch', all),
      on('trust'),
    ],
    read: (topic) => (topic.startsWith(`${base}/`) ? channelOf(topic.slice(base.length + 1).split('/')) : undefined),
    ack: (gateway) => on('ack', { gateway }),
    cosig: (gateway) => on('cosig', { gateway }),
    cmd: (gateway) => on('cmd', { gateway }),
    rollcall: on('rollcall'),
    epoch: on('epoch'),
    presence: on('collector'),
  };
};

const channelOf = ([first = '', area = '', last, ...more]: readonly string[]): Channel | undefined => {
  if (more.length > 0) return undefined;
  if (first === '_fleet') return fleetChannel(area, last);
  if (!isId(first)) return undefined;
  if (last === undefined)
    return area === 'log' || area === 'cp' || area === 'conn' ? { kind: area, gateway: first } : undefined;
  if ((area !== 'cosig' && area !== 'rsp') || !isId(last)) return undefined;
  return { kind: area, gateway: first, collector: last };
};

const fleetChannel = (area: string, collector: string | undefined): Channel | undefined => {
  if (area === 'trust' && collector === undefined) return { kind: 'trust' };
  return area === 'epoch' && collector !== undefined && isId(collector) ? { kind: 'epoch', collector } : undefined;
};
