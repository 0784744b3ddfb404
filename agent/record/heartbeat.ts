import { signHeartbeat } from '../../shared/checkpoint.ts';
import type { Log } from './log.ts';
import { firstHeld } from './retention.ts';
import type { Store } from './store.ts';

/** Signs a checkpoint of all committed entries as a heartbeat: a statement about the log that is no entry of it. */
export const signedHeartbeat = (
  log: Log,
  store: Store,
  signer: Parameters<typeof signHeartbeat>[2],
): { readonly size: number; readonly message: Uint8Array } => {
  const end = log.end();
  return { size: end.size, message: signHeartbeat({ ...end, first: firstHeld(store) }, log.members(), signer) };
};
