import type { Facts } from '../../shared/facts.ts';
import type { DeviceState, ReferenceEntry } from '../appraise/device.ts';
import { rebuilt } from '../appraise/promote.ts';
import { keptFacts } from '../baseline/kept.ts';
import { givenFacts } from '../record/baseline-history.ts';
import type { Store } from '../record/store.ts';

/**
 * What the references of these devices were without what approvers signed for them, read from the log `origin` once, when the first is
 * asked for: of those only that show something else than their reference. Undefined where nothing is left then.
 */
export const unsignedFacts = (
  store: Store,
  origin: string,
  states: () => readonly DeviceState[],
): ((state: DeviceState) => Facts | undefined) => {
  let known: ReadonlyMap<string, Facts> | undefined;
  return ({ id }) => {
    known ??= readUnsigned(store, origin, states().filter(differsFromSigned));
    return known.get(id);
  };
};

const isSigned = ({ approval }: ReferenceEntry): boolean => approval === 'signed';

const differsFromSigned = ({ attested, reference }: DeviceState): boolean =>
  reference?.entries.some(isSigned) === true && attested?.facts !== reference.facts;

const readUnsigned = (store: Store, origin: string, states: readonly DeviceState[]): ReadonlyMap<string, Facts> => {
  const signed = states.flatMap(({ reference }) => reference?.entries.filter(isSigned).map(({ seq }) => seq) ?? []);
  const given = givenFacts(store, origin, states, new Set(signed));
  return new Map(
    states.flatMap((state) => {
      const { reference } = rebuilt(state, given.get(state.id) ?? []);
      return reference === undefined ? [] : [[state.id, keptFacts(reference.facts)] as const];
    }),
  );
};
