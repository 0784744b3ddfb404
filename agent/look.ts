import type { UnknownReason } from '../shared/facts.ts';
import type { Driver } from './drivers/driver.ts';
import { normalise } from './normalise/facts.ts';
import type { LookKind, Observation } from './normalise/observation.ts';
import type { Clock } from './platform/clock.ts';
import { meeting } from './platform/together.ts';
import { compileAllowList } from './probe/allow.ts';
import type { Capture, EndpointReading, NoReply } from './probe/capture.ts';
import {
  couldBe,
  IDENTIFICATION,
  type Identification,
  type Identified,
  identify,
  isOnlyPossible,
  isWithoutPage,
  looksLikeAnother,
  showsPage,
} from './probe/identify.ts';
import type { Limits } from './probe/limits.ts';
import { Logins } from './probe/logins.ts';
import { type ProbeDeps, probeDevice, waitFor } from './probe/probe.ts';
import { Surplus } from './probe/surplus.ts';
import type { Target } from './probe/target.ts';

/** Why a look shows nothing. */
export type NoSight = Exclude<UnknownReason, 'unsupported'>;

/** How identification, where it was needed, found out what a device is. */
export interface Recognised {
  /** What was asked and told. */
  readonly by: readonly string[];
  /** A web page, which may yet name another family, was not seen. */
  readonly unpaged?: true;
  /** What it was taken for as long as its page was not seen: nothing else that it says is of another family. */
  readonly insteadOf?: string;
}

/** What one look at one device gave. */
export interface Seen {
  readonly kind: 'seen';
  readonly driver: Driver;
  readonly capture: Capture;
  readonly observation: Observation;
  /** The surfaces of the endpoint that were looked at as well. */
  readonly endpoint?: EndpointReading;
  readonly recognised?: Recognised;
}

/** What one look at one address gave. */
export type Sight =
  | Seen
  | {
      readonly kind: 'nothing';
      readonly reason: NoSight;
      readonly detail: string;
      /**
       * Whether somebody there refused what was asked now; absent where that is not known: nothing was sent, because a log-in rests or is
       * missing, or what was sent found nobody.
       */
      readonly refuses?: boolean;
      /** Why questions wait for a log-in, where some do: whether somebody is at their port was not tried. */
      readonly waits?: string;
      /** Somebody is there and sends something, though no whole reply in time. */
      readonly drips?: true;
      /** A miner of which nobody can tell what it is: an answer that would tell its family did not arrive whole, or it speaks as none that is known. */
      readonly isUntold?: true;
      /** Somebody stands there, and nothing shows that it is no miner: whatever it answers did not arrive whole, or left open which it is. */
      readonly mayBeMiner?: true;
      /** What it was recognised as, where it then told nothing. */
      readonly family?: string;
    };

/** How looks are made: the drivers that may be recognised, and what the probe stage needs. */
export interface LookDeps extends ProbeDeps {
  readonly drivers: readonly Driver[];
  /** Devices, by address and ports, that went through identification since these drivers are in force. */
  readonly identified: Set<string>;
  /** Those of which at every identification since then nothing but web pages were lost. */
  readonly pageless: Map<string, Pageless>;
  /** Those known without their web page that were asked for it once more, however long ago that became so. */
  readonly askedForPage: Set<string>;
}

/** Since when that is so, on the monotonic clock, and how often it was seen. */
interface Pageless {
  readonly sinceMs: number;
  readonly times: number;
}

/**
 * Probe and normalise: asks the device at `target` in the words of `known`, or of the family that identification finds.
 * A full look that `known` cannot make sense of identifies the device anew, so that a changed firmware is seen as one; where
 * that finds nobody who can read the device, it is what it says in the words of `known`. `unpagedMs`: when it was taken for that
 * without its web page, Unix milliseconds, where a page may yet name another family.
 */
export const lookAt = (
  target: Target,
  known: Driver | undefined,
  look: LookKind,
  deps: LookDeps,
  unpagedMs?: number,
): Promise<Sight> =>
  known !== undefined && look === 'pools'
    ? ask(target, known, look, deps)
    : askOrIdentify(target, known, look, deps, unpagedMs);

const askOrIdentify = async (
  target: Target,
  known: Driver | undefined,
  look: LookKind,
  deps: LookDeps,
  unpagedMs?: number,
): Promise<Sight> => {
  const first = known === undefined ? undefined : await ask(target, known, look, deps);
  if (first?.kind === 'seen' && stillSpeaks(first, deps)) {
    if (awaitsPage(target, unpagedMs, deps) && (await showsPage(target, deps)))
      return byItsPage(target, first, look, deps);
    if (!mayBeFromOutside(target, first, deps)) return first;
  }
  const other = await identifyAndAsk(target, { known, first }, look, deps);
  // What was read stands until a family reads it in its own words: firmware that nobody knows would hide all it says.
  if (first?.kind === 'seen' && other?.kind !== 'seen') return first;
  if (isSilent(other)) return other;
  const sight = first === undefined ? undefined : answering(first);
  // It answers, and nobody reads it in other words: it is the one that refuses.
  if (sight?.kind === 'nothing' && sight.reason === 'refused' && other?.kind !== 'seen')
    return { ...sight, refuses: true };
  return other ?? sight ?? nothing('unreadable', 'no family recognised');
};

