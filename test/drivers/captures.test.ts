import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Clues, Driver } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import type { JsonValue, NoReply, Reply } from '../../agent/probe/capture.ts';
import { looksLikeAnother } from '../../agent/probe/identify.ts';
import { readReply } from '../../agent/probe/reply.ts';
import type { FactName, Facts } from '../../shared/facts.ts';
import { EXPECTATIONS } from './capture-expectations/all.ts';
import type { CaptureExpectation, FamilyExpectations } from './capture-expectations/expectation.ts';
import {
  CAPTURES,
  type Count,
  countCapture,
  driverOf,
  hasCaptures,
  lookAtCapture,
  lookWith,
  readBytes,
  total,
} from './captured.ts';

/** What the run has seen of one family, in a line. */
const line = (family: string, count: Count): string => {
  const { captures, files, unasked, recognised, ambiguous, right, wrong, missing, unchecked } = count;
  const gaps = [...missing].sort().map(([reading, count]) => `${reading} ${count}`);
  return [
    `${family}: ${captures} captures, ${files} files parsed (${unasked} not asked)`,
    `${recognised} recognised, ${ambiguous} ambiguous`,
    `${right} facts right, ${wrong.length} wrong`,
    `not present: ${gaps.join(', ') || 'none'}`,
    `unchecked ${unchecked.length}${unchecked.length === 0 ? '' : ` (${unchecked.join(', ')})`}`,
  ].join('; ');
};

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The same replies with a file in the place of another that answers the same question, for each such file; and what it tells besides. */
const alternativesOf = (
  folder: string,
  { files }: CaptureExpectation,
  replies: ReadonlyMap<string, Reply | NoReply>,
): readonly { readonly other: ReadonlyMap<string, Reply | NoReply>; readonly further: Facts | undefined }[] =>
  Object.entries(files).flatMap(([file, captured]) => {
    if (!('insteadOf' in captured)) return [];
    const replaced = files[captured.insteadOf];
    assert.ok(replaced !== undefined && 'query' in replaced, `${captured.insteadOf} answers a question`);
    const other = new Map([...replies, [replaced.query, readReply(readBytes(folder, file), { whole: true })]]);
    return [{ other, further: captured.further }];
  });

const checkFiles = (folder: string, { files }: CaptureExpectation): void => {
  assert.deepEqual(readdirSync(join(CAPTURES, folder)).sort(), Object.keys(files).sort(), 'every file is expected');
  for (const [file, { sha256: expected }] of Object.entries(files)) {
    assert.equal(sha256(readBytes(folder, file)), expected, `${file} is the file that the expectation was made from`);
  }
};

const checkCapture = (driver: Driver, folder: string, expected: CaptureExpectation): Count => {
  checkFiles(folder, expected);
  const look = lookAtCapture(driver, folder, expected);
  const { replies } = look;
  const { facts, gaps } = look.observation;
  const count = countCapture(driver, folder, expected, look);
  for (const [name, gap] of Object.entries(expected.gaps ?? {})) {
    assert.equal(gaps.get(name as FactName), gap, `${name} is ${gap}`);
  }
  assert.deepEqual(count.wrong, []);
  const capture = { address: folder, observedAtMs: 0, replies };
  assert.ok(
    driver.stillSpeaks?.(replies) !== false && !looksLikeAnother(driver, capture, DRIVERS),
    'a later look takes it for the same family',
  );
  for (const { other, further } of alternativesOf(folder, expected, replies)) {
    const { facts: same } = lookWith(driver, folder, other);
    assert.deepEqual(same, { ...facts, ...further }, 'another reply to the same question gives the same facts');
  }
  return count;
};

const subfolders = (folder: string): readonly string[] =>
  readdirSync(join(CAPTURES, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}/${name}`);

const checkFamily = ({ family, whole, captures }: FamilyExpectations): void => {
  const driver = driverOf(family);
  const counts: Count[] = [];
  test('every capture folder has an expectation', () => {
    const missing = whole.flatMap(subfolders).filter((folder) => !(folder in captures));
    assert.deepEqual(missing, []);
    assert.ok(Object.keys(captures).length > 0, 'there is something to look at');
  });
  for (const [folder, expected] of Object.entries(captures)) {
    test(`${folder} gives the facts that stand in its files`, () => {
      counts.push(checkCapture(driver, folder, expected));
    });
  }
  after(() => console.log(line(family, total(counts))));
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
  if (!hasCaptures()) {
    console.log(`real captures: skipped, ${CAPTURES} is not there (ASSAYER_CAPTURES names another folder)`);
    return;
  }
  test('there are families to look at', () => assert.ok(EXPECTATIONS.length > 0));
  checkRecognition();
  for (const expectations of EXPECTATIONS) describe(expectations.family, () => checkFamily(expectations));
});
