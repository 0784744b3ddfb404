import { type Terms, termsId } from '../../shared/terms.ts';
import type { DeviceState } from '../appraise/device.ts';
import type { Finding } from '../appraise/finding.ts';
import { type ApprovedFact, approvedFactsOf } from '../appraise/origin.ts';
import type { PlanReport } from '../appraise/plan-report.ts';
import { type Loss, lossOf, rebuilt } from '../appraise/promote.ts';
import { approversNamed, approversReplaced, brokenGlass } from '../appraise/rules/change-break-glass.ts';
import type { Approvers } from '../config/approvers.ts';
import { AgentError } from '../platform/errors.ts';
import type { Emit } from '../platform/events.ts';
import type { KeysHere } from '../platform/keys-here.ts';
import { givenFacts } from '../record/baseline-history.ts';
import type { Order, Orders } from '../record/orders.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Store } from '../record/store.ts';
import { type AdoptionGround, type Handed, judgeAdoption, standsOnTwo } from './adoption.ts';
import { type AdoptionPreview, type EndedFinding, endedBy, endsText, previewAdoption } from './adoption-preview.ts';
import { DeliveredTerms, type RefusedTerms } from './delivered.ts';
import { endDue, findStale, isPlan, reportOf } from './due.ts';
import { admittedBy, type Named, type Orphan, orphansOf, peopleOf, signersOf, splitApprovers } from './signers.ts';
import { watchedClaims } from './watched.ts';

/** The gateway as change control sees it; what a reload may replace is asked for anew each time. */
export interface ChangeControlDeps {
  readonly orders: Orders;
  readonly recorder: Recorder;
  readonly store: Store;
  readonly log: () => string;
  /** `<operator-domain>/<gateway>`. */
  readonly gateway: string;
  /** Those of the configuration in force. */
  readonly approvers: () => Approvers;
  readonly states: () => readonly DeviceState[];
  /** Names of the labels that devices have, by the configuration in force. */
  readonly labels: () => readonly string[];
  /** Keys that lie on this gateway: none of them is a person's. */
  readonly keysHere: () => KeysHere;
  readonly wallMs: () => number;
  readonly emit: Emit;
}

/** What came of a document that was handed over. */
export interface AdoptionResult {
  readonly kind: Terms['kind'];
  readonly id: string;
  /** `seq` of the entry that adopted it; the former one where it was in force already. */
  readonly seq: number;
  readonly already: boolean;
  /** Devices that left the configuration and are back, at which it holds again. */
  readonly again?: readonly string[];
  /** Devices that left the configuration, at which it holds nothing. */
  readonly left?: readonly string[];
  /** Devices with findings that it ended. */
  readonly settled: readonly string[];
  /** These findings. */
  readonly ended: readonly EndedFinding[];
}

/** Of the findings that ended with a delivered document an event names so many; the log has all. */
const MOST_TOLD = 24;

/** One person does what takes two, and says why. */
interface Emergency {
  readonly by: string;
  readonly note: string;
}

const FEWER = {
  one: 'an approver was named here before: what an approver has to sign still takes one',
  two: 'two approvers were named here before: what takes two people still takes two',
};

/** Reference documents, plans and waivers of the gateway while it runs: how they come into force, end, and what came of them. */
export class ChangeControl {
  readonly #deps: ChangeControlDeps;
  readonly #delivered: DeliveredTerms;

  constructor(deps: ChangeControlDeps) {
    this.#deps = deps;
    this.#delivered = new DeliveredTerms({ ...deps, adopt: (handed) => this.adopt(handed) });
  }

