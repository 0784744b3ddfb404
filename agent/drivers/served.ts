import { unknown } from '../../shared/facts.ts';
import type { NoReply, Reply } from '../probe/capture.ts';
import type { Replies, Source } from './driver.ts';
import { at, type Pointer, type Reader } from './readers.ts';

/** Where there is no 404, the device answers with its landing page or sends the browser there: neither is a document. */
export const isServed = (reply: Reply | NoReply | undefined): boolean =>
  reply?.kind !== 'no-reply' || (reply.reason !== 'unsupported' && reply.elsewhere !== true);

/** A fact at a path that not every firmware serves. */
export const ifServed = <T, const Name extends string>(
  query: Name,
  pointer: Pointer,
  reader: Reader<T>,
): Source<T, Name> => supportedWhere(at(query, pointer, reader), (replies) => isServed(replies.get(query)));

/** A fact that is unsupported where the device has no such thing, whatever came in place of it. */
export const supportedWhere = <T, const Name extends string>(
  { queries, read }: Source<T, Name>,
  isThere: (replies: Replies) => boolean,
): Source<T, Name> => ({
  queries,
  read: (replies) => (isThere(replies) ? read(replies) : unknown('unsupported')),
});
