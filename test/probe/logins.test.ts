import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Logins, refusedDoors } from '../../agent/probe/logins.ts';

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
  logins.accepted('a', WRONG);
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
  before.accepted('a', WRONG);
  assert.equal(before.unsaved(60_000), '[]');
});

test('a log-in that was never taken is noted before it is shown, with others that come soon; without the note it is not', async () => {
  const notes: string[] = [];
  let takesNotes = true;
  const noteTries = (text: string): boolean => {
    if (takesNotes) notes.push(text);
    return takesNotes;
  };
  const key = new Uint8Array(32).fill(7);
  const logins = new Logins({ monoMs: () => 0 }, key, undefined, noteTries);
  const doors = ['10.0.0.1 80 root', '10.0.0.2 80 root', '10.0.0.3 80 root'];
  assert.deepEqual(await Promise.all(doors.map((door) => logins.mayShow(door, WRONG))), [true, true, true]);
  assert.equal(notes.length, 1, 'together');
  assert.ok(notes[0]?.includes('10.0.0.3 80 root') && !notes[0].includes('wrong'));
  const [taken = '', refused = '', dark = ''] = doors;
  logins.accepted(taken, WRONG);
  logins.refused(refused, WRONG);
  assert.equal(await logins.mayShow(dark, WRONG), true);
  assert.equal(notes.length, 1, 'it stays noted until the refusal is kept');
  assert.notEqual(logins.unsaved(0), undefined);
  logins.forgetTries();
  assert.deepEqual([notes.length, JSON.parse(notes[1] ?? '')[0][0]], [2, dark]);
  assert.equal(await logins.mayShow(dark, WRONG), true);
  assert.equal(await logins.mayShow(taken, WRONG), true);
  logins.forgetTries();
  assert.equal(notes.length, 2, 'nothing new');

  takesNotes = false;
  assert.equal(await logins.mayShow(dark, account('other')), false);
  assert.equal(await logins.mayShow(taken, WRONG), true, 'one that was taken needs none');
  takesNotes = true;
  assert.equal(await logins.mayShow(dark, account('other')), true);
  logins.forgetTries({ all: true });
  assert.equal(notes.at(-1), '[]');
});

test('a log-in that an earlier process showed and saw no answer to rests as one without an answer, and longer each time', async () => {
  const key = new Uint8Array(32).fill(7);
  let noted = '[]';
  let kept = '[]';
  let wallMs = 0;
  const start = () => {
    const note = (text: string): boolean => {
      noted = text;
      return true;
    };
    const logins = new Logins({ monoMs: () => wallMs }, key, undefined, note);
    logins.takeOver(kept, wallMs);
    return { logins, doors: logins.takeOverTries(noted) };
  };
  const rests: number[] = [];
  for (let deaths = 0; deaths < 6; deaths += 1) {
    await start().logins.mayShow('10.0.0.1 80 root', WRONG);
    const { logins, doors } = start();
    assert.deepEqual(doors, [{ host: '10.0.0.1', port: 80, user: 'root' }]);
    rests.push(logins.restsMs('10.0.0.1 80 root', WRONG) / MINUTE_MS);
    assert.equal(logins.restsMs('10.0.0.1 80 root', account('other')), 0);
    assert.equal(logins.whyResting('10.0.0.1 80 root'), 'timeout');
    kept = logins.unsaved(wallMs) ?? '';
    logins.forgetTries();
    assert.equal(noted, '[]');
    assert.equal(start().logins.restsMs('10.0.0.1 80 root', WRONG) / MINUTE_MS, rests.at(-1), 'a further start');
    wallMs += logins.restsMs('10.0.0.1 80 root', WRONG);
  }
  assert.deepEqual(rests, [5, 10, 20, 40, 60, 60]);
});

test('a page that refuses a log-in which another page takes rests alone, and twice as long each time', () => {
  let nowMs = 0;
  const logins = new Logins({ monoMs: () => nowMs });
  const rests: number[] = [];
  for (let refusals = 0; refusals < 4; refusals += 1) {
    logins.accepted('a', WRONG, '/conf');
    logins.refused('a', WRONG, '/system');
    logins.accepted('a', WRONG, '/conf');
    assert.equal(logins.restsMs('a', WRONG, '/conf'), 0);
    rests.push(logins.restsMs('a', WRONG, '/system') / MINUTE_MS);
    nowMs += logins.restsMs('a', WRONG, '/system');
  }
  assert.deepEqual(rests, [5, 10, 20, 40]);
  const text = logins.unsaved(nowMs) ?? '';
  logins.accepted('a', WRONG, '/system');
  assert.equal(logins.restsMs('a', WRONG, '/system'), 0);
  assert.equal(logins.unsaved(nowMs), '[]');
  const key = new Uint8Array(32);
  const before = new Logins({ monoMs: () => 0 }, key);
  before.accepted('a', WRONG, '/conf');
  before.refused('a', WRONG, '/system');
  const after = new Logins({ monoMs: () => 0 }, key);
  after.takeOver(before.unsaved(0) ?? '', MINUTE_MS);
  assert.equal(after.restsMs('a', WRONG, '/system'), 4 * MINUTE_MS);
  assert.equal(after.restsMs('a', WRONG, '/conf'), 0);
  assert.notEqual(text, '[]');
});

