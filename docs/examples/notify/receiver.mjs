/**
 * A receiver of notifications that checks their signature. Node 20 or newer, nothing else.
 *
 *     node receiver.mjs secret 8080        # listens on 127.0.0.1; put a server with TLS before it
 *
 * `secret` is the file whose text is `whsec_…`, the same as at the gateway (webhook.secret_file).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [, , secretFile, port] = process.argv;
const TOLERANCE_S = 300;
const MOST_BYTES = 262_144;

const [secret] = readFileSync(secretFile, 'ascii').trim().split(/\s+/);
const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');

/** What was seen before comes again where our answer was lost. */
const seen = new Set();

/** The three headers and the body as it came: it must not be parsed and written anew before. */
const isGenuine = (headers, body) => {
  const { 'webhook-id': id = '', 'webhook-timestamp': at = '', 'webhook-signature': given = '' } = headers;
  if (!/^\d+$/.test(at) || Math.abs(Date.now() / 1000 - Number(at)) > TOLERANCE_S) return false;
  const expected = Buffer.from(`v1,${createHmac('sha256', key).update(`${id}.${at}.`).update(body).digest('base64')}`);
  return given
    .split(' ')
    .map((each) => Buffer.from(each))
    .some((each) => each.length === expected.length && timingSafeEqual(each, expected));
};

/** Replace this with what wakes somebody up. Quickly: the gateway waits for our answer. */
const tell = ({ type, data }) => console.log(type, data.key ?? '', data.text);

const readBody = async (request) => {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const take = async (request) => {
  if (request.method !== 'POST') return 405;
  const body = await readBody(request);
  if (body === undefined) return 413;
  if (!isGenuine(request.headers, body)) return 401;
  const id = request.headers['webhook-id'];
  if (seen.has(id)) return 204;
  tell(JSON.parse(body.toString('utf8')));
  // Only now: what could not be told is not done, and comes again.
  seen.add(id);
  if (seen.size > 10_000) seen.delete(seen.values().next().value);
  return 204;
};

createServer((request, response) => {
  take(request).then(
    (status) => response.writeHead(status).end(),
    () => response.writeHead(500).end(),
  );
}).listen(Number(port), '127.0.0.1');