  /** At the start: what the store holds in force although it was ended here ends again, and who approves is looked at. */
  resume(): void {
    const { orders, recorder, emit } = this.#deps;
    this.heedApprovers();
    for (const order of orders.all().filter(({ sha256 }) => orders.hasEnded(sha256))) {
      if (order.terms.kind === 'reference') recorder.takeWithdrawal(order.seq, undefined, this.#devices());
      else recorder.takeClosing(order, this.#devices());
      emit('warn', 'terms.ended-before', {
        ...this.#resultOf(order),
        message: 'the store held it in force, and it was ended here before: it ended again',
        remedy: 'find out who put an older store back; if it is to hold, have it signed anew',
      });
    }
  }

  /** Holds those who signed what is in force against those whom the configuration names now. */
  heedApprovers(): void {
    const { orders, emit } = this.#deps;
    this.#noteApprovers();
    const { size } = this.#counting().keys;
    const { people } = orders.approvals;
    const waiting = this.waiting();
    if (waiting.length > 0)
      emit('warn', 'approvers.waiting', {
        waiting,
        message:
          "the configuration names them, and those who approve here have not admitted them: what they sign counts as nobody's",
        remedy:
          'where they are meant, have those before them sign it: assayer keys admit <public key file> --key <key>',
      });
    if (size < people)
      emit('warn', 'approvers.fewer', {
        approvers: size,
        message: FEWER[people === 2 ? 'two' : 'one'],
        remedy: 'name as many again; until then --break-glass with --note does what takes them, and is reported',
      });
    const orphans = this.orphans();
    if (orphans.length > 0)
      emit('warn', 'terms.signer-gone', {
        documents: orphans,
        message: 'they stay in force, and were signed by keys that the configuration does not name any more',
        remedy:
          'look at each: have those who approve now sign its next version, or end it with assayer baseline withdraw, plan close or waiver close',
      });
    this.#delivered.reconsider();
  }

  /** Whoever comes or goes is a finding: who edits the configuration takes no approver away, and adds none, unseen. */
  #noteApprovers(): void {
    const { orders, approvers, recorder } = this.#deps;
    const { approvals } = orders;
    const { keys, names } = approvers();
    const named = [...keys.keys()].map((kid) => ({ kid, name: names.get(kid) ?? kid }));
    const isEnded = ({ sha256 }: Order): boolean => orders.hasEnded(sha256);
    approvals.admit(orders.all().flatMap((order) => (isEnded(order) ? [] : admittedBy(order))));
    recorder.flush();
    const finding = this.#replacedBy(named);
    // Where the store refuses they are remembered, and it is said the next time.
    if (finding !== undefined && recorder.takeGatewayFinding(finding) === undefined) return;
    approvals.noteApprovers(named);
    this.#remember();
  }

  /** What is to be said of who is named now; undefined where these are those before, and whom they admitted. */
  #replacedBy(named: readonly Named[]): Finding | undefined {
    const { approvals } = this.#deps.orders;
    const nowMs = this.#deps.wallMs();
    const known = approvals.approvers;
    const isAmong = (all: readonly Named[], { kid }: Named): boolean => all.some((one) => one.kid === kid);
    if (approvals.people === 0)
      return named.length === 0 ? undefined : approversNamed(named.map(textOf), approvals.isForgotten, nowMs);
    const fresh = named.filter((one) => !isAmong(known, one) && !approvals.isExpected(one.kid));
    const replacement = {
      removed: known.filter((one) => !isAmong(named, one)).map(({ name }) => name),
      added: fresh.filter(({ kid }) => !approvals.counts(kid)).map(textOf),
      returned: fresh.filter(({ kid }) => approvals.counts(kid)).map(textOf),
    };
    return approversReplaced(replacement, nowMs);
  }

