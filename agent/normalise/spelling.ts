import type { Reading } from '../../shared/facts.ts';
import type { Replies, Source } from '../drivers/driver.ts';
import { forgetNumbers, numbersTaken } from '../drivers/number-text.ts';
import type { Reply } from '../probe/capture.ts';
import { oddNumbersIn, parseSpelled } from '../probe/json.ts';

/**
 * Reads a fact. Where a number became a text of it that the device may have spelled in another way than this program does,
 * it is read again from documents that keep such spellings. Few facts have such a number, so that neither the reading of
 * documents nor that of the other facts costs more.
 */
export const readSpelled = (source: Source<unknown>, replies: Replies): Reading<unknown> => {
  forgetNumbers();
  const reading = source.read(replies);
  const numbers = numbersTaken();
  return numbers.length === 0 ? reading : again(source, replies, new Set(numbers), reading);
};

const again = (
  source: Source<unknown>,
  replies: Replies,
  numbers: ReadonlySet<number>,
  plain: Reading<unknown>,
): Reading<unknown> => {
  const spelled = new Map<string, Reply>();
  for (const query of source.queries) {
    const reply = replies.get(query);
    const found = reply?.kind === 'reply' ? spelledReply(reply, numbers) : undefined;
    if (found !== undefined) spelled.set(query, found);
  }
  return spelled.size === 0 ? plain : source.read(new Map([...replies, ...spelled]));
};

/** What was found out about a reply: several facts may stand in it. */
interface Spelling {
  readonly odd: ReadonlySet<number>;
  /** Made when it is wanted. */
  spelled?: Reply;
}

const SPELLINGS = new WeakMap<Reply, Spelling>();

/** The reply with the spellings of its numbers; undefined where it has none of `numbers` in another spelling than ours. */
const spelledReply = (reply: Reply, numbers: ReadonlySet<number>): Reply | undefined => {
  let spelling = SPELLINGS.get(reply);
  if (spelling === undefined) {
    spelling = { odd: oddNumbersIn(reply.bytes) };
    SPELLINGS.set(reply, spelling);
  }
  if (spelling.odd.isDisjointFrom(numbers)) return undefined;
  spelling.spelled ??= { ...reply, value: parseSpelled(reply.bytes) ?? reply.value };
  return spelling.spelled;
};
