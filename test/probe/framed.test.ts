import assert from 'node:assert/strict';
import { test } from 'node:test';
import { framed } from '../../agent/drivers/driver.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import type { NoReply, Reply } from '../../agent/probe/capture.ts';
import { askFramed, readFrame } from '../../agent/probe/framed.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { type Behaviour, dripping, FakeMiner, keepingOpen, SHORT, sending } from './fake-miner.ts';

const INFO = framed('get.device.info');
const ALLOW = compileAllowList([], [INFO]);
const ANSWER = '{"code":0,"when":1,"msg":{"miner":{"type":"M60S"}},"desc":"get.device.info"}';

const framedBytes = (document: string): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(document.length);
  return Buffer.concat([head, Buffer.from(document)]);
};

const ask = async (behave: Behaviour, limits = SHORT): Promise<Reply | NoReply> => {
  await using miner = await FakeMiner.start(behave);
  const reply = await askFramed(miner.endpoint, INFO, limits, ALLOW);
  await miner.allClosed();
  assert.deepEqual(miner.requests, [framedBytes('{"cmd":"get.device.info"}').toString('latin1')]);
  return reply;
};

const reasonOf = (reply: Reply | NoReply): string => (reply.kind === 'no-reply' ? reply.reason : 'a reply');

test('a framed question is sent in one piece, and its answer read by its length, whether the device closes or not', async () => {
  for (const behave of [
    sending(framedBytes(ANSWER)),
    keepingOpen(framedBytes(ANSWER).toString('latin1')),
    sending(Buffer.concat([framedBytes(ANSWER), Buffer.from('more')])),
  ]) {
    const reply = await ask(behave);
    assert.deepEqual(reply.kind === 'reply' && reply.value, JSON.parse(ANSWER));
  }
});

test('what the device says by its code is the reading: no such command, no permission, another failure', async () => {
  for (const [code, reason] of [
    [-2, 'unsupported'],
    [-4, 'refused'],
    [-1, 'unreadable'],
  ] as const) {
    assert.equal(reasonOf(await ask(sending(framedBytes(`{"code":${code},"msg":"x"}`)))), reason);
  }
  assert.equal(reasonOf(await ask(sending(framedBytes('{"msg":{}}')))), 'unreadable', 'an answer without a code');
});

test('half a frame is truncated, one that never ends a timeout, another protocol nobody here', async () => {
  assert.equal(reasonOf(await ask(sending(framedBytes(ANSWER).subarray(0, 20)))), 'truncated');
  assert.equal(reasonOf(await ask(sending(''))), 'truncated');
  assert.equal(reasonOf(await ask(dripping(framedBytes(ANSWER).toString('latin1'), 60))), 'timeout');
  assert.equal(reasonOf(await ask(sending('HTTP/1.1 400 Bad Request\r\n\r\n'))), 'unreachable');
  const huge = Buffer.from([0xff, 0xff, 0x20, 0x00]);
  assert.equal(reasonOf(await ask(sending(huge), { ...SHORT, maxReplyBytes: 4096 })), 'truncated');
});

test('a frame that is cut anywhere, or whose length has a flipped bit, gives no document', () => {
  const documents = loadSpecimens().flatMap(({ device, files }) =>
    Object.entries(device.replies).flatMap(([question, { file = '' }]) =>
      question.startsWith('framed:')
        ? [
            Buffer.from(files.get(file) ?? '')
              .toString('utf8')
              .trimEnd(),
          ]
        : [],
    ),
  );
  const frames = documents.map(framedBytes).filter((frame) => readFrame(frame).kind === 'reply');
  assert.ok(frames.length > 0);
  for (const whole of frames) {
    for (let at = 0; at < whole.length; at += 1)
      assert.equal(readFrame(whole.subarray(0, at)).kind, 'no-reply', `${at}`);
    for (let bit = 0; bit < 32; bit += 1) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt32LE((whole.readUInt32LE(0) ^ (1 << bit)) >>> 0);
      assert.equal(readFrame(damaged).kind, 'no-reply', `bit ${bit}`);
    }
  }
});
