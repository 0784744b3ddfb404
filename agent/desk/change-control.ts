import { hash } from 'node:crypto';
import { parseSignedTerms } from '../../shared/signed-terms.ts';
import { type Plan, type Terms, termsId } from '../../shared/terms.ts';
import { VerificationError } from '../../shared/verification.ts';
import type { DeviceState } from '../appraise/device.ts';
import { gatewayFinding } from '../appraise/gateway-finding.ts';
import { type ApprovedFact, approvedFactsOf } from '../appraise/origin.ts';
import { type PlanReport, reportPlan } from '../appraise/plan-report.ts';
import { type Loss, lossOf, rebuilt } from '../appraise/promote.ts';
import { baselineStale, staleDevices } from '../appraise/rules/baseline-stale.ts';
import { approversRemoved, brokenGlass } from '../appraise/rules/change-break-glass.ts';
import { changeNotObserved } from '../appraise/rules/change-not-observed.ts';
import { waiverExpired } from '../appraise/rules/waiver-expired.ts';
import { phaseOfPlan, WINDOW_TOLERANCE_MS } from '../baseline/standing.ts';
import type { Approvers } from '../config/approvers.ts';
import { AgentError } from '../platform/errors.ts';
import type { Emit } from '../platform/events.ts';
import { Allowance } from '../publish/allowance.ts';
import { givenFacts } from '../record/baseline-history.ts';
import type { Order, Orders } from '../record/orders.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Store } from '../record/store.ts';
import { type AdoptionGround, type Handed, judgeAdoption, standsOnTwo } from './adoption.ts';
import { type Orphan, orphansOf } from './signers.ts';

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
  /** Devices with findings that it ended. */
  readonly settled: readonly string[];
}

/** One person does what takes two, and says why. */
interface Emergency {
  readonly by: string;
  readonly note: string;
}

const FEWER = {
  one: 'an approver was named here before: what an approver has to sign still takes one',
  two: 'two approvers were named here before: what takes two people still takes two',
};

/** Messages on the topic of terms that are looked at. */
const MOST_PER_SECOND = 2000;
const MOST_REFUSED = 256;
/** Refusals that are told: so many at once, then one a minute. */
const TOLD_AT_ONCE = 16;
const TOLD_PER_SECOND = 1 / 60;

/** A plan is held against its devices this long after its window, ms (catalogue 5.9). */
const REPORT_MS = 15 * 60_000;

/** Reference documents, plans and waivers of the gateway while it runs: how they come into force, end, and what came of them. */
export class ChangeControl {
  readonly #deps: ChangeControlDeps;
  readonly #allowance: Allowance;
  readonly #telling: Allowance;
  /** Refusals that were not told since the last one that was. */
  #untold = 0;
  /** Digests of what was refused, the newest last. */
  #refused: readonly string[] = [];
  #refusedBy: Approvers | undefined;

  constructor(deps: ChangeControlDeps) {
    this.#deps = deps;
    this.#allowance = new Allowance(MOST_PER_SECOND, deps.wallMs());
    this.#telling = new Allowance(TOLD_PER_SECOND, deps.wallMs(), TOLD_AT_ONCE);
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
    const { orders, approvers, emit } = this.#deps;
    const { size } = approvers().keys;
    this.#noteApprovers();
    const { people } = orders.approvals;
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
  }

