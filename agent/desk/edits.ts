import { type Edit, effectOf, ledTo, withEdited } from '../appraise/edit.ts';
import { scopesEdited } from '../appraise/rules/change-break-glass.ts';
import type { Orders } from '../record/orders.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Fleet } from '../schedule/fleet.ts';

/** What an edit of the configuration is judged by, and what records it. */
export interface EditDeps {
  readonly orders: Pick<Orders, 'standing'>;
  readonly recorder: Pick<Recorder, 'saveStates' | 'takeGatewayFinding'>;
  /** How many people approvals take here at most. */
  readonly people: number;
  readonly nowMs: number;
}

/**
 * What the configuration edited about known devices: documents go on counting for them as they did, and where approvers are
 * named it is a finding, once.
 */
export const heedEdits = (
  edits: readonly Edit[],
  fleet: Pick<Fleet, 'state' | 'states' | 'seatOf' | 'keep'>,
  { orders: { standing }, recorder, people, nowMs }: EditDeps,
): void => {
  const led = fleet.states().flatMap((state) => {
    const place = fleet.seatOf(state.id)?.place;
    const next = place?.origin === 'host' ? ledTo(state, place.address) : state;
    return next === state ? [] : [next];
  });
  for (const state of led) fleet.keep(state);
  const effects = edits.map((edit) => ({ device: edit.device, ...effectOf(edit, standing) }));
  const states = effects.flatMap(({ device, edited }) => {
    const state = fleet.state(device);
    return state === undefined ? [] : [withEdited(state, edited)];
  });
  for (const state of states) fleet.keep(state);
  // With the labels that they have now: the next start finds no edit where none was.
  recorder.saveStates([...led, ...states]);
  const told = effects.filter(({ began, ceased, refilled }) => began.length + ceased.length + refilled.length > 0);
  if (told.length === 0 || people === 0) return;
  const all = (member: 'began' | 'ceased' | 'refilled'): readonly string[] => [
    ...new Set(told.flatMap((one) => one[member])),
  ];
  recorder.takeGatewayFinding(
    scopesEdited({ began: all('began'), ceased: all('ceased'), refilled: all('refilled') }, nowMs),
    told.map(({ device }) => device),
  );
};
