import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Query } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply } from '../../agent/probe/reply.ts';
import { loadSubjects, type Subject } from '../../scripts/fuzz/subjects.ts';
import type { FactName } from '../../shared/facts.ts';

/** What stands behind a log-in that is refused or missing is said to be refused: no other page gives another reason in its place. */

const isBehindLogin = (query: Query): boolean => 'auth' in query && query.auth !== 'none';

/** What a device gives whose log-in is refused. What the family does not ask then has no path. */
const locked = ({ driver, replies }: Subject): ReadonlyMap<string, Reply | NoReply> => {
  const given = new Map(replies);
  for (const [name, query] of Object.entries(driver.queries))
    if (isBehindLogin(query)) given.set(name, noReply('refused', 'HTTP 401'));
  for (const [name, query] of Object.entries(driver.queries))
    if (query.unless?.(given) === true) given.set(name, noReply('unsupported', 'not asked'));
  return given;
};

const gapsOf = ({ driver }: Subject, replies: ReadonlyMap<string, Reply | NoReply>) =>
  normalise(driver, { address: '192.0.2.1', observedAtMs: 0, replies }, 'full').gaps;

/**
 * Facts that could be read with the log-in and are said to be unknown for another reason than that, or to be absent. Where another
 * surface that tells them is closed, too, as what a capture has no file of is, both reasons are true.
 */
const misnamedIn = (subject: Subject): readonly string[] => {
  const replies = locked(subject);
  const whole = gapsOf(subject, subject.replies);
  return [...gapsOf(subject, replies)]
    .filter(
      ([name, why]) => why !== 'refused' && why !== whole.get(name) && hasReply('refused', name, subject, replies),
    )
    .filter(([name, why]) => why !== 'unreachable' || !hasReply('unreachable', name, subject, replies))
    .map(([name, why]) => `${subject.name}: ${name} is ${why}`);
};

/** Whether a question that tells this fact came to nothing for this reason. */
const hasReply = (
  reason: NoReply['reason'],
  name: string,
  { driver }: Subject,
  replies: ReadonlyMap<string, Reply | NoReply>,
): boolean =>
  (driver.facts[name as FactName]?.queries ?? []).some((query) => {
    const reply = replies.get(query);
    return reply?.kind === 'no-reply' && reply.reason === reason;
  });

describe('a log-in that is refused', () => {
  const subjects = loadSubjects({ withCaptures: true });
  for (const { family, queries } of DRIVERS) {
    if (!Object.values(queries).some(isBehindLogin)) continue;
    test(`is why ${family} does not tell what stands behind it`, () => {
      const own = subjects.filter(({ driver }) => driver.family === family);
      assert.ok(own.length > 0);
      assert.deepEqual(own.flatMap(misnamedIn), []);
    });
  }
});
