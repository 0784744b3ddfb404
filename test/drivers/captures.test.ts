import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Clues, Driver } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { place } from '../../agent/drivers/readers.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { JsonValue, NoReply, Reply } from '../../agent/probe/capture.ts';
import { looksLikeAnother } from '../../agent/probe/identify.ts';
import { readReply } from '../../agent/probe/reply.ts';
import type { FactName, Facts } from '../../shared/facts.ts';
import { EXPECTATIONS } from './capture-expectations/all.ts';
import type { CapturedFile, CaptureExpectation, FamilyExpectations } from './capture-expectations/expectation.ts';

const CAPTURES = process.env.ASSAYER_CAPTURES ?? fileURLToPath(new URL('../../../shared/captures', import.meta.url));

/** What the run has seen of one family. */
class Tally {
  captures = 0;
  files = 0;
  unasked = 0;
  right = 0;
  wrong = 0;
  readonly unchecked: string[] = [];
  /** Facts that are not present, by reading; `no file` where the capture lacks the reply they stand in. */
  readonly missing = new Map<string, number>();

  miss(reading: string): void {
    this.missing.set(reading, (this.missing.get(reading) ?? 0) + 1);
  }

  line(family: string): string {
    const missing = [...this.missing].sort().map(([reading, count]) => `${reading} ${count}`);
    return [
      `${family}: ${this.captures} captures, ${this.files} files parsed (${this.unasked} not asked)`,
      `${this.right} facts right, ${this.wrong} wrong`,
      `not present: ${missing.join(', ') || 'none'}`,
      `unchecked ${this.unchecked.length}${this.unchecked.length === 0 ? '' : ` (${this.unchecked.join(', ')})`}`,
    ].join('; ');
  }
}

const readBytes = (folder: string, file: string): Uint8Array =>
  new Uint8Array(readFileSync(join(CAPTURES, folder, file)));

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const driverOf = (family: string): Driver => {
  const driver = DRIVERS.find((one) => one.family === family);
  if (driver === undefined) throw new Error(`no driver ${family}`);
  return driver;
};

const NOT_CAPTURED: NoReply = { kind: 'no-reply', reason: 'unreachable', detail: 'no file', dark: true };

const NOT_ASKED: NoReply = { kind: 'no-reply', reason: 'unsupported', detail: 'not asked' };

/** The reply to one of the questions of a joined command. */
const partOf = (reply: Reply | NoReply, query: string): Reply | NoReply => {
  if (reply.kind === 'no-reply') return reply;
  const value = place(`/${query}/0`)(reply.value);
  assert.ok(value.kind === 'present', `the joined reply has ${query}`);
  return { ...reply, value: value.value };
};

/** The replies in a file, by question. */
const repliesIn = (folder: string, file: string, captured: CapturedFile): readonly [string, Reply | NoReply][] => {
  if ('query' in captured) return [[captured.query, readReply(readBytes(folder, file), { whole: true })]];
  if (!('joined' in captured)) return [];
  const reply = readReply(readBytes(folder, file), { whole: true });
  return captured.joined.map((query) => [query, partOf(reply, query)]);
};

/** The replies of a capture folder; a question without a file is one that did not reach the device. */
const repliesOf = (driver: Driver, folder: string, { files }: CaptureExpectation): Map<string, Reply | NoReply> => {
  const replies = new Map<string, Reply | NoReply>(Object.keys(driver.queries).map((query) => [query, NOT_CAPTURED]));
  for (const [file, captured] of Object.entries(files)) {
    for (const [query, reply] of repliesIn(folder, file, captured)) {
      assert.ok(query in driver.queries, `${driver.family} has no query ${query}`);
      replies.set(query, reply);
    }
  }
  for (const [name, query] of Object.entries(driver.queries))
    if (replies.get(name) === NOT_CAPTURED && query.unless?.(replies) === true) replies.set(name, NOT_ASKED);
  return replies;
};

/** The same replies with a file in the place of another that answers the same question, for each such file. */
const alternativesOf = (
  folder: string,
  { files }: CaptureExpectation,
  replies: ReadonlyMap<string, Reply | NoReply>,
): readonly ReadonlyMap<string, Reply | NoReply>[] =>
  Object.entries(files).flatMap(([file, captured]) => {
    if (!('insteadOf' in captured)) return [];
    const replaced = files[captured.insteadOf];
    assert.ok(replaced !== undefined && 'query' in replaced, `${captured.insteadOf} answers a question`);
    return [new Map([...replies, [replaced.query, readReply(readBytes(folder, file), { whole: true })]])];
  });

const checkFiles = (folder: string, { files }: CaptureExpectation): void => {
  assert.deepEqual(readdirSync(join(CAPTURES, folder)).sort(), Object.keys(files).sort(), 'every file is expected');
  for (const [file, { sha256: expected }] of Object.entries(files)) {
    assert.equal(sha256(readBytes(folder, file)), expected, `${file} is the file that the expectation was made from`);
  }
};

