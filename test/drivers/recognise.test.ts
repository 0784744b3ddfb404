import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Clues, clueName, questionOf } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import type { JsonObject, JsonValue } from '../../agent/probe/capture.ts';
import { IDENTIFICATION } from '../../agent/probe/identify.ts';
import { readReply } from '../../agent/probe/reply.ts';
import { EXPECTATIONS } from './capture-expectations/all.ts';
import type { CapturedFile } from './capture-expectations/expectation.ts';

const CAPTURES = process.env.ASSAYER_CAPTURES ?? fileURLToPath(new URL('../../../shared/captures', import.meta.url));

/** What identification asks, by the command or path that an answer is filed under. */
const IDENTIFYING: ReadonlySet<string> = new Set([
  'version',
  'get_version',
  'summary',
  'stats',
  '/api/system/info',
  '/api/v1/system',
  '/summary',
]);

const parsed = (path: string): JsonValue | undefined => {
  const reply = readReply(new Uint8Array(readFileSync(join(CAPTURES, path))), { whole: true });
  return reply.kind === 'reply' ? reply.value : undefined;
};

const surest = (clues: Clues): readonly string[] => {
  const judged = DRIVERS.map((driver) => ({ family: driver.family, sureness: driver.recognise(clues) }));
  const most = Math.max(...judged.map(({ sureness }) => sureness));
  return judged.filter(({ sureness }) => sureness === most && sureness > 0).map(({ family }) => family);
};

const cluesFrom = (replies: ReadonlyMap<string, JsonValue>): Clues => ({
  cgminer: new Map([...replies].filter(([name]) => !name.startsWith('/'))),
  http: new Map([...replies].filter(([name]) => name.startsWith('/'))),
});

const ASKED: ReadonlySet<string> = new Set(IDENTIFICATION.map(questionOf));

/** Under which name the reply to a question of identification is filed: the command, or the path. */
const filedUnder = (family: string, query: string): string | undefined => {
  const asked = DRIVERS.find((driver) => driver.family === family)?.queries[query];
  return asked === undefined || !ASKED.has(questionOf(asked)) ? undefined : clueName(asked);
};

const repliesIn = (family: string, path: string, captured: CapturedFile): readonly [string, JsonValue][] => {
  const value = parsed(path);
  if (value === undefined) return [];
  if ('joined' in captured) {
    return captured.joined.map((query) => [query, ((value as JsonObject)[query] as readonly JsonValue[])[0] ?? null]);
    // A joined reply holds one array with one reply for each command.
  }
  const name = 'query' in captured ? filedUnder(family, captured.query) : undefined;
  return name === undefined ? [] : [[name, value]];
};

/** Every reply file of the captures that can be read, of families other than these. */
const filesOfOthers = (families: readonly string[]): readonly string[] =>
  readdirSync(CAPTURES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(json|txt)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(CAPTURES.length + 1))
    .filter((path) => !families.includes(path.split('/')[0] ?? ''));

describe('recognition of real captures', () => {
  if (!existsSync(CAPTURES)) {
    console.log(
      `recognition of real captures: skipped, ${CAPTURES} is not there (ASSAYER_CAPTURES names another folder)`,
    );
    return;
  }

  let recognised = 0;
  for (const { family, captures } of EXPECTATIONS) {
    for (const [folder, { files }] of Object.entries(captures)) {
      const replies = new Map(
        Object.entries(files)
          .flatMap(([file, captured]) => repliesIn(family, `${folder}/${file}`, captured))
          .filter(([name]) => IDENTIFYING.has(name)),
      );
      if (replies.size === 0) continue;
      recognised += 1;
      test(`${folder} is ${family} and nothing else`, () => assert.deepEqual(surest(cluesFrom(replies)), [family]));
    }
  }
  test('there was something to recognise', () => assert.ok(recognised > 20, `${recognised} captures`));

  const own = ['whatsminer', 'avalon', 'axeos', 'auradine', 'epic', 'proto', 'sealminer'];
  test(`no reply of another family makes it ${own.join(', ')}`, () => {
    const drivers = DRIVERS.filter(({ family }) => own.includes(family));
    const claimed: string[] = [];
    let read = 0;
    for (const path of filesOfOthers(own)) {
      const value = parsed(path);
      if (value === undefined) continue;
      read += 1;
      const names = [...IDENTIFYING].map((name): [string, JsonValue] => [name, value]);
      for (const { family, recognise } of drivers) {
        if (recognise(cluesFrom(new Map(names))) > 0) claimed.push(`${family}: ${path}`);
      }
    }
    assert.ok(read > 100, `${read} replies`);
    assert.deepEqual(claimed, []);
  });

  test('replies of API 3 are claimed by nobody where they answer to version', () => {
    const folder = 'whatsminer/asic-rs-v3-m60s-20251209.16.Rel2';
    const files = readdirSync(join(CAPTURES, folder));
    assert.ok(files.length > 0);
    for (const file of files) {
      const value = parsed(`${folder}/${file}`);
      assert.ok(value !== undefined);
      assert.deepEqual(surest(cluesFrom(new Map([['version', value]]))), [], file);
    }
  });

  test('a LuCI page with the name of the maker is a likely WhatsMiner', () => {
    for (const folder of ['luci-overview-2020', 'm50s-luci']) {
      const body = readFileSync(join(CAPTURES, `whatsminer/${folder}/overview.html`), 'utf8');
      assert.deepEqual(surest({ cgminer: new Map(), http: new Map(), web: { status: 200, body } }), ['whatsminer']);
    }
  });
});
