import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerDigest, basicHeader, type Challenge, parseChallenges } from '../../agent/probe/http-auth.ts';

const mufasa = { user: 'Mufasa', password: () => 'Circle of Life' };

const challengeOf = (header: string): Challenge => parseChallenges(header)[0] as Challenge;

const responseIn = (header: string | undefined): string | undefined => /response="([0-9a-f]+)"/.exec(header ?? '')?.[1];

test('answers the examples of RFC 7616 §3.9.1', () => {
  const challenge =
    'Digest realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", algorithm=';
  const request = {
    path: '/dir/index.html',
    credential: mufasa,
    count: 1,
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  };
  const md5 = answerDigest(challengeOf(`${challenge}MD5`), request);
  assert.equal(responseIn(md5), '8ca523f5e9506fed4657c9700eebdbec');
  assert.equal(
    responseIn(answerDigest(challengeOf(`${challenge}SHA-256`), request)),
    '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  );
  assert.match(md5 ?? '', /, algorithm=MD5, .*, qop=auth, nc=00000001, cnonce="/);
});

test('answers the example of RFC 2617 §3.5, whose password is spelled otherwise', () => {
  const challenge =
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"';
  const credential = { user: 'Mufasa', password: () => 'Circle Of Life' };
  const header = answerDigest(challengeOf(challenge), {
    path: '/dir/index.html',
    credential,
    count: 1,
    cnonce: '0a4f113b',
  });
  assert.equal(responseIn(header), '6629fae49393a05397450978507c4ef1');
});

test('a challenge without qop is answered as RFC 2069 has it', () => {
  const header = answerDigest(challengeOf('Digest realm="r", nonce="n"'), {
    path: '/',
    credential: { user: 'u', password: () => 'p' },
    count: 7,
    cnonce: 'c',
  });
  // MD5(MD5("u:r:p"):n:MD5("GET:/")), computed with md5sum.
  assert.equal(responseIn(header), 'f23121ca97143c6b358da620220c83b4');
  assert.doesNotMatch(header ?? '', /qop|nc=|cnonce/);
});

test('a challenge that asks for what we do not speak is not answered', () => {
  const request = { path: '/', credential: mufasa, count: 1, cnonce: 'c' };
  const unknown = [
    'Digest nonce="n"',
    'Digest realm="r"',
    'Digest realm="r", nonce="n", qop="auth-int"',
    'Digest realm="r", nonce="n", algorithm=MD5-sess',
    'Digest realm="r", nonce="n", algorithm=constructor',
  ];
  for (const header of unknown) assert.equal(answerDigest(challengeOf(header), request), undefined, header);
});

test('challenges are read whatever their order, quoting and spacing', () => {
  const parsed = parseChallenges(
    'Basic realm="a, \\"b\\"" , Digest  realm = x,nonce="n=,", qop="auth", stale=TRUE,Bearer',
  );
  assert.deepEqual(
    parsed.map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]),
    [
      ['basic', { realm: 'a, "b"' }],
      ['digest', { realm: 'x', nonce: 'n=,', qop: 'auth', stale: 'TRUE' }],
      ['bearer', {}],
    ],
  );
});

test('a malformed challenge header ends where it cannot be read', () => {
  for (const header of ['', '"', '=', 'Digest realm="unclosed', ',,,', 'Digest realm=', '\u00ff']) {
    assert.ok(Array.isArray(parseChallenges(header)));
  }
});

test('Basic keeps a colon in the password and text beyond ASCII', () => {
  assert.equal(
    basicHeader({ user: 'root', password: () => 'a:ö' }),
    `Basic ${Buffer.from('root:a:ö').toString('base64')}`,
  );
});
