import { hash } from 'node:crypto';
import {
  ABSENT,
  FACTS,
  type FactName,
  type Facts,
  type FactValues,
  type FirmwareComponent,
  type PoolSlot,
  present,
  type Reading,
  type ReadingName,
  type StandsIn,
  unknown,
} from '../../shared/facts.ts';
import { fingerprintOf, sortedComponents } from '../../shared/fingerprint.ts';
import type { Driver, Replies, Source } from '../drivers/driver.ts';
import { type Capture, OPEN, SILENT } from '../probe/capture.ts';
import type { LookKind, Observation } from './observation.ts';
import { canonicalPoolUrl } from './pool-url.ts';
import { sanitise, sanitiseText } from './sanitise.ts';
import { readSpelled } from './spelling.ts';

/**
 * Volatile facts that are read at every pools look: for rules, and to tell whether the other facts can be believed. Nobody uses
 * the other measurements of such a look: they are attested with full looks.
 */
export const POLLED: ReadonlySet<FactName> = new Set([
  'live_pools',
  'telemetry.elapsed_s',
  'telemetry.uptime_s',
  'telemetry.hashrate_hs',
] as const);

/**
 * Reads every fact of `driver` whose questions were all asked in this look (at a pools look, of the volatile ones `POLLED`
 * only), and makes it fit to be compared, stored and signed: texts sanitised, pool URLs canonical, components sorted and
 * fingerprinted. What stages after this one see of a device is clean.
 */
export const normalise = (driver: Driver, capture: Capture, look: LookKind): Observation => {
  const facts: { [name: string]: unknown } = {};
  const gaps = new Map<FactName, Gap>();
  let standIns: Map<FactName, StandsIn> | undefined;
  let toldPools: readonly PoolSlot[] | undefined;
  let noPools = false;
  const sanitized: string[] = [];
  if (anyReply(capture)) facts.family = driver.family;
  const read = ([name, source]: FactSource): void => {
    const found = readFact(name, source, capture.replies);
    const settled = settle(name, found, driver);
    const reading = exact(settled);
    if (name === 'pools' && found.kind === 'present' && settled.kind !== 'present') noPools = true;
    if (reading.kind !== 'present') {
      gaps.set(name, reading.kind === 'absent' ? 'absent' : (reading.reason as Gap));
      if (name === 'pools' && reading.kind === 'unknown' && reading.toldPools !== undefined)
        toldPools = sanitise(canonical(reading.toldPools, driver)).value;
      return;
    }
    const { value, touched } = sanitise(reading.value);
    facts[name] = value;
    if (touched) sanitized.push(name);
    if (found.kind !== 'present' || found.standsIn === undefined) return;
    standIns ??= new Map();
    standIns.set(name, found.standsIn);
  };
  const sources = readable(driver, capture.replies, look);
  sources.forEach(read);
  // None of them could be read. Any other fact shows that the device is there, whatever it keeps to itself.
  if (look === 'pools' && gaps.size === sources.length) readable(driver, capture.replies, 'full').forEach(read);
  const components = facts['firmware.components'] as FactValues['firmware.components'] | undefined;
  if (components !== undefined) facts['firmware.fingerprint'] = fingerprintOf(components);
  const { address, observedAtMs } = capture;
  // Each value was read by the source of its own name, whose type `Driver` ties to the fact.
  return {
    family: driver.family,
    address,
    look,
    observedAtMs,
    facts: facts as Facts,
    gaps,
    standIns: standIns ?? NO_STAND_INS,
    tellsAtPlaces: (name) => valuesAtPlaces(name, driver, capture.replies),
    ...(toldPools === undefined ? {} : { toldPools }),
    ...(noPools ? { noPools } : {}),
    sanitized,
  };
};

const NO_STAND_INS: Observation['standIns'] = new Map();

type Gap = Observation['gaps'] extends ReadonlyMap<ReadingName, infer G> ? G : never;