test('a page that refuses does not use up each try before one that takes the log-in is asked', () => {
  let nowMs = 0;
  const logins = new Logins({ monoMs: () => nowMs });
  // The page that refuses is asked first, in every look.
  const look = (): readonly string[] => {
    const asked: string[] = [];
    for (const page of ['/system', '/conf']) {
      if (logins.restsMs('a', WRONG, page) > 0) continue;
      asked.push(page);
      if (page === '/system') logins.refused('a', WRONG, page);
      else logins.accepted('a', WRONG, page);
    }
    return asked;
  };
  const asked: (readonly string[])[] = [];
  for (; nowMs <= 15 * MINUTE_MS; nowMs += MINUTE_MS) asked.push(look());
  assert.deepEqual(asked[0], ['/system']);
  assert.deepEqual(
    asked.slice(1, 5),
    Array.from({ length: 4 }, () => []),
  );
  // From now on the one is read at every look, and the other alone waits.
  assert.ok(asked.slice(5).every((pages) => pages.includes('/conf')));
  assert.equal(
    asked
      .slice(5)
      .flat()
      .filter((page) => page === '/system').length,
    1,
  );
});

test('no order of pages makes more than two tries of a wrong password, or more than the pauses allow', () => {
  for (const wasTaken of [false, true]) {
    let nowMs = 0;
    const logins = new Logins({ monoMs: () => nowMs });
    if (wasTaken) logins.accepted('a', WRONG, '/0');
    const tries: number[] = [];
    for (; nowMs < 120 * MINUTE_MS; nowMs += MINUTE_MS) {
      for (let page = 0; page < 8; page += 1) {
        if (logins.restsMs('a', WRONG, `/${page}`) > 0) continue;
        tries.push(nowMs / MINUTE_MS);
        logins.refused('a', WRONG, `/${page}`);
      }
    }
    assert.deepEqual(tries, wasTaken ? [0, 0, 5, 15, 35, 75] : [0, 5, 15, 35, 75]);
  }
});

test('where every page refuses, a log-in that is right again is found out by whichever is due', () => {
  let nowMs = 0;
  const logins = new Logins({ monoMs: () => nowMs });
  let isRight = false;
  let readAtMs = Number.POSITIVE_INFINITY;
  for (; nowMs < 300 * MINUTE_MS; nowMs += MINUTE_MS) {
    if (nowMs > 30 * MINUTE_MS) isRight = true;
    for (const page of ['/a', '/b', '/c']) {
      if (logins.restsMs('a', WRONG, page) > 0) continue;
      if (!isRight) logins.refused('a', WRONG, page);
      else {
        logins.accepted('a', WRONG, page);
        readAtMs = Math.min(readAtMs, nowMs);
      }
    }
  }
  assert.ok(readAtMs <= 75 * MINUTE_MS, `${readAtMs / MINUTE_MS} min`);
  for (const page of ['/a', '/b', '/c']) assert.equal(logins.restsMs('a', WRONG, page), 0);
});

test('that a log-in is refused is told once, and so is that it is taken again; whoever looks knows which are refused', () => {
  let nowMs = 0;
  const told: string[] = [];
  const logins = new Logins({ monoMs: () => nowMs }, new Uint8Array(32), ({ host, port, user }, became) =>
    told.push(`${host}:${port} ${user} ${became}`),
  );
  const door = '10.0.0.1 80 the user';
  const right = account('right');
  const refused = () => refusedDoors(logins.unsaved(nowMs) ?? '[]');
  for (let tries = 0; tries < 3; tries += 1) {
    logins.refused(door, WRONG, `/page${tries}`);
    nowMs += 90 * MINUTE_MS;
  }
  assert.deepEqual(refused(), [{ host: '10.0.0.1', port: 80, user: 'the user' }]);
  logins.refused(door, account('another'), '/page');
  assert.deepEqual(told, ['10.0.0.1:80 the user refused']);
  logins.accepted(door, right, '/page');
  assert.equal(told.at(-1), '10.0.0.1:80 the user taken');
  logins.refused(door, right, '/one');
  assert.deepEqual([told.length, refused()], [2, []], 'one page that refuses what another took is no refusal');
  logins.refused(door, right, '/page');
  assert.equal(told.length, 3);
});

test('who gives no answer to a log-in refuses nothing', () => {
  const told: string[] = [];
  const logins = new Logins({ monoMs: () => 0 }, new Uint8Array(32), (_, became) => told.push(became));
  logins.unanswered('10.0.0.1 80 root', WRONG, 'timeout', '/page');
  assert.deepEqual([told, refusedDoors(logins.unsaved(0) ?? '[]')], [[], []]);
});
