import { hash } from 'node:crypto';
import { isId } from '../../shared/ids.ts';
import { AgentError } from '../platform/errors.ts';

/** The gateways that one process serves; `named` where they were listed, so that nothing else has to be subscribed. */
export interface Share {
  readonly serves: (gateway: string) => boolean;
  readonly named?: readonly string[];
  /** Distinguishes the client of this process from those that serve the rest. */
  readonly suffix?: string;
}

export const EVERYTHING: Share = { serves: () => true };

/** The gateways of a list, `gw-1,gw-2`. Throws `usage.gateways`. */
export const listed = (list: string): Share => {
  const named = [...new Set(list.split(',').map((name) => name.trim()))];
  const wrong = named.find((name) => !isId(name));
  if (wrong !== undefined) {
    throw new AgentError({
      code: 'usage.gateways',
      message: `${JSON.stringify(wrong)} is no gateway id`,
      remedy: 'list the ids as the gateways have them, with commas: --gateways tx1-gw1,tx1-gw2',
    });
  }
  return { serves: (gateway) => named.includes(gateway), named };
};

/**
 * Part `i` of `n`, written `i/n`: a gateway belongs to part SHA-256(id) mod n, in every release and on every machine. Throws
 * `usage.shard`.
 */
export const sharded = (part: string): Share => {
  const [, i, n] = /^([1-9]\d{0,3})\/([1-9]\d{0,3})$/.exec(part) ?? [];
  const [own, parts] = [Number(i), Number(n)];
  if (!(own <= parts)) {
    throw new AgentError({
      code: 'usage.shard',
      message: `${JSON.stringify(part)} is no part of a fleet`,
      remedy: 'give each worker its number and how many there are: --shard 1/3, --shard 2/3, --shard 3/3',
    });
  }
  return { serves: (gateway) => partOf(gateway, parts) === own, suffix: `${own}of${parts}` };
};

const partOf = (gateway: string, parts: number): number => {
  const digest = Buffer.from(hash('sha256', gateway, 'hex'), 'hex');
  return (digest.readUInt32BE(0) % parts) + 1;
};

/** Most gateways whose topics are subscribed one by one; for more the broker is asked for all. */
const MOST_FILTERED = 100;

/** The filters of a collector, for the gateways that were named where these are not too many. */
export const filtersFor = (filters: readonly string[], { named = [] }: Share): readonly string[] => {
  if (named.length === 0 || named.length > MOST_FILTERED) return filters;
  return filters.flatMap((filter) =>
    /\/v1\/\+\//.test(filter) ? named.map((gateway) => filter.replace('/v1/+/', `/v1/${gateway}/`)) : [filter],
  );
};