type FactSource = readonly [name: FactName, source: Source<unknown>];

/** The facts that some questions answer. */
interface Readable {
  readonly asked: readonly string[];
  readonly sources: readonly FactSource[];
}

const READABLE: { readonly [Look in LookKind]: WeakMap<Driver, Readable> } = {
  pools: new WeakMap(),
  full: new WeakMap(),
};

/** The facts whose questions were all asked. Looks ask the same questions again and again. */
const readable = (driver: Driver, replies: Replies, look: LookKind): readonly FactSource[] => {
  const last = READABLE[look].get(driver);
  if (last !== undefined && isSame(last.asked, replies)) return last.sources;
  const sources = (Object.entries(driver.facts) as FactSource[]).filter(
    ([name, { queries }]) => isRead(name, look) && queries.every((query) => replies.has(query)),
  );
  READABLE[look].set(driver, { asked: [...replies.keys()], sources });
  return sources;
};

const isSame = (asked: readonly string[], replies: Replies): boolean => {
  if (asked.length !== replies.size) return false;
  for (const query of asked) if (!replies.has(query)) return false;
  return true;
};

const isRead = (name: FactName, look: LookKind): boolean =>
  look === 'full' || FACTS[name].class !== 'volatile' || POLLED.has(name);

const anyReply = ({ replies }: Capture): boolean => {
  for (const { kind } of replies.values()) if (kind === 'reply') return true;
  return false;
};

/** In names of a device or its firmware each letter counts, also of a number; elsewhere a number is the same however it is spelled. */
const isName = (name: FactName): boolean => name.startsWith('identity.') || name.startsWith('firmware.');

/** A driver that stumbles over what a device sent could not read it; the round goes on. */
const readFact = (name: FactName, source: Source<unknown>, replies: Replies): Reading<unknown> => {
  try {
    return isName(name) ? readSpelled(source, replies) : source.read(replies);
  } catch {
    return unknown('unreadable');
  }
};

/** What the places tell of a fact that has several. Of devices whose surfaces stay as they are nobody asks for it. */
const valuesAtPlaces = (name: FactName, driver: Driver, replies: Replies): readonly unknown[] => {
  const source: Source<unknown> | undefined = driver.facts[name];
  return (source?.places ?? []).flatMap((place) => {
    const reading = exact(settle(name, readFact(name, place, replies), driver));
    return reading.kind === 'present' ? [sanitise(reading.value).value] : [];
  });
};

/** What a reading means for its fact. */
const settle = (name: FactName, reading: Reading<unknown>, driver: Driver): Reading<unknown> => {
  const isGone = reading.kind === 'absent' || (reading.kind === 'unknown' && reading.reason === 'unsupported');
  // The driver knows a place and the device has no such place: that is the answer, except about pools, of which no
  // miner has none because a member is missing or it does not know the question.
  if (isGone) return name === 'pools' ? unknown('unreadable') : ABSENT;
  if (reading.kind !== 'present') return reading;
  switch (name) {
    case 'pools':
      return settlePools(reading.value as FactValues['pools'], driver);
    case 'live_pools':
      return present(canonical(reading.value as FactValues['live_pools'], driver));
    case 'fee_pools':
      return present(canonical(reading.value as FactValues['fee_pools'], driver));
    case 'firmware.components':
      return present(settleComponents(reading.value as FactValues['firmware.components']));
    default:
      return reading;
  }
};

/** Facts hold whole numbers that every reader of JSON can hold. What a device sends beyond that, `1e400` or a sum with it, is unreadable. */
const exact = (reading: Reading<unknown>): Reading<unknown> =>
  reading.kind === 'present' && !isExact(reading.value) ? unknown('unreadable') : reading;

const isExact = (part: unknown): boolean => {
  if (typeof part === 'number') return Number.isSafeInteger(part);
  if (typeof part !== 'object' || part === null) return true;
  if (Array.isArray(part)) return part.every(isExact);
  for (const name in part) if (!isExact((part as { [name: string]: unknown })[name])) return false;
  return true;
};

