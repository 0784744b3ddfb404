import { hash } from 'node:crypto';
import { z } from 'zod';
import type { FactName, Facts } from '../../shared/facts.ts';
import { canonicalJson } from '../../shared/jcs.ts';
import { checkTerms, type SignedTerms, verifyTerms } from '../../shared/signed-terms.ts';
import type { AttestationStatement } from '../../shared/statement.ts';
import {
  LONGEST_TERMS_S,
  type Plan,
  type ReferenceTerms,
  type Terms,
  termsId,
  termsSchema,
} from '../../shared/terms.ts';
import { VerificationError } from '../../shared/verification.ts';
import { absencesOf } from '../appraise/absences.ts';
import { refuseWhileOpen } from '../appraise/accept.ts';
import { describe, stagesOf } from '../appraise/approval.ts';
import type { DeviceState, Track } from '../appraise/device.ts';
import { factsCovered, openTooLong, sightIn } from '../appraise/plan-reach.ts';
import { rebuilt, underDocument, wantsTwo } from '../appraise/promote.ts';
import { isUnplanned, needsMorePeople, notCoverable, uncoverableIds, wholeOf } from '../appraise/who-approves.ts';
import type { Absent } from '../baseline/absent.ts';
import { factsOfClaims } from '../baseline/claims.ts';
import { everAllowed, itemsAt } from '../baseline/expected.ts';
import { holderOf } from '../baseline/reference.ts';
import { closeness, DEVICE_CLOSENESS, inScope, mayMeet } from '../baseline/scope.ts';
import { countsFor, lastOfPlan, type Standing, standingOf } from '../baseline/standing.ts';
import type { Approvers } from '../config/approvers.ts';
import { AgentError } from '../platform/errors.ts';
import type { KeysHere } from '../platform/keys-here.ts';
import { givenFacts } from '../record/baseline-history.ts';
import type { Adoption, Order, Orders } from '../record/orders.ts';
import type { Store } from '../record/store.ts';
import { VERB_OF } from '../terms/draft.ts';
import { misfitsOf, strangeFields } from '../terms/fact-values.ts';
import { requireNewPeople } from './admission.ts';

/** Adoption of what approvers signed, or a person at the gateway lays down: whether it may be, and what it does. */

/** What is handed to the gateway. `delivered`: over the uplink, where anybody may have kept it for as long as they liked. */
export type Handed =
  | ({ readonly kind: 'signed'; readonly delivered?: true } & SignedTerms & Emergency)
  /** A plan or waiver without a signature: the word of a person at the gateway. */
  | ({ readonly kind: 'local'; readonly terms: unknown; readonly by: string } & Emergency);

interface Emergency {
  /** One person does what two have to, and says why. It is found and reported as `change.break-glass`. */
  readonly breakGlass?: { readonly by: string; readonly note: string } | undefined;
}

/** What a document is judged by: the gateway as it is now. */
export interface AdoptionGround {
  /** Those who count. */
  readonly approvers: Approvers;
  /** How many people approvals take at most: none where nobody signs. */
  readonly people: number;
  /** `<operator-domain>/<gateway>`. */
  readonly gateway: string;
  readonly log: string;
  readonly orders: Pick<Orders, 'all' | 'find' | 'standing' | 'hasEnded' | 'endedVersion' | 'approvals'>;
  readonly states: () => readonly DeviceState[];
  /** Names of the labels that devices have. */
  readonly labels: readonly string[];
  readonly keysHere: () => KeysHere;
  readonly store: Store;
  readonly nowMs: number;
}

/** By device, the findings that an adoption ends. */
export type Settled = ReadonlyMap<string, readonly Track[]>;

/** What follows from a document that was handed over. */
export type Judged =
  | {
      readonly kind: 'adopt';
      readonly adoption: Adoption;
      readonly settled: Settled;
      /** Devices that left the configuration and are back, at which a document in force holds again what it says. */
      readonly again: readonly string[];
    }
  | { readonly kind: 'in-force'; readonly order: Order };

