import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { accessIn, openWithout } from '../../agent/drivers/write-access.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { JsonObject, JsonValue, Reply } from '../../agent/probe/capture.ts';
import { ABSENT, present, unknown } from '../../shared/facts.ts';
import { HOUR, showing, Watch } from '../appraise/watch.ts';
import { driverOf } from './captured.ts';

const replied = (value: JsonObject): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

const access = (CHECK: JsonValue) =>
  accessIn('check').read(new Map([['check', replied({ STATUS: [{ STATUS: 'S', Code: 72 }], CHECK })]]));

test('`check` says whether a command that the program has is open to this gateway', () => {
  assert.deepEqual(access([{ Exists: 'Y', Access: 'Y' }]), present(true));
  assert.deepEqual(access([{ Exists: 'Y', Access: 'N' }]), present(false));
  assert.deepEqual(access([{ Access: 'N' }]), present(false));
});

test('`check` says nothing of the access where the program does not have the command (Avalon Q)', () => {
  assert.deepEqual(access([{ Exists: 'N', Access: 'N' }]), ABSENT);
});

test('what `check` says is unknown where it cannot be read', () => {
  for (const row of [7, { Exists: 'maybe', Access: 'N' }, { Exists: 'Y', Access: [] }])
    assert.deepEqual(access([row]), unknown('unreadable'), JSON.stringify(row));
});

test('every driver that asks `check` reads it so', () => {
  const asking = DRIVERS.flatMap(({ family, queries, facts }) =>
    Object.entries(queries).flatMap(([name, query]) =>
      query.kind === 'cgminer' && query.command === 'check'
        ? [{ family, name, source: facts['access.api_write'] }]
        : [],
    ),
  );
  assert.ok(asking.length >= 8, `${asking.length} ask it`);
  const unknownCommand = replied({ STATUS: [{ STATUS: 'S', Code: 72 }], CHECK: [{ Exists: 'N', Access: 'N' }] });
  for (const { family, name, source } of asking)
    assert.deepEqual(source?.read(new Map([[name, unknownCommand]])), ABSENT, family);
});

test('a device that says whether a write needs a password or a code is open without', () => {
  assert.deepEqual(openWithout(false), present(true));
  assert.deepEqual(openWithout('disabled'), present(true));
  assert.deepEqual(openWithout(true), present(false));
  assert.deepEqual(openWithout(null), ABSENT);
  assert.deepEqual(openWithout('perhaps'), unknown('unreadable'));
});

test('remote-control.api-write-open: a Proto rig without a password, once, until one is set', () => {
  const factsOf = (password_set: boolean) => {
    const replies = new Map([['status', replied({ onboarded: password_set, password_set })]]);
    return normalise(driverOf('proto'), { address: '192.0.2.7', observedAtMs: 0, replies }, 'full').facts;
  };
  const watch = new Watch();
  const said = () => watch.said().filter((one) => one.startsWith('remote-control.api-write-open'));
  watch.live(2 * HOUR, showing(factsOf(false)));
  assert.deepEqual(said(), ['remote-control.api-write-open open']);
  watch.live(2 * HOUR, showing(factsOf(true)));
  assert.deepEqual(said(), ['remote-control.api-write-open open', 'remote-control.api-write-open resolved']);
  const set = new Watch();
  set.live(2 * HOUR, showing(factsOf(true)));
  assert.deepEqual(set.opened('remote-control.api-write-open'), []);
});