/** Blank slots are dropped. A list without any slot is unknown, not empty: an unreadable pool must not look removed. */
const settlePools = (slots: readonly PoolSlot[], driver: Driver): Reading<readonly PoolSlot[]> => {
  const configured = canonical(slots, driver);
  return configured.length === 0 ? unknown('unreadable') : present(configured);
};

/** `host`: of the connection of the moment, with its port where the device tells that. */
const canonical = <Row extends { readonly url: string; readonly proxy?: string; readonly host?: string }>(
  rows: readonly Row[],
  driver: Driver,
): readonly Row[] =>
  rows
    .map((row) => {
      const url = canonicalPoolUrl(row.url, driver.defaultPoolPort);
      const proxy = row.proxy === undefined ? undefined : canonicalPoolUrl(row.proxy);
      const host = row.host === undefined ? undefined : canonicalPoolUrl(row.host);
      if (url === row.url && proxy === row.proxy && host === row.host) return row;
      return {
        ...row,
        url,
        ...(proxy === undefined ? {} : { proxy }),
        ...(host === undefined ? {} : { host }),
      };
    })
    .filter(({ url }) => url !== '');

/** Which members a reply has, in full: too long to keep, and only whether they changed matters. */
const isKeySet = ({ name }: FirmwareComponent): boolean => name.startsWith('keys.');

/** Sorted by name; of a set of keys, its digest. */
const settleComponents = (components: readonly FirmwareComponent[]): readonly FirmwareComponent[] =>
  sortedComponents(components.map((part) => (isKeySet(part) ? { ...part, value: digest(part.value) } : part)));

/**
 * The look with what the endpoint of the device showed, now or when it was last looked at, among the components of the
 * firmware. Where the firmware's own components could not be read, a list without them would not be the whole of what is
 * known, and they stay unknown.
 */
export const withEndpoint = (observation: Observation, shown: readonly FirmwareComponent[]): Observation => {
  const others = shown.filter(({ name }) => name.startsWith(PORT) || name.startsWith(LOGIN));
  if (others.length > 0) {
    const facts = { ...observation.facts, ...accessIn(others) };
    return withEndpoint(
      { ...observation, facts },
      shown.filter((part) => !others.includes(part)),
    );
  }
  const { facts, gaps } = observation;
  const gap = gaps.get('firmware.components');
  if (shown.length === 0 || (gap !== undefined && gap !== 'absent')) return observation;
  const components = sortedComponents([...(facts['firmware.components'] ?? []), ...shown.map(cleaned)]);
  return {
    ...observation,
    facts: { ...facts, 'firmware.components': components, 'firmware.fingerprint': fingerprintOf(components) },
    gaps: gap === undefined ? gaps : new Map([...gaps].filter(([fact]) => fact !== 'firmware.components')),
  };
};

/** How the reading of an endpoint calls an open port, and a log-in that was tried: they are no parts of the firmware. */
const PORT = 'port.';
const LOGIN = 'login.';

const accessIn = (parts: readonly FirmwareComponent[]): Facts => {
  const ports = parts.filter(({ name }) => name.startsWith(PORT));
  const open = ports.filter(({ value }) => value === OPEN).map(({ name }) => Number(name.slice(PORT.length)));
  // A port of which nobody knows whether it is open is none that is closed: the others are not all.
  const isUnsure = ports.some(({ value }) => value === SILENT);
  const login = parts.find(({ name }) => name.startsWith(LOGIN));
  return {
    ...(open.length === 0 || isUnsure ? {} : { 'access.open_ports': open }),
    ...(login === undefined ? {} : { 'access.default_login': login.value }),
  };
};

const cleaned = ({ name, value }: FirmwareComponent): FirmwareComponent => ({ name, value: sanitiseText(value) });

/** SHA-256, b64u. */
const digest = (text: string): string => hash('sha256', text, 'base64url');
