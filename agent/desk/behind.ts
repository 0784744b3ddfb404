import { FACTS, type FactName, type ReadingName } from '../../shared/facts.ts';
import type { DeviceState } from '../appraise/device.ts';
import { factOf } from '../appraise/rules/visibility-coverage-reduced.ts';
import type { Config } from '../config/schema.ts';
import type { Store } from '../record/store.ts';
import type { Shown } from './preview.ts';
import { type LoginState, loginStates } from './refused-logins.ts';

/** What lies behind a closed surface of a device: whoever accepts it accepts nothing of that. */
export interface Behind {
  /** `closed`: nothing listens there, or it is for others. */
  readonly why: LoginState | 'closed';
  /** That nothing tells. */
  readonly facts: readonly ReadingName[];
  /** That another surface tells instead: the pools that run, say, of which the stored ones may be others. */
  readonly stand_ins: readonly FactName[];
}

/** What is shown of devices, with what lies behind a closed surface of each; `facts`: of these alone. */
export const withBehind = <T extends Shown>(
  shown: readonly T[],
  stateOf: (device: string) => DeviceState | undefined,
  { config, store, facts }: { config: Config; store: Pick<Store, 'meta'>; facts?: readonly FactName[] | undefined },
): readonly (T & { readonly behind?: Behind })[] => {
  const loginOf = loginStates(config, store);
  return shown.map((one) => {
    const state = stateOf(one.device);
    const behind = state === undefined ? undefined : behindOf(state, one, loginOf(state.id, state.address));
    if (behind === undefined) return one;
    const isMeant = (name: ReadingName): boolean => facts?.includes(factOf(name)) !== false;
    const meant = { ...behind, facts: behind.facts.filter(isMeant), stand_ins: behind.stand_ins.filter(isMeant) };
    return meant.facts.length + meant.stand_ins.length === 0 ? one : { ...one, behind: meant };
  });
};

const behindOf = ({ attested, marks }: DeviceState, { untold }: Shown, login: LoginState | undefined): Behind => {
  const said = untold.flatMap(({ fact, why }) => (why === 'closed' ? [fact] : []));
  const isShown = (name: ReadingName): boolean => FACTS[factOf(name)].class !== 'volatile' && !said.includes(name);
  return {
    why: login ?? 'closed',
    facts: (marks.closed ?? []).filter(isShown),
    stand_ins: attested?.standIns ?? [],
  };
};
