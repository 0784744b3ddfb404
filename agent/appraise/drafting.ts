import { canonicalJson } from '../../shared/jcs.ts';
import { keptFacts, NO_FACTS } from '../baseline/kept.ts';
import { isCommissioned } from '../baseline/reference.ts';
import { heldBy, waiverFor } from '../baseline/standing.ts';
import type { Drafting } from './advance.ts';
import { describe } from './approval.ts';
import { type DeviceState, lastSeenMs } from './device.ts';
import type { Finding } from './finding.ts';
import { lastToldMs } from './last-told.ts';
import type { Ran } from './outcome.ts';
import type { Deviation } from './rule.ts';
import { identityNewDevice } from './rules/identity-new-device.ts';
import { readableIn, saysRefused, visibilityCoverageReduced } from './rules/visibility-coverage-reduced.ts';
import { visibilityDeviceDark } from './rules/visibility-device-dark.ts';
import { seconds, worst } from './track.ts';
import type { LookContext } from './verdict.ts';

/** Makes a finding of a deviation: severities, surfaces, when the before-value was last seen. */
export const draftingOf = (state: DeviceState, context: LookContext): Drafting => {
  const sinceSeen = sinceLastSeen(state);
  return (ran, deviation) => {
    const { rule, facts } = ran;
    const { part, before, after, severity: own, reasons, plan, edit } = deviation;
    const severityBase = own ?? rule.severity;
    const commissioned = rule.id === identityNewDevice.id ? context.amongCommissioned : isApproved(state, context);
    const waiver = waiverOf(state, rule.id, context);
    const severity = commissioned && rule.unplanned !== undefined ? worst(severityBase, rule.unplanned) : severityBase;
    const beforeMs = (): number | undefined => {
      // What was before a new device is not what that one showed.
      if (rule.id === identityNewDevice.id) return undefined;
      if (rule.id === visibilityDeviceDark.id || saysRefused({ ruleId: rule.id, ...deviation }))
        return lastSeenMs(state);
      return lastToldMs(state, rule.id === visibilityCoverageReduced.id ? readableIn(before) : facts);
    };
    const lastMs = beforeMs();
    return {
      ruleId: rule.id,
      severity,
      severityBase,
      basis: rule.basis,
      ruleVersion: rule.version,
      surfaces: [...new Set(facts.flatMap((fact) => context.surfaces(fact)))].sort(),
      ...(part === undefined ? {} : { part }),
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      ...(reasons === undefined || reasons.length === 0 ? {} : { reasons }),
      ...(lastMs === undefined || lastMs === 0
        ? {}
        : lastSeenOf(sinceSeen(ran), deviation, seconds(Math.min(lastMs, context.nowMs)))),
      ...(plan === undefined ? {} : { plan }),
      ...(waiver === undefined ? {} : { waiver: waiver.seq }),
      ...(edit === undefined ? {} : { edit }),
    };
  };
};

/** What rules would say of this look against the last attestation; undefined where that is no question. Asked of a rule once. */
const sinceLastSeen = ({ attested }: DeviceState): ((ran: Ran) => readonly Deviation[] | undefined) => {
  const told = new Map<Ran, readonly Deviation[] | undefined>();
  const kept = attested?.facts ?? NO_FACTS;
  const tell = ({ against }: Ran): readonly Deviation[] | undefined => {
    if (against === undefined || kept === NO_FACTS) return undefined;
    const deviations = against(keptFacts(kept));
    return deviations === 'unknown' ? undefined : deviations;
  };
  return (ran) => {
    if (!told.has(ran)) told.set(ran, tell(ran));
    return told.get(ran);
  };
};

/** What the device showed before, and when: a reference may say what nobody ever saw there. */
const lastSeenOf = (
  deviations: readonly Deviation[] | undefined,
  { part, before }: Deviation,
  beforeAt: number,
): Pick<Finding, 'beforeAt' | 'lastSeen'> => {
  if (before === undefined || deviations === undefined) return { beforeAt };
  // It is unlike the reference and like what was seen: the reference is another one since.
  const lastSeen = deviations.find((deviation) => deviation.part === part)?.before;
  if (lastSeen === undefined) return {};
  return canonicalJson(lastSeen) === canonicalJson(before) ? { beforeAt } : { beforeAt, lastSeen };
};

/** Whether a person stands behind what the device is held against. */
const isApproved = (state: DeviceState, { standing, nowMs }: LookContext): boolean =>
  isCommissioned(state.reference) ||
  (standing.references.length > 0 && heldBy(standing, describe(state, {}), nowMs).size > 0);

const waiverOf = (state: DeviceState, id: string, { standing, nowMs }: LookContext) =>
  standing.waivers.length === 0 ? undefined : waiverFor(standing, describe(state, {}), id, nowMs);
