import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withoutSecrets } from '../../agent/drivers/text-secrets.ts';

test('passwords of URLs and named secrets are masked, and what tells where it goes stays', () => {
  for (const [text, masked] of [
    ['mqtt://ops:hunter2@10.0.0.9:1883', 'mqtt://ops:***@10.0.0.9:1883'],
    ['http://:hunter2@h/', 'http://:***@h/'],
    ['bob:hunter2@h:1', 'bob:***@h:1'],
    ['see http://a:hunter2@h1/ and http://b:hun@ter2@h2/', 'see http://a:***@h1/ and http://b:***@h2/'],
    ['http://a:hunter2@h1/,http://b:hunter2@h2/', 'http://a:***@h1/,http://b:***@h2/'],
    ['{"url":"http://a:hunter2@h1/"}', '{"url":"http://a:***@h1/"}'],
    ['http://a:hun ter2@h1/', 'http://a:***@h1/'],
    ['http://h/?password=hunter2&user=u', 'http://h/?password=***&user=u'],
    ['http://h/?user=u&api_key=hunter2#x', 'http://h/?user=u&api_key=***#x'],
    ['http://h/#access_token=hunter2', 'http://h/#access_token=***'],
    ['https://a:hunter2@h/?token=hunter2', 'https://a:***@h/?token=***'],
    ['url=http://h/?token=hunter2', 'url=http://h/?token=***'],
    ['user=u;token=hun;ter2;x=1', 'user=u;token=***;x=1'],
    ['http://10.0.0.9:1883/x@y', 'http://10.0.0.9:1883/x@y'],
    ['http://10.0.0.9:1883 mail me@home', 'http://10.0.0.9:1883 mail me@home'],
    ['Linux version 4.9.0 (root@build) #1 SMP 12:30', 'Linux version 4.9.0 (root@build) #1 SMP 12:30'],
    ['wallet.rig@pool.example:3333', 'wallet.rig@pool.example:3333'],
  ] as const) {
    assert.equal(withoutSecrets(text), masked);
    assert.equal(withoutSecrets(masked), masked);
  }
});

test('a text of any length is searched in time that grows with it and no faster', () => {
  for (const part of ['a:', '://u:', '://u: @', 'x=', '@', ' ', ',a://', 'token=;', 'token=', '"'])
    assert.ok(withoutSecrets(part.repeat(200_000)).length > 0);
});

test('property: a password is in no text, wherever its URL stands', () => {
  const around = fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '/', '.', '1', '=', '&', '?') });
  fc.assert(
    fc.property(around, around, (before, after) => {
      assert.doesNotMatch(withoutSecrets(`${before} http://bob:hunter2@h1${after}`), /hunter2/);
      assert.doesNotMatch(withoutSecrets(`${before}?token=hunter2&${after}`), /hunter2/);
    }),
    { numRuns: 300 },
  );
});
