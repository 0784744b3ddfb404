import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSigningSecret, signatureHeaders } from '../../agent/notify/signature.ts';
import { AgentError } from '../../agent/platform/errors.ts';

/** The known answer of the libraries of the specification (standard-webhooks, "sign function works"). */
const KNOWN = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  atS: 1614265330,
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

test('Standard Webhooks 1.0: the published known answer, with and without the prefix of the secret', () => {
  for (const secret of [KNOWN.secret, KNOWN.secret.replace('whsec_', '')])
    assert.deepEqual(signatureHeaders(KNOWN, parseSigningSecret(secret)), {
      'webhook-id': KNOWN.id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': KNOWN.signature,
    });
});

test('two secrets sign both, the newer one first, so that a receiver can change over', () => {
  const other = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
  const headers = signatureHeaders(KNOWN, parseSigningSecret(`${other}\n${KNOWN.secret}\n`));
  const [first, second, ...more] = headers['webhook-signature']?.split(' ') ?? [];
  assert.equal(second, KNOWN.signature);
  assert.match(first ?? '', /^v1,[A-Za-z0-9+/]{43}=$/);
  assert.deepEqual(more, []);
});

test('what is no secret of 24 to 64 bytes in base64 is refused, and is not in the message', () => {
  for (const [name, text] of Object.entries({
    short: `whsec_${Buffer.alloc(23, 9).toString('base64')}`,
    long: `whsec_${Buffer.alloc(65, 9).toString('base64')}`,
    words: 'correct horse',
    three: `${KNOWN.secret} ${KNOWN.secret} ${KNOWN.secret}`,
    password: 'a password that somebody thought of!',
  })) {
    assert.throws(
      () => parseSigningSecret(text),
      (error) => {
        assert.ok(error instanceof AgentError && error.code === 'config.secret', name);
        assert.ok(!error.message.includes(text.slice(0, 12)) || name === 'three', name);
        assert.match(error.remedy, /openssl rand -base64 32/);
        return true;
      },
      name,
    );
  }
});
