import { ABSENT, present } from '../../shared/facts.ts';
import { cgminer, type Source } from './driver.ts';
import { answer, asObject, at, flag, memberIn, type Reader, UNREADABLE, whenPresent } from './readers.ts';

/**
 * `privileged` is answered to who may give every command of port 4028, and denied (code 45) to who may only read. It
 * changes nothing (API-README).
 */
export const PRIVILEGED = cgminer('privileged');

/** `access.api_write` by whether this gateway was let in. A program that does not know the question says nothing about it. */
export const letIn = <const Name extends string>(query: Name): Source<boolean, Name> => ({
  queries: [query],
  read: (replies) => {
    const said = answer(replies, query);
    if (said.kind === 'present') return present(true);
    return said.kind === 'unknown' && said.reason === 'refused' ? present(false) : said;
  },
});

/**
 * `access.api_write` by what `check` says of one command. A command that the program does not have is closed to everybody,
 * and says nothing of those that it has instead (Avalon Q: `ascset`).
 */
export const accessIn = <const Name extends string>(query: Name): Source<boolean, Name> =>
  at(query, '/CHECK/0', (value) => {
    const row = asObject(value);
    if (row === undefined) return UNREADABLE;
    return whenPresent(memberIn(row, 'Access', flag), (open) => {
      const exists = memberIn(row, 'Exists', flag);
      if (exists.kind === 'unknown') return exists;
      return exists.kind === 'present' && !exists.value ? ABSENT : present(open);
    });
  });

/** `access.api_write` by whether the device says that a write needs a code or a password: without one everybody on the network can write. */
export const openWithout: Reader<boolean> = (value) => whenPresent(flag(value), (needed) => present(!needed));
