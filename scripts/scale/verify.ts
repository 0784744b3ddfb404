/** Verifying alone: a process that reads whole logs into memory and gives them to the shared verifier. Forked by `npm run scale`. */
import { Store } from '../../agent/record/store.ts';
import { parseTrustedKeys } from '../../shared/keys.ts';
import { LogVerifier } from '../../shared/log-verifier.ts';

/** A log in the state folder of its gateway; entries below `from` are verified as well, but not measured. */
export interface LogFolder {
  readonly folder: string;
  readonly key: unknown;
  readonly from: number;
}

export interface Verified {
  readonly entries: number;
  readonly cpuUs: number;
  readonly bytes: number;
  /** Verdicts other than `chained`. */
  readonly otherwise: number;
}

const PAGE = 1_000;

const entriesIn = (folder: string): readonly Uint8Array[] => {
  using store = Store.openReadOnly(folder);
  const messages: Uint8Array[] = [];
  for (let page = store.entriesFrom(0, PAGE); page.length > 0; page = store.entriesFrom(messages.length, PAGE)) {
    messages.push(...page.map(({ message }) => message));
  }
  return messages;
};

const verifyLog = ({ folder, key, from }: LogFolder): Verified => {
  const messages = entriesIn(folder);
  const verifier = new LogVerifier({ keys: parseTrustedKeys(key) });
  let otherwise = 0;
  const verify = (some: readonly Uint8Array[]): void => {
    for (const message of some) {
      for (const { status } of verifier.accept(message, { nowMs: Date.now() }))
        if (status !== 'chained') otherwise += 1;
    }
  };
  verify(messages.slice(0, from));
  const measured = messages.slice(from);
  const before = process.cpuUsage();
  verify(measured);
  const { user, system } = process.cpuUsage(before);
  const bytes = measured.reduce((sum, { length }) => sum + length, 0);
  return { entries: measured.length, cpuUs: user + system, bytes, otherwise };
};

process.on('message', (logs: readonly LogFolder[]) => {
  const all = logs.map(verifyLog);
  const sum = (of: (one: Verified) => number): number => all.reduce((total, one) => total + of(one), 0);
  const verified: Verified = {
    entries: sum(({ entries }) => entries),
    cpuUs: sum(({ cpuUs }) => cpuUs),
    bytes: sum(({ bytes }) => bytes),
    otherwise: sum(({ otherwise }) => otherwise),
  };
  process.send?.(verified, () => process.exit(0));
});
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(1));
