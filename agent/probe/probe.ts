import type { FactName } from '../../shared/facts.ts';
import type { Driver, Query, Replies } from '../drivers/driver.ts';
import type { Capture, LookKind, NoReply, Reply } from './capture.ts';
import { interfaceOf, Line, type ProbeDeps } from './line.ts';
import { noReply } from './reply.ts';
import type { Interface, Target } from './target.ts';

export { type ProbeDeps, waitFor } from './line.ts';

/**
 * One look: asks `driver`'s questions of this cadence one after the other, those of one interface after those of another.
 * Whatever a device does, it is over after `limits.deviceMs`, and every question that was due has an entry.
 */
export const probeDevice = async (
  target: Target,
  driver: Driver,
  look: LookKind,
  deps: ProbeDeps,
): Promise<Capture> => {
  const replies = new Map<string, Reply | NoReply>();
  const { open, closed } = parted(inOrder(driver, look), look === 'pools' ? target.closed : undefined);
  const line = new Line(withLogin(target, driver), deps, driver);
  try {
    for (const [name, query] of open) {
      replies.set(name, isPointless(query, replies) ? NOT_SERVED : await line.ask(query));
    }
    const isAlive = closed.length > 0 && [...replies.values()].some(({ kind }) => kind === 'reply');
    for (const [name, query] of closed) {
      replies.set(name, isPointless(query, replies) ? NOT_SERVED : isAlive ? CLOSED : await line.ask(query));
    }
    const { reached } = line;
    return {
      address: target.address,
      ...(reached === undefined ? {} : { reached }),
      observedAtMs: deps.clock.wallMs(),
      replies,
    };
  } finally {
    // `await using` would add a hundredth to what a look costs.
    if (line.isOpen) await line[Symbol.asyncDispose]();
  }
};

/**
 * The target with the log-in that a device of this family is shown: the one configured, unless it is for other families, or the
 * one that the maker documents, where the operator turned that on. The family follows from what the device says: without the
 * limit, whoever speaks like a family that sends its password in clear would be sent one that was meant for Digest.
 */
export const withLogin = (target: Target, { family, vendorLogin }: Pick<Driver, 'family' | 'vendorLogin'>): Target => {
  if (target.families?.includes(family) === false) return withoutLogin(target);
  if (target.credential !== undefined || target.vendorDefault !== true || vendorLogin === undefined) return target;
  return { ...target, credential: { user: vendorLogin.user, password: () => vendorLogin.password } };
};

const withoutLogin = ({ credential: _, vendorDefault: __, ...open }: Target): Target => open;

const isPointless = (query: Query, replies: Replies): boolean => query.unless?.(replies) === true;

const NOT_SERVED = noReply('unsupported', 'not asked: another answer shows that there is no such path');

const CLOSED = noReply('unreachable', 'not asked: the last full looks found nothing that listens there', {
  dark: true,
});

/** Interfaces of this capture to which no connection could be made. */
export const darkIn = ({ queries }: Driver, { replies }: Capture): readonly Interface[] => {
  const dark = new Set<Interface>();
  for (const [name, reply] of replies) {
    const query = queries[name];
    if (query !== undefined && reply.kind === 'no-reply' && reply.dark === true) dark.add(interfaceOf(query));
  }
  return [...dark];
};

/** What came of the questions of this capture: by name, those that were answered, and those that somebody would have to open. */
export const answeredIn = ({ facts }: Driver, { replies }: Capture) => {
  const open: string[] = [];
  const closed: string[] = [];
  for (const [name, reply] of replies) {
    if (reply.kind === 'reply') open.push(name);
    else if (reply.reason === 'refused' || reply.reason === 'unreachable') closed.push(name);
  }
  return {
    open,
    closed: kept(closed),
    of: (fact: FactName): readonly string[] => facts[fact]?.queries ?? [],
  };
};

/** The same few lists for a whole fleet: each device remembers one. */
const lists = new Map<string, readonly string[]>();
const MOST_LISTS = 1024;

const kept = (list: readonly string[]): readonly string[] => {
  const key = list.join('\n');
  const known = lists.get(key);
  if (known === undefined && lists.size < MOST_LISTS) lists.set(key, list);
  return known ?? list;
};

const NONE: readonly Question[] = [];

interface Parted {
  readonly open: readonly Question[];
  readonly closed: readonly Question[];
}

const parted = (questions: readonly Question[], closed: readonly Interface[] = []): Parted => {
  if (closed.length === 0) return { open: questions, closed: NONE };
  const isClosed = ([, query]: Question): boolean => closed.includes(interfaceOf(query));
  return { open: questions.filter((one) => !isClosed(one)), closed: questions.filter(isClosed) };
};

type Question = readonly [name: string, query: Query];

const IN_ORDER: { readonly [Look in LookKind]: WeakMap<Driver, readonly Question[]> } = {
  pools: new WeakMap(),
  full: new WeakMap(),
};

/** The questions of a look in the driver's order, those of one interface together. */
export const inOrder = (driver: Driver, look: LookKind): readonly Question[] =>
  IN_ORDER[look].getOrInsertComputed(driver, () => {
    const due = Object.entries(driver.queries).filter(([, query]) => look === 'full' || query.cadence === 'pools');
    return [...Map.groupBy(due, ([, { kind, port }]) => `${kind} ${port}`).values()].flat();
  });