/** Judges what was handed over. Throws `terms.*` where it is refused; nothing happened then. */
export const judgeAdoption = (handed: Handed, ground: AdoptionGround): Judged => {
  const order = readOrder(handed, ground);
  const { terms, sha256 } = order;
  const known = ground.orders.find(terms.kind, termsId(terms));
  const isDelivered = handed.kind === 'signed' && handed.delivered === true;
  const isInForce = known?.sha256 === sha256;
  // What a topic keeps comes again by itself: that a device is who approvers signed for, a person says.
  const again = isInForce && !isDelivered ? devicesBack(known, ground.states()) : [];
  if (isInForce && again.length === 0) return { kind: 'in-force', order: known };
  if (ground.orders.hasEnded(sha256)) throw refused('ended', 'it was ended here before', 'sign it anew');
  if (terms.kind === 'reference' && ground.orders.endedVersion(terms.ref_id) >= terms.version)
    throw refused(
      'version',
      `version ${ground.orders.endedVersion(terms.ref_id)} was ended here`,
      'give it a later version',
    );
  if (isDelivered) requireKnownPast(terms, ground);
  requireInTime(terms, ground.nowMs);
  if (isInForce) requireLatest(known, ground);
  else requireSuccessor(terms, known);
  requireMeaning(terms, ground.labels);
  requireCoverable(terms);
  requireBrief(terms, ground);
  requireNewPeople(terms, ground);
  const away = isInForce ? (known.left ?? []).filter((device) => !again.includes(device)) : [];
  const entries = terms.kind === 'reference' ? claimsOf(terms, away, ground) : [];
  const next = { ...order, seq: Number.MAX_SAFE_INTEGER };
  const settled = settledDevices(next, known, entries, ground);
  const atStake = settledDevices(atAnyTime(next), known, entries, { ...ground, inDoubt: true });
  requireNothingWorse(entries, settled, ground);
  const alone =
    requirePeople(order, { known, atStake }, handed.breakGlass !== undefined, ground) ||
    requirePlanned(atStake, handed, ground);
  const breakGlass = alone ? handed.breakGlass : undefined;
  return {
    kind: 'adopt',
    adoption: {
      order: away.length === 0 ? order : { ...order, left: away },
      replaces: known,
      entries,
      settles: [...settled.keys()],
      breakGlass,
    },
    settled,
    again,
  };
};

/** Devices that left the configuration since a document was adopted, so that its entries hold nothing at them, and that were seen again. */
export const devicesBack = ({ left = [] }: Pick<Order, 'left'>, states: readonly DeviceState[]): readonly string[] => {
  const seen = new Set(states.filter(({ attested }) => attested !== undefined).map(({ id }) => id));
  return left.filter((device) => seen.has(device));
};

/** Adopted again it would come after what approvers signed of the same facts of its devices since, and hold instead. */
const requireLatest = (known: Order, { orders }: AdoptionGround): void => {
  const own = namedIn(known);
  const later = orders.all().find((other) => other.seq > known.seq && namedIn(other).some((one) => isAmong(own, one)));
  if (later === undefined) return;
  const id = termsId(later.terms);
  throw refused(
    'overtaken',
    `reference ${id} says something of the same devices and was adopted later: it would take the place of that`,
    `adopt ${id} again, where its devices left, too; else have the next version of this one signed: assayer baseline export`,
  );
};

/** A device that a reference names, and the facts of it that are spoken of; all of them without `facts`. */
interface NamedDevice {
  readonly device: string;
  readonly facts?: readonly string[] | undefined;
}

const namedIn = ({ terms }: Order): readonly NamedDevice[] => {
  if (terms.kind !== 'reference') return [];
  const facts = terms.values?.map(({ fact }) => wholeOf(fact)) ?? [];
  return terms.entries ?? terms.scope?.devices?.map((device) => ({ device, facts })) ?? [];
};

const isAmong = (all: readonly NamedDevice[], { device, facts }: NamedDevice): boolean =>
  all.some(
    (one) =>
      one.device === device &&
      (one.facts === undefined || facts === undefined || one.facts.some((fact) => facts.includes(fact))),
  );

const readOrder = (handed: Handed, { approvers, gateway, nowMs }: AdoptionGround): Omit<Order, 'seq'> => {
  const adoptedAt = Math.floor(nowMs / 1000);
  if (handed.kind === 'local') {
    const terms = readLocal(handed.terms);
    return { terms, sha256: hash('sha256', canonicalJson(terms), 'base64url'), by: [handed.by], adoptedAt };
  }
  if (approvers.keys.size === 0)
    throw refused(
      'no-approvers',
      'this gateway trusts no approver',
      'name their public keys under approvers in the configuration; assayer keys list shows who waits to be admitted',
    );
  const { doc, sigs } = handed;
  try {
    const { terms, kids, sha256 } = verifyTerms({ doc, sigs }, { keys: approvers.keys, gateway });
    return {
      terms,
      sha256,
      doc,
      ...(sigs.length === 0 ? {} : { sigs }),
      by: kids.map((kid) => approvers.names.get(kid) ?? kid),
      adoptedAt,
    };
  } catch (problem) {
    if (!(problem instanceof VerificationError)) throw problem;
    throw refused('signature', problem.message, REMEDIES[problem.code] ?? CORRECT, problem);
  }
};

