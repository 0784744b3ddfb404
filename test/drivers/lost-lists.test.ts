import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { questionOf } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply } from '../../agent/probe/reply.ts';
import { loadSubjects, type Subject } from '../../scripts/fuzz/subjects.ts';
import type { FactName } from '../../shared/facts.ts';

/** Where the answer that tells a pool, a user or a firmware was lost, no other answer of the device says something else. */

const TOLD = (name: string): boolean =>
  ['pools', 'live_pools', 'fee_pools'].includes(name) || name.startsWith('firmware.') || name.startsWith('identity.');

/** Facts made of named parts, or of digests of them, are compared part by part. */
const PARTS: ReadonlySet<string> = new Set<FactName>(['firmware.components', 'firmware.fingerprint']);

const factsOf = ({ driver }: Subject, replies: ReadonlyMap<string, Reply | NoReply>) => {
  const { facts, gaps, standIns } = normalise(driver, { address: '192.0.2.1', observedAtMs: 0, replies }, 'full');
  const told = Object.entries(facts).filter(([name]) => TOLD(name) && !standIns.has(name as FactName));
  const gone = [...gaps].filter(([name, why]) => why === 'absent' && TOLD(name));
  return new Map<string, unknown>([...told, ...gone]);
};

/** Facts that a look says otherwise than the whole one, with the question of which the answer was lost. */
const changedIn = (subject: Subject): readonly string[] => {
  const whole = factsOf(subject, subject.replies);
  return [...subject.answers.keys()].flatMap((query) => {
    const answer = noReply('truncated', 'cut off');
    const less = factsOf(subject, new Map(subject.replies).set(query, answer));
    const question = subject.driver.queries[query];
    return [...less]
      .filter(([name, value]) => !PARTS.has(name) && stated(value) !== stated(whole.get(name)))
      .map(([name]) => `${subject.name}: ${name} without ${question && questionOf(question)}`);
  });
};

/** How a pool stands is of the moment. */
const stated = (value: unknown): string =>
  JSON.stringify(value, (key, member) => (['status', 'active'].includes(key) ? undefined : member)) ?? 'unknown';

describe('an answer that was lost', () => {
  const subjects = loadSubjects({ withCaptures: true });
  for (const { family } of DRIVERS) {
    test(`of ${family} is not replaced by one that says something else`, () => {
      const own = subjects.filter(({ driver }) => driver.family === family);
      assert.ok(own.some(({ answers }) => answers.size > 0));
      assert.deepEqual(own.flatMap(changedIn), []);
    });
  }
});
