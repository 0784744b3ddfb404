import assert from 'node:assert/strict';
import { createPrivateKey, hash, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import { parseTrustedKeys, verifyCosigned, verifyManifest } from '../../shared/index.ts';
import { parseVkey } from '../../shared/note.ts';
import { knownAnswers } from '../shared/vectors.ts';

/** What docs/write-a-collector.md says in words, done by nothing of ours: what comes of it is what the vectors hold, and what we take. */

/** The seeds of RFC 8032 §7.1, tests 1 and 2. */
const gateway = keyOf('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
const witness = keyOf('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');

function keyOf(seed: string): { readonly key: KeyObject; readonly raw: Buffer; readonly x: string } {
  const key = createPrivateKey({
    format: 'der',
    type: 'pkcs8',
    key: Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex'),
  });
  const { x = '' } = key.export({ format: 'jwk' });
  return { key, raw: Buffer.from(x, 'base64url'), x };
}

const keyId = (name: string, type: number, raw: Buffer): Buffer =>
  hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), raw]), 'buffer').subarray(0, 4);

const line = (name: string, ...parts: readonly Buffer[]): string =>
  `— ${name} ${Buffer.concat(parts).toString('base64')}\n`;

const LOG = 'example.org/gw-test/1';
const text = `${LOG}\n3\n${Buffer.from(knownAnswers.roots['3'], 'hex').toString('base64')}\n`;
const note = `${text}\n${line(LOG, keyId(LOG, 1, gateway.raw), sign(null, Buffer.from(text), gateway.key))}`;

test('the note of a checkpoint, a vkey and a cosignature are made as the page says', () => {
  assert.ok(note.endsWith(`${knownAnswers.note.trimEnd()}\n`), note);
  const name = 'example.org/witness-a';
  const timeS = 1_795_339_260;
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(timeS));
  const id = keyId(name, 4, witness.raw);
  const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${timeS}\n${text}`), witness.key);
  const added = line(name, id, time, signature);
  assert.equal(added.trimEnd(), knownAnswers.cosignature.trimEnd());
  const vkey = `${name}+${id.toString('hex')}+${Buffer.concat([Buffer.of(4), witness.raw]).toString('base64')}`;
  const known = parseVkey(vkey) ?? assert.fail(vkey);
  const cosigned = verifyCosigned(Buffer.from(JSON.stringify({ log: LOG, size: 3, note: `${note}${added}` })), {
    keys: parseTrustedKeys(knownAnswers.jwk).values(),
    witnesses: [known],
  });
  assert.equal(cosigned?.times.get(name), timeS);
});

test('a manifest, and the one that follows it, are made as the page says', () => {
  const kid = (x: string): string => hash('sha256', `{"crv":"Ed25519","kty":"OKP","x":"${x}"}`, 'base64url');
  const jwk = (x: string) => ({ crv: 'Ed25519', kty: 'OKP', x });
  const signed = (content: string): Buffer => {
    const header = Buffer.from(`{"alg":"Ed25519","kid":"${kid(witness.x)}","typ":"miner-trust+jwt"}`).toString(
      'base64url',
    );
    const input = `${header}.${Buffer.from(content).toString('base64url')}`;
    const signature = sign(null, Buffer.from(input), witness.key).toString('base64url');
    return Buffer.from(`${content.slice(0, -1)},"jws":"${header}..${signature}"}`);
  };
  const content = (version: number, before?: Buffer): string =>
    JSON.stringify({
      exp: 1_795_425_600,
      iat: 1_795_339_200,
      keys: [{ jwk: jwk(gateway.x), kid: kid(gateway.x), logs: ['example.org/gw-test'], role: 'gateway' }],
      ...(before === undefined ? {} : { prev_sha256: hash('sha256', before, 'base64url') }),
      quorum: 1,
      version,
      witnesses: [],
    });
  const authority = parseTrustedKeys({ keys: [{ kid: kid(witness.x), jwk: jwk(witness.x), role: 'authority' }] });
  const first = signed(content(1));
  const before = verifyManifest(first, { authority });
  assert.equal(verifyManifest(signed(content(2, first)), { authority, before }).version, 2);
  assert.throws(() => verifyManifest(signed(content(2)), { authority, before }), { code: 'E_TRUST_STALE' });
});
