import { isCommissioned } from '../baseline/reference.ts';
import { heldBy, waiverFor } from '../baseline/standing.ts';
import type { Drafting } from './advance.ts';
import { describe } from './approval.ts';
import { type DeviceState, lastSeenMs } from './device.ts';
import { identityNewDevice } from './rules/identity-new-device.ts';
import { visibilityDeviceDark } from './rules/visibility-device-dark.ts';
import { seconds, worst } from './track.ts';
import type { LookContext } from './verdict.ts';

/** Makes a finding of a deviation: severities, surfaces, when the before-value was last seen. */
export const draftingOf =
  (state: DeviceState, context: LookContext): Drafting =>
  ({ rule, facts }, { part, before, after, severity: own, reasons, plan }) => {
    const severityBase = own ?? rule.severity;
    const commissioned = rule.id === identityNewDevice.id ? context.amongCommissioned : isApproved(state, context);
    const waiver = waiverOf(state, rule.id, context);
    const severity = commissioned && rule.unplanned !== undefined ? worst(severityBase, rule.unplanned) : severityBase;
    const { poolsMs, fullMs } = state.marks;
    const beforeMs = (): number | undefined => {
      // What was before a new device is not what that one showed.
      if (rule.id === identityNewDevice.id) return undefined;
      if (rule.id === visibilityDeviceDark.id) return lastSeenMs(state);
      return facts.includes('pools') ? poolsMs : fullMs;
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
      ...(lastMs === undefined || lastMs === 0 ? {} : { beforeAt: seconds(lastMs) }),
      ...(plan === undefined ? {} : { plan }),
      ...(waiver === undefined ? {} : { waiver: waiver.seq }),
    };
  };

/** Whether a person stands behind what the device is held against. */
const isApproved = (state: DeviceState, { standing, nowMs }: LookContext): boolean =>
  isCommissioned(state.reference) ||
  (standing.references.length > 0 && heldBy(standing, describe(state, {}), nowMs).size > 0);

const waiverOf = (state: DeviceState, id: string, { standing, nowMs }: LookContext) =>
  standing.waivers.length === 0 ? undefined : waiverFor(standing, describe(state, {}), id, nowMs);