const CORRECT = 'correct it, and have it signed again: assayer terms show says what it says';

const REMEDIES: { readonly [code: string]: string } = {
  E_KEY_UNKNOWN:
    'have it signed by approvers who count here: assayer keys list shows them, and who waits to be admitted',
  E_KEY_SCOPE: 'it is not for this gateway: have one signed that is',
  E_KEY_REVOKED: 'have it signed with a key that is good',
  E_SIGNATURE: 'get it again from who signed it: it was altered on the way',
};

const readLocal = (value: unknown): Terms => {
  const parsed = termsSchema.safeParse(value);
  const remedy = 'docs/approvers.md has an example of each';
  if (!parsed.success) throw refused('shape', z.prettifyError(parsed.error), remedy);
  if (parsed.data.kind === 'reference') throw refused('shape', 'reference values are adopted signed', remedy);
  try {
    checkTerms(parsed.data);
  } catch (problem) {
    if (problem instanceof VerificationError) throw refused('shape', problem.message, remedy, problem);
    throw problem;
  }
  return parsed.data;
};

/** A date ahead of the clock would stretch whatever counts from it. */
const AHEAD_MS = 120_000;
const LONGEST_TERMS_MS = LONGEST_TERMS_S * 1000;

const requireInTime = (terms: Terms, nowMs: number): void => {
  if (terms.iat * 1000 > nowMs + AHEAD_MS)
    throw refused(
      'future',
      'it is dated in the future',
      'sign it with the present time, and look at the clocks of both machines',
    );
  if (terms.kind === 'reference') return;
  const until = terms.kind === 'plan' ? terms.not_after_at : terms.expires_at;
  const last = terms.kind === 'plan' ? lastOfPlan(terms) : until;
  if (last * 1000 > nowMs + LONGEST_TERMS_MS + AHEAD_MS)
    throw refused('over', `a ${terms.kind} ends within 90 days from now`, 'make one that ends earlier');
  if (until * 1000 <= nowMs) throw refused('over', 'its time is over', 'make one with later times');
};

/** A version follows the one in force; a plan or waiver of a name that is in force is another one. */
const requireSuccessor = (terms: Terms, known: Order | undefined): void => {
  if (known === undefined) return;
  if (terms.kind !== 'reference' || known.terms.kind !== 'reference')
    throw refused(
      'name-taken',
      `another ${terms.kind} ${termsId(terms)} is in force`,
      'end that one first, or choose another name',
    );
  if (terms.version <= known.terms.version)
    throw refused(
      'version',
      `version ${known.terms.version} is in force`,
      `give it version ${known.terms.version + 1}`,
    );
  if (terms.prev_sha256 === known.sha256) return;
  const { version } = known.terms;
  if (terms.prev_sha256 === undefined)
    throw refused(
      'version',
      `it does not say that it follows version ${version}, which is in force`,
      `write prev_sha256: ${known.sha256} into the draft, and have it signed again`,
    );
  const between = terms.version - version > 1 ? ', or hand over first the version that it follows' : '';
  throw refused('version', 'prev_sha256 is not the digest of the version in force', `it is ${known.sha256}${between}`);
};

/** Values of facts that this version knows could be what a device shows here. */
const requireMeaning = (terms: Terms, labels: readonly string[]): void => {
  const values = terms.kind === 'reference' ? terms.values : terms.kind === 'plan' ? terms.expected_after : undefined;
  const [misfit] = (values ?? []).flatMap((value) => [...misfitsOf(value), ...strangeFields(value, labels)]);
  if (misfit !== undefined) throw refused('value', misfit.message, misfit.remedy);
};