/** How long full looks go on asking for the page of a device that was found out without it: a web server comes up after its miner, ms. */
const PAGE_AWAITED_MS = 6 * 3_600_000;

/** Whether the page is to be asked for: also once more by each agent that is started, which may have been away all that time. */
const awaitsPage = (target: Target, unpagedMs: number | undefined, { askedForPage, clock }: LookDeps): boolean => {
  if (unpagedMs === undefined) return false;
  const door = doorOf(target);
  if (askedForPage.has(door)) return clock.wallMs() - unpagedMs < PAGE_AWAITED_MS;
  askedForPage.add(door);
  return true;
};

/** The look in the words of the family that the device is by its page, which was not seen before; it says nothing else that it did not. */
const byItsPage = async (target: Target, first: Seen, look: LookKind, deps: LookDeps): Promise<Sight> => {
  const found = await identify(target, deps.drivers, deps);
  if (found.kind !== 'identified') return first;
  deps.identified.add(doorOf(target));
  if (found.driver === first.driver) return recognisedBy(first, found);
  const sight = await askAs(found, target, look, deps);
  if (sight.kind !== 'seen') return first;
  // What a driver file reads is told as any other: it was added, or edited.
  if (found.driver.outside === true) return sight;
  return { ...sight, recognised: { by: found.evidence, insteadOf: first.driver.family } };
};

/** A look that read nothing, at a device that answered when it was asked what it is: what is left of it waits for a log-in. */
const answering = (sight: Sight): Sight => {
  if (sight.kind === 'seen' || sight.waits === undefined) return sight;
  const { waits, ...rest } = sight;
  return { ...rest, reason: 'refused', detail: waits, refuses: true };
};

const isSilent = (sight: Sight | undefined): sight is Nothing => sight?.kind === 'nothing' && isSilence(sight.reason);

/** Nothing came of it that somebody has to be there for. */
const isSilence = (reason: UnknownReason): boolean => reason === 'unreachable' || reason === 'timeout';

const stillSpeaks = (
  { driver, capture }: { readonly driver: Driver; readonly capture: Capture },
  { drivers }: Pick<LookDeps, 'drivers'>,
): boolean => driver.stillSpeaks?.(capture.replies) !== false && !looksLikeAnother(driver, capture, drivers);

/** Where the replies make this driver no more than possible, a driver file of the operator may fit better: identification tells, once. */
const mayBeFromOutside = (
  target: Target,
  { driver, capture }: { readonly driver: Driver; readonly capture: Capture },
  { drivers, identified }: LookDeps,
): boolean =>
  drivers.some(({ outside }) => outside) && isOnlyPossible(driver, capture) && !identified.has(doorOf(target));

const doorOf = ({ address, ports }: Target): string => [address, ...Object.values(ports)].join(' ');

/** Undefined when identification ends at the family whose look, `first`, is at hand already, or tells nothing that is against it. */
const identifyAndAsk = async (
  target: Target,
  { known, first }: { readonly known: Driver | undefined; readonly first: Sight | undefined },
  look: LookKind,
  deps: LookDeps,
): Promise<Sight | undefined> => {
  const told = await identify(target, deps.drivers, deps);
  // What it was known as it stays: only of one that was never known somebody has to decide.
  const found = known === undefined ? withoutPages(target, told, deps) : told;
  if (found.kind !== 'unreachable' && !('lost' in found)) deps.identified.add(doorOf(target));
  switch (found.kind) {
    case 'identified':
      if (found.driver === known || lacksPageOnly(found, first)) return undefined;
      return askAs(found, target, look, deps);
    case 'ambiguous':
      if (known !== undefined) return undefined;
      return {
        ...nothing(found.reason, couldBe(found)),
        ...(found.lost === undefined ? {} : { isUntold: true }),
        mayBeMiner: true,
      };
    case 'unidentified':
      // Nobody is told of a device of which a family was known before, nor of a web server that is busy and nothing else.
      return {
        ...nothing('unreadable', found.detail),
        ...(known === undefined && found.speaks ? { isUntold: true } : {}),
        ...(found.speaks || found.lost !== undefined ? { mayBeMiner: true } : {}),
      };
    case 'unreachable':
      return {
        ...(found.drips === true
          ? { ...nothing(found.reason, 'what it sends is no whole reply in time'), drips: true }
          : nothing(found.reason, 'nothing answered')),
        ...(found.accepts ? { mayBeMiner: true } : {}),
      };
  }
};

/**
 * Whether a device is without the page by which it was known, and speaks as before: a port that is closed, or a server that sends elsewhere
 * or refuses, is no word of another family.
 */
