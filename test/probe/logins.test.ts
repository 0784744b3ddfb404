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
    assert.equal(logins.whyResting('10.0.0.1 80 root', WRONG), 'timeout');
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

test('no order of pages makes more than two tries of a wrong password, or more than the pauses allow; one that took it before makes one', () => {
  for (const took of [undefined, '/0', '/7'] as const) {
    let nowMs = 0;
    const logins = new Logins({ monoMs: () => nowMs });
    if (took !== undefined) logins.accepted('a', WRONG, took);
    const tries: number[] = [];
    for (; nowMs < 120 * MINUTE_MS; nowMs += MINUTE_MS) {
      for (let page = 0; page < 8; page += 1) {
        if (logins.restsMs('a', WRONG, `/${page}`) > 0) continue;
        tries.push(nowMs / MINUTE_MS);
        logins.refused('a', WRONG, `/${page}`);
      }
    }
    assert.deepEqual(tries, took === '/7' ? [0, 0, 5, 15, 35, 75] : [0, 5, 15, 35, 75]);
  }
});

test('a page that refuses what it took before refuses the log-in; one that never took it refuses for itself', () => {
  const logins = new Logins({ monoMs: () => 0 });
  for (const page of ['/conf', '/network']) logins.accepted('a', WRONG, page);
  logins.refused('a', WRONG, '/system');
  assert.equal(logins.restsMs('a', WRONG, '/conf'), 0);
  logins.accepted('a', WRONG, '/conf');
  logins.refused('a', WRONG, '/conf');
  assert.equal(logins.restsMs('a', WRONG, '/network'), 5 * MINUTE_MS);
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

// ---- several passwords for one account -------------------------------------------------------------------------------

const DOOR = '10.0.0.1 80 root';
const KEY = new Uint8Array(32).fill(7);

/** A door to which several passwords are shown as looks do, with what a restart leaves. */
class Account {
  nowMs = 0;
  logins: Logins;
  readonly shown: (readonly [minute: number, password: string])[] = [];
  right: string | undefined;

  constructor() {
    this.logins = this.#start();
  }

  #start = (): Logins => new Logins({ monoMs: () => this.nowMs }, KEY, undefined, () => true);

  restart(): void {
    const text = this.logins.unsaved(this.nowMs);
    const logins = this.#start();
    if (text !== undefined) this.#kept = text;
    logins.takeOver(this.#kept, this.nowMs);
    this.logins = logins;
  }

  #kept = '[]';

  /** One look with this log-in; what became of it. */
  look(credential: ReturnType<typeof account>, page = '/conf'): 'rests' | 'refused' | 'taken' {
    if (this.logins.restsMs(DOOR, credential, page) > 0) return 'rests';
    void this.logins.mayShow(DOOR, credential);
    if (credential.password() === this.right) {
      this.logins.accepted(DOOR, credential, page);
      return 'taken';
    }
    this.shown.push([this.nowMs / MINUTE_MS, credential.password()]);
    this.logins.refused(DOOR, credential, page);
    return 'refused';
  }

  /** Most wrong passwords that were shown within so many minutes. */
  mostWithin(minutes: number): number {
    const times = this.shown.map(([minute]) => minute);
    return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + minutes).length));
  }
}

test('each password that an account refused rests by itself: one that is taken ends no rest of another, nor does its refusal', () => {
  const device = new Account();
  device.right = 'new';
  const [old, right] = [account('old'), account('new')];
  const unread: number[] = [];
  for (; device.nowMs < 120 * MINUTE_MS; device.nowMs += MINUTE_MS) {
    device.look(old);
    if (device.look(right) !== 'taken') unread.push(device.nowMs / MINUTE_MS);
  }
  assert.deepEqual(device.shown, [
    [0, 'old'],
    [5, 'old'],
    [15, 'old'],
    [35, 'old'],
    [75, 'old'],
  ]);
  assert.deepEqual(unread, []);
});

test('two wrong passwords of one account alternate no faster than their rests allow', () => {
  const device = new Account();
  const both = [account('one'), account('two')];
  for (; device.nowMs < 24 * 60 * MINUTE_MS; device.nowMs += MINUTE_MS / 3) for (const one of both) device.look(one);
  assert.deepEqual(
    device.shown.slice(0, 6).map(([minute]) => minute),
    [0, 0, 5, 5, 20, 20],
  );
  assert.ok(device.shown.length <= 2 * 10, `${device.shown.length}`);
});

