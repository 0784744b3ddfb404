import { Store } from '../../agent/record/store.ts';
import type { Collector } from './collector.ts';
import { compare } from './compare.ts';
import { entriesOf, originOf } from './judge.ts';
import type { Report } from './report.ts';
import type { Site } from './site.ts';

/** How often the same copy is put back: the second time it is older than a log that was begun since. */
const TIMES = 2;

/** What the store of the agent holds, and how much of that the collector has and has cosigned. */
interface Look {
  readonly log: string;
  readonly size: number;
  readonly isStored: boolean;
  readonly cosigned: number;
}

/**
 * After the faults: an older copy of the whole folder of the agent is put back, twice the same. Each time the agent has to begin
 * another log, above all former ones, and the collector to get it. When it begins nothing runs but the broker; so it ends.
 */
export const putBack = async (
  { gateway, collector }: Site,
  comes: (isSo: () => boolean) => Promise<boolean>,
): Promise<Pick<Report, 'restored' | 'problems'>> => {
  const copied = lookAt(gateway.stateDir, collector)?.size;
  if (copied === undefined) return { restored: 0, problems: ['the store of the agent cannot be read'] };
  const problems: string[] = [];
  const logs: string[] = [];
  /** Lets the agent write and end, until the collector has all of a log for which that is so, and has cosigned beyond `size` of it. */
  const lives = async (size: number, isRight: (look: Look) => boolean): Promise<boolean> => {
    gateway.startAgent();
    const look = (): Look | undefined => lookAt(gateway.stateDir, collector);
    const isDelivered = await comes(() => {
      const now = look();
      return now?.isStored === true && isRight(now);
    });
    await gateway.stopAgent();
    const isCosigned = await comes(() => (look()?.cosigned ?? 0) > size);
    logs.push(look()?.log ?? '');
    return isDelivered && isCosigned;
  };

  gateway.setAside();
  collector.start();
  if (!(await lives(copied, ({ size }) => size > copied))) problems.push('the agent did not go on after the faults');
  let restored = 0;
  while (restored < TIMES && problems.length === 0) {
    gateway.putBack();
    if (await lives(0, ({ log }) => log > (logs.at(-1) ?? ''))) restored += 1;
    else problems.push(`an older state_dir was put back, and the last of ${logs.join(', ')} is not delivered`);
  }
  await collector.stop();
  await collector.kill();
  using database = collector.database();
  const forks = database.prepare("SELECT log, detail FROM alarm WHERE kind = 'fork'").all();
  return { restored, problems: [...problems, ...forks.map((fork) => `put back, and forked: ${JSON.stringify(fork)}`)] };
};

/** Undefined while either cannot be read. */
const lookAt = (stateDir: string, collector: Collector): Look | undefined => {
  try {
    using store = Store.openReadOnly(stateDir);
    using database = collector.database();
    const log = originOf(store);
    const one = database.prepare('SELECT bytes FROM entry WHERE log = ? AND seq = ?');
    const { written, stored } = compare(entriesOf(store), (seq) => one.get(log, seq)?.bytes as Uint8Array | undefined);
    const state = database.prepare('SELECT state FROM log WHERE log = ?').get(log)?.state;
    // Written by the collector, as JSON.
    const known = state === undefined ? undefined : (JSON.parse(String(state)) as { cosigned?: { size: number } });
    return { log, size: written, isStored: stored === written, cosigned: known?.cosigned?.size ?? 0 };
  } catch {
    return undefined;
  }
};
