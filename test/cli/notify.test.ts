import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { notificationSchema } from '../../shared/notification.ts';
import { Receiver, refuse, SECRET } from '../notify/receiver.ts';
import { assayer, configured, folder } from './assayer.ts';

test('notify test tells every target that nothing has happened, says how that went, and ends with 1 where one failed', async (t) => {
  await using receiver = await Receiver.start();
  const place = folder(t);
  writeFileSync(join(place, 'secret'), SECRET, { mode: 0o600 });
  const script = join(place, 'page.sh');
  writeFileSync(script, '#!/bin/sh\ncat >/dev/null\nprintf "no route\\033[2J to pager" >&2\nexit 7\n');
  chmodSync(script, 0o755);
  configured(place, {
    notify: [
      { name: 'pager', webhook: { url: receiver.url, secret_file: 'secret' } },
      { name: 'script', command: [script] },
    ],
  });
  const run = (...words: readonly string[]) => assayer(words, { cwd: place });

  const all = await run('notify', 'test');
  assert.equal(all.code, 1, all.err);
  const origin = `http://127.0.0.1:${receiver.port}`;
  assert.match(all.out, new RegExp(`^pager: webhook ${origin}: told, HTTP 204, \\d+ ms\n`));
  assert.match(
    all.out,
    /script: command .*page\.sh: FAILED: .*exit code 7\n {2}> no route\ufffd\[2J to pager\n {2}remedy: /,
  );
  assert.doesNotMatch(all.out, /s3cret|whsec/);
  assert.ok(notificationSchema.safeParse(receiver.received[0]?.notification).success);
  assert.equal(receiver.types[0], 'notify.test');

  const one = await run('notify', 'test', 'pager', '--json');
  assert.equal(one.code, 0, one.err);
  assert.deepEqual(
    { ...JSON.parse(one.out), ms: 0 },
    { target: 'pager', to: `webhook ${origin}`, ok: true, ms: 0, detail: 'HTTP 204' },
  );
  const [first, second] = receiver.received.map(({ notification }) => notification.data.delivery);
  assert.notEqual(first, second, 'each test is another one');

  receiver.answer = refuse(401);
  const refused = await run('notify', 'test', 'pager');
  assert.deepEqual([refused.code, /compare the secret at both ends/.test(refused.out)], [1, true]);

  const unknown = await run('notify', 'test', 'chat');
  assert.deepEqual([unknown.code, /there is: pager, script/.test(unknown.err)], [2, true]);

  const doctor = await run('doctor', '--json');
  const checks = JSON.parse(doctor.out).checks as readonly { check: string; level: string; message: string }[];
  assert.deepEqual(
    checks.filter(({ check }) => check === 'notify').map(({ level, message }) => [level, message]),
    [
      ['ok', `pager: webhook ${origin}; try it with: assayer notify test pager`],
      ['ok', `script: command ${script}; try it with: assayer notify test script`],
    ],
  );
  assert.ok(
    checks.some(({ check, message }) => check === 'secrets' && message === `notify pager: ${join(place, 'secret')}`),
  );
  assert.equal(receiver.received.length, 3, 'doctor tells nobody anything');
});

test('Ctrl-C breaks notify test off', async (t) => {
  await using receiver = await Receiver.start();
  const place = folder(t);
  writeFileSync(join(place, 'secret'), SECRET, { mode: 0o600 });
  receiver.answer = () => {};
  configured(place, { notify: [{ name: 'pager', webhook: { url: receiver.url, secret_file: 'secret' } }] });
  const said = await assayer(['notify', 'test'], {
    cwd: place,
    meanwhile: (child) => {
      const look = setInterval(() => {
        if (receiver.received.length === 0) return;
        clearInterval(look);
        child.kill('SIGINT');
      }, 20);
    },
  });
  assert.equal(said.code, 1);
  assert.match(said.out, /^pager: .*: broken off\n$/);
});