test('however many passwords of one account are configured, four wrong ones are shown within twenty minutes, and few in a day, over restarts too', () => {
  for (const isOneRight of [false, true]) {
    const device = new Account();
    const passwords = Array.from({ length: 12 }, (_, at) => account(`password ${at}`));
    if (isOneRight) device.right = 'password 2';
    for (let looks = 0; device.nowMs < 24 * 60 * MINUTE_MS; looks += 1, device.nowMs += MINUTE_MS) {
      if (looks % 7 === 3) device.restart();
      for (const one of passwords) device.look(one);
    }
    assert.equal(device.mostWithin(20), 4);
    assert.ok(device.shown.length <= 4 * 10, `${device.shown.length} in a day`);
    if (isOneRight)
      assert.equal(device.look(account('password 2')), 'taken', 'also after a start that does not know it');
  }
});

test('wrong answers in the first quarter of an hour, hour and day are as many as docs/decisions/0015 says', () => {
  const counted = (passwords: number): readonly number[] => {
    const device = new Account();
    const all = Array.from({ length: passwords }, (_, at) => account(`password ${at}`));
    for (; device.nowMs < 24 * 60 * MINUTE_MS; device.nowMs += MINUTE_MS / 3) for (const one of all) device.look(one);
    return [15, 60, 24 * 60].map((minutes) => device.shown.filter(([minute]) => minute < minutes).length);
  };
  assert.deepEqual(counted(1), [2, 4, 9]);
  for (const many of [4, 12]) assert.deepEqual(counted(many), [4, 12, 36]);
});

test('the fifth password within twenty minutes waits, and is then tried; one that is taken makes way for others', () => {
  const device = new Account();
  for (const word of ['one', 'two', 'three', 'four']) assert.equal(device.look(account(word)), 'refused');
  device.right = 'five';
  assert.equal(device.look(account('five')), 'rests');
  assert.equal(device.logins.whyResting(DOOR, account('five')), undefined);
  device.restart();
  assert.equal(device.look(account('five')), 'rests', 'after a start');
  device.nowMs = 20 * MINUTE_MS;
  assert.equal(device.look(account('five')), 'taken');
  device.restart();
  assert.equal(device.look(account('five')), 'taken', 'after a start, too');
});

test('the password that was taken last never waits for others, over restarts neither, until it is refused itself', () => {
  for (const kills of [0, 1, 3]) {
    const device = new Account();
    device.right = 'right';
    assert.equal(device.look(account('right')), 'taken');
    for (const [at, word] of ['one', 'two', 'three', 'four'].entries()) {
      assert.equal(device.look(account(word)), 'refused');
      if (at < kills) device.restart();
    }
    assert.equal(device.look(account('five')), 'rests');
    assert.equal(device.look(account('right')), 'taken', `${kills} restarts`);
    device.right = 'changed';
    device.restart();
    device.nowMs += MINUTE_MS;
    assert.equal(device.look(account('right')), 'refused', 'once');
    device.nowMs += 5 * MINUTE_MS;
    assert.equal(device.look(account('right')), 'rests', 'it is one of those that wait');
    device.restart();
    assert.equal(device.look(account('right')), 'rests', 'after a start, too');
  }
});

test('that a log-in is refused is known after a start, whatever was taken before', () => {
  const device = new Account();
  device.right = 'right';
  device.look(account('right'));
  device.look(WRONG);
  const text = device.logins.unsaved(0) ?? '';
  assert.deepEqual(refusedDoors(text), [{ host: '10.0.0.1', port: 80, user: 'root' }]);
  const after = new Logins({ monoMs: () => 0 }, KEY);
  after.takeOver(text, 0);
  assert.equal(after.isRefused, true);
  assert.doesNotMatch(text, /right/);
});

test('a log-in that could not be shown is none that was', async () => {
  const device = new Account();
  for (let looks = 0; looks < 10; looks += 1) {
    await device.logins.mayShow(DOOR, WRONG);
    device.logins.unshown(DOOR, WRONG);
  }
  assert.equal(device.logins.restsMs(DOOR, WRONG), 0);
  const failing = new Logins({ monoMs: () => 0 }, KEY, undefined, () => false);
  for (let looks = 0; looks < 5; looks += 1) assert.equal(await failing.mayShow(DOOR, WRONG), false);
  assert.equal(failing.restsMs(DOOR, WRONG), 0);
});

