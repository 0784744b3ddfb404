import { Store } from '../../agent/record/store.ts';
import type { Statement } from '../../shared/statement.ts';
import type { SimulatedDevice } from '../../test/simulator/device.ts';

const PAGE = 1000;

/** Every entry of the log in a state folder, in its order. */
export function* entriesIn(stateDir: string): Generator<Statement> {
  using store = Store.openReadOnly(stateDir);
  for (let from = 0; ; ) {
    const page = store.entriesFrom(from, PAGE);
    for (const { message } of page) yield JSON.parse(Buffer.from(message).toString()) as Statement;
    // Written by the agent that ran here.
    const last = page.at(-1);
    if (last === undefined) return;
    from = last.seq + 1;
  }
}

/** The id of each machine: the one under which something was attested first where it stood then. */
export const idsIn = (
  stateDir: string,
  deviceAt: (address: string, atMs: number) => SimulatedDevice | undefined,
): ReadonlyMap<SimulatedDevice, string> => {
  const ids = new Map<SimulatedDevice, string>();
  const known = new Set<string>();
  for (const statement of entriesIn(stateDir)) {
    if (statement.kind !== 'attestation' || known.has(statement.subject.device)) continue;
    known.add(statement.subject.device);
    const device = deviceAt(statement.evidence.address ?? '', statement.iat * 1000);
    if (device !== undefined) ids.set(device, statement.subject.device);
  }
  return ids;
};
