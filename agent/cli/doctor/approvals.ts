import { typed } from '../../appraise/advice.ts';
import { orphansOf, splitApprovers } from '../../desk/signers.ts';
import { AgentError } from '../../platform/errors.ts';
import { Approvals } from '../../record/approvals.ts';
import type { Order } from '../../record/orders.ts';
import { Store } from '../../record/store.ts';
import { type Check, ok, type Result, warn } from './result.ts';

/** What approvers signed and is in force: by keys that the configuration still names. */
export const approvals: Check = {
  name: 'approvals',
  run: ({ config, approvers, file }) => {
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
    if (waiting.length + orphans.length > 0) return [...waiting, ...orphans];
    const named = `approvers named: ${approvers.keys.size}`;
    return [
      ok(signed.length === 0 ? `${named}; no signed document is in force` : `${named}; they signed what is in force`),
    ];
  },
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