const compare = (facts: Facts, expected: Facts, tally: Tally): readonly string[] => {
  const wrong: string[] = [];
  for (const [name, value] of Object.entries(expected)) {
    try {
      assert.deepEqual(facts[name as FactName], value);
      tally.right += 1;
    } catch {
      tally.wrong += 1;
      wrong.push(`${name}: ${JSON.stringify(facts[name as FactName])} instead of ${JSON.stringify(value)}`);
    }
  }
  return wrong;
};

/** Facts that follow from the family or from other facts. */
const DERIVED: ReadonlySet<string> = new Set(['family', 'firmware.fingerprint']);

const checkCapture = (driver: Driver, folder: string, expected: CaptureExpectation, tally: Tally): void => {
  checkFiles(folder, expected);
  const replies = repliesOf(driver, folder, expected);
  const captured = Object.values(expected.files);
  tally.captures += 1;
  tally.files += captured.filter((file) => !('unasked' in file)).length;
  tally.unasked += captured.filter((file) => 'unasked' in file).length;
  const { facts, gaps } = normalise(driver, { address: folder, observedAtMs: 0, replies }, 'full');
  const wrong = compare(facts, expected.facts, tally);
  for (const name of Object.keys(facts)) {
    if (!(name in expected.facts) && !DERIVED.has(name)) tally.unchecked.push(`${folder} ${name}`);
  }
  for (const [name, gap] of gaps) {
    const queries = driver.facts[name]?.queries ?? [];
    const uncaptured = gap === 'unreachable' && queries.some((query) => replies.get(query) === NOT_CAPTURED);
    tally.miss(uncaptured ? 'no file' : gap);
  }
  for (const [name, gap] of Object.entries(expected.gaps ?? {})) {
    assert.equal(gaps.get(name as FactName), gap, `${name} is ${gap}`);
  }
  assert.deepEqual(wrong, []);
  const capture = { address: folder, observedAtMs: 0, replies };
  assert.ok(
    driver.stillSpeaks?.(replies) !== false && !looksLikeAnother(driver, capture, DRIVERS),
    'a later look takes it for the same family',
  );
  for (const alternative of alternativesOf(folder, expected, replies)) {
    const { facts: same } = normalise(driver, { address: folder, observedAtMs: 0, replies: alternative }, 'full');
    assert.deepEqual(same, facts, 'another reply to the same question gives the same facts');
  }
};

const subfolders = (folder: string): readonly string[] =>
  readdirSync(join(CAPTURES, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}/${name}`);

const checkFamily = ({ family, whole, captures }: FamilyExpectations): void => {
  const driver = driverOf(family);
  const tally = new Tally();
  test('every capture folder has an expectation', () => {
    const missing = whole.flatMap(subfolders).filter((folder) => !(folder in captures));
    assert.deepEqual(missing, []);
    assert.ok(Object.keys(captures).length > 0, 'there is something to look at');
  });
  for (const [folder, expected] of Object.entries(captures)) {
    test(`${folder} gives the facts that stand in its files`, () => checkCapture(driver, folder, expected, tally));
  }
  after(() => console.log(tally.line(family)));
};

const IDENTIFYING: ReadonlySet<string> = new Set(['version', 'get_version', 'summary', 'stats']);

/** What identification would have seen: the replies of its questions, by command. */
const cluesIn = (folder: string): Clues => {
  const replies = new Map<string, JsonValue>();
  for (const file of readdirSync(join(CAPTURES, folder))) {
    const command = file.replace(/\..*$/, '');
    if (!IDENTIFYING.has(command)) continue;
    const reply = readReply(readBytes(folder, file), { whole: true });
    if (reply.kind === 'reply') replies.set(command, reply.value);
  }
  return { cgminer: replies, http: new Map() };
};

const surest = (clues: Clues): readonly string[] => {
  const judged = DRIVERS.map(({ family, recognise }) => ({ family, sureness: recognise(clues) }));
  const most = Math.max(...judged.map(({ sureness }) => sureness));
  return judged.filter(({ sureness }) => sureness === most && sureness > 0).map(({ family }) => family);
};

const checkRecognition = (): void => {
  test('a version reply is recognised as the family of its capture', () => {
    const own = EXPECTATIONS.flatMap(({ family, captures }) =>
      Object.entries(captures)
        // Braiins OS has a version of its REST API, which is a file of that name, too.
        .filter(([, { files }]) => !Object.values(files).some((file) => 'query' in file && file.query === 'api'))
        .map(([folder]) => ({ family, folder, clues: cluesIn(folder) })),
    ).filter(({ clues }) => clues.cgminer.has('version') || clues.cgminer.has('get_version'));
    assert.ok(own.length > 0, 'there is something to recognise');
    for (const { family, folder, clues } of own) assert.deepEqual(surest(clues), [family], folder);
  });
};

describe('real captures', () => {
  if (!existsSync(CAPTURES)) {
    console.log(`real captures: skipped, ${CAPTURES} is not there (ASSAYER_CAPTURES names another folder)`);
    return;
  }
  test('there are families to look at', () => assert.ok(EXPECTATIONS.length > 0));
  checkRecognition();
  for (const expectations of EXPECTATIONS) describe(expectations.family, () => checkFamily(expectations));
});
