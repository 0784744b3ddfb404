import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AgentError } from '../../agent/platform/errors.ts';
import { readSecret } from '../../agent/platform/secrets.ts';

const holding = (t: TestContext, text: string): string => {
  const dir = mkdtempSync(join(tmpdir(), 'assayer-secret-'));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'password'), text, { mode: 0o600 });
  return join(dir, 'password');
};

const refused = (error: unknown): boolean => error instanceof AgentError && error.code === 'config.secret';

test('a password is the file without its last line end, or the environment variable', (t) => {
  assert.equal(readSecret({ password_file: holding(t, 'two words\n') }), 'two words');
  assert.equal(readSecret({ password_file: holding(t, ' kept as it is \r\n') }), ' kept as it is ');
  assert.equal(readSecret({ password_file: holding(t, 'two\nlines\n\n') }), 'two\nlines\n');
  process.env.ASSAYER_TEST_SECRET = 'from the environment';
  t.after(() => delete process.env.ASSAYER_TEST_SECRET);
  assert.equal(readSecret({ password_env: 'ASSAYER_TEST_SECRET' }), 'from the environment');
});

test('an empty, missing or ambiguous source is refused', (t) => {
  for (const source of [
    {},
    { password_file: 'a', password_env: 'B' },
    { password_file: '/does/not/exist' },
    { password_file: tmpdir() },
    { password_file: holding(t, '\n') },
    { password_file: '/dev/zero' },
    { password_file: holding(t, 'x'.repeat(65_537)) },
    { password_env: 'ASSAYER_TEST_NOT_SET' },
  ]) {
    assert.throws(() => readSecret(source), refused, JSON.stringify(source));
  }
});
