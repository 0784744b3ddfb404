import { type Plan, termsId, type Waiver } from '../../shared/terms.ts';
import type { DeviceState } from '../appraise/device.ts';
import type { Finding } from '../appraise/finding.ts';
import { gatewayFinding } from '../appraise/gateway-finding.ts';
import { type PlanReport, reportPlan } from '../appraise/plan-report.ts';
import { baselineStale, staleDevices } from '../appraise/rules/baseline-stale.ts';
import { changeNotObserved } from '../appraise/rules/change-not-observed.ts';
import { leftStanding, waiverExpired } from '../appraise/rules/waiver-expired.ts';
import { expectsUncompared, uncomparedText } from '../appraise/where-held.ts';
import { TOLERANCE_MS } from '../baseline/expected.ts';
import { phaseOfPlan, REPORT_MS } from '../baseline/standing.ts';
import type { Emit } from '../platform/events.ts';
import { hasCovered, type Order, type Orders } from '../record/orders.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Store } from '../record/store.ts';

/** What time alone ends or makes due: plans, waivers, and approvals that nobody looks at. */

/** What is in force, and what is held against it. */
export interface DueDeps {
  readonly orders: Pick<Orders, 'all' | 'standing'>;
  readonly recorder: Recorder;
  readonly store: Pick<Store, 'entry' | 'findings'>;
  readonly states: () => readonly DeviceState[];
  readonly wallMs: () => number;
  readonly emit: Emit;
}

/** Reports and ends the plans and waivers whose time has come. Often enough once a minute. */
export const endDue = (deps: DueDeps): void => {
  // What waits to be written may be the first that a document covers.
  deps.recorder.flush();
  for (const order of deps.orders.all()) {
    if (isPlan(order)) planDue(order, deps);
    else if (isWaiver(order)) waiverDue(order, deps);
  }
};

/** Approvals that nobody looked at for half a year are one finding, until somebody does. */
export const findStale = ({ store, states, recorder, wallMs }: DueDeps): void => {
  const nowMs = wallMs();
  const written = new Map<number, number | undefined>();
  const approvedAt = (seq: number): number | undefined => written.getOrInsertComputed(seq, () => store.entry(seq)?.iat);
  const stale = staleDevices(states(), approvedAt, nowMs);
  const open = store
    .findings({ open: true, limit: Number.MAX_SAFE_INTEGER })
    .find(({ finding, device }) => device === undefined && finding.ruleId === baselineStale.id)?.finding;
  recorder.flush();
  if (stale.length > 0 && open === undefined)
    recorder.takeGatewayFinding(gatewayFinding(baselineStale, nowMs, {}), stale);
  if (stale.length === 0 && open !== undefined)
    recorder.takeGatewayFinding({ ...open, state: 'resolved', resolvedAt: Math.floor(nowMs / 1000) });
};

/** Whether the document is a plan. */
export const isPlan = (order: Order): order is Order<Plan> => order.terms.kind === 'plan';

const isWaiver = (order: Order): order is Order<Waiver> => order.terms.kind === 'waiver';

/** How the plan stands now. */
export const reportOf = (
  order: Order<Plan>,
  { states, orders, wallMs }: Pick<DueDeps, 'states' | 'orders' | 'wallMs'>,
): PlanReport =>
  reportPlan(order, states(), {
    matched: new Set(order.matched),
    deviated: new Set(order.deviated),
    standing: orders.standing,
    nowMs: wallMs(),
    isReported: order.reportedAt !== undefined,
  });

const planDue = (order: Order<Plan>, deps: DueDeps): void => {
  const nowMs = deps.wallMs();
  const isDue = nowMs >= order.terms.not_after_at * 1000 + Math.max(REPORT_MS, TOLERANCE_MS);
  if (isDue && order.reportedAt === undefined) reportDue(order, nowMs, deps);
  if (phaseOfPlan(order.terms, nowMs) === 'over') expire(order, deps);
};

/** Devices that do not show what the plan expects are listed in one finding. */
const reportDue = (order: Order<Plan>, nowMs: number, deps: DueDeps): void => {
  const { matched, wrong, unchanged, incomplete, dark, unjudged } = reportOf(order, deps);
  const missing = order.terms.expected_after === undefined ? [] : [...wrong, ...unchanged, ...incomplete, ...dark];
  const counts = {
    matched: matched.length,
    wrong: wrong.length,
    unchanged: unchanged.length,
    incomplete: incomplete.length,
    dark: dark.length,
    unjudged: unjudged.length,
  };
  const finding =
    missing.length === 0
      ? undefined
      : gatewayFinding(changeNotObserved, nowMs, { part: order.terms.plan_id, after: counts, plan: order.seq });
  if (!deps.recorder.takeReport({ ...order, reportedAt: Math.floor(nowMs / 1000) }, finding, missing)) return;
  deps.emit('info', 'plan.reported', { plan: order.terms.plan_id, ...counts });
};

const waiverDue = (order: Order<Waiver>, deps: DueDeps): void => {
  const nowMs = deps.wallMs();
  if (nowMs < order.terms.expires_at * 1000) return;
  const covered = new Set(order.matched);
  const devices = leftStanding(
    order,
    deps.states().filter(({ id }) => covered.has(id)),
    deps.orders.standing,
    nowMs,
  );
  const finding = gatewayFinding(waiverExpired, nowMs, { part: termsId(order.terms), waiver: order.seq });
  expire(order, deps, devices.length === 0 ? undefined : { finding, devices });
};

const expire = (
  order: Order,
  { recorder, emit }: DueDeps,
  told?: { readonly finding: Finding; readonly devices: readonly string[] },
): void => {
  if (!recorder.takeExpiry(order, told?.finding, told?.devices)) return;
  const { kind } = order.terms;
  const id = termsId(order.terms);
  if (hasCovered(order)) emit('info', 'terms.expired', { kind, id });
  else {
    const uncompared = expectsUncompared(order.terms);
    emit('warn', 'terms.unmatched', {
      kind,
      id,
      message: 'it ended without having covered anything',
      remedy:
        uncompared.length > 0
          ? uncompared.map(uncomparedText).join('; ')
          : 'look whether its scope, ids and expected values are those of the devices',
    });
  }
};
