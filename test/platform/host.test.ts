import assert from 'node:assert/strict';
import { arch, release } from 'node:os';
import { test } from 'node:test';
import { binaryDigest, describeHost } from '../../agent/platform/host.ts';

test('the host is described by what it tells, without placeholders', async () => {
  const host = await describeHost();
  assert.deepEqual([host.kernel, host.arch], [release(), arch()]);
  assert.notEqual(host.os, '');
  for (const text of Object.values(host))
    assert.ok(text.length > 0 && text.length <= 128 && !/unknown|default string/i.test(text));
});

test('an agent that runs from its sources has no binary to digest', async () => {
  assert.equal(await binaryDigest(), undefined);
});
