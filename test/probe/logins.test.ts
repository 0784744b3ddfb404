import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Logins } from '../../agent/probe/logins.ts';

const MINUTE_MS = 60_000;

const account = (password: string) => ({ user: 'root', password: () => password });

const WRONG = account('wrong');

test('a log-in that is refused rests for five minutes, then twice as long each time, up to a day', () => {
  let nowMs = 0;
  const logins = new Logins({ monoMs: () => nowMs });
  const rests: number[] = [];
  for (let refusals = 0; refusals < 12; refusals += 1) {
    logins.refused('a', WRONG);
    rests.push(logins.restsMs('a', WRONG) / MINUTE_MS);
    nowMs += logins.restsMs('a', WRONG);
    assert.equal(logins.restsMs('a', WRONG), 0, 'then it may be tried');
  }
  assert.deepEqual(rests, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440]);
  assert.ok(rests.slice(0, 5).reduce((sum, rest) => sum + rest) > 120, 'at most five attempts in two hours');
});

test('a log-in that is accepted starts anew, and each door is a door of its own', () => {
  const logins = new Logins({ monoMs: () => 0 });
  logins.refused('a', WRONG);
  logins.refused('a', WRONG);
  assert.equal(logins.restsMs('b', WRONG), 0);
  logins.accepted('a');
  assert.equal(logins.restsMs('a', WRONG), 0);
  logins.refused('a', WRONG);
  assert.equal(logins.restsMs('a', WRONG), 5 * MINUTE_MS);
});

test('another password is tried at once, and rests on its own account', () => {
  const logins = new Logins({ monoMs: () => 0 });
  logins.refused('a', WRONG);
  logins.refused('a', WRONG);
  assert.equal(logins.restsMs('a', account('wrong')), 10 * MINUTE_MS, 'the same one, read again');
  assert.equal(logins.restsMs('a', account('other')), 0);
  logins.refused('a', account('other'));
  assert.equal(logins.restsMs('a', account('other')), 5 * MINUTE_MS);
});

test('a refusal outlives the process, by the wall clock, and nothing in its text tells the password', () => {
  const key = new Uint8Array(32).fill(7);
  const before = new Logins({ monoMs: () => 1000 }, key);
  assert.equal(before.unsaved(0), undefined);
  before.refused('a', WRONG);
  before.refused('a', WRONG);
  const text = before.unsaved(50_000) ?? '';
  assert.equal(before.unsaved(50_000), undefined, 'nothing new');
  assert.doesNotMatch(text, /wrong/);

  const after = (wallMs: number, markKey = key): Logins => {
    const logins = new Logins({ monoMs: () => 7 }, markKey);
    logins.takeOver(text, wallMs);
    return logins;
  };
  assert.equal(after(50_000 + 4 * MINUTE_MS).restsMs('a', WRONG), 6 * MINUTE_MS);
  assert.equal(after(50_000).restsMs('a', account('other')), 0);
  assert.equal(after(0).restsMs('a', WRONG), 10 * MINUTE_MS, 'a clock that was put back makes it no longer');
  assert.equal(after(50_000, new Uint8Array(32)).restsMs('a', WRONG), 0, 'a mark of another key says nothing');
  const later = after(50_000 + 11 * MINUTE_MS);
  assert.equal(later.restsMs('a', WRONG), 0);
  later.refused('a', WRONG);
  assert.equal(later.restsMs('a', WRONG), 20 * MINUTE_MS, 'twice as long as before the start');
  before.accepted('a');
  assert.equal(before.unsaved(60_000), '[]');
});
