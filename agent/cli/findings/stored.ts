import { resolve } from 'node:path';
import type { FactName } from '../../../shared/facts.ts';
import {
  type Plan,
  type ReferenceTerms,
  readClaimedTerms,
  type Statement,
  termsSchema,
  type Waiver,
} from '../../../shared/index.ts';
import { coveredBy, decidedWith } from '../../appraise/accept.ts';
import { type Asked, type Beside, type Holder, typed } from '../../appraise/advice.ts';
import { readDevice } from '../../appraise/device.ts';
import { type HeldFact, heldOtherwise } from '../../appraise/held.ts';
import { settledBySigning } from '../../appraise/promote.ts';
import { wantsForGood } from '../../appraise/resting.ts';
import { type ParentTransition, presentParents } from '../../appraise/storm.ts';
import { endingOf, isUnplanned, needsMorePeople } from '../../appraise/who-approves.ts';
import { type Standing, standingOf } from '../../baseline/standing.ts';
import { loadSettings } from '../../config/load.ts';
import { standsOnTwo } from '../../desk/adoption.ts';
import { peopleOf, splitApprovers } from '../../desk/signers.ts';
import { AgentError } from '../../platform/errors.ts';
import { Approvals } from '../../record/approvals.ts';
import type { Order } from '../../record/orders.ts';
import { buildFinding } from '../../record/statement.ts';
import type { Store } from '../../record/store.ts';
import { stormsIn } from '../../record/storms.ts';
import type { StoredFinding } from '../../record/tables/findings.ts';
import type { Io } from '../io.ts';
import { openStore } from '../look.ts';

/** Findings as the store has them, for people who name them by number. */

/** States in which a finding counts. */
export const STANDING: ReadonlySet<string> = new Set(['open', 'acknowledged', 'waived']);

/** Findings, newest first, as they are now: the parent of a storm is stated once a minute, and devices come and go meanwhile. */
export const findingsIn = (
  store: Pick<Store, 'findings' | 'storms' | 'members'>,
  { open }: { readonly open: boolean },
): readonly StoredFinding[] => {
  const parents = presentParents(stormsIn(store));
  const found = store.findings({ open, limit: Number.MAX_SAFE_INTEGER }).map((stored): StoredFinding => {
    const { ruleId, openedSeq = -1, firstObservedAt } = stored.finding;
    const parent = stored.device === undefined ? parents.get(openedSeq) : undefined;
    // One of the log before this, which is over, may have the same number.
    const isThis = parent?.finding.ruleId === ruleId && parent.statedAt === firstObservedAt;
    return isThis ? { finding: parent.finding } : stored;
  });
  return found.sort((one, other) => newestAt(other) - newestAt(one));
};

/** Since when it shows what it shows now, of many devices the last one: what is new since a time is that by this. */
const newestAt = ({ finding: { firstObservedAt, afterAt = firstObservedAt } }: StoredFinding): number => afterAt;

/** As a `finding` statement has it, except the citations, which are in the log. */
export const jsonOf = ({ device, finding }: StoredFinding): object => {
  const about = device === undefined ? parentOf(finding) : { device, labels: {} };
  const { evidence: _, ...members } = buildFinding({
    finding,
    about,
    openedSeq: finding.openedSeq ?? 0,
    evidence: [],
  }).content.finding;
  return members;
};

/** The parent of a storm is kept with its devices; a finding of the gateway itself has none. */
const parentOf = (
  finding: StoredFinding['finding'],
): { readonly devices: readonly string[]; readonly count: number } => {
  const { devices = [], count = 0 } = finding as Partial<ParentTransition['finding']>;
  return { devices, count };
};

/** The devices that it is about. */
export const devicesOf = ({ device, finding }: StoredFinding): readonly string[] =>
  device === undefined ? parentOf(finding).devices : [device];

/** How many these are: of more than a statement has room for it names the first. */
export const countOf = (found: StoredFinding): number => {
  const { length } = devicesOf(found);
  return found.device === undefined ? Math.max(parentOf(found.finding).count, length) : length;
};

/** Of more devices the first are named. */
export const MOST_NAMED = 12;

/** The devices as text. */
export const namedDevices = (devices: readonly string[]): string =>
  `${devices.slice(0, MOST_NAMED).join(', ')}${devices.length > MOST_NAMED ? ' …' : ''}`;

/** A finding of the store, and whose it is. */
export type Numbered = StoredFinding & {
  readonly stateDir: string;
  /** `<operator-domain>/<gateway>`. */
  readonly gateway: string;
  /** How many people approvals take here at most. */
  readonly people: number;
  /** The open finding that this one is about, where it is about one. */
  readonly about?: number;
  /** The signed reference by which an acceptance of it would be refused. */
  readonly holder?: Holder;
  /** Another finding that is decided with it, and takes more people. */
  readonly beside?: Beside | undefined;
  /** The plan that covers it announces it for a while only. */
  readonly forAWhile: boolean;
  /** Numbers of the findings of the same rule that stand on these devices, this one among them: a waiver quiets all of them. */
  readonly alike: readonly number[];
  /** The other open findings that end with what approves this one. */
  readonly brings: Brings;
  /** What the plan and the waiver that it names say, as the log has them. */
  readonly covers: { readonly plan?: Plan | Waiver; readonly waiver?: Plan | Waiver };
};

