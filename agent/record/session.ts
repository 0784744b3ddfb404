import type { LogEnd, SessionContent } from '../../shared/statement.ts';
import type { Built } from './entry.ts';

/** What a `session` `start` says about the process that begins. Digests are b64u. */
export interface StartFacts {
  /** `sha256` of the running single binary; absent when run from sources. */
  readonly agent: { readonly name: string; readonly version: string; readonly sha256?: string };
  readonly configSha256: string;
  readonly host: {
    readonly os: string;
    readonly kernel: string;
    readonly arch: string;
    readonly manufacturer?: string;
    readonly model?: string;
  };
  readonly keyProtection: 'file' | 'tpm2-sealed' | 'external';
  /** Devices that left the configuration since it was last stated. */
  readonly removed?: readonly string[];
}

/**
 * The agent started. `first`: this entry begins the log, in place of the one that ended at `prior`, where there was one and
 * its end is known. Devices that do not fit follow as `reload`.
 */
export const buildStart = (
  facts: StartFacts,
  { first, prior }: { readonly first: boolean; readonly prior?: LogEnd | undefined },
): readonly Built<SessionContent>[] => {
  const removed = facts.removed ?? [];
  const start = session({
    event: 'start',
    agent: facts.agent,
    config_sha256: facts.configSha256,
    host: facts.host,
    key_protection: facts.keyProtection,
    ...(first ? { prior: prior ?? null } : {}),
    ...removedOf(removed.slice(0, MOST_REMOVED)),
  });
  const rest = removed.slice(MOST_REMOVED);
  return rest.length === 0 ? [start] : [start, ...buildReload({ ...facts, removed: rest })];
};

/** The log before this one was put back to an older state, or copied: this key had signed more of it, or another one. */
export const buildRollback = (reason: string): Built<SessionContent> => session({ event: 'rollback', reason });

/** The agent ends in good order. */
export const buildStop = (reason: string): Built<SessionContent> => session({ event: 'stop', reason });

/** Another configuration is in force; further entries say the same where one cannot name every device that left. */
export const buildReload = (facts: Pick<StartFacts, 'configSha256' | 'removed'>): readonly Built<SessionContent>[] => {
  const removed = facts.removed ?? [];
  const pages = Array.from({ length: Math.max(1, Math.ceil(removed.length / MOST_REMOVED)) }, (_none, page) =>
    removed.slice(page * MOST_REMOVED, (page + 1) * MOST_REMOVED),
  );
  return pages.map((page) => session({ event: 'reload', config_sha256: facts.configSha256, ...removedOf(page) }));
};

/** The wall clock was set, or the host slept: from here on it is `deltaMs` ahead of where it would have been. */
export const buildClockStep = (deltaMs: number): Built<SessionContent> =>
  session({ event: 'clock-step', delta_ms: deltaMs });

/** The store takes entries again; `count` transactions since `since` (Unix seconds) were not recorded, because of `code`. */
export const buildStorage = (failure: {
  readonly code: string;
  readonly since: number;
  readonly count: number;
}): Built<SessionContent> =>
  session({ event: 'storage', reason: `${failure.code}: ${failure.count} not recorded since ${failure.since}` });

const session = (event: SessionContent['session']): Built<SessionContent> => ({
  content: { kind: 'session', session: event },
  replies: [],
  disclosures: [],
});

/** As many ids of full length as surely fit into one message. */
const MOST_REMOVED = 256;

const removedOf = (removed: readonly string[]): { removed?: string[] } =>
  removed.length === 0 ? {} : { removed: [...removed] };