  /** Whose signatures count: of those whom the configuration names the first ever, and who was admitted. */
  #counting(): Approvers {
    return this.#split().counting;
  }

  /** Approvers whom the configuration names and nobody has admitted. */
  waiting(): readonly Named[] {
    return this.#split().waiting;
  }

  #split(): ReturnType<typeof splitApprovers> {
    const { approvers, orders } = this.#deps;
    return splitApprovers(approvers(), (kid) => orders.approvals.counts(kid));
  }

  /** Documents in force of which a signer is no approver any more. */
  orphans(): readonly Orphan[] {
    return orphansOf(this.#deps.orders.all(), this.#deps.approvers());
  }

  /** How many people approvals take here at most: as many as ever counted, none where nobody ever did. */
  people(): number {
    return peopleOf(this.#counting(), this.#deps.orders.approvals);
  }

  #devices(): readonly string[] {
    return this.#deps.states().map(({ id }) => id);
  }

  /** What the adoption of a document would come to; nothing where it is in force already. Throws `terms.*` where it would be refused. */
  previewAdoption(handed: Handed): AdoptionPreview {
    const { recorder, states } = this.#deps;
    recorder.flush();
    const judged = judgeAdoption(handed, this.#ground());
    if (judged.kind === 'in-force') return { devices: [], ends: endsText(new Map()) };
    const known = new Map(states().map((state) => [state.id, state]));
    const state = (device: string): DeviceState | undefined => known.get(device);
    return previewAdoption(judged.adoption, judged.settled, { state, people: this.people() });
  }

  /**
   * Takes a document into force. `shown`: what a person was shown that it would end. Throws `terms.*` where it is refused, also where it
   * would end something else by now, and what the recorder throws.
   */
  adopt(handed: Handed, shown?: AdoptionPreview['ends']): AdoptionResult {
    const { recorder, orders, emit } = this.#deps;
    // A verdict that waits was made without the document.
    recorder.flush();
    const judged = judgeAdoption(handed, this.#ground());
    if (judged.kind === 'in-force') {
      const { order } = judged;
      return { ...this.#resultOf(order), already: true, ...leftOf(order), settled: [], ended: [] };
    }
    const { adoption, settled, again } = judged;
    if (shown !== undefined && shown !== endsText(settled)) throw shownOtherwise();
    const ended = endedBy(settled, this.people());
    const seqs = new Set(orders.all().map(({ seq }) => seq));
    recorder.takeAdoption(adoption, this.#devices());
    const isAdmission = admittedBy(adoption.order).length > 0;
    if (isAdmission) this.#noteApprovers();
    this.#remember();
    const order = orders.all().find(({ seq }) => !seqs.has(seq));
    if (order === undefined) throw new Error('what was adopted is not in force');
    const result = this.#resultOf(order);
    emit('info', 'terms.adopted', { ...result, by: order.by, ...toldOf(ended) });
    if (isAdmission) this.#delivered.reconsider();
    const where = { ...(again.length === 0 ? {} : { again }), ...leftOf(order) };
    return { ...result, already: false, ...where, settled: adoption.settles, ended };
  }

  /** Takes what came over the uplink into force, or says why not; `name` is the last level of its topic. */
  takeDelivered(payload: Uint8Array, name: string): void {
    this.#delivered.take(payload, name);
  }

  /** Documents that were refused and stand on their topics. */
  refused(): readonly RefusedTerms[] {
    const inForce = new Set(this.#deps.orders.all().map(({ sha256 }) => sha256));
    return this.#delivered.standing((sha256) => inForce.has(sha256));
  }

  #resultOf({ terms, seq }: Order): Pick<AdoptionResult, 'kind' | 'id' | 'seq'> {
    return { kind: terms.kind, id: termsId(terms), seq };
  }

  #ground(): AdoptionGround {
    const { orders, store, gateway, log, states, labels, keysHere, wallMs } = this.#deps;
    return {
      approvers: this.#counting(),
      people: this.people(),
      gateway,
      log: log(),
      orders,
      states,
      labels: labels(),
      keysHere,
      store,
      nowMs: wallMs(),
    };
  }

  /** What holds for one device and where that comes from. Throws `baseline.no-device`. */
  approved(device: string): readonly ApprovedFact[] {
    const { states, orders, store, wallMs } = this.#deps;
    const state = states().find(({ id }) => id === device);
    if (state === undefined) throw noDevice(device);
    const { standing } = orders;
    return approvedFactsOf(state, orders.all(), standing, wallMs(), watchedClaims(state, { standing, store }));
  }

  all(): readonly Order[] {
    return this.#deps.orders.all();
  }

  /**
   * Ends the reference document of this name, or the `baseline` entry of this number. Throws `baseline.not-in-force`, and
   * `baseline.two-approvers` where one may not end it alone, by who stands behind it or by what goes with it.
   */
  withdraw(name: string, by: string, breakGlass?: Emergency): { readonly seq: number } {
    const { recorder, states, orders, emit } = this.#deps;
    recorder.flush();
    const seq = orders.find('reference', name)?.seq ?? (/^\d+$/.test(name) ? Number(name) : undefined);
    const order = orders.all().find((one) => one.seq === seq && one.terms.kind === 'reference');
    const isHeld =
      seq !== undefined &&
      (order !== undefined ||
        states().some(({ reference }) => reference?.entries.some((entry) => entry.seq === seq) === true));
    if (!isHeld) throw notInForce('reference document or baseline entry', name, 'assayer baseline show');
    const losers = this.#losersBy(seq, order);
    const together = order === undefined ? undefined : this.#endedAlone(order, breakGlass);
    const finding = together ?? this.#lostAlone(seq, losers, breakGlass);
    const about = losers.map(({ device }) => device);
    recorder.takeWithdrawal(seq, by, this.#devices(), finding === undefined ? undefined : { finding, about });
    if (order !== undefined) orders.approvals.dismiss(admittedBy(order));
    this.#remember();
    emit('info', 'terms.withdrawn', { seq, by });
    return { seq };
  }

  /** Ends a plan or waiver before its time. Throws `baseline.not-in-force`, and `baseline.two-approvers` as `withdraw` does. */
  close(kind: 'plan' | 'waiver', id: string, by: string, breakGlass?: Emergency): { readonly seq: number } {
    const { recorder, orders, emit } = this.#deps;
    const order = orders.find(kind, id);
    if (order === undefined) throw notInForce(kind, id, `assayer ${kind} list`);
    recorder.flush();
    recorder.takeClosing(order, this.#devices(), this.#endedAlone(order, breakGlass));
    this.#remember();
    emit('info', 'terms.closed', { kind, id, by });
    return { seq: order.seq };
  }

  /** The finding that one person ends what two stand behind; undefined where one may. */
  #endedAlone(order: Order, breakGlass: Emergency | undefined): ReturnType<typeof brokenGlass> | undefined {
    if (!standsOnTwo(order, this.people())) return undefined;
    if (breakGlass === undefined) throw standsTogether(order, this.people());
    const ended = `${order.terms.kind} ${termsId(order.terms)}`;
    return brokenGlass(breakGlass, this.#deps.wallMs(), { ended, signed_by: order.by.join(', ') });
  }

  /** Devices that the withdrawal would take something from which only two people, or a plan of theirs, may settle. */
  #losersBy(seq: number, order: Order | undefined): readonly Loser[] {
    const { orders, store, log, states, wallMs } = this.#deps;
    if (this.people() === 0) return [];
    const standing = { before: orders.standing, after: orders.standingWith([{ ended: ended(order), begun: [] }]) };
    const named = states().filter(({ reference }) => reference?.entries.some((entry) => entry.seq === seq) === true);
    const given = givenFacts(store, log(), named, new Set([seq]));
    return (order === undefined ? named : states()).flatMap((state): Loser[] => {
      const after = named.includes(state) ? rebuilt(state, given.get(state.id) ?? []) : state;
      const { findings, facts } = lossOf(state, after, standing, wallMs());
      return findings.length + facts.length === 0 ? [] : [{ device: state.id, findings, facts }];
    });
  }

  /** The finding that one person withdraws what would take two to approve otherwise; undefined where nothing of the kind goes with it. */
  #lostAlone(
    seq: number,
    losers: readonly Loser[],
    breakGlass: Emergency | undefined,
  ): ReturnType<typeof brokenGlass> | undefined {
    const [first] = losers;
    if (first === undefined) return undefined;
    if (breakGlass === undefined) throw losesGround(seq, first, losers.length, this.people());
    return brokenGlass(breakGlass, this.#deps.wallMs(), { ended: `baseline entry ${seq}` });
  }

  /** At once, so that no loss of the store brings back what a person just ended; where it fails it is tried again, and told. */
  #remember(): void {
    try {
      this.#deps.orders.approvals.save();
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
    }
  }

  /** How the plan stands now. Throws `baseline.not-in-force`. */
  report(id: string): PlanReport & { readonly plan: Order } {
    const order = this.#deps.orders.find('plan', id);
    if (order === undefined || !isPlan(order)) throw notInForce('plan', id, 'assayer plan list');
    return { plan: order, ...reportOf(order, this.#deps) };
  }

  /** What time alone ends or makes due. Often enough once a minute. */
  tick(): void {
    endDue(this.#deps);
  }

  /** Looks for approvals that nobody looked at for half a year. */
  tickStale(): void {
    findStale(this.#deps);
  }
}

const leftOf = ({ left }: Order): Pick<AdoptionResult, 'left'> => (left === undefined ? {} : { left });

/** The findings that ended, as an event tells them. */
const toldOf = (ended: readonly EndedFinding[]): object => {
  if (ended.length === 0) return {};
  const told = ended.slice(0, MOST_TOLD).map(({ device, number, finding, part, severity }) => ({
    device,
    ...(number === undefined ? {} : { number }),
    finding,
    ...(part === undefined ? {} : { part }),
    severity,
  }));
  return { ended: told, ...(ended.length > MOST_TOLD ? { more: ended.length - MOST_TOLD } : {}) };
};

const shownOtherwise = (): AgentError =>
  new AgentError({
    code: 'terms.seen-changed',
    message: 'other findings would end with it by now than were shown',
    remedy: 'look at them again: do the same once more',
  });

/** A device with what a withdrawal would take from it. */
type Loser = Loss & { readonly device: string };

const textOf = ({ name, kid }: Named): string => `${name} ${kid}`;

const ended = (order: Order | undefined): readonly Order[] => (order === undefined ? [] : [order]);

const notInForce = (what: string, name: string, remedy: string): AgentError =>
  new AgentError({
    code: 'baseline.not-in-force',
    message: `no ${what} ${JSON.stringify(name)} is in force`,
    remedy: `${remedy} shows what is`,
  });

const noDevice = (device: string): AgentError =>
  new AgentError({
    code: 'baseline.no-device',
    message: `there is no device ${JSON.stringify(device)}`,
    remedy: 'assayer status lists the devices',
  });

const standsTogether = ({ terms, by }: Order, people: number): AgentError =>
  new AgentError({
    code: 'baseline.two-approvers',
    message: `it takes two people to approve ${terms.kind} ${termsId(terms)} (signed by ${by.join(', ')}): one alone does not end it`,
    remedy:
      terms.kind === 'reference'
        ? `have ${signersOf(people)} sign its next version, and adopt that; in an emergency --break-glass with --note, which is reported`
        : 'let it end at its time; in an emergency --break-glass with --note, which is reported',
  });

const losesGround = (seq: number, { device, findings, facts }: Loser, count: number, people: number): AgentError => {
  const [finding] = findings;
  const why =
    finding === undefined
      ? `nothing else says what ${facts[0]} of ${device} has to be, and what shows next would be learned`
      : `${finding.finding.ruleId} (${finding.finding.severity}) of ${device} would end, or be held against nothing`;
  const others = count === 1 ? '' : `, and the like on ${count - 1} more`;
  return new AgentError({
    code: 'baseline.two-approvers',
    message: `entry ${seq} is not withdrawn ${people === 1 ? 'without a signature' : 'by one person'}: ${why}${others}`,
    remedy: `have ${signersOf(people)} sign what shall hold instead, and adopt that: assayer baseline export, sign, adopt; in an emergency --break-glass with --note, which is reported`,
  });
};
