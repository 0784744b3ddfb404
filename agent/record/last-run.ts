import { verifyCheckpoint } from '../../shared/checkpoint.ts';
import type { TrustedKey } from '../../shared/keys.ts';
import type { CommonMembers } from '../../shared/statement.ts';
import { VerificationError } from '../../shared/verification.ts';
import { signedHeartbeat } from './heartbeat.ts';
import type { Recorder } from './recorder.ts';
import type { Store } from './store.ts';

/** Name under which the store keeps the checkpoint that was signed last to say that the agent runs. */
const RUNNING = 'running';

/** Notes that the agent runs, and can still write, as of now: signed, so that nobody can note it afterwards. */
export const noteRunning = (
  recorder: Pick<Recorder, 'saveMeta'>,
  ...[log, store, signer]: Parameters<typeof signedHeartbeat>
): void => recorder.saveMeta(RUNNING, signedHeartbeat(log, store, signer).message.toString());

type Stated = Pick<CommonMembers, 'log' | 'iat' | 'mono_ms' | 'bootseed'>;

/**
 * Until when the agent before this one ran, Unix milliseconds: the note that it left where this key signed it after the last entry, in the
 * same run; else that entry. Undefined in an empty store.
 */
export const ranUntilMs = (store: Store, key: TrustedKey): number | undefined => {
  const last = store.find({ newest: 1 })[0];
  if (last === undefined) return undefined;
  // The log has been read by now: what it ends with is a statement of ours.
  const stated = JSON.parse(Buffer.from(last.message).toString()) as Stated;
  const noted = store.meta(RUNNING, (text) => notedBy(text, key));
  const isLater = noted?.log === stated.log && noted.bootseed === stated.bootseed && noted.mono_ms >= stated.mono_ms;
  return (isLater ? noted : stated).iat * 1000;
};

/** What a note says; undefined where it is none of this key. */
const notedBy = (text: string, key: TrustedKey): Stated | undefined => {
  try {
    return verifyCheckpoint(Buffer.from(text), { keys: new Map([[key.kid, key]]) }).content;
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    return undefined;
  }
};
