import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Query, questionOf } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { type Answer, type Identification, identifyFrom } from '../../agent/probe/identify.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';
import { type Clue, loadSubjects, type Subject } from '../../scripts/fuzz/subjects.ts';
import { hasCaptures } from './captured.ts';

/** Whichever questions of identification are lost, a device is of its own family or of none that is named: never of another one. */

type Loss = (clue: Clue) => Answer;

const BROKEN_OFF = noReply('truncated', 'closed before the reply was complete');

/** A landing page is whole or not at all: its transport knows. */
const damagedBy =
  (damage: (bytes: Buffer) => Buffer): Loss =>
  ({ bytes, read }) => {
    const answer = read(damage(Buffer.from(bytes)));
    return answer.kind === 'page' ? BROKEN_OFF : answer;
  };

const without = (bytes: Buffer, at: number): Buffer =>
  at === -1 ? bytes : Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);

const LOSSES: { readonly [how: string]: Loss } = {
  'no answer in time': () => noReply('timeout', 'no complete reply'),
  'no byte': () => noReply('truncated', 'closed without a byte of reply'),
  half: damagedBy((bytes) => bytes.subarray(0, bytes.length >> 1)),
  'without its first brace': damagedBy((bytes) => without(bytes, bytes.indexOf('{'))),
  'without its last brace': damagedBy((bytes) => without(bytes, bytes.lastIndexOf('}'))),
};

/** What `version` says on old machines of several makers, and was not kept of all of them. */
const PLAIN_VERSION = Buffer.from(
  '{"STATUS":[{"STATUS":"S","When":1,"Code":22,"Msg":"CGMiner versions","Description":"cgminer 4.10.0"}],"VERSION":[{"CGMiner":"4.10.0","API":"3.7"}],"id":1}',
);
const read: Clue['read'] = (bytes) => readReply(bytes, { whole: false });

const asPlain = (subject: Subject): Subject => ({
  ...subject,
  name: `${subject.name} with a version that says cgminer`,
  clueTo: (query) => (questionOf(query) === 'cgminer:version' ? { bytes: PLAIN_VERSION, read } : subject.clueTo(query)),
});

const tellsVersion = ({ driver, answers }: Subject): boolean =>
  [...answers.keys()].some((name) => questionOf(driver.queries[name] as Query) === 'cgminer:version');

/** What identification finds where these questions are lost, and which questions it asked. */
const identified = ({ clueTo }: Subject, lost: ReadonlyMap<string, Loss>) => {
  const asked = new Set<string>();
  const found = identifyFrom((query) => {
    asked.add(questionOf(query));
    const clue = clueTo(query);
    if ('kind' in clue) return clue;
    return lost.get(questionOf(query))?.(clue) ?? clue.read(clue.bytes);
  }, DRIVERS);
  return { found, asked };
};

const isOf = (found: Identification, family: string): boolean =>
  found.kind === 'identified' && found.driver.family === family;

/** Every one, and every two, of the questions that are asked of such a device, whatever else was lost. */
const lossesOf = (subject: Subject): readonly (readonly string[])[] => {
  const asked = new Set<string>();
  const note = (lost: readonly string[]): void => {
    const losses = new Map(lost.map((question) => [question, LOSSES['no answer in time'] as Loss]));
    for (const question of identified(subject, losses).asked) asked.add(question);
  };
  note([]);
  for (const question of [...asked]) note([question]);
  const all = [...asked];
  return all.flatMap((one, at) => [[one], ...all.slice(at + 1).map((other) => [one, other])]);
};

const mistakenIn = (subject: Subject): readonly string[] => {
  const { family } = subject.driver;
  return lossesOf(subject).flatMap((lost) =>
    Object.entries(LOSSES).flatMap(([how, loss]) => {
      const { found } = identified(subject, new Map(lost.map((question) => [question, loss])));
      if (found.kind !== 'identified' || isOf(found, family)) return [];
      return [`${subject.name} without ${lost.join(' and ')} (${how}) is ${found.driver.family}`];
    }),
  );
};

describe('a device of which questions of identification are lost', () => {
  const subjects = loadSubjects({ withCaptures: true });
  const known = [...subjects, ...subjects.filter((subject) => !tellsVersion(subject)).map(asPlain)].filter((subject) =>
    isOf(identified(subject, new Map()).found, subject.driver.family),
  );

  test('is never one of another family, whichever one or two they are, and however they are lost', () => {
    assert.ok(known.length > (hasCaptures() ? 120 : 60), `${known.length} devices`);
    assert.deepEqual(known.flatMap(mistakenIn), []);
  });

  test('is what it is where the question is answered when it is asked again', () => {
    const mistaken = known.flatMap((subject) =>
      [...identified(subject, new Map()).asked].flatMap((question) => {
        let lost = 0;
        const once: Loss = (clue) => {
          lost += 1;
          return lost === 1 ? BROKEN_OFF : clue.read(clue.bytes);
        };
        const { found } = identified(subject, new Map([[question, once]]));
        return isOf(found, subject.driver.family) ? [] : [`${subject.name}: ${question}`];
      }),
    );
    assert.deepEqual(mistaken, []);
  });
});
