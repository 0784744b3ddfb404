import {
  type AttestationStatement,
  type ChangeStatement,
  type Plan,
  type ReferenceTerms,
  termsId,
  type Waiver,
} from '../../../shared/index.ts';
import { describe } from '../../appraise/approval.ts';
import { readDevice } from '../../appraise/device.ts';
import { changeNotObserved } from '../../appraise/rules/change-not-observed.ts';
import { expectsUncompared } from '../../appraise/where-held.ts';
import { factsOfClaims } from '../../baseline/claims.ts';
import { type Described, speaksOf } from '../../baseline/scope.ts';
import type { Config } from '../../config/schema.ts';
import type { Entry } from '../../record/entry.ts';
import { hasCovered, type Order } from '../../record/orders.ts';
import type { Store } from '../../record/store.ts';
import { type Counted, type Line, linesUnused, type Sighting, type Written } from '../../terms/lint.ts';

/** What the store and the configuration say of rules that people wrote: read for `lint`. */

/** Every line of every list of pools. */
export const linesOf = ({ pools, tenants }: Config): readonly Line[] => [
  ...(pools.allow ?? []).map((line, at) => ({ name: `pools.allow[${at}]`, line })),
  ...Object.entries(tenants).flatMap(([tenant, { allow = [] }]) =>
    allow.map((line, at) => ({ name: `tenants.${tenant}.allow[${at}]`, tenant, line })),
  ),
];

/** The lines that no attestation since then needed, nor the newest one of any device. */
export const unusedSince = (store: Store, config: Config, sinceS: number): readonly Line[] => {
  const tenants = new Set(
    Object.entries(config.tenants).flatMap(([name, { allow }]) => (allow === undefined ? [] : [name])),
  );
  let left = linesOf(config);
  for (const entry of attestations(store, sinceS)) {
    if (left.length === 0) return left;
    const sighting = sightingOf(entry);
    if (sighting !== undefined) left = linesUnused(left, tenants, sighting);
  }
  return left;
};

const PAGE = 500;

/** First what is true now, then back in time: most lines are needed by some device now. */
function* attestations(store: Store, sinceS: number): Generator<Entry> {
  for (let device = ''; ; ) {
    const page = store.newestAfter(device, PAGE);
    yield* page;
    const last = page.at(-1)?.device;
    if (last === undefined) break;
    device = last;
  }
  for (let below = store.size(); ; ) {
    const page = store.find({ kind: 'attestation', below, newest: PAGE });
    const [oldest] = page;
    if (oldest === undefined) return;
    yield* page.filter(({ iat }) => iat >= sinceS).reverse();
    if (oldest.iat < sinceS) return;
    below = oldest.seq;
  }
}

const sightingOf = ({ message }: Entry): Sighting | undefined => {
  // Our own statement.
  const { subject, evidence } = JSON.parse(Buffer.from(message).toString()) as AttestationStatement;
  const { claims, address = '' } = evidence;
  if (claims === undefined) return undefined;
  return {
    // Of facts that are withheld the rest may not be known, and what is not known fits any template.
    device: { labels: subject.labels ?? {}, facts: factsOfClaims(claims) ?? {}, address },
    configured: poolsOf(claims.pools),
    running: poolsOf(claims.live_pools),
  };
};

/** As the schema of statements has them. */
const poolsOf = (pools: unknown): Sighting['configured'] => (pools ?? []) as Sighting['configured'];

/** The documents in force, and the plans and waivers that time has ended since then. */
export const documentsOf = (store: Store, sinceS: number): readonly Written[] => {
  const known = [...store.devices(readDevice)].map((state) => describe(state, {}));
  // Written by this agent.
  const orders = store.orders((text) => JSON.parse(text) as Order).filter(isOfDevices);
  return [...orders.map((order) => standingOf(order, known)), ...expiredOf(store, sinceS)];
};

const standingOf = (order: Order, known: readonly Described[]): Written => {
  const { seq, terms, by, adoptedAt } = order;
  const name = termsId(terms);
  if (terms.kind === 'reference') {
    const matched = known.some((who) => holds(terms, who));
    return { kind: 'reference', name, seq, owner: by.join(', '), matched, sinceS: adoptedAt };
  }
  const common = { name, seq, owner: terms.author, matched: hasCovered(order), uncompared: expectsUncompared(terms) };
  return terms.kind === 'plan'
    ? { kind: 'plan', ...common, sinceS: Math.max(adoptedAt, terms.not_before_at), untilS: terms.not_after_at }
    : { kind: 'waiver', ...common, sinceS: adoptedAt, untilS: terms.expires_at };
};

/** One that only admits approvers has no device to match. */
const isOfDevices = ({ terms }: Order): boolean =>
  terms.kind !== 'reference' || (terms.values ?? terms.entries) !== undefined;

const holds = (terms: ReferenceTerms, who: Described): boolean =>
  terms.entries?.some(({ device }) => device === who.device) === true ||
  (terms.values !== undefined && speaksOf(terms, who));

/** Plans and waivers that ran to their end since then, with what they covered. What somebody closed was not left to match anything. */
const expiredOf = (store: Store, sinceS: number): readonly Written[] => {
  const covered = new Set<number | undefined>();
  // That a plan was not carried out is told of it, and not covered by it.
  for (const { finding } of store.findings({ open: false, limit: Number.MAX_SAFE_INTEGER }))
    if (finding.ruleId !== changeNotObserved.id) for (const seq of [finding.plan, finding.waiver]) covered.add(seq);
  const begun = new Map<string, Written>();
  const expired: Written[] = [];
  for (const { seq, iat, change } of changesOf(store)) {
    const name = `${change.type} ${change.id}`;
    const document = begun.get(name);
    if (change.action === 'adopted') {
      const terms = termsOf(change);
      const owner = typeof terms.author === 'string' ? terms.author : undefined;
      const uncompared = expectsUncompared(terms);
      const written = { kind: change.type, name: change.id, seq, matched: covered.has(seq), sinceS: iat, uncompared };
      begun.set(name, { ...written, ...(owner === undefined ? {} : { owner }) });
    } else if (document !== undefined && change.action === 'expired' && iat >= sinceS)
      expired.push({ ...document, untilS: iat });
  }
  return expired;
};

function* changesOf(store: Store): Generator<Pick<ChangeStatement, 'seq' | 'iat' | 'change'>> {
  for (let from = 0; ; ) {
    const page = store.find({ kind: 'change', from, limit: PAGE });
    // Our own statements.
    for (const { message } of page) yield JSON.parse(Buffer.from(message).toString()) as ChangeStatement;
    const last = page.at(-1);
    if (last === undefined) return;
    from = last.seq + 1;
  }
}

/** What it says; where it is withheld nobody says so. */
const termsOf = ({ doc, terms }: ChangeStatement['change']): Partial<Plan | Waiver> =>
  // Checked when it was adopted.
  (doc === undefined ? (terms ?? {}) : JSON.parse(doc)) as Partial<Plan | Waiver>;

/** Findings that began since then. */
export const countedSince = (store: Store, sinceS: number): readonly Counted[] =>
  store
    .findings({ open: false, limit: Number.MAX_SAFE_INTEGER })
    .filter(({ finding }) => finding.firstObservedAt >= sinceS)
    .map(({ device, finding: { ruleId, plan, waiver } }) => ({
      rule: ruleId,
      plan,
      waiver,
      ...(device === undefined ? {} : { device }),
    }));