  /** Whoever is named no more is a finding: who edits the configuration takes no approver away unseen. */
  #noteApprovers(): void {
    const { orders, approvers, recorder, wallMs } = this.#deps;
    const { keys, names } = approvers();
    const gone = orders.approvals.approvers.filter(({ kid }) => !keys.has(kid));
    recorder.flush();
    if (gone.length > 0) {
      const removed = gone.map(({ name }) => name).join(', ');
      // Where the store refuses they are remembered, and it is said the next time.
      if (recorder.takeGatewayFinding(approversRemoved(removed, wallMs())) === undefined) return;
    }
    orders.approvals.noteApprovers([...keys.keys()].map((kid) => ({ kid, name: names.get(kid) ?? kid })));
    this.#remember();
  }

  /** Documents in force of which a signer is no approver any more. */
  orphans(): readonly Orphan[] {
    return orphansOf(this.#deps.orders.all(), this.#deps.approvers());
  }

  /** How many people approvals take here at most: as many as were ever named, none where nobody ever was. */
  people(): number {
    const { orders, approvers } = this.#deps;
    return Math.max(approvers().keys.size, orders.approvals.people);
  }

  #devices(): readonly string[] {
    return this.#deps.states().map(({ id }) => id);
  }

  /** Takes a document into force. Throws `terms.*` where it is refused, and what the recorder throws. */
  adopt(handed: Handed): AdoptionResult {
    const { recorder, orders, emit } = this.#deps;
    // A verdict that waits was made without the document.
    recorder.flush();
    const judged = judgeAdoption(handed, this.#ground());
    if (judged.kind === 'in-force') return { ...this.#resultOf(judged.order), already: true, settled: [] };
    const { adoption } = judged;
    const seqs = new Set(orders.all().map(({ seq }) => seq));
    recorder.takeAdoption(adoption, this.#devices());
    this.#remember();
    const order = orders.all().find(({ seq }) => !seqs.has(seq));
    if (order === undefined) throw new Error('what was adopted is not in force');
    const result = this.#resultOf(order);
    emit('info', 'terms.adopted', { ...result, by: order.by });
    return { ...result, already: false, settled: adoption.settles };
  }

  /**
   * Takes what came over the uplink into force, or says why not. Anyone who may publish there chose every byte of it, and
   * `name`, the last level of its topic.
   */
  takeDelivered(payload: Uint8Array, name: string): void {
    const { wallMs } = this.#deps;
    const digest = hash('sha256', payload, 'base64url');
    const approvers = this.#deps.approvers();
    // Others may be trusted since.
    if (approvers !== this.#refusedBy) this.#refused = [];
    this.#refusedBy = approvers;
    // A broker hands over what it keeps at every connect.
    if (this.#refused.includes(digest) || this.#allowance.take(wallMs()) > 0) return;
    const claimed = claimedName(payload);
    const isElsewhere = claimed.id !== undefined && claimed.id !== name;
    // Under however many other names it comes, that is told once; under its own it may still be taken.
    const refused = isElsewhere ? `elsewhere ${digest}` : digest;
    if (this.#refused.includes(refused)) return;
    try {
      if (isElsewhere) throw otherName(claimed.id, name);
      this.adopt({ kind: 'signed', delivered: true, ...parseSignedTerms(payload) });
    } catch (error) {
      if (!(error instanceof AgentError || error instanceof VerificationError)) throw error;
      if (!(error instanceof AgentError) || error.code.startsWith('terms.'))
        this.#refused = [...this.#refused, refused].slice(-MOST_REFUSED);
      this.#tellRefused(claimed, error);
    }
  }

  #tellRefused(claimed: ReturnType<typeof claimedName>, error: AgentError | VerificationError): void {
    const { wallMs, emit } = this.#deps;
    if (this.#telling.take(wallMs()) > 0) {
      this.#untold += 1;
      return;
    }
    const remedy = error instanceof AgentError ? error.remedy : 'publish what `assayer baseline sign` wrote';
    const untold = this.#untold === 0 ? {} : { untold: this.#untold };
    this.#untold = 0;
    emit('warn', 'terms.refused', { ...claimed, message: error.message, remedy, ...untold });
  }

  #resultOf({ terms, seq }: Order): Pick<AdoptionResult, 'kind' | 'id' | 'seq'> {
    return { kind: terms.kind, id: termsId(terms), seq };
  }

  #ground(): AdoptionGround {
    const { orders, store, gateway, log, approvers, states, labels, wallMs } = this.#deps;
    return {
      approvers: approvers(),
      people: this.people(),
      gateway,
      log: log(),
      orders,
      states,
      labels: labels(),
      store,
      nowMs: wallMs(),
    };
  }

  /** What holds for one device and where that comes from. Throws `baseline.no-device`. */
  approved(device: string): readonly ApprovedFact[] {
    const { states, orders, wallMs } = this.#deps;
    const state = states().find(({ id }) => id === device);
    if (state === undefined) throw noDevice(device);
    return approvedFactsOf(state, orders.all(), orders.standing, wallMs());
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
    if (breakGlass === undefined) throw standsTogether(order);
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
    if (breakGlass === undefined) throw losesGround(seq, first, losers.length);
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
    return { plan: order, ...this.#reportOf(order) };
  }

  #reportOf(order: Order<Plan>): PlanReport {
    const { states, wallMs } = this.#deps;
    return reportPlan(order, states(), new Set(order.matched), wallMs());
  }

  /** What time alone ends or makes due. Often enough once a minute. */
  tick(): void {
    for (const order of this.#deps.orders.all()) {
      if (isPlan(order)) this.#tickPlan(order);
      else if (order.terms.kind === 'waiver') this.#tickWaiver(order, order.terms.expires_at);
    }
  }

  /** Approvals that nobody looked at for half a year are one finding, until somebody does. */
  tickStale(): void {
    const { store, states, recorder, wallMs } = this.#deps;
    const nowMs = wallMs();
    const written = new Map<number, number | undefined>();
    const approvedAt = (seq: number): number | undefined =>
      written.getOrInsertComputed(seq, () => store.entry(seq)?.iat);
    const stale = staleDevices(states(), approvedAt, nowMs);
    const open = store
      .findings({ open: true, limit: Number.MAX_SAFE_INTEGER })
      .find(({ finding, device }) => device === undefined && finding.ruleId === baselineStale.id)?.finding;
    recorder.flush();
    if (stale.length > 0 && open === undefined)
      recorder.takeGatewayFinding(gatewayFinding(baselineStale, nowMs, {}), stale);
    if (stale.length === 0 && open !== undefined)
      recorder.takeGatewayFinding({ ...open, state: 'resolved', resolvedAt: Math.floor(nowMs / 1000) });
  }

  #tickPlan(order: Order<Plan>): void {
    const nowMs = this.#deps.wallMs();
    const isDue = nowMs >= order.terms.not_after_at * 1000 + Math.max(REPORT_MS, WINDOW_TOLERANCE_MS);
    if (isDue && order.reportedAt === undefined) this.#reportDue(order, nowMs);
    if (phaseOfPlan(order.terms, nowMs) === 'over') this.#expire(order);
  }

  /** Devices that do not show what the plan expects are listed in one finding. */
  #reportDue(order: Order<Plan>, nowMs: number): void {
    const { recorder, emit } = this.#deps;
    const { matched, wrong, unchanged, dark } = this.#reportOf(order);
    const missing = order.terms.expected_after === undefined ? [] : [...wrong, ...unchanged, ...dark];
    const counts = { matched: matched.length, wrong: wrong.length, unchanged: unchanged.length, dark: dark.length };
    const finding =
      missing.length === 0
        ? undefined
        : gatewayFinding(changeNotObserved, nowMs, { part: order.terms.plan_id, after: counts, plan: order.seq });
    recorder.flush();
    if (!recorder.takeReport({ ...order, reportedAt: Math.floor(nowMs / 1000) }, finding, missing)) return;
    emit('info', 'plan.reported', { plan: order.terms.plan_id, ...counts });
  }

  #tickWaiver(order: Order, expiresAt: number): void {
    const nowMs = this.#deps.wallMs();
    if (nowMs < expiresAt * 1000) return;
    const waived = this.#deps
      .states()
      .filter(({ tracks }) => tracks.some(({ finding }) => finding.waiver === order.seq))
      .map(({ id }) => id);
    const finding =
      waived.length === 0
        ? undefined
        : gatewayFinding(waiverExpired, nowMs, { part: termsId(order.terms), waiver: order.seq });
    this.#deps.recorder.flush();
    this.#expire(order, finding, waived);
  }

  #expire(
    order: Order,
    ...about: [finding?: ReturnType<typeof gatewayFinding> | undefined, devices?: readonly string[]]
  ): void {
    const { recorder, emit } = this.#deps;
    const [finding, devices] = about;
    if (!recorder.takeExpiry(order, finding, devices)) return;
    const { kind } = order.terms;
    const id = termsId(order.terms);
    if ((order.matched?.length ?? 0) > 0) emit('info', 'terms.expired', { kind, id });
    else
      emit('warn', 'terms.unmatched', {
        kind,
        id,
        message: 'it ended without having covered anything',
        remedy: 'look whether its scope, ids and expected values are those of the devices',
      });
  }
}

