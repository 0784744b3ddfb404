import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { incarnationOf } from '../../shared/content.ts';
import type { LogEnd } from '../../shared/statement.ts';
import { storeFailure } from './failure.ts';

const FILE = 'log.json';

/**
 * The log that was last begun in this folder: a mark beside the store, so that a store that was lost or emptied is not
 * taken for a first start. Undefined where none was; without `origin` where the mark cannot be read.
 */
export const lastBegun = (stateDir: string): { readonly origin?: string } | undefined => {
  let text: string;
  try {
    text = readFileSync(join(stateDir, FILE), 'utf8');
  } catch {
    return undefined;
  }
  const origin = /^\{"log":"([^"\\]+)"\}\n$/.exec(text)?.[1];
  return origin === undefined ? {} : { origin };
};

/**
 * Leaves the mark, before anything of the log is published, and where a log was begun before, before this one gets its first entry: whatever
 * ends the process then, no other log takes this origin. Throws `store.*` where it cannot.
 */
export const markBegun = (stateDir: string, origin: string): void => {
  if (lastBegun(stateDir)?.origin === origin) return;
  const file = join(stateDir, FILE);
  try {
    writeFileSync(file, `${JSON.stringify({ log: origin })}\n`, { mode: 0o600, flush: true });
  } catch (error) {
    throw storeFailure(error, file);
  }
};

/**
 * The origin of a new log, `<name>/<incarnation>`: Unix seconds, or one more than the former incarnation where the clock
 * is not beyond that, so that an emptied store begins another log and never a fork (attestation.md §3).
 */
export const nextOrigin = (name: string, nowMs: number, former: string | undefined): string => {
  const last = former === undefined ? Number.NaN : incarnationIn(former, name);
  const now = Math.floor(nowMs / 1000);
  return `${name}/${Number.isSafeInteger(last + 1) ? Math.max(now, last + 1) : now}`;
};

/** The number at the end of an origin; NaN where it is of another gateway, or none. */
const incarnationIn = (origin: string, name: string): number =>
  origin.startsWith(`${name}/`) ? incarnationOf(origin) : Number.NaN;

/** The later of two origins of one gateway. */
const laterOrigin = (name: string, one: string, other: string | undefined): string =>
  other !== undefined && incarnationIn(other, name) > incarnationIn(one, name) ? other : one;

/** The latest of the origins of one gateway that are known. */
export const latestOrigin = (name: string, one: string, others: readonly (string | undefined)[]): string =>
  others.reduce<string>((latest, other) => laterOrigin(name, latest, other), one);

/** Entries that this key is known to have signed; the root only where they were counted in a checkpoint. */
export type Signed = Pick<LogEnd, 'log' | 'size'> & Partial<LogEnd>;

/** Why the log of a store is not continued: what this key had signed, where that is known. */
export interface Replaces {
  readonly signed?: Signed | undefined;
  readonly why: string;
}

/** The end that a log which replaces another names as `prior`. */
export const signedEnd = ({ signed }: Replaces): LogEnd | undefined => {
  const { log, size, root } = signed ?? {};
  return log === undefined || size === undefined || root === undefined ? undefined : { log, size, root };
};

/**
 * Whether the log that a store holds was put back to an older state, by what stands beside the store: the head that was
 * signed last, and the log that was begun last.
 */
export const staleness = (
  log: { readonly origin: string; readonly size: number },
  beside: { readonly head: LogEnd | undefined; readonly begun: string | undefined },
): Replaces | undefined => {
  const { head, begun } = beside;
  if (log.size === 0) return undefined;
  if (head?.log === log.origin && head.size > log.size) {
    return { signed: head, why: `the store holds ${log.size} entries of ${head.size} that were signed` };
  }
  const name = log.origin.slice(0, log.origin.lastIndexOf('/'));
  if (begun === undefined || laterOrigin(name, log.origin, begun) === log.origin) return undefined;
  return {
    signed: head?.log === begun ? head : undefined,
    why: `the store holds ${log.origin}, which ${begun} had replaced`,
  };
};
