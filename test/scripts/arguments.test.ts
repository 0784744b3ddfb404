import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');

const said = (script: string, word: string) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts', script), word], {
    cwd: root,
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status, out: stdout, err: stderr };
};

for (const script of ['check.ts', 'docs.ts']) {
  test(`${script} says what it does, and does nothing for an argument that it does not know`, () => {
    const help = said(script, '--help');
    assert.equal(help.status, 0);
    assert.match(help.out, /^Usage: /);
    for (const word of ['--hepl', 'word']) {
      const { status, out, err } = said(script, word);
      assert.deepEqual([status, out], [1, '']);
      assert.match(err, /^error: (?:unknown option '--hepl'|too many arguments)/);
    }
  });
}
