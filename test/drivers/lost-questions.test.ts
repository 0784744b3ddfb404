import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Driver, type Query, questionOf } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import type { Capture, JsonObject, JsonValue, Reply } from '../../agent/probe/capture.ts';
import { type Answer, type Identification, identifyFrom, looksLikeAnother } from '../../agent/probe/identify.ts';
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

/** What stands where a member should: nothing at all, or a value of another type than it has. */
const OTHERWISE: readonly (JsonValue | undefined)[] = [undefined, null, {}, [], [{}], 5, 'x'];

const typeOf = (value: JsonValue): string =>
  value === null || Array.isArray(value) ? String(value && 'list') : typeof value;

/** The same with one member missing or of another type: each of the document, of its sections, and of the first two rows of a section. */
const halves = (value: JsonValue, depth = 3): readonly JsonValue[] => {
  if (typeof value !== 'object' || value === null || depth === 0) return [];
  if (Array.isArray(value))
    return value.slice(0, 2).flatMap((row, at) => halves(row, depth - 1).map((half) => value.with(at, half)));
  const members = value as JsonObject;
  return unnumbered(members).flatMap(([name, own]) => [
    ...OTHERWISE.filter((other) => other === undefined || typeOf(other) !== typeOf(own)).map((other) => {
      const { [name]: _, ...rest } = members;
      return other === undefined ? rest : { ...members, [name]: other };
    }),
    ...halves(own, depth - 1).map((half) => ({ ...members, [name]: half })),
  ]);
};

/** The members of an object; of those that differ in a number the first. */
const unnumbered = (members: JsonObject): readonly (readonly [name: string, value: JsonValue])[] => [
  ...new Map(
    Object.entries(members)
      .reverse()
      .map((member) => [member[0].replace(/\d+/g, '#'), member]),
  ).values(),
];

const halfOf = (subject: Subject): readonly string[] => {
  const { family } = subject.driver;
  const answers = new Map<string, Reply>();
  identifyFrom((query) => {
    const answer = answerOf(subject, query);
    if (answer.kind === 'reply') answers.set(questionOf(query), answer);
    return answer;
  }, DRIVERS);
  return [...answers].flatMap(([question, answer]) =>
    halves(answer.value).flatMap((value) => {
      const found = identifyFrom(
        (query) => (questionOf(query) === question ? { ...answer, value } : answerOf(subject, query)),
        DRIVERS,
      );
      if (found.kind !== 'identified' || isOf(found, family)) return [];
      return [`${subject.name} is ${found.driver.family} by ${question} ${JSON.stringify(value).slice(0, 300)}`];
    }),
  );
};

const answerOf = ({ clueTo }: Subject, query: Query): Answer => {
  const clue = clueTo(query);
  return 'kind' in clue ? clue : clue.read(clue.bytes);
};

const BUSY = noReply('unreadable', 'HTTP 503', { withheld: true, busy: true });
const isLanding = (query: Query): boolean => questionOf(query) === 'http:/';
const landing = (status: number, text: string): Answer => {
  return { kind: 'page', status, challenges: [], cookies: [], whole: true, body: Buffer.from(text) };
};

/** Ways in which web pages of a device are away for a while: all of them, or the landing page alone. Undefined: it answers. */
const PAGELESS: { readonly [how: string]: (query: Query) => Answer | undefined } = {
  closed: () => noReply('unreachable', 'ECONNREFUSED', { dark: true }),
  late: () => noReply('timeout', 'no complete reply'),
  'cut off': () => BROKEN_OFF,
  busy: (query) => (isLanding(query) ? landing(503, 'busy') : BUSY),
  'cut off at first': (query) => (isLanding(query) ? BROKEN_OFF : undefined),
  'busy at first': (query) => (isLanding(query) ? landing(503, 'busy') : undefined),
  'empty at first': (query) => (isLanding(query) ? landing(200, '') : undefined),
};

/** What a device is watched as that is known by this driver, or by none: what a whole look tells of it is heard. */
const watchedAs = (answer: (query: Query) => Answer, known: Driver | undefined): Driver | undefined => {
  if (known !== undefined && !isStrange(known, answer)) return known;
  const found = identifyFrom(answer, DRIVERS);
  if (found.kind === 'identified') return found.driver;
  return known ?? (found.kind === 'ambiguous' ? found.pageless?.driver : undefined);
};

/** Whether a whole look makes the agent identify the device anew. */
const isStrange = (driver: Driver, answer: (query: Query) => Answer): boolean => {
  const replies = new Map(
    Object.entries(driver.queries).flatMap(([name, query]) => {
      const reply = answer(query);
      return reply.kind === 'page' ? [] : [[name, reply] as const];
    }),
  );
  const capture: Capture = { address: '', observedAtMs: 0, replies };
  return driver.stillSpeaks?.(replies) === false || looksLikeAnother(driver, capture, DRIVERS);
};

const changedBy = (subject: Subject): readonly string[] =>
  Object.entries(PAGELESS).flatMap(([how, lost]) => {
    const without = (query: Query): Answer =>
      (query.kind === 'http' ? lost(query) : undefined) ?? answerOf(subject, query);
    const first = watchedAs(without, undefined);
    if (first === undefined) return [];
    const strange = isStrange(first, without) ? [`${subject.name}, ${how}: ${first.family} looks like another`] : [];
    const back = watchedAs((query) => answerOf(subject, query), first);
    return back === first ? strange : [...strange, `${subject.name}, ${how}: ${first.family}, then ${back?.family}`];
  });

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

  test('is never one of another family where one member of an answer is missing, null or of another type', () => {
    assert.deepEqual(known.flatMap(halfOf), []);
  });

  test('is what it was without its web pages: a whole look shows no other one, and nor do the pages when they are back', () => {
    assert.deepEqual(known.flatMap(changedBy), []);
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
