import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';

/** A log checked with nothing but node:crypto and text: it shares no code with what wrote it. Gives the parsed statements. */
export const checkByHand = (messages: readonly Uint8Array[], jwk: { readonly x: string }, from = 0): Statement[] => {
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: jwk.x } });
  let prev = from === 0 ? sha256() : undefined;
  return messages.map((message, index) => {
    const text = Buffer.from(message).toString();
    const cut = text.lastIndexOf(',"jws":"');
    const content = `${text.slice(0, cut)}}`;
    const [header = '', signature = ''] = text.slice(cut + ',"jws":"'.length, -2).split('..');
    const input = Buffer.from(`${header}.${Buffer.from(content).toString('base64url')}`);
    assert.ok(verify(null, input, key, Buffer.from(signature, 'base64url')), `signature of entry ${index}`);
    const statement = JSON.parse(content) as Statement;
    assert.equal(statement.seq, from + index, 'numbered without a hole');
    if (prev !== undefined) assert.equal(statement.prev, prev, `entry ${index} is chained`);
    prev = sha256(Buffer.of(0), message);
    return statement;
  });
};

const sha256 = (...parts: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('base64url');
};

/** As loose as JSON: a test says what it expects. */
interface Statement {
  readonly seq: number;
  readonly prev: string;
  readonly iat: number;
  readonly mono_ms: number;
  readonly bootcount: number;
  readonly bootseed: string;
  readonly log: string;
  readonly kind: string;
  readonly session?: { readonly event: string; readonly [member: string]: unknown };
  readonly [member: string]: unknown;
}
