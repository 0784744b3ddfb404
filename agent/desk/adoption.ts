import { hash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../../shared/jcs.ts';
import { checkTerms, type SignedTerms, verifyTerms } from '../../shared/signed-terms.ts';
import type { AttestationStatement } from '../../shared/statement.ts';
import { type ReferenceTerms, type Terms, termsId, termsSchema } from '../../shared/terms.ts';
import { VerificationError } from '../../shared/verification.ts';
import { refuseWhileOpen } from '../appraise/accept.ts';
import { describe } from '../appraise/approval.ts';
import type { DeviceState, Track } from '../appraise/device.ts';
import { settledBy, wantsTwo, withSignedEntry } from '../appraise/promote.ts';
import { isUnplanned, notCoverable, uncoverableIds } from '../appraise/who-approves.ts';
import { factsOfClaims } from '../baseline/claims.ts';
import { countsFor, type Standing, standingOf } from '../baseline/standing.ts';
import type { Approvers } from '../config/approvers.ts';
import { AgentError } from '../platform/errors.ts';
import type { Adoption, Order, Orders } from '../record/orders.ts';
import type { Store } from '../record/store.ts';
import { misfitsOf, strangeFields } from '../terms/fact-values.ts';

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
  readonly orders: Pick<Orders, 'find' | 'standing' | 'hasEnded' | 'endedVersion' | 'approvals'>;
  readonly states: () => readonly DeviceState[];
  /** Names of the labels that devices have. */
  readonly labels: readonly string[];
  readonly store: Pick<Store, 'entry'>;
  readonly nowMs: number;
}

/** What follows from a document that was handed over. */
export type Judged =
  | { readonly kind: 'adopt'; readonly adoption: Adoption }
  | { readonly kind: 'in-force'; readonly order: Order };

/** Judges what was handed over. Throws `terms.*` where it is refused; nothing happened then. */
export const judgeAdoption = (handed: Handed, ground: AdoptionGround): Judged => {
  const order = readOrder(handed, ground);
  const { terms, sha256 } = order;
  const known = ground.orders.find(terms.kind, termsId(terms));
  if (known !== undefined && known.sha256 === sha256) return { kind: 'in-force', order: known };
  if (ground.orders.hasEnded(sha256)) throw refused('ended', 'it was ended here before', 'sign it anew');
  if (terms.kind === 'reference' && ground.orders.endedVersion(terms.ref_id) >= terms.version)
    throw refused(
      'version',
      `version ${ground.orders.endedVersion(terms.ref_id)} was ended here`,
      'give it a later version',
    );
  if (handed.kind === 'signed' && handed.delivered === true) requireKnownPast(terms, ground);
  requireInTime(terms, ground.nowMs);
  requireSuccessor(terms, known);
  requireMeaning(terms, ground.labels);
  requireCoverable(terms);
  const entries = terms.kind === 'reference' ? claimsOf(terms, ground) : [];
  const settles = settledDevices({ ...order, seq: Number.MAX_SAFE_INTEGER }, known, entries, ground);
  requireNothingWorse(entries, settles, ground);
  const alone =
    requirePeople(order, known, handed.breakGlass !== undefined, ground) || requirePlanned(settles, handed, ground);
  const breakGlass = alone ? handed.breakGlass : undefined;
  return { kind: 'adopt', adoption: { order, replaces: known, entries, settles: [...settles.keys()], breakGlass } };
};

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
const LONGEST_WAIVER_MS = 90 * 86_400_000;

