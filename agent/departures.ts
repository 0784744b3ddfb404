import { standing } from './appraise/departure.ts';
import { type DeviceState, readDevice } from './appraise/device.ts';
import type { Emit } from './platform/events.ts';
import { DEPARTED, readDeparted } from './record/departed.ts';
import type { Built } from './record/entry.ts';
import type { Recorder } from './record/recorder.ts';
import type { Store } from './record/store.ts';

/** Devices that leave the configuration. */

/** Those that left earlier, as they were known, the latest last. */
export const departedIn = (store: Store): readonly DeviceState[] => store.meta(DEPARTED, readDeparted) ?? [];

/**
 * Devices left the configuration, as `session` entries say: with them goes what is open about them. Throws what the store
 * throws; then nothing changed.
 */
export const forgetDevices = (
  removed: readonly string[],
  session: readonly Built[],
  { store, recorder, emit }: { readonly store: Store; readonly recorder: Recorder; readonly emit: Emit },
): void => {
  const states = removed.flatMap((device) => store.device(device, readDevice) ?? []);
  if (states.length + session.length > 0) recorder.takeDepartures(states, session, departedIn(store));
  for (const state of states) tellLeft(state, emit);
};

/** Nobody accepted what was open: that it ends with the entry of its device must not go unseen, least of all after a slip. */
const tellLeft = (state: DeviceState, emit: Emit): void => {
  const findings = standing(state).map(({ finding: { ruleId, part, severity } }) => ({
    id: ruleId,
    ...(part === undefined ? {} : { part }),
    severity,
  }));
  if (findings.length === 0) return;
  emit('warn', 'config.device-left', {
    device: state.id,
    findings,
    message: 'the device left the configuration with open findings; they end with it',
  });
};
