import type { Severity } from '../appraise/finding.ts';

/** Every topic one gateway writes (mqtt.md §2). Topics route; they are never evidence. */
export interface Topics {
  /** Every log entry, in `seq` order. */
  readonly log: string;
  /** Presence: `online`, `stopped`, or the will `lost`. */
  readonly conn: string;
  /** Mirror: the newest attestation of one device. */
  readonly dev: (device: string) => string;
  /** Mirror: transitions of confirmed findings. */
  readonly finding: (severity: Severity) => string;
}

const ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** True for the ids that may be a topic level: gateway, collector, device, tenant. No `/ + # $ _` (mqtt.md §2). */
export const isId = (text: string): boolean => ID.test(text);

/** True for a prefix of one or two levels, each of the form of an id. */
export const isPrefix = (text: string): boolean => {
  const levels = text.split('/');
  return levels.length <= 2 && levels.every(isId);
};

/** The topics of a gateway. Throws a plain Error for an id that broke the rule: ids are formed by us, never by a device. */
export const topicsOf = (prefix: string, gateway: string): Topics => {
  if (!isPrefix(prefix)) throw new Error(`not a topic prefix: ${JSON.stringify(prefix)}`);
  const own = `${prefix}/v1/${level(gateway)}`;
  return {
    log: `${own}/log`,
    conn: `${own}/conn`,
    dev: (device) => `${own}/dev/${level(device)}`,
    finding: (severity) => `${own}/finding/${severity}`,
  };
};

const level = (id: string): string => {
  if (!isId(id)) throw new Error(`not an id: ${JSON.stringify(id)}`);
  return id;
};
