import { termsId } from '../../../shared/index.ts';
import { typed } from '../../appraise/advice.ts';
import { readDevice } from '../../appraise/device.ts';
import { devicesBack } from '../../desk/adoption.ts';
import { orphansOf, splitApprovers } from '../../desk/signers.ts';
import { AgentError } from '../../platform/errors.ts';
import { Approvals } from '../../record/approvals.ts';
import type { Order } from '../../record/orders.ts';
import { Store } from '../../record/store.ts';
import { isoOf } from '../../terms/instant.ts';
import { namesText } from '../table.ts';
import { type Check, ok, type Result, type Visit, warn } from './result.ts';

/** What approvers signed and is in force: by keys that the configuration still names. */
export const approvals: Check = {
  name: 'approvals',
  run: ({ config, approvers, file, agent }) => {
    const orders = inForce(config.state_dir);
    const signed = orders.filter(({ doc }) => doc !== undefined);
    const waiting = splitApprovers(approvers, Approvals.countingIn(config.state_dir)).waiting.map(
      ({ name, kid }): Result =>
        warn(
          `approver ${name}, key ${kid}, waits: those before have not admitted it, and what it signs counts as nobody's`,
          `where it is meant, those before sign it, each: assayer keys admit ${config.approvers[name]} --key <key>; else take it out of the configuration`,
        ),
    );
    const orphans = orphansOf(orders, approvers).map(
      ({ kind, id, gone }): Result =>
        warn(
          `${kind} ${id} is in force, signed by ${gone.join(' and ')}, no approver any more`,
          kind === 'reference'
            ? `have its next version signed by those who approve now, or end it: ${typed(`baseline withdraw ${id}`, { config: file })}`
            : `let it end at its time, or end it: ${typed(`${kind} close ${id}`, { config: file })}`,
        ),
    );
    const lapsed = lapsedIn(config.state_dir, orders).map(
      ({ id, devices }): Result =>
        warn(
          `reference ${id} holds nothing at ${namesText(devices)}, which left the configuration and came back`,
          `where these are the machines that were signed, adopt it again: ${typed('baseline adopt <signed file>', { config: file })}; else have what they show now signed: ${typed(`baseline export ${devices[0]}`, { config: file })}`,
        ),
    );
    const found = [...waiting, ...orphans, ...lapsed, ...refusedBy(agent)];
    if (found.length > 0) return found;
    const named = `approvers named: ${approvers.keys.size}`;
    return [
      ok(signed.length === 0 ? `${named}; no signed document is in force` : `${named}; they signed what is in force`),
    ];
  },
};

/** What came over the uplink and was refused: only a running agent knows, and nobody else tells the person who published it. */
const refusedBy = (agent: Visit['agent']): readonly Result[] =>
  agent instanceof AgentError
    ? []
    : (agent.terms_refused ?? []).map(({ name, kind, id, refused_at: at, message, remedy }) =>
        warn(
          `${kind ?? 'what'} ${id ?? 'cannot be read'}, on ref/${name}, is refused since ${isoOf(at)}: ${message}`,
          remedy,
        ),
      );

/** References that name devices by what they showed before they left, which are back. */
const lapsedIn = (
  stateDir: string,
  orders: readonly Order[],
): readonly { readonly id: string; readonly devices: readonly string[] }[] => {
  const left = orders.filter((order) => order.left !== undefined);
  if (left.length === 0) return [];
  using store = Store.openReadOnly(stateDir);
  return left.flatMap((order) => {
    const states = (order.left ?? []).flatMap((device) => store.device(device, readDevice) ?? []);
    const devices = devicesBack(order, states);
    return devices.length === 0 ? [] : [{ id: termsId(order.terms), devices }];
  });
};

const inForce = (stateDir: string): readonly Order[] => {
  try {
    using store = Store.openReadOnly(stateDir);
    // Written by this agent.
    return store.orders((text) => JSON.parse(text) as Order);
  } catch (error) {
    // That the store cannot be read says its own check.
    if (error instanceof AgentError) return [];
    throw error;
  }
};
