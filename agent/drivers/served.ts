import { unknown } from '../../shared/facts.ts';
import type { NoReply, Reply } from '../probe/capture.ts';
import type { Source } from './driver.ts';
import { at, type Pointer, type Reader } from './readers.ts';

/** Where there is no 404, the device answers with its landing page or sends the browser there: neither is a document. */
export const isServed = (reply: Reply | NoReply | undefined): boolean =>
  reply?.kind !== 'no-reply' || (reply.reason !== 'unsupported' && reply.elsewhere !== true);

/** A fact at a path that not every firmware serves. */
export const ifServed = <T, const Name extends string>(
  query: Name,
  pointer: Pointer,
  reader: Reader<T>,
): Source<T, Name> => {
  const source = at(query, pointer, reader);
  return {
    queries: source.queries,
    read: (replies) => (isServed(replies.get(query)) ? source.read(replies) : unknown('unsupported')),
  };
};