/** Findings that end with another one, and what ends them. */
export interface Brings {
  readonly by: 'signature' | 'approval';
  readonly others: readonly { readonly number: number; readonly finding: StoredFinding['finding'] }[];
}

/** The finding of this number. Throws `finding.none`, `usage.number`. */
export const findingNumbered = (config: string, number: string, io: Io): Numbered => {
  if (!/^\d{1,15}$/.test(number)) throw notNumber(number, config);
  const { config: settings, approvers } = loadSettings(resolve(config));
  const { state_dir: stateDir, operator, gateway } = settings;
  using store = openStore(stateDir, io);
  const all = findingsIn(store, { open: false });
  // One of a log that was replaced may have the same number: what counts goes before what is over.
  const numbered = all.filter(({ finding }) => finding.openedSeq === Number(number));
  const found = numbered.find(({ finding }) => STANDING.has(finding.state)) ?? numbered[0];
  if (found === undefined) throw none(number, config);
  const about = endingOf(found.finding).kind === 'other' ? toldAbout(found, all) : undefined;
  const { counting } = splitApprovers(approvers, Approvals.countingIn(stateDir));
  const people = peopleOf(counting, { people: Approvals.peopleIn(stateDir) });
  const { references, plans } = approvable(found) ? ordersIn(store) : NO_ORDERS;
  const standing = standingOf({ references, plans: [], waivers: [] });
  const ground = { store, people, references, standing };
  const holder = holderOf(found, ground);
  const forAWhile = endsByPlan(found, { store, plans });
  const beside = holder === undefined && !forAWhile ? besideOf(found, ground) : undefined;
  return {
    ...found,
    stateDir,
    gateway: `${operator}/${gateway}`,
    people,
    forAWhile,
    alike: alikeIn(all, found),
    covers: {
      ...namedTerms('plan', found.finding.plan, store),
      ...namedTerms('waiver', found.finding.waiver, store),
    },
    ...(about === undefined ? {} : { about }),
    ...(holder === undefined ? {} : { holder }),
    ...(beside === undefined ? {} : { beside }),
    // The next version of a reference has to say itself what it approves.
    brings: holder === undefined ? bringsOf(found, { ...ground, forAWhile, beside }) : { by: 'signature', others: [] },
  };
};

const alikeIn = (all: readonly StoredFinding[], found: StoredFinding): readonly number[] => {
  const devices = new Set(devicesOf(found));
  const isAlike = (one: StoredFinding): boolean =>
    one.finding.ruleId === found.finding.ruleId &&
    STANDING.has(one.finding.state) &&
    devicesOf(one).some((device) => devices.has(device));
  const numbers = all.filter(isAlike).flatMap(({ finding }) => finding.openedSeq ?? []);
  return [...new Set(numbers)].sort((one, other) => one - other);
};

/** What is approved of a finding that stands: these facts, or the devices; undefined where nothing is. */
const approvable = ({ finding }: StoredFinding): { readonly facts: readonly FactName[] | undefined } | undefined => {
  const ending = endingOf(finding);
  if (!STANDING.has(finding.state) || (ending.kind !== 'facts' && ending.kind !== 'device')) return undefined;
  return { facts: ending.kind === 'facts' ? ending.facts : undefined };
};

type ReferenceOrder = Omit<Order, 'terms'> & { readonly terms: ReferenceTerms };

/** The documents in force by which an approval is judged. */
interface Orders {
  readonly references: readonly ReferenceOrder[];
  readonly plans: Standing['plans'];
}

const NO_ORDERS: Orders = { references: [], plans: [] };

const ordersIn = (store: Pick<Store, 'orders'>): Orders => {
  // Written by this agent.
  const orders = store.orders((text) => JSON.parse(text) as Order);
  return {
    references: orders.flatMap(({ terms, ...order }) => (terms.kind === 'reference' ? [{ ...order, terms }] : [])),
    plans: orders.flatMap(({ terms, ...order }) => (terms.kind === 'plan' ? [{ ...order, terms }] : [])),
  };
};

/** Whether on one of its devices an approval would make last what a plan announces for a while, as the agent would find it. */
const endsByPlan = (
  found: StoredFinding,
  { store, plans }: Pick<Orders, 'plans'> & { readonly store: Pick<Store, 'device'> },
): boolean => {
  const wanted = approvable(found);
  if (wanted === undefined || found.finding.plan === undefined || plans.length === 0) return false;
  return devicesOf(found).some((device) => {
    const state = store.device(device, readDevice);
    return state !== undefined && wantsForGood(state, wanted.facts, { plans });
  });
};

/** By what a finding is judged here. */
interface Ground {
  readonly store: Pick<Store, 'device'>;
  readonly people: number;
  readonly references: readonly ReferenceOrder[];
  readonly standing: Standing;
}

