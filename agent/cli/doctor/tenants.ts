import { closest } from 'fastest-levenshtein';
import type { DeviceState } from '../../appraise/device.ts';
import { hostIds, idsOfNoHost } from '../../config/meaning.ts';
import type { Config } from '../../config/schema.ts';
import { AgentError } from '../../platform/errors.ts';
import { Store } from '../../record/store.ts';
import { type Check, warn } from './result.ts';

/** The devices that tenants name: in a range ids come from the machines, and the store has those that were seen. */
export const tenants: Check = {
  name: 'tenants',
  run: ({ config }) => {
    const named = idsOfNoHost(config);
    if (named.length === 0) return [];
    const known = new Set([...hostIds(config), ...seenIds(config)]);
    return named
      .filter(({ id }) => !known.has(id))
      .map(({ id, path: [, tenant] }) =>
        warn(
          `no device that was seen has the id "${id}", by which ${String(tenant)} has one: the device that is meant is held to the list of somebody else`,
          known.size === 0
            ? 'start the agent, and ask again when it has seen the devices'
            : `did you mean "${closest(id, [...known])}"? assayer status has the ids`,
        ),
      );
  },
};

const seenIds = ({ state_dir: stateDir }: Config): readonly string[] => {
  try {
    using store = Store.openReadOnly(stateDir);
    // Written by this agent.
    return [...store.devices((text) => (JSON.parse(text) as DeviceState<unknown>).id)];
  } catch (error) {
    // What is wrong with the store another check says.
    if (error instanceof AgentError) return [];
    throw error;
  }
};
