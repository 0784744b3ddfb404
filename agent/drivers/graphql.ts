import { ABSENT, present, type Reading, unknown } from '../../shared/facts.ts';
import type { JsonValue } from '../probe/capture.ts';
import type { Replies, Source } from './driver.ts';
import { answer, asArray, asObject, type Pointer, place, type Reader, UNREADABLE, whenPresent } from './readers.ts';
import { isServed } from './served.ts';

/** What a reply of GraphQL says: its `data`, or by its errors why there is none (GraphQL specification, section 7.1). */

/** The schema of this version has no such member. */
const NO_SUCH = /unknown (?:field|type)|cannot query/i;
const DENIED = /auth|permission|forbidden|log[ -]?in/i;
/** What a program measures is not there while it stands still. */
const STANDS_STILL = /unavailable|not (?:running|available|started)/i;

const dataIn = (reply: JsonValue): Reading<JsonValue> => {
  const document = asObject(reply);
  if (document === undefined) return UNREADABLE;
  const errors = asArray(document.errors) ?? [];
  // Some recordings lack the envelope.
  const data = document.data === undefined && errors.length === 0 ? document : document.data;
  if (data !== undefined && data !== null) return present(data);
  const said = errors.map((error) => String(asObject(error)?.message ?? '')).join('; ');
  if (NO_SUCH.test(said)) return unknown('unsupported');
  if (DENIED.test(said)) return unknown('refused');
  return STANDS_STILL.test(said) ? ABSENT : UNREADABLE;
};

/** The data of the answer to a query, or why there is none. Where no such path is served, it is unsupported. */
export const graphAnswer = (replies: Replies, query: string): Reading<JsonValue> =>
  isServed(replies.get(query)) ? whenPresent(answer(replies, query), dataIn) : unknown('unsupported');

/** A fact at one place of the data. */
export const inGraph = <T, const Name extends string>(
  query: Name,
  pointer: Pointer,
  reader: Reader<T>,
): Source<T, Name> => {
  const find = place(pointer);
  return {
    queries: [query],
    read: (replies) => whenPresent(graphAnswer(replies, query), (data) => whenPresent(find(data), reader)),
  };
};
