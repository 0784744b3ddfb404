import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testBody, transitionBody } from '../../agent/notify/body.ts';
import { wordsOf } from '../../agent/notify/words.ts';
import { notificationSchema } from '../../shared/notification.ts';
import { stated } from './memory-feed.ts';

const sender = { target: 'pager', gateway: 'gw-1', log: 'example.org/gw-1/1' };

test('a transition in one line: how bad, what, where, from what to what, and what it is called', () => {
  assert.equal(
    wordsOf(stated({ severity: 'critical', part: 'slot 0', before: 'acme.rig1', after: 'thief.rig1' })),
    'critical pool.user-changed open, rig-1, slot 0: acme.rig1 -> thief.rig1 (Pool user changed)',
  );
  assert.match(
    wordsOf(stated({ state: 'approved', by: 'ada' })),
    /^high .* approved, rig-1 \(Pool user changed, by ada\)$/,
  );
  assert.match(
    wordsOf(stated({ state: 'resolved', reasons: ['left-configuration'] })),
    / resolved, rig-1 \(Pool user changed, because the device left the configuration, not because it was put right\)$/,
  );
  const { device: _one, ...many } = stated({ id: 'x.unknown', before: { a: [1] } });
  assert.equal(
    wordsOf({ ...many, devices: ['a', 'b', 'c', 'd'], count: 4 }),
    'high x.unknown open, 4 devices: a b c …: {"a":[1]} -> nothing',
  );
  assert.match(
    wordsOf({ ...many, id: 'pool.user-changed', state: 'resolved', reasons: ['left-configuration'], count: 4 }),
    /\(Pool user changed, devices of it left the configuration and were not put right\)$/,
  );
  assert.match(wordsOf({ ...many, devices: ['a'], count: 1 }), /, 1 device: a:/);
  assert.match(wordsOf({ ...many, devices: [], count: 0 }), /, this gateway:/);
});

test('what is redacted stays redacted, what is long is cut, and what a device says stays in its line', () => {
  const pid = 'AAAAAAAAAAAAAAAAAAAAAA';
  assert.match(wordsOf(stated({ before_pid: pid, after_pid: pid })), /: redacted -> redacted \(/);
  const text = wordsOf(stated({ part: 'a\nb\u202ec\u001b[2J', after: 'x'.repeat(5000) }));
  assert.doesNotMatch(text, /[\p{Cc}\p{Cf}]/u);
  assert.ok(text.length < 250, text);
});

test('of a pool that no list allows the line tells where it is and who earns, not what comes nearest', () => {
  const line = (url: string, user: string) =>
    wordsOf(
      stated({
        id: 'pool.outside-allowlist',
        part: 'slot 3',
        after: { nearest: { url: 'stratum+tcp://*.pool.example:3333', user: 'acme.*' }, url, user },
      }),
    );
  assert.equal(
    line('stratum+tcp://203.0.113.66 .pool.example:3333', 'acme.rig1'),
    'high pool.outside-allowlist open, rig-1, slot 3: nothing -> {"url":"stratum+tcp://203.0.113.66 .pool.example:3333","user":"acme.rig1"} (Pool not on the list)',
  );
  const long = line(`stratum+tcp://eu.pool.example.${'a.'.repeat(90)}evil.example:3333`, 'thief.rig1');
  assert.match(
    long,
    /-> \{"url":"stratum\+tcp:\/\/eu\.pool\.example\..*….*\.evil\.example:3333","user":"thief\.rig1"\} \(/,
  );
  assert.ok(long.length < 250, long);
});

test('a value that only looks like the one before is told from it', () => {
  assert.match(wordsOf(stated({ before: 'acme.4', after: 'acm\u0435.4' })), /: acme\.4 -> "acm\\u0435\.4" \(/);
  assert.match(wordsOf(stated({ before: 'acme.4', after: 'acme.4 ' })), /: acme\.4 -> "acme\.4 " \(/);
});

test('the body is what the schema says; its name is the same each time, and another for another target, entry and log', () => {
  const one = { seq: 7, iat: 1_795_339_200, finding: stated({ state: 'incident-closed', opened_seq: 5 }) };
  const body = transitionBody(one, sender);
  assert.ok(notificationSchema.safeParse(body).success);
  assert.deepEqual([body.type, body.timestamp], ['finding.incident_closed', '2026-11-22T09:20:00Z']);
  assert.ok('key' in body.data && body.data.key === 'example.org/gw-1/1/5');
  const names = [
    transitionBody(one, sender),
    transitionBody({ ...one, seq: 8 }, sender),
    transitionBody(one, { ...sender, target: 'chat' }),
    transitionBody(one, { ...sender, log: 'example.org/gw-1/2' }),
    testBody(sender, { atS: 1, nonce: 'a' }),
    testBody(sender, { atS: 1, nonce: 'b' }),
  ].map(({ data }) => data.delivery);
  assert.equal(new Set(names).size, 6);
  assert.equal(names[0], body.data.delivery);
});
