import { ABSENT } from '../../shared/facts.ts';
import { asObject, type MemberName, memberIn, type Reader, UNREADABLE } from './readers.ts';

/** A member of an object that may be null: a part that the device does not have. */
export const within =
  <T>(name: MemberName, reader: Reader<T>): Reader<T> =>
  (value) => {
    const object = asObject(value);
    if (object === undefined) return value === null ? ABSENT : UNREADABLE;
    return memberIn(object, name, reader);
  };
