import type { RefusedTerms } from '../desk/delivered.ts';
import type { Orphan } from '../desk/signers.ts';
import type { TargetStatus } from '../notify/courier.ts';
import { askAgent } from '../platform/control.ts';
import { AgentError } from '../platform/errors.ts';
import type { UplinkStatus } from '../publish/uplink.ts';

/** What a running agent says about itself; the rest is in the store. */
export interface Live {
  readonly log: string;
  readonly size: number;
  readonly store_failing: boolean;
  /** Devices whose attested pools cannot be read now, and since which look, Unix seconds. */
  readonly pools_unread: { readonly [device: string]: number };
  /** Devices that answered and were not looked at since, for longer than a period of coverage; Unix seconds. */
  readonly unlooked: { readonly [device: string]: number };
  /** Documents in force of which a signer is no approver any more. */
  readonly signers_gone: readonly Orphan[];
  /** Documents that were refused and stand on their topics; an agent that runs on since before an update does not say it. */
  readonly terms_refused?: readonly RefusedTerms[];
  readonly uplink: UplinkStatus | null;
  /** Who is told of findings. */
  readonly notify: readonly TargetStatus[];
}

/** Asks the agent of this state folder; the error says why it does not answer. */
export const liveStatus = async (stateDir: string): Promise<Live | AgentError> => {
  try {
    // The answer of an agent of the same version.
    return (await askAgent(stateDir, { do: 'status' })) as Live;
  } catch (error) {
    if (error instanceof AgentError && error.code.startsWith('agent.')) return error;
    throw error;
  }
};
