import type { FactName } from '../../shared/facts.ts';
import type { Terms } from '../../shared/terms.ts';
import { accept, factsNamed } from '../appraise/accept.ts';
import { departure } from '../appraise/departure.ts';
import {
  type DeviceState,
  type Marks,
  withAttestation,
  withLearned,
  withStatement,
  writeDevice,
} from '../appraise/device.ts';
import type { Finding } from '../appraise/finding.ts';
import { namesUsers, promote, rebuilt, underDocument } from '../appraise/promote.ts';
import { type Review, reviewedFinding, reviewTrack } from '../appraise/review.ts';
import { brokenGlass } from '../appraise/rules/change-break-glass.ts';
import {
  collapse,
  type DeviceTransition,
  isPartOf,
  type ParentTransition,
  parentReviewed,
  parentSeq,
  parentStated,
  type StormState,
} from '../appraise/storm.ts';
import type { Verdict } from '../appraise/verdict.ts';
import type { Observation } from '../normalise/observation.ts';
import { DEPARTED, writeDeparted } from './departed.ts';
import type { Built, KeptReply } from './entry.ts';
import type { Transaction } from './log.ts';
import { OrderDraft } from './order-draft.ts';
import type { Adoption, Order, Orders } from './orders.ts';
import { type Redaction, usersIn } from './redaction.ts';
import {
  buildAdopted,
  buildAttestation,
  buildBaselineAccepted,
  buildBaselineLearned,
  buildChange,
  buildFinding,
  buildWithdrawn,
  type Citation,
  pages,
  type Subject,
} from './statement.ts';

/** One judged look on its way into the log. */
export interface Judged {
  readonly before: DeviceState;
  /** The marks of the device before the look: they hold again if the store refuses the verdict. */
  readonly marks: Marks;
  readonly verdict: Verdict;
  /** The address that was asked. */
  readonly address: string;
  /** Id under which the machine was known before its entry was renamed. */
  readonly formerly?: string;
  readonly look:
    | {
        readonly kind: 'observed';
        readonly observation: Observation;
        /** It could read the pools that the current attestation claims. */
        readonly affirms: boolean;
        readonly replies: () => readonly KeptReply[];
      }
    | { readonly kind: 'unreachable'; readonly atMs: number };
}

/** Who accepts, and why. */
export interface Person {
  readonly by: string;
  readonly note?: string;
}

/** What a person accepts. `alone`: devices for which it takes two people, and this one did it alone. */
export interface Accepting extends Person {
  /** Only these; without it the whole devices. */
  readonly facts?: readonly FactName[];
  /** By device, facts that it does not adopt: they rest on a document. */
  readonly leaves?: ReadonlyMap<string, readonly FactName[]>;
  readonly alone?: readonly string[];
}

/** What a batch reads; it changes none of it. */
export interface BatchDeps {
  /** In force now; undefined where nothing is redacted. */
  readonly redaction?: () => Redaction | undefined;
  readonly wallMs: () => number;
  readonly state: (device: string) => DeviceState | undefined;
  /** Documents in force. */
  readonly orders?: Orders;
}

/**
 * The entries of one transaction, in their order: first what is attested, then what was found, so that a finding can cite
 * its evidence. The states of the devices follow in memory; they hold once the transaction is durable.
 */
export class Batch {
  storms: StormState;
  /** The devices this batch changes. */
  readonly states = new Map<string, DeviceState>();
  /** What it does to the documents in force. */
  readonly orders: OrderDraft;
  /** Those whose attestations let the agent learn something. */
  readonly toLearn: string[] = [];
  readonly #deps: BatchDeps;
  readonly #stormsBefore: StormState;
  readonly #looks = new Map<string, Judged>();
  /** Devices that left the configuration, as they were known. */
  readonly #departed = new Map<string, DeviceState>();
  #open: Transaction | undefined;