/** The other findings that end when this one is approved as `findings show` says it: as the agent would end them. */
const bringsOf = (
  found: StoredFinding,
  { store, people, standing, forAWhile, beside = found.finding }: Ground & Pick<Numbered, 'forAWhile' | 'beside'>,
): Brings => {
  const { finding } = found;
  const isSigned = people > 0 && (forAWhile || (needsMorePeople(beside) && !isUnplanned(beside)));
  const by = isSigned ? 'signature' : 'approval';
  const wanted = approvable(found);
  if (wanted === undefined) return { by, others: [] };
  const nowMs = Date.now();
  const others = new Map<number, Brings['others'][number]>();
  for (const device of devicesOf(found)) {
    const state = store.device(device, readDevice);
    if (state === undefined) continue;
    const ended = isSigned
      ? settledBySigning(state, wanted.facts, { standing, nowMs })
      : coveredBy(state, wanted.facts);
    for (const { finding: other } of ended) {
      const number = other.openedSeq ?? other.parent;
      const isThis = [other.openedSeq, other.parent].includes(finding.openedSeq);
      if (number !== undefined && !isThis) others.set(number, { number, finding: other });
    }
  }
  return { by, others: [...others.values()] };
};

/** Another finding, of one of its devices, that an approval of this one would decide and one person may not, as the agent would find it. */
const besideOf = (found: StoredFinding, { store, people }: Pick<Ground, 'store' | 'people'>): Beside | undefined => {
  const wanted = approvable(found);
  if (wanted === undefined || people === 0 || needsMorePeople(found.finding)) return undefined;
  const decided = devicesOf(found).flatMap((device) => {
    const state = store.device(device, readDevice);
    return state === undefined ? [] : decidedWith(state, wanted.facts).map(({ finding }) => finding);
  });
  // What nobody may sign any more decides about all of it.
  const other = decided.find(isUnplanned) ?? decided[0];
  if (other === undefined) return undefined;
  const { ruleId, reasons = [], openedSeq, parent } = other;
  return { ruleId, reasons, number: openedSeq ?? parent };
};

/** The reference that holds a fact of this finding otherwise on one of its devices, as the agent would find it. */
const holderOf = (found: StoredFinding, { store, people, references, standing }: Ground): Holder | undefined => {
  const wanted = approvable(found);
  if (wanted === undefined || references.length === 0) return undefined;
  const { facts } = wanted;
  const heldOf = (device: string): HeldFact | undefined => {
    const state = store.device(device, readDevice);
    return state === undefined ? undefined : heldOtherwise(state, facts, { standing, nowMs: Date.now() });
  };
  for (const device of devicesOf(found)) {
    const held = heldOf(device);
    const order = references.find(({ seq }) => seq === held?.seq);
    if (held === undefined || order === undefined) continue;
    const { refId, fact } = held;
    return { refId, fact, version: order.terms.version, two: standsOnTwo(order, people) };
  }
  return undefined;
};

/** The document that an entry of the log adopted, under this name; without one where it is withheld or the entry is removed. */
const namedTerms = (
  name: 'plan' | 'waiver',
  seq: number | undefined,
  store: Pick<Store, 'entry'>,
): Numbered['covers'] => {
  const entry = seq === undefined ? undefined : store.entry(seq);
  if (entry === undefined) return {};
  // Our own statement.
  const statement = JSON.parse(Buffer.from(entry.message).toString()) as Statement;
  if (statement.kind !== 'change') return {};
  const { doc, sigs = [], terms } = statement.change;
  const said = doc === undefined ? termsSchema.safeParse(terms).data : readClaimedTerms({ doc, sigs }).terms;
  return said === undefined || said.kind === 'reference' ? {} : { [name]: said };
};

/** What differs from a plan, or came late, names the rule whose finding has the values. */
const toldAbout = (told: StoredFinding, all: readonly StoredFinding[]): number | undefined => {
  const devices = devicesOf(told);
  const other = all.find(
    (one) =>
      STANDING.has(one.finding.state) &&
      told.finding.reasons?.includes(one.finding.ruleId) === true &&
      devicesOf(one).some((device) => devices.includes(device)),
  );
  return other?.finding.openedSeq ?? other?.finding.parent;
};

/** The finding as advice is asked about it here. */
export const askedOf = (found: Numbered, config: string): Asked => ({
  number: found.finding.openedSeq,
  people: found.people,
  devices: devicesOf(found),
  about: found.about,
  holder: found.holder,
  forAWhile: found.forAWhile,
  beside: found.beside,
  config: toName(config),
});

/** The file that a command line has to name: the usual one need not be. */
const toName = (config: string): string | undefined => (config === 'assayer.yaml' ? undefined : config);

const notNumber = (text: string, config: string): AgentError =>
  new AgentError({
    code: 'usage.number',
    message: `${JSON.stringify(text)} is not the number of a finding`,
    remedy: `the numbers: ${typed('findings list', { config: toName(config) })}`,
  });

const none = (number: string, config: string): AgentError =>
  new AgentError({
    code: 'finding.none',
    message: `there is no finding ${number}`,
    remedy: `the numbers: ${typed('findings list --all', { config: toName(config) })}`,
  });