test('a log-in that was taken, was shown in vain and then did not reach the device was shown once all the same', () => {
  const logins = new Logins({ monoMs: () => 0 });
  logins.accepted(DOOR, WRONG, '/conf');
  for (const counted of [true, true, true, false]) {
    assert.equal(logins.repeats(DOOR, WRONG), counted);
    logins.unreached(DOOR, WRONG);
  }
  logins.accepted(DOOR, WRONG, '/conf');
  assert.equal(logins.repeats(DOOR, WRONG), true, 'it was taken since');
});

test('the password that was taken last and refused by a page since waits for others, however long ago that was, over restarts too', () => {
  for (const restarts of [false, true]) {
    const device = new Account();
    device.right = 'right';
    assert.equal(device.look(account('right')), 'taken');
    device.right = 'changed';
    assert.equal(device.look(account('right'), '/system'), 'refused');
    device.nowMs = 60 * MINUTE_MS;
    for (const word of ['one', 'two', 'three', 'four']) {
      assert.equal(device.look(account(word)), 'refused');
      if (restarts) device.restart();
    }
    assert.equal(device.look(account('right'), '/network'), 'rests');
    device.nowMs += 20 * MINUTE_MS;
    assert.equal(device.look(account('right'), '/network'), 'refused');
  }
});

test('what is shown of one account at the same time counts before anything is known of it', async () => {
  const device = new Account();
  const passwords = Array.from({ length: 10 }, (_, at) => account(`password ${at}`));
  const shown = passwords.filter((one) => {
    if (device.logins.restsMs(DOOR, one, '/conf') > 0) return false;
    void device.logins.mayShow(DOOR, one);
    return true;
  });
  assert.equal(shown.length, 4);
});

test('the notes of two passwords that are shown to one account stand beside each other', async () => {
  let noted = '[]';
  const logins = new Logins({ monoMs: () => 0 }, KEY, undefined, (text) => {
    noted = text;
    return true;
  });
  const [one, two] = [account('one'), account('two')];
  await logins.mayShow(DOOR, one);
  logins.refused(DOOR, one);
  await logins.mayShow(DOOR, two);
  const after = new Logins({ monoMs: () => 0 }, KEY);
  assert.equal(after.takeOverTries(noted).length, 2);
  for (const each of [one, two]) assert.equal(after.restsMs(DOOR, each), 5 * MINUTE_MS);
  assert.equal(after.restsMs(DOOR, account('three')), 0);
});

test('a session belongs to the log-in that opened it, also as the configuration that was read again has it', () => {
  const logins = new Logins({ monoMs: () => 0 });
  logins.opened(DOOR, account('right'), { headers: [['Cookie', 'sid=1']] });
  assert.deepEqual(logins.session(DOOR, account('right'))?.headers, [['Cookie', 'sid=1']]);
  assert.equal(logins.session(DOOR, WRONG), undefined);
});

test('what an earlier build kept is taken for what it says, and the other way round', () => {
  // As `unsaved` wrote it before a door had several: a password refused as a whole, and a page.
  const mark = new Logins({ monoMs: () => 0 }, KEY);
  mark.refused(DOOR, WRONG);
  const [[, , , of]] = JSON.parse(mark.unsaved(0) ?? '[]');
  const text = JSON.stringify([
    [DOOR, 10 * MINUTE_MS, 10 * MINUTE_MS, of, [['/system', 20 * MINUTE_MS, 20 * MINUTE_MS]], 'refused'],
    ['10.0.0.2 80 root', 5 * MINUTE_MS, 5 * MINUTE_MS, of],
  ]);
  assert.equal(refusedDoors(text).length, 2);
  const logins = new Logins({ monoMs: () => 0 }, KEY);
  logins.takeOver(text, MINUTE_MS);
  assert.deepEqual(
    [logins.restsMs(DOOR, WRONG), logins.restsMs(DOOR, WRONG, '/system'), logins.restsMs('10.0.0.2 80 root', WRONG)],
    [9 * MINUTE_MS, 19 * MINUTE_MS, 4 * MINUTE_MS],
  );
  assert.equal(logins.restsMs(DOOR, account('other')), 0);
  logins.refused(DOOR, account('other'));
  const rows = JSON.parse(logins.unsaved(MINUTE_MS) ?? '[]') as readonly (readonly unknown[])[];
  assert.deepEqual(
    rows.map(([door, untilMs]) => [door, untilMs]),
    [
      [DOOR, 10 * MINUTE_MS],
      [DOOR, 6 * MINUTE_MS],
      ['10.0.0.2 80 root', 5 * MINUTE_MS],
    ],
    'the newest refusal of a door last: an earlier build keeps that one',
  );
});
