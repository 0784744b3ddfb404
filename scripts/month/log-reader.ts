import { Store } from '../../agent/record/store.ts';
import type { Statement } from '../../shared/statement.ts';

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
