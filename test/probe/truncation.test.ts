import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseReply } from '../../agent/probe/json.ts';

const SPECIMENS = join(import.meta.dirname, '../specimens');
const CAPTURES = process.env.ASSAYER_CAPTURES ?? join(import.meta.dirname, '../../../shared/captures');

/** Every place in a short reply; in a long one this many, and all of the last fifty, where single buffers end. */
const MOST_CUTS = 80;

const cutsOf = (length: number): readonly number[] => {
  const step = Math.max(1, Math.floor(length / MOST_CUTS));
  const spread = Array.from({ length: Math.ceil(length / step) }, (_, index) => index * step);
  const last = Array.from({ length: Math.min(50, length) }, (_, index) => length - 1 - index);
  return [...new Set([...spread, ...last])];
};

/** JSON replies that can be read, by file; damaged ones, too. */
const replies = (folder: string): readonly (readonly [string, Buffer])[] =>
  globSync('**/*.{json,txt,cgi}', { cwd: folder })
    .filter((file) => !file.endsWith('device.json'))
    .map((file) => [file, readFileSync(join(folder, file))] as const)
    .filter(([, bytes]) => /^\s*[{[]/.test(bytes.toString('latin1')) && parseReply(bytes).kind === 'parsed');

/** A cut reply is truncated, with or without the NUL that a single-buffer server still sends; or only blanks were cut. */
const assertNeverAnother = (file: string, bytes: Buffer): void => {
  const whole = parseReply(bytes);
  for (const at of cutsOf(bytes.length)) {
    for (const tail of [Buffer.alloc(0), Buffer.from([0])]) {
      const cut = parseReply(Buffer.concat([bytes.subarray(0, at), tail]));
      if (cut.kind === 'truncated') continue;
      // What is cut off behind the document leaves the document as it was.
      assert.equal(cut.kind, 'parsed', `${file} cut at ${at}`);
      assert.deepEqual(
        cut.kind === 'parsed' && cut.value,
        whole.kind === 'parsed' && whole.value,
        `${file} cut at ${at}`,
      );
    }
  }
};

test('no specimen that is cut off anywhere gives another value', () => {
  const found = replies(SPECIMENS);
  assert.ok(found.length > 10, 'specimens were found');
  for (const [file, bytes] of found) assertNeverAnother(file, bytes);
});

const absent = existsSync(CAPTURES) ? false : `no captures at ${CAPTURES}: set ASSAYER_CAPTURES to include them`;

test('no capture that is cut off anywhere gives another value', { skip: absent }, () => {
  const found = replies(CAPTURES);
  assert.ok(found.length > 100, 'captures were found');
  for (const [file, bytes] of found) assertNeverAnother(file, bytes);
});