/** A plan or waiver does not say that it takes the weight off what it cannot. */
const requireCoverable = (terms: Terms): void => {
  const [id] = terms.kind === 'reference' ? [] : uncoverableIds(terms.ids);
  if (id !== undefined)
    throw refused(
      'not-coverable',
      notCoverable(id),
      'leave it out; assayer findings show says what ends such a finding',
    );
};

/** Where nobody signs, nobody stands behind a plan that keeps quiet for long what it says nothing of. */
const requireBrief = (terms: Terms, { people }: AdoptionGround): void => {
  const open = people > 0 || terms.kind !== 'plan' ? undefined : openTooLong(terms);
  if (open !== undefined)
    throw refused(
      'open',
      `it covers ${open} for more than 4 hours and does not say what is to be seen then: without approvers that is the most`,
      'let it end 4 hours after it begins, or write under expected_after what is put in; what lasts longer is acknowledged (assayer findings ack) and approved afterwards, or name approvers, who sign it: docs/approvers.md',
    );
};

/** The claims that the document approves, from the log that holds them, but for those of devices that are `away`. */
const claimsOf = (
  { entries = [] }: ReferenceTerms,
  away: readonly string[],
  { store, log, states }: AdoptionGround,
): Adoption['entries'] => {
  const known = new Set(states().map(({ id }) => id));
  const meant = entries.filter(({ device }) => !away.includes(device));
  return meant.map(({ device, log: named, seq, leaf, facts }) => {
    const entry = named === log ? store.entry(seq) : undefined;
    const again = 'export them anew: assayer baseline export';
    if (
      entry?.kind !== 'attestation' ||
      entry.device !== device ||
      Buffer.from(entry.leaf).toString('base64url') !== leaf
    )
      throw refused('entry', `entry ${seq} of ${named} is not that attestation of ${device} here`, again);
    if (!known.has(device)) throw refused('entry', `there is no device ${device}`, again);
    // Our own statement.
    const { evidence } = JSON.parse(Buffer.from(entry.message).toString()) as AttestationStatement;
    const claims = evidence.claims === undefined ? undefined : factsOfClaims(evidence.claims);
    if (claims === undefined)
      throw refused('entry', `entry ${seq} does not hold its claims in clear`, 'approve values instead of entries');
    const absent = absencesOf(evidence.readings ?? {});
    const untold = facts?.find((fact) => !isTold(fact, claims, absent));
    if (untold !== undefined)
      throw refused('entry', `entry ${seq} of ${device} tells no ${JSON.stringify(untold)}`, again);
    // Each is the name of a fact that is told.
    return { device, claims, absent, ...(facts === undefined ? {} : { facts: facts as FactName[] }) };
  });
};

/** Whether an attestation says what this fact was, or that there was none. */
export const isTold = (fact: string, claims: Facts, absent: Absent): boolean =>
  Object.hasOwn(claims, fact) || absent.some((one) => one === fact);

/** The document with all that it ever allows: who may approve that is asked before its time comes. */
const atAnyTime = (order: Order): Order => {
  const { terms } = order;
  if (terms.kind !== 'reference' || terms.values === undefined) return order;
  return { ...order, terms: { ...terms, values: terms.values.flatMap(everAllowed) } };
};

/** Devices with the findings that the adoption would end; `inDoubt`: or may end, as far as anybody can tell now. */
const settledDevices = (
  order: Order,
  replaces: Order | undefined,
  entries: Adoption['entries'],
  ground: AdoptionGround & { readonly inDoubt?: boolean },
): Settled => {
  const { orders, states, nowMs, inDoubt = false } = ground;
  const { terms } = order;
  if (terms.kind !== 'reference') return new Map();
  const standing = withReference(orders.standing, { ...order, terms }, replaces);
  const named = Map.groupBy(entries, ({ device }) => device);
  const meant = states().filter(
    (state) => named.has(state.id) || (terms.values !== undefined && countsFor(order, describe(state, {}))),
  );
  return new Map(
    withoutReplaced(meant, replaces, ground).flatMap((state): [string, readonly Track[]][] => {
      const document = { ...order, entries: named.get(state.id) ?? [] };
      const { settled } = underDocument(state, document, { standing, nowMs, inDoubt });
      return settled.length === 0 ? [] : [[state.id, settled]];
    }),
  );
};

