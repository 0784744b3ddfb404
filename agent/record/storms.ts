import { type Member, Members } from '../appraise/members.ts';
import { type Storm, type StormState, type Surge, stormOf } from '../appraise/storm.ts';
import type { Store } from './store.ts';

/** How the store keeps the present storms: what a batch changed of them is written, however many their members are. */

/** Writes how these differ from those before, inside a transaction. */
export const saveStorms = (
  store: Pick<Store, 'saveStorm' | 'removeStorm' | 'saveMember' | 'removeMember'>,
  before: StormState,
  after: StormState,
): void => {
  if (before === after) return;
  const former = new Map(unlike(before, after).map(([, storm]) => [storm.id, storm]));
  const present = unlike(after, before);
  const kept = new Set(present.map(([, { id }]) => id));
  for (const id of former.keys()) if (!kept.has(id)) store.removeStorm(id);
  for (const [key, storm] of present) {
    const { id, members, latestMs, parent } = storm;
    const known = former.get(id);
    const changed = known === undefined ? undefined : members.changesSince(known.members);
    if (known !== undefined && changed === undefined) store.removeStorm(id);
    const surge: Surge = { latestMs, ...(parent === undefined ? {} : { parent }) };
    store.saveStorm({ id, key, storm: JSON.stringify(surge) });
    for (const name of changed ?? members.names()) {
      const member = members.get(name);
      if (member === undefined) store.removeMember(id, name);
      else store.saveMember(id, name, JSON.stringify(member));
    }
  }
};

/** The storms of these that the others do not have as they are. */
const unlike = ({ storms }: StormState, { storms: others }: StormState): readonly (readonly [string, Storm])[] =>
  Object.entries(storms).filter(([key, storm]) => others[key] !== storm);

/** The storms of the log in the store. */
export const stormsIn = (store: Pick<Store, 'storms' | 'members'>): StormState => {
  // Both written above, as JSON of the same types.
  const kept = store.storms((text) => JSON.parse(text) as Surge);
  return {
    storms: Object.fromEntries(
      kept.map(({ id, key, storm }): [string, Storm] => [
        key,
        stormOf(id, storm, Members.of(store.members(id, (text) => JSON.parse(text) as Member))),
      ]),
    ),
  };
};
