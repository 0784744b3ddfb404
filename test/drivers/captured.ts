import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clueName, type Driver, type Query, questionOf } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { place } from '../../agent/drivers/readers.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { Observation } from '../../agent/normalise/observation.ts';
import type { JsonValue, NoReply, Reply } from '../../agent/probe/capture.ts';
import { readTable } from '../../agent/probe/html-table.ts';
import { IDENTIFICATION } from '../../agent/probe/identify.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';
import type { FactName, Facts } from '../../shared/facts.ts';
import type { CapturedFile, CaptureExpectation, FamilyExpectations } from './capture-expectations/expectation.ts';

/** Recorded replies of real devices, which lie outside of the repository: what the drivers make of them. */

export const CAPTURES =
  process.env.ASSAYER_CAPTURES ?? fileURLToPath(new URL('../../../shared/captures', import.meta.url));

export const hasCaptures = (): boolean => existsSync(CAPTURES);

export const readBytes = (folder: string, file: string): Uint8Array =>
  new Uint8Array(readFileSync(join(CAPTURES, folder, file)));

export const driverOf = (family: string): Driver => {
  const driver = DRIVERS.find((one) => one.family === family);
  if (driver === undefined) throw new Error(`no driver ${family}`);
  return driver;
};

type Replies = ReadonlyMap<string, Reply | NoReply>;

/** What the files of a capture folder give. */
export interface CapturedLook {
  readonly replies: Replies;
  readonly observation: Observation;
}

const NOT_CAPTURED: NoReply = noReply('unreachable', 'no file', { dark: true });
const NOT_ASKED: NoReply = noReply('unsupported', 'not asked');

/** The reply to one of the questions of a joined command. */
const partOf = (reply: Reply | NoReply, query: string): Reply | NoReply => {
  if (reply.kind === 'no-reply') return reply;
  const value = place(`/${query}/0`)(reply.value);
  assert.ok(value.kind === 'present', `the joined reply has ${query}`);
  return { ...reply, value: value.value };
};

/** What the agent makes of the bytes that a question was answered with. */
const replyIn = (query: Query | undefined, bytes: Uint8Array): Reply | NoReply =>
  query?.kind === 'http' && query.table !== undefined
    ? readTable(bytes, query.table)
    : readReply(bytes, { whole: true });

/** The replies in a file, by question. */
const repliesIn = (
  { queries }: Driver,
  folder: string,
  file: string,
  captured: CapturedFile,
): readonly [string, Reply | NoReply][] => {
  if ('query' in captured) return [[captured.query, replyIn(queries[captured.query], readBytes(folder, file))]];
  if (!('joined' in captured)) return [];
  const reply = readReply(readBytes(folder, file), { whole: true });
  return captured.joined.map((query) => [query, partOf(reply, query)]);
};

/** The replies of a capture folder; a question without a file is one that did not reach the device. */
const repliesOf = (driver: Driver, folder: string, { files }: CaptureExpectation): Replies => {
  const replies = new Map<string, Reply | NoReply>(Object.keys(driver.queries).map((query) => [query, NOT_CAPTURED]));
  for (const [file, captured] of Object.entries(files)) {
    for (const [query, reply] of repliesIn(driver, folder, file, captured)) {
      assert.ok(query in driver.queries, `${driver.family} has no query ${query}`);
      replies.set(query, reply);
    }
  }
  for (const [name, query] of Object.entries(driver.queries))
    if (replies.get(name) === NOT_CAPTURED && query.unless?.(replies) === true) replies.set(name, NOT_ASKED);
  return replies;
};

/** What the driver makes of these replies of a capture folder. */
export const lookWith = (driver: Driver, folder: string, replies: Replies): Observation =>
  normalise(driver, { address: folder, observedAtMs: 0, replies }, 'full');

/** What the driver makes of a capture folder. */
export const lookAtCapture = (driver: Driver, folder: string, expected: CaptureExpectation): CapturedLook => {
  const replies = repliesOf(driver, folder, expected);
  return { replies, observation: lookWith(driver, folder, replies) };
};

/** What became of the captures of one family. */
export interface Count {
  readonly captures: number;
  readonly files: number;
  readonly unasked: number;
  /** Captures from whose replies to the questions of identification the family is certain or likely. */
  readonly recognised: number;
  /** Captures that hold no reply to such a question, or one that fits several families: `ambiguous`. */
  readonly ambiguous: number;
  readonly right: number;
  /** Facts that are not what stands in the files, in words. */
  readonly wrong: readonly string[];
  /** Facts that nobody compared with the files. */
  readonly unchecked: readonly string[];
  /** Facts that are not present, by reading; `no file` where the capture lacks the reply they stand in. */
  readonly missing: ReadonlyMap<string, number>;
}