/** Devices without what the replaced version approved of their attestations: it holds nothing there any longer. */
const withoutReplaced = (
  states: readonly DeviceState[],
  replaces: Order | undefined,
  { store, log }: AdoptionGround,
): readonly DeviceState[] => {
  if (replaces === undefined) return states;
  const { seq } = replaces;
  const isHeld = ({ reference }: DeviceState): boolean => reference?.entries.some((one) => one.seq === seq) === true;
  const held = states.filter(isHeld);
  if (held.length === 0) return states;
  const given = givenFacts(store, log, held, new Set([seq]));
  return states.map((state) => (isHeld(state) ? rebuilt(state, given.get(state.id) ?? []) : state));
};

/** What would be in force with this document. */
const withReference = (standing: Standing, order: Order<ReferenceTerms>, replaces: Order | undefined): Standing =>
  standingOf({ ...standing, references: [...standing.references.filter(({ seq }) => seq !== replaces?.seq), order] });

/** Nothing is promoted on a device while something as grave, that the document does not speak of, lies open there. */
const requireNothingWorse = (
  entries: Adoption['entries'],
  settles: Settled,
  { states, people }: AdoptionGround,
): void => {
  const promoted = new Set([...entries.map(({ device }) => device), ...settles.keys()]);
  for (const state of states())
    if (promoted.has(state.id)) refuseWhileOpen(state, settles.get(state.id) ?? [], 'document', people);
};

/** Where it is not known what was ended, nothing from before comes into force by itself. */
const requireKnownPast = (terms: Terms, { orders }: AdoptionGround): void => {
  if (!orders.approvals.isUnknown(terms.iat)) return;
  const verb = terms.kind === 'reference' ? 'baseline' : terms.kind;
  throw refused(
    'past-unknown',
    'it was signed before this log began, and may have been ended since: nothing is left that would say so',
    `if it still holds, a person hands its file over at the gateway: assayer ${verb} adopt; or have it signed anew`,
  );
};

/** Whether two people stand behind a document in force: one alone neither ends it nor puts another one in its place. */
export const standsOnTwo = ({ terms, doc, by }: Omit<Order, 'seq'>, people: number): boolean =>
  // What a person at the gateway laid down, a person ends.
  doc !== undefined && (new Set(by).size >= 2 || (people >= 2 && wantsTwo(terms)));

/**
 * Whether fewer do it than have to: two approvers, or the one whom the configuration names; the word of a person at the
 * gateway is the signature of none. Throws where nobody said that this is meant.
 */
const requirePeople = (
  { terms, doc, by }: Omit<Order, 'seq'>,
  does: Done,
  meant: boolean,
  ground: AdoptionGround,
): boolean => {
  const { people } = ground;
  const signers = doc === undefined ? 0 : new Set(by).size;
  if (signers >= Math.min(people, 2)) return false;
  const asked = askedFor(terms, does, signers, ground);
  if (asked === undefined) return false;
  if (meant) return true;
  const two = asked.two && people > 1;
  throw refused(
    two ? 'two-approvers' : 'unsigned',
    `${asked.why}, and ${signers === 0 ? 'nobody signed it' : 'one did'}`,
    `${signingRemedy(terms.kind, { two, signers })}; in an emergency --break-glass with --note, which is reported`,
  );
};

/** What an adoption does: the version whose place it takes, and the findings that it ends, or may end. */
interface Done {
  readonly known: Order | undefined;
  readonly atStake: Settled;
}

/** Why these terms take more signatures than they have, and whether they take two; undefined where they have enough. */
const askedFor = (
  terms: Terms,
  { known, atStake }: Done,
  signers: number,
  ground: AdoptionGround,
): { readonly why: string; readonly two: boolean } | undefined => {
  const { people } = ground;
  const who = people > 1 ? 'two people have to approve' : 'the approver of this gateway has to sign';
  const ends = endingOfTwo(atStake);
  if (ends !== undefined) return { why: `it ends ${ends}, which ${who}`, two: true };
  if (wantsTwo(terms)) return { why: `it speaks of what ${who}`, two: true };
  if (known !== undefined && standsOnTwo(known, people))
    return { why: 'it takes the place of what two people approved', two: true };
  if (terms.kind === 'waiver') return undefined;
  const overruled = overruledBy(terms, ground).filter(({ order }) => order.seq !== known?.seq);
  const two = overruled.find(({ order }) => standsOnTwo(order, people));
  if (two !== undefined) return { why: `${overruling(terms, two)}, which two people approved`, two: true };
  const [first] = overruled;
  if (terms.kind === 'reference' || signers > 0) return undefined;
  if (first !== undefined) return { why: `${overruling(terms, first)}, which an approver signed`, two: false };
  const sight = sightIn(terms);
  return sight === undefined ? undefined : { why: `it speaks of ${sight}, which an approver has to sign`, two: false };
};