const lacksPageOnly = (found: Identified, first: Sight | undefined): boolean =>
  first?.kind === 'seen' &&
  first.driver.toldByPage === true &&
  first.driver.stillSpeaks?.(first.capture.replies) === true &&
  isWithoutPage(found);

const askAs = async (found: Identified, target: Target, look: LookKind, deps: LookDeps): Promise<Sight> => {
  // Identification closed its last connection to the device a moment ago.
  await waitFor(found.driver.pauseMs ?? 0, deps);
  return recognisedBy(answering(await ask(withoutOthers(target, found), found.driver, look, deps)), found);
};

/** Where one port was named for all protocols and answers in the frames of API 3, no other one is spoken there. */
const withoutOthers = (target: Target, { clues: { framed, cgminer } }: Identified): Target => {
  const { ports } = target;
  const isAlone = ports.cgminer === ports.whatsminer && ports.http === ports.whatsminer;
  if (!isAlone || cgminer.size > 0 || framed === undefined || framed.size === 0) return target;
  return { ...target, ports: { ...ports, cgminer: null, http: null } };
};

/** How often, and how long, web pages have to be lost until a device counts as one that has none. */
const PAGELESS_TIMES = 5;
const PAGELESS_MS = 600_000;

/** What was found, where a device whose web pages never answer is the one that it is without them. */
const withoutPages = (target: Target, found: Identification, { pageless, clock }: LookDeps): Identification => {
  const door = doorOf(target);
  if (found.kind !== 'ambiguous' || found.pageless === undefined) {
    pageless.delete(door);
    return found;
  }
  const nowMs = clock.monoMs();
  const { sinceMs, times } = pageless.get(door) ?? { sinceMs: nowMs, times: 0 };
  pageless.set(door, { sinceMs, times: times + 1 });
  return times + 1 >= PAGELESS_TIMES && nowMs - sinceMs >= PAGELESS_MS ? found.pageless : found;
};

const recognisedBy = (sight: Sight, { evidence, unpaged }: Identified): Sight =>
  sight.kind === 'seen' ? { ...sight, recognised: { by: evidence, ...(unpaged === true ? { unpaged } : {}) } } : sight;

const ask = async (target: Target, driver: Driver, look: LookKind, deps: LookDeps): Promise<Sight> => {
  const capture = await probeDevice(target, driver, look, deps);
  await answered();
  const observation = normalise(driver, capture, look);
  // The family says in whose words we asked; alone it says nothing about the device.
  if (Object.keys(observation.facts).some((fact) => fact !== 'family'))
    return { kind: 'seen', driver, capture, observation };
  const why = whyNothing(capture) ?? nothing('unreadable', `no fact of ${driver.title} in the replies`);
  return { ...why, family: driver.family };
};

/** Where looks that have their replies wait for each other. */
const answered = meeting();

/** Reasons of a device that tells nothing, the most telling first: that it refuses says more than that a port is closed. */
const TELLING: readonly NoSight[] = ['refused', 'timeout', 'truncated', 'unreadable', 'unreachable'];

/** What was never asked tells nothing of whether somebody is there: only where all of it waits is that the reason. */
const whyNothing = (capture: Capture): Nothing | undefined => {
  const failed = [...capture.replies.values()].filter((reply) => reply.kind === 'no-reply');
  const sent = mostTelling(failed.filter(({ waits }) => waits !== true));
  const waiting = mostTelling(failed.filter(({ waits }) => waits === true));
  const told = sent ?? waiting;
  if (told === undefined) return undefined;
  return {
    ...told,
    ...(sent === undefined || (waiting !== undefined && isSilence(sent.reason))
      ? {}
      : { refuses: sent.reason === 'refused' }),
    ...(waiting?.reason === 'refused' ? { waits: waiting.detail } : {}),
  };
};

const mostTelling = (failed: readonly NoReply[]): Nothing | undefined => {
  for (const reason of TELLING) {
    const reply = failed.find((one) => one.reason === reason);
    if (reply !== undefined) return nothing(reason, reply.detail);
  }
  return undefined;
};

type Nothing = Extract<Sight, { kind: 'nothing' }>;

const nothing = (reason: NoSight, detail: string): Nothing => ({ kind: 'nothing', reason, detail });

/** What looks need, with the allow-list compiled from the drivers and from identification. */
export const lookDeps = (options: {
  readonly drivers: readonly Driver[];
  readonly limits: Limits;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  readonly wait?: ProbeDeps['wait'];
  readonly lockedOut?: ProbeDeps['lockedOut'];
  readonly managementPorts?: ProbeDeps['managementPorts'];
  readonly surplus?: ProbeDeps['surplus'];
  /** Those of looks before; none unless given. */
  readonly logins?: Logins;
}): LookDeps => ({
  ...options,
  allow: compileAllowList(options.drivers, IDENTIFICATION),
  logins: options.logins ?? new Logins(options.clock),
  surplus: options.surplus ?? new Surplus(),
  identified: new Set(),
  pageless: new Map(),
  askedForPage: new Set(),
});
