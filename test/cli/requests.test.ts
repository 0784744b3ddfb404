import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListedRequest } from '../../agent/cli/requests.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { compileAllowList, HANDSHAKES } from '../../agent/probe/allow.ts';
import { IDENTIFICATION } from '../../agent/probe/identify.ts';
import { assayer } from './assayer.ts';

test('requests prints the list that the transports send from, each request once with who is asked so', async () => {
  const { code, out, err } = await assayer(['requests', '--json']);
  assert.deepEqual([code, err], [0, '']);
  const listed = JSON.parse(out) as readonly ListedRequest[];
  assert.ok(listed.length > 20);
  assert.deepEqual(
    listed.map(({ request }) => request),
    [...compileAllowList(DRIVERS, IDENTIFICATION).listed, ...HANDSHAKES.map(({ request }) => request)],
  );
  assert.deepEqual(new Set(listed.flatMap(({ families }) => families)), new Set(DRIVERS.map(({ family }) => family)));
  assert.ok(listed.every(({ uses, port }) => uses.length > 0 && port > 0));
});

test('requests --family prints what one family is asked, and names the nearest where there is none', async () => {
  const { code, out } = await assayer(['requests', '--family', 'avalon']);
  assert.equal(code, 0);
  assert.match(out, /^\{"command":"pools"\} +4028 +every poll +/m);
  assert.match(
    out,
    /^SSH key exchange, without a user or a request to log in; nothing after it +22 +endpoint look *$/m,
  );
  assert.match(out, /^TLS handshake, without a client certificate; nothing after it +443 +endpoint look *$/m);
  assert.doesNotMatch(out, /get_miner_conf|api-doc/);
  const unknown = await assayer(['requests', '--family', 'avalom']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /there is no family "avalom"\n {2}remedy: did you mean avalon\?/);
});
