import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HttpReceiver } from '../../agent/probe/http-message.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

const receive = (pieces: readonly (string | Buffer)[]) => {
  const receiver = new HttpReceiver();
  for (const piece of pieces) if (receiver.take(Buffer.from(piece)) === 'done') break;
  return receiver.message();
};

const chunked = (chunks: readonly string[], line = '\r\n'): string =>
  `${chunks.map((chunk) => `${Buffer.byteLength(chunk).toString(16)}${line}${chunk}${line}`).join('')}0${line}${line}`;

test('property: chunks are joined again, whatever is in them and whatever pieces they come in', () => {
  const chunk = fc.string({ minLength: 1, unit: fc.constantFrom('a', '\n', '\r', '0', '\r\n0\r\n\r\n') });
  fc.assert(
    fc.property(
      fc.array(chunk),
      fc.constantFrom('\r\n', '\n'),
      fc.array(fc.integer({ min: 1, max: 40 })),
      (chunks, line, sizes) => {
        const bytes = Buffer.from(HEAD + chunked(chunks, line));
        const pieces: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? bytes.length;
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        const message = receive(pieces);
        assert.deepEqual([message?.body.toString(), message?.whole], [chunks.join(''), true]);
      },
    ),
    { numRuns: 200 },
  );
});

test('trailers end a chunked body; those without end make it incomplete, and bytes behind them are surplus', () => {
  const trailed = (trailers: string) => receive([`${HEAD}2\r\nab\r\n0\r\n`, `${trailers}\r\n`]);
  assert.deepEqual([trailed('X: y\r\n')?.whole, trailed('X: y\r\n')?.reusable], [true, true]);
  assert.deepEqual([trailed('\r\nmore')?.whole, trailed('\r\nmore')?.reusable], [true, false]);
  const endless = trailed('x\n'.repeat(20_000));
  assert.deepEqual([endless?.whole, endless?.body.toString()], [false, 'ab']);
});

test('whether the connection stays open is what the status line and Connection say, not what another header names', () => {
  const answered = (head: string) => receive([`${head}\r\nContent-Length: 2\r\n\r\nab`])?.reusable;
  assert.equal(answered('HTTP/1.1 200 OK'), true);
  assert.equal(answered('HTTP/1.0 200 OK'), false);
  assert.equal(answered('HTTP/1.0 200 OK\r\nServer: HTTP/1.1 gateway'), false);
  assert.equal(answered('HTTP/1.0 200 OK\r\nConnection: keep-alive'), true);
  assert.equal(answered('HTTP/1.1 200 OK\r\nConnection: close'), false);
});

test('two lengths that differ are none: the body ends with the connection', () => {
  const twice = (other: string) =>
    receive([`HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: ${other}\r\n\r\nab`]);
  assert.deepEqual([twice('2')?.whole, twice('2')?.untilClose], [true, false]);
  assert.deepEqual([twice('3')?.whole, twice('3')?.untilClose], [false, true]);
});