const requireInTime = (terms: Terms, nowMs: number): void => {
  if (terms.iat * 1000 > nowMs + AHEAD_MS)
    throw refused(
      'future',
      'it is dated in the future',
      'sign it with the present time, and look at the clocks of both machines',
    );
  if (terms.kind === 'waiver' && terms.expires_at * 1000 > nowMs + LONGEST_WAIVER_MS + AHEAD_MS)
    throw refused('over', 'a waiver ends within 90 days from now', 'sign one that ends earlier');
  const until = terms.kind === 'plan' ? terms.not_after_at : terms.kind === 'waiver' ? terms.expires_at : undefined;
  if (until !== undefined && until * 1000 <= nowMs)
    throw refused('over', 'its time is over', 'sign one with later times');
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
  if (terms.prev_sha256 !== undefined && terms.prev_sha256 !== known.sha256)
    throw refused('version', 'prev_sha256 is not the digest of the version in force', `it is ${known.sha256}`);
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

/** The claims that the document approves, from the log that holds them. */
const claimsOf = ({ entries = [] }: ReferenceTerms, { store, log, states }: AdoptionGround): Adoption['entries'] => {
  const known = new Set(states().map(({ id }) => id));
  return entries.map(({ device, log: named, seq, leaf }) => {
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
    return { device, claims };
  });
};

/** Devices with the findings that the adoption would end. */
const settledDevices = (
  order: Order,
  replaces: Order | undefined,
  entries: Adoption['entries'],
  { orders, states, nowMs }: AdoptionGround,
): ReadonlyMap<string, readonly Track[]> => {
  const { terms } = order;
  if (terms.kind !== 'reference') return new Map();
  const standing = withReference(orders.standing, { ...order, terms }, replaces);
  const claims = new Map(entries.map((entry) => [entry.device, entry.claims]));
  return new Map(
    states().flatMap((state): [string, readonly Track[]][] => {
      const own = claims.get(state.id);
      if (own === undefined && (terms.values === undefined || !countsFor(order, describe(state, {})))) return [];
      const settled =
        own === undefined
          ? settledBy(state, standing, { nowMs })
          : settledBy(withSignedEntry(state, order.seq, own), standing, { nowMs, asWhole: true });
      return settled.length === 0 ? [] : [[state.id, settled]];
    }),
  );
};

/** What would be in force with this document. */
const withReference = (standing: Standing, order: Order<ReferenceTerms>, replaces: Order | undefined): Standing =>
  standingOf({ ...standing, references: [...standing.references.filter(({ seq }) => seq !== replaces?.seq), order] });

/** Nothing is promoted on a device while something as grave, that the document does not speak of, lies open there. */
const requireNothingWorse = (
  entries: Adoption['entries'],
  settles: ReadonlyMap<string, readonly Track[]>,
  { states }: AdoptionGround,
): void => {
  const promoted = new Set([...entries.map(({ device }) => device), ...settles.keys()]);
  for (const state of states())
    if (promoted.has(state.id)) refuseWhileOpen(state, settles.get(state.id) ?? [], 'document');
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
  known: Order | undefined,
  meant: boolean,
  { people }: AdoptionGround,
): boolean => {
  const signers = doc === undefined ? 0 : new Set(by).size;
  if (signers >= Math.min(people, 2)) return false;
  const replacesTwo = known !== undefined && standsOnTwo(known, people);
  if (!wantsTwo(terms) && !replacesTwo) return false;
  if (meant) return true;
  if (people === 1)
    throw refused(
      'unsigned',
      'it speaks of what the approver of this gateway has to sign, and nobody signed it',
      'have it signed: assayer plan sign, waiver sign; in an emergency --break-glass with --note, which is reported',
    );
  throw refused(
    'two-approvers',
    wantsTwo(terms)
      ? 'it speaks of what two people have to approve, and one did'
      : 'it takes the place of what two people approved, and one did',
    'have another approver sign it too: assayer baseline sign; in an emergency --break-glass, which is reported',
  );
};

const requirePlanned = (
  settles: ReadonlyMap<string, readonly Track[]>,
  { breakGlass }: Handed,
  { people }: AdoptionGround,
): boolean => {
  if (people === 0) return false;
  const unplanned = [...settles].find(([, tracks]) => tracks.some(({ finding }) => isUnplanned(finding)));
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