/** The first finding of two people that ends, with its device: whatever the document names. */
const endingOfTwo = (atStake: Settled): string | undefined => {
  for (const [device, tracks] of atStake) {
    const finding = tracks.map((track) => track.finding).find(needsMorePeople);
    if (finding !== undefined) return `${finding.ruleId} (${finding.severity}) of ${device}`;
  }
  return undefined;
};

/** A fact that a signed reference holds, of which another document would allow other values. */
interface Overruled {
  readonly order: Order;
  readonly fact: string;
}

const overruling = ({ kind }: Plan | ReferenceTerms, { order, fact }: Overruled): string =>
  kind === 'plan'
    ? `it allows other values of ${fact} than reference ${termsId(order.terms)}`
    : `it holds ${fact} in the place of reference ${termsId(order.terms)}`;

/**
 * Of devices that a plan or reference may speak of, now or once they are here: what signed values and signed attestations hold, in the
 * place of which it would. A reference that is less close than they are leaves them what they hold.
 */
const overruledBy = (
  document: Plan | ReferenceTerms,
  { orders, states, nowMs }: Pick<AdoptionGround, 'orders' | 'states' | 'nowMs'>,
): readonly Overruled[] => {
  const { facts, close } = reachOf(document);
  const covered = states().filter((state) => stagesOf(state, {}).some((who) => inScope(document.scope, who)));
  return orders.all().flatMap((order): Overruled[] => {
    const { terms, seq } = order;
    if (terms.kind !== 'reference') return [];
    const meets =
      close >= closeness(terms.scope) &&
      (mayMeet(document.scope, terms.scope) ||
        covered.some((state) => countsFor({ ...order, terms }, describe(state, {}))));
    const values = meets ? itemsAt(terms.values ?? [], nowMs).map(({ fact }) => wholeOf(fact)) : [];
    const entered = close >= DEVICE_CLOSENESS ? covered : [];
    const fact = facts.find(
      (one) =>
        values.includes(one) || entered.some(({ reference }) => holderOf(reference?.entries ?? [], one)?.seq === seq),
    );
    return fact === undefined ? [] : [{ order, fact }];
  });
};

/** The facts of which a document says what they may be, and how close it is to the devices: a plan is closer than any reference. */
const reachOf = (document: Plan | ReferenceTerms): { readonly facts: readonly FactName[]; readonly close: number } =>
  document.kind === 'plan'
    ? // Each is the whole of a fact that rules read.
      { facts: [...factsCovered(document)] as readonly FactName[], close: Number.POSITIVE_INFINITY }
    : {
        facts: (document.values ?? []).map(({ fact }) => wholeOf(fact) as FactName),
        close: closeness(document.scope),
      };

/** The verbs that sign terms of this kind and hand them over. */
const signingRemedy = (
  kind: Terms['kind'],
  { two, signers }: { readonly two: boolean; readonly signers: number },
): string => {
  const verb = `assayer ${VERB_OF[kind]}`;
  if (signers > 0)
    return `have another approver sign it too: ${verb} sign <file>.signed.json --key <key>, then ${verb} adopt <file>.signed.json`;
  const who = two ? 'two approvers, one after the other,' : 'an approver';
  return `have ${who} sign it: ${verb} create writes a draft, ${verb} sign <file> --key <key> signs it, ${verb} adopt <file>.signed.json takes it`;
};

const requirePlanned = (atStake: Settled, { breakGlass }: Handed, { people }: AdoptionGround): boolean => {
  if (people === 0) return false;
  const unplanned = [...atStake].find(([, tracks]) => tracks.some(({ finding }) => isUnplanned(finding)));
  if (unplanned === undefined) return false;
  if (breakGlass !== undefined) return true;
  throw refused(
    'unplanned',
    `${unplanned[0]} shows a change that is acceptable only when planned beforehand`,
    'treat it as an incident: set the device back; if it has to be, --break-glass, which is reported',
  );
};

const refused = (code: string, message: string, remedy: string, cause?: unknown): AgentError =>
  new AgentError({ code: `terms.${code}`, message, remedy, ...(cause === undefined ? {} : { cause }) });