/** What a document calls itself, where it can be read: anybody may have written it. */
const claimedName = (payload: Uint8Array): { readonly kind?: string; readonly id?: string } => {
  try {
    const { doc } = parseSignedTerms(payload);
    const { kind, ref_id, plan_id, waiver_id } = JSON.parse(doc) as { readonly [member: string]: unknown };
    const id = ref_id ?? plan_id ?? waiver_id;
    return {
      ...(typeof kind === 'string' ? { kind: kind.slice(0, 64) } : {}),
      ...(typeof id === 'string' ? { id: id.slice(0, 64) } : {}),
    };
  } catch {
    return {};
  }
};

/** A device with what a withdrawal would take from it. */
type Loser = Loss & { readonly device: string };

const ended = (order: Order | undefined): readonly Order[] => (order === undefined ? [] : [order]);

/** A broker keeps one document by topic: under another name a later version would not take its place there. */
const otherName = (id: string | undefined, name: string): AgentError =>
  new AgentError({
    code: 'terms.name',
    message: `it came on ref/${name.slice(0, 64)}, and calls itself ${id}`,
    remedy:
      'publish it on the topic that ends with its own ref_id, plan_id or waiver_id, and an empty message on the other one',
  });

const isPlan = (order: Order): order is Order<Plan> => order.terms.kind === 'plan';

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

const standsTogether = ({ terms, by }: Order): AgentError =>
  new AgentError({
    code: 'baseline.two-approvers',
    message: `it takes two people to approve ${terms.kind} ${termsId(terms)} (signed by ${by.join(', ')}): one alone does not end it`,
    remedy:
      terms.kind === 'reference'
        ? 'have two approvers sign its next version, and adopt that; in an emergency --break-glass with --note, which is reported'
        : 'let it end at its time; in an emergency --break-glass with --note, which is reported',
  });

const losesGround = (seq: number, { device, findings, facts }: Loser, count: number): AgentError => {
  const [finding] = findings;
  const why =
    finding === undefined
      ? `nothing else says what ${facts[0]} of ${device} has to be, and what shows next would be learned`
      : `${finding.finding.ruleId} (${finding.finding.severity}) of ${device} would end, or be held against nothing`;
  const others = count === 1 ? '' : `, and the like on ${count - 1} more`;
  return new AgentError({
    code: 'baseline.two-approvers',
    message: `entry ${seq} is not withdrawn by one person: ${why}${others}`,
    remedy:
      'have what shall hold instead signed and adopt that: assayer baseline export, sign, adopt; in an emergency --break-glass with --note, which is reported',
  });
};