/** Facts that follow from the family or from other facts. */
const DERIVED: ReadonlySet<string> = new Set(['family', 'firmware.fingerprint']);

/** What one capture folder gave, against what stands in its files. */
export const countCapture = (
  driver: Driver,
  folder: string,
  expected: CaptureExpectation,
  { replies, observation: { facts, gaps } }: CapturedLook,
): Count => {
  const files = Object.values(expected.files);
  const families = recognisedFrom(driver, replies);
  const another = families.length === 1 && families[0] !== driver.family ? [`recognised as ${families[0]}`] : [];
  const mistaken = wrongIn(facts, expected.facts);
  const wrong = [...another, ...mistaken];
  const unchecked = Object.keys(facts).filter((name) => !(name in expected.facts) && !DERIVED.has(name));
  const missing = [...gaps].map(([name, gap]) => {
    const queries = name === 'pools.user' ? [] : (driver.facts[name]?.queries ?? []);
    const uncaptured = gap === 'unreachable' && queries.some((query) => replies.get(query) === NOT_CAPTURED);
    return uncaptured ? 'no file' : gap;
  });
  return {
    captures: 1,
    recognised: families.length === 1 ? 1 : 0,
    ambiguous: families.length === 1 ? 0 : 1,
    files: files.filter((file) => !('unasked' in file)).length,
    unasked: files.filter((file) => 'unasked' in file).length,
    right: Object.keys(expected.facts).length - mistaken.length,
    wrong,
    unchecked: unchecked.map((name) => `${folder} ${name}`),
    missing: new Map([...Map.groupBy(missing, (reading) => reading)].map(([reading, all]) => [reading, all.length])),
  };
};

/** The families that are surest of what identification would have seen; none where nothing in it is a clue. */
const recognisedFrom = (driver: Driver, replies: Replies): readonly string[] => {
  const clues = {
    cgminer: new Map<string, JsonValue>(),
    http: new Map<string, JsonValue>(),
    framed: new Map<string, JsonValue>(),
    grpc: new Map<string, JsonValue>(),
  };
  for (const [name, reply] of replies) {
    const query = driver.queries[name];
    if (query === undefined || reply.kind !== 'reply' || !IDENTIFYING.has(questionOf(query))) continue;
    clues[query.kind].set(clueName(query), reply.value);
  }
  const judged = DRIVERS.map(({ family, recognise }) => ({ family, sureness: recognise(clues) }));
  const most = Math.max(...judged.map(({ sureness }) => sureness));
  return judged.filter(({ sureness }) => sureness === most && sureness > 0).map(({ family }) => family);
};

/** The questions of identification, and those that prove a family without a log-in. */
const IDENTIFYING: ReadonlySet<string> = new Set(
  [...IDENTIFICATION, ...DRIVERS.flatMap(({ proofs = [], queries }) => proofs.flatMap((name) => queries[name] ?? []))]
    .filter((query) => query.kind !== 'http' || query.auth !== 'digest')
    .map(questionOf),
);

const wrongIn = (facts: Facts, expected: Facts): readonly string[] =>
  Object.entries(expected).flatMap(([name, value]) => {
    const found = facts[name as FactName];
    try {
      assert.deepEqual(found, value);
      return [];
    } catch {
      return [`${name}: ${JSON.stringify(found)} instead of ${JSON.stringify(value)}`];
    }
  });

/** Several counts as one. */
export const total = (counts: readonly Count[]): Count => ({
  captures: sum(counts.map(({ captures }) => captures)),
  files: sum(counts.map(({ files }) => files)),
  unasked: sum(counts.map(({ unasked }) => unasked)),
  recognised: sum(counts.map(({ recognised }) => recognised)),
  ambiguous: sum(counts.map(({ ambiguous }) => ambiguous)),
  right: sum(counts.map(({ right }) => right)),
  wrong: counts.flatMap(({ wrong }) => wrong),
  unchecked: counts.flatMap(({ unchecked }) => unchecked),
  missing: new Map(
    [
      ...Map.groupBy(
        counts.flatMap(({ missing }) => [...missing]),
        ([reading]) => reading,
      ),
    ].map(([reading, all]) => [reading, sum(all.map(([, count]) => count))]),
  ),
});

const sum = (numbers: readonly number[]): number => numbers.reduce((all, number) => all + number, 0);

/** What became of all captures of a family. */
export const countFamily = ({ family, captures }: FamilyExpectations): Count => {
  const driver = driverOf(family);
  return total(
    Object.entries(captures).map(([folder, expected]) =>
      countCapture(driver, folder, expected, lookAtCapture(driver, folder, expected)),
    ),
  );
};