  constructor(deps: BatchDeps, storms: StormState) {
    this.#deps = deps;
    this.orders = new OrderDraft(deps.orders);
    this.storms = storms;
    this.#stormsBefore = storms;
  }

  /** From here on statements go into this transaction. */
  begin(tx: Transaction): void {
    this.#open = tx;
  }

  get #tx(): Transaction {
    if (this.#open === undefined) throw new Error('the batch has not begun');
    return this.#open;
  }

  /** Appends a statement that changes no device. Gives its `seq`. */
  append(statement: Built): number {
    return this.#tx.append(statement);
  }

  /** Attests what must be attested, then states the transitions of all devices together. */
  looks(judged: readonly Judged[]): void {
    for (const look of judged) this.#attest(look);
    this.transitions(
      judged.flatMap(({ before, verdict }) =>
        verdict.transitions.map((finding) => ({ kind: 'device' as const, device: before.id, finding })),
      ),
    );
  }

  #attest(judged: Judged): void {
    const { before, verdict, address, look } = judged;
    const { attest, checks, reference } = verdict;
    this.states.set(before.id, verdict.state);
    this.#looks.set(before.id, judged);
    if (attest === undefined || checks === undefined) return;
    const redaction = this.#deps.redaction?.();
    const seq = this.append(
      buildAttestation(
        {
          subject: this.#subject(before, judged.formerly),
          address,
          look: look.kind === 'unreachable' ? look : { ...look, replies: look.replies() },
          trigger: attest,
          checks,
          ...(reference === undefined ? {} : { reference }),
          ...(redaction === undefined ? {} : { users: [...usersIn(before), ...usersIn(verdict.state)] }),
        },
        redaction,
      ),
    );
    this.states.set(before.id, withAttestation(verdict.state, seq));
    if (verdict.learn !== undefined) this.toLearn.push(before.id);
  }

  #subject({ id, labels }: DeviceState, formerly?: string): Subject {
    return { device: id, labels, ...(formerly === undefined ? {} : { formerly }) };
  }

  /** States transitions, one parent in place of many devices that show the same. */
  transitions(all: readonly DeviceTransition[]): void {
    this.orders.noteCovered(all);
    for (const one of all) this.orders.noteDeviated(one, this.#stateOf(one.device)?.tracks ?? []);
    const gone = new Set(this.#departed.keys());
    const { state, statements, children } = collapse(this.storms, all, this.#deps.wallMs(), gone);
    this.storms = state;
    for (const statement of statements) {
      if (statement.kind === 'parent') this.#stateParent(statement);
      else this.#stateOne(statement);
    }
    for (const { key, transition } of children) this.#nameParent(transition, parentSeq(this.storms, key));
  }

  /** A person reviewed finding `openedSeq` of these devices. */
  reviewed(openedSeq: number, devices: readonly string[], review: Review): void {
    const nowMs = this.#deps.wallMs();
    const isMeant = isPartOf(this.storms, openedSeq);
    // The end of a parent says what that of its devices does; until then it is as it was.
    if (review.action === 'acknowledge')
      this.storms = parentReviewed(this.storms, openedSeq, (finding) => reviewedFinding(finding, review, nowMs));
    const transitions: DeviceTransition[] = [];
    for (const device of devices) {
      const state = this.#stateOf(device);
      if (state === undefined) continue;
      const next = state.tracks.map((track) =>
        isMeant(device, track.finding) ? { track, reviewed: reviewTrack(track, review, nowMs) } : { track },
      );
      const ended = next.flatMap(({ reviewed }) => reviewed?.ended ?? []);
      const tracks = next.flatMap(({ track, reviewed }) => (reviewed === undefined ? [track] : (reviewed.track ?? [])));
      this.states.set(device, { ...state, tracks, closed: [...state.closed, ...ended], referenceChanged: true });
      for (const { reviewed } of next)
        if (reviewed !== undefined) transitions.push({ kind: 'device', device, finding: reviewed.statement });
    }
    this.transitions(transitions);
  }

  /** A person reviewed a finding of the gateway itself. */
  gatewayReviewed(finding: Finding, review: Review): void {
    const { devices = [], count: _, ...rest } = finding as Finding & { devices?: readonly string[]; count?: number };
    const nowMs = this.#deps.wallMs();
    const said = reviewedFinding(rest, review, nowMs);
    const now = Math.floor(nowMs / 1000);
    this.gatewayFinding(
      review.action === 'acknowledge' ? said : { ...said, state: 'incident-closed', resolvedAt: now },
      devices,
    );
  }

  /** Notes which parent of a storm spoke for the finding: what the device says of it later names that. */
  #nameParent({ device, finding }: DeviceTransition, parent: number | undefined): void {
    const state = this.#stateOf(device);
    if (state !== undefined && parent !== undefined) this.states.set(device, withStatement(state, finding, { parent }));
  }

  #stateOne({ device, finding }: DeviceTransition): void {
    const state = this.#stateOf(device);
    const judged = this.#looks.get(device);
    const isConfirmed = finding.confirmedAt !== undefined;
    const shownBy = isConfirmed ? state?.attested?.seq : undefined;
    const replies = isConfirmed || judged?.look.kind !== 'observed' ? [] : judged.look.replies();
    const openedSeq = finding.openedSeq ?? this.#tx.next();
    const redaction = this.#deps.redaction?.();
    this.append(
      buildFinding(
        {
          finding,
          about: { device, labels: state?.labels ?? {} },
          openedSeq,
          evidence: shownBy === undefined ? [] : [shownBy],
          replies,
          ...referenceOf(judged?.verdict),
          ...(redaction === undefined ? {} : { users: this.#usersOf(device) }),
        },
        redaction,
      ),
    );
    this.#tx.saveFinding({ ...finding, openedSeq }, device);
    if (state !== undefined && !this.#departed.has(device))
      this.states.set(device, withStatement(state, finding, { openedSeq }));
  }

  #stateParent({ key, finding, formerAt }: ParentTransition): void {
    const { devices, count } = finding;
    const openedSeq = finding.openedSeq ?? this.#tx.next();
    const evidence = devices.flatMap((device) => this.#stateOf(device)?.attested?.seq ?? []);
    const redaction = this.#deps.redaction?.();
    const users = redaction === undefined ? [] : devices.flatMap((device) => this.#usersOf(device));
    this.append(buildFinding({ finding, about: { devices, count }, openedSeq, evidence, users }, redaction));
    if (formerAt !== undefined) this.#tx.redateFinding(finding, formerAt);
    this.#tx.saveFinding({ ...finding, openedSeq });
    this.storms = parentStated(this.storms, key, openedSeq);
  }

  /** Everything that may hold pool users of the device: what was known before, what is known now, what was seen. */
  #usersOf(device: string): readonly unknown[] {
    const states = [this.#looks.get(device)?.before, this.#stateOf(device)];
    const look = this.#looks.get(device)?.look;
    return [
      ...states.flatMap((state) => (state === undefined ? [] : usersIn(state))),
      ...(look?.kind === 'observed' ? [look.observation.facts] : []),
    ];
  }

  #stateOf(device: string): DeviceState | undefined {
    return this.#departed.get(device) ?? this.states.get(device) ?? this.#deps.state(device);
  }

  /** What is open about these devices, said again where another log has replaced the one that said it. */
  restated(states: readonly DeviceState[]): void {
    for (const { id, tracks } of states) {
      for (const { finding } of tracks) {
        if (finding.confirmedAt !== undefined) this.#stateOne({ kind: 'device', device: id, finding });
      }
    }
  }

  /** A finding of the gateway itself: about no device, or about a list of them. */
  gatewayFinding(finding: Finding, devices: readonly string[] = []): number {
    return stateOfGateway(this.#tx, finding, devices);
  }

  /** Names in `baseline` entries what these devices learned. */
  learned(devices: readonly string[]): void {
    const citations = devices.flatMap((device) => citationsOf(this.#stateOf(device)));
    for (const built of buildBaselineLearned(citations)) {
      const seq = this.append(built);
      if (built.content.baseline.action !== 'learned') continue;
      for (const { device } of built.content.baseline.devices) {
        const state = this.#stateOf(device);
        if (state !== undefined) this.states.set(device, withLearned(state, seq));
      }
    }
  }

  /** A person accepts what these devices show. Throws what `accept` throws. */
  accepted(states: readonly DeviceState[], { by, note, facts, leaves, alone = [] }: Accepting): void {
    const transitions: DeviceTransition[] = [];
    const nowMs = this.#deps.wallMs();
    const person = { by, ...(note === undefined ? {} : { note }) };
    const wanted = (state: DeviceState) => ({ facts, leaves: leaves?.get(state.id) });
    const known = new Map(states.map((state) => [state.id, state]));
    const cited = states.map((state) => ({
      device: state.id,
      seq: state.attested?.seq ?? 0,
      facts: factsNamed(state, wanted(state)),
    }));
    // An entry holds as many as fit into it, and each device names the one that holds it.
    for (const page of pages(cited)) {
      const seq = this.#tx.next();
      const accepted = page.flatMap(({ device }) => known.get(device) ?? []);
      const acceptances = accepted.map((state) => accept(state, { by, nowMs, seq, ...wanted(state) }));
      const items = acceptances.map(({ item }) => item);
      this.append(buildBaselineAccepted(items, person));
      for (const { state, transitions: ended } of acceptances) {
        this.states.set(state.id, state);
        transitions.push(...ended.map((finding) => ({ kind: 'device' as const, device: state.id, finding })));
      }
    }
    this.transitions(transitions);
    if (alone.length > 0) this.gatewayFinding(brokenGlass({ by, note: note ?? '' }, this.#deps.wallMs()), alone);
  }

  /** A document came into force: what it approves, and the findings that end with that. */
  adopted({ order, replaces, entries, settles, breakGlass }: Adoption, devices: readonly string[]): void {
    const seq = this.append(buildAdopted(order, this.#isWithheld(order.terms)));
    const change = { ended: replaces === undefined ? [] : [replaces], begun: [{ ...order, seq }] };
    const standing = this.orders.write(this.#tx, change);
    if (replaces !== undefined) this.#withoutEntries([replaces.seq], devices);
    const person = { by: order.by.join(', '), nowMs: this.#deps.wallMs() };
    const transitions: DeviceTransition[] = [];
    const signed = Map.groupBy(entries, (entry) => entry.device);
    for (const device of new Set([...signed.keys(), ...settles])) {
      const state = this.#stateOf(device);
      if (state === undefined) continue;
      const document = { ...order, seq, entries: signed.get(device) ?? [] };
      const { state: next, settled } = underDocument(state, document, { standing, nowMs: person.nowMs });
      const promotion = promote(next, settled, person);
      this.states.set(device, promotion.state);
      transitions.push(...promotion.transitions.map((finding) => ({ kind: 'device' as const, device, finding })));
    }
    this.transitions(transitions);
    if (breakGlass !== undefined) this.gatewayFinding(brokenGlass(breakGlass, person.nowMs), settles);
  }

  /** Entry `seq` holds nothing any longer; the devices fall back on what else the log holds. */
  withdrawn(seq: number, by: string | undefined, devices: readonly string[]): void {
    this.append(buildWithdrawn(seq, by));
    const order = this.orders.find(seq);
    if (order !== undefined) this.orders.write(this.#tx, { ended: [order], begun: [] });
    this.#withoutEntries([seq], devices);
  }

  #withoutEntries(seqs: readonly number[], devices: readonly string[]): void {
    const held = devices
      .map((id) => this.#stateOf(id))
      .filter((state) => state?.reference?.entries.some(({ seq }) => seqs.includes(seq)) === true);
    const states = held.filter((state) => state !== undefined);
    if (states.length === 0) return;
    const given = this.#tx.givenFacts(states, new Set(seqs));
    for (const state of states) this.states.set(state.id, rebuilt(state, given.get(state.id) ?? []));
  }

  /** A plan or waiver is no longer in force. */
  ended(order: Order, action: 'closed' | 'expired', devices: readonly string[] = []): void {
    this.append(buildChange(order, action, this.#isWithheld(order.terms)));
    this.orders.write(this.#tx, { ended: [order], begun: [] });
    if (action === 'closed') for (const device of devices) this.#uncover(device, order.seq);
  }

  /** What was ended covers nothing any longer, whatever it covered before; the next look says so. */
  #uncover(device: string, seq: number): void {
    const state = this.#stateOf(device);
    if (state?.tracks.some(({ finding }) => finding.plan === seq) !== true) return;
    const tracks = state.tracks.map((track) => {
      if (track.finding.plan !== seq) return track;
      const { plan: _, ...finding } = track.finding;
      return { ...track, finding };
    });
    const marks = { ...state.marks, settledPools: undefined, settledFull: undefined };
    this.states.set(device, { ...state, tracks, marks });
  }

  /** The plan was held against its devices. A curtailment is over then: what still shows it was not lifted. */
  reported(order: Order): void {
    this.orders.write(this.#tx, { ended: [], begun: [order] });
    if (order.terms.kind !== 'plan' || order.terms.type !== 'curtailment') return;
    for (const device of order.matched ?? []) this.#uncover(device, order.seq);
  }

  #isWithheld(terms: Terms): boolean {
    return this.#deps.redaction?.() !== undefined && namesUsers(terms);
  }

  /** These devices left the configuration: what is open about them ends. `remembered` are all that left so far. */
  departed(states: readonly DeviceState[], remembered: readonly DeviceState[]): void {
    for (const state of states) this.#departed.set(state.id, state);
    const nowMs = this.#deps.wallMs();
    this.transitions(
      states.flatMap((state) =>
        departure(state, nowMs).map((finding) => ({ kind: 'device' as const, device: state.id, finding })),
      ),
    );
    this.orders.noteLeft(states.map(({ id }) => id));
    for (const { id } of states) this.#tx.removeDevice(id);
    if (states.length > 0) this.#tx.saveMeta(DEPARTED, writeDeparted(remembered));
  }

  /** Saves the states that the entries led to, and the storms. */
  end(): void {
    this.orders.writeNoted(this.#tx);
    for (const state of this.states.values()) this.#tx.saveDevice(state.id, writeDevice(state));
    this.#tx.saveStorms(this.#stormsBefore, this.storms);
  }
}

/** A finding names at most so many devices. */
const MOST_LISTED = 256;

/** States a finding of the gateway itself in an open transaction, about no device, or about a list of them. Gives its `opened_seq`. */
export const stateOfGateway = (tx: Transaction, finding: Finding, devices: readonly string[] = []): number => {
  const openedSeq = finding.openedSeq ?? tx.next();
  const about = { devices: devices.slice(0, MOST_LISTED), count: devices.length };
  tx.append(buildFinding({ finding, about, openedSeq, evidence: [] }));
  tx.saveFinding({ ...finding, ...(devices.length === 0 ? {} : about), openedSeq });
  return openedSeq;
};

const citationsOf = (state: DeviceState | undefined): readonly Citation[] =>
  (state?.reference?.unrecorded ?? []).flatMap(({ seq, facts }) =>
    state === undefined || seq === undefined ? [] : [{ device: state.id, seq, ...(facts === 'all' ? {} : { facts }) }],
  );

const referenceOf = (verdict: Verdict | undefined): Pick<Verdict, 'reference'> =>
  verdict?.reference === undefined ? {} : { reference: verdict.reference };
