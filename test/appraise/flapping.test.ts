import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DeviceState, Track } from '../../agent/appraise/device.ts';
import { readDevice, writeDevice } from '../../agent/appraise/device.ts';
import { reviewTrack } from '../../agent/appraise/review.ts';
import { under, waiver } from './standing.ts';
import { HOUR, MINUTE, pools, showing, Watch } from './watch.ts';

/** Catalogue §2: more than three changes within an hour are stated once an hour; what that may hold back, and what not. */

const POOL_USER = 'pool.user-changed';
const worker = (name: string) => pools({ user: `acme.${name}` });

/** A device on which somebody renamed the worker until the finding about it is stated once an hour only. */
const flapping = (): Watch => {
  const watch = Watch.commissioned();
  for (const name of ['a', 'b', 'c', 'd', 'e']) watch.live(3 * MINUTE, showing(worker(name)));
  assert.ok((trackOf(watch).finding.flapping ?? 0) > 3);
  watch.clear();
  return watch;
};

const trackOf = ({ state }: Watch): Track => {
  const track = state.tracks.find(({ finding }) => finding.ruleId === POOL_USER);
  assert.ok(track !== undefined);
  return track;
};

const withTrack = (state: DeviceState, change: (track: Track) => Track): DeviceState => ({
  ...state,
  tracks: state.tracks.map(change),
});

const told = (watch: Watch): readonly (readonly [string, string, unknown])[] =>
  watch.statements
    .filter(({ ruleId }) => ruleId === POOL_USER)
    .map(({ state, severity, after }) => [state, severity, after]);

describe('what a flapping finding never holds back', () => {
  test('a theft behind renamed workers is stated within two minutes', () => {
    const watch = flapping();
    watch.live(2 * MINUTE, showing(pools({ user: 'thief.x' })));
    assert.deepEqual(told(watch), [['open', 'critical', 'thief.x']]);
  });

  test('the next account is, too, though it weighs the same; the former one again is not', () => {
    const watch = flapping();
    watch.live(3 * MINUTE, showing(pools({ user: 'thief.x' })));
    watch.live(3 * MINUTE, showing(pools({ user: 'robber.x' })));
    watch.live(3 * MINUTE, showing(pools({ user: 'thief.x' })));
    watch.live(3 * MINUTE, showing(pools({ user: 'robber.y' })));
    assert.deepEqual(
      told(watch).map(([, , after]) => after),
      ['thief.x', 'robber.x'],
    );
  });

  test('what somebody took note of is open again when another value shows', () => {
    const watch = flapping();
    watch.state = withTrack(
      watch.state,
      (track) => reviewTrack(track, { action: 'acknowledge', by: 'ada' }, watch.nowMs).track ?? track,
    );
    watch.live(3 * MINUTE, showing(worker('f')));
    assert.deepEqual(told(watch), [['open', 'medium', 'acme.f']]);
  });
});

describe('what it holds back', () => {
  test('is stated once the hour is over, as it stands then, and it has calmed down', () => {
    const watch = flapping();
    watch.live(55 * MINUTE, showing(worker('f')));
    assert.deepEqual(told(watch), []);
    watch.live(2 * HOUR, showing(worker('f')));
    assert.deepEqual(told(watch), [['open', 'medium', 'acme.f']]);
    assert.equal(watch.statements[0]?.flapping, undefined);
  });

  test('is stated once an hour while it goes on', () => {
    const watch = flapping();
    for (let turn = 0; turn < 60; turn++) watch.live(3 * MINUTE, showing(worker(`n${turn}`)));
    assert.ok(told(watch).length >= 2 && told(watch).length <= 3, `${told(watch).length} statements in three hours`);
  });

  test('is the account, too, where it is another one all the time', () => {
    const watch = flapping();
    for (let turn = 0; turn < 60; turn++) watch.live(3 * MINUTE, showing(pools({ user: `thief${turn}.x` })));
    assert.ok(told(watch).length <= 3 * 9, `${told(watch).length} statements in three hours`);
  });

  test('a lesser value after a graver one can wait', () => {
    const watch = flapping();
    watch.live(3 * MINUTE, showing(pools({ user: 'thief.x' })));
    watch.clear();
    watch.live(30 * MINUTE, showing(worker('f')));
    assert.deepEqual(told(watch), []);
  });

  test('by a store of an earlier version is stated at the next look: that kept only what the device showed last', () => {
    const watch = flapping();
    watch.live(3 * MINUTE, showing(pools({ user: 'thief.x' })));
    const { said: _, ...former } = trackOf(watch);
    watch.state = readDevice(writeDevice(withTrack(watch.state, () => former)));
    watch.clear();
    watch.live(10 * MINUTE, showing(pools({ user: 'thief.x' })));
    assert.deepEqual(told(watch), [['open', 'critical', 'thief.x']]);
  });
});

describe('what people do is no coming and going', () => {
  test('a finding that is waived three times within an hour is stated each time, begin and end, and is not flapping', () => {
    const watch = Watch.commissioned();
    watch.live(5 * MINUTE, showing(worker('a')));
    for (const minutes of [15, 25, 35]) {
      watch.context = under(() => watch.nowMs, { waivers: [waiver(minutes, [POOL_USER], minutes)] });
      watch.live(10 * MINUTE, showing(worker('a')));
    }
    assert.deepEqual(
      told(watch).map(([state]) => state),
      ['open', 'waived', 'open', 'waived', 'open', 'waived', 'open'],
    );
    assert.ok(watch.statements.every((finding) => finding.flapping === undefined));
  });

  test('the end of a waiver is stated though the finding is flapping', () => {
    const watch = flapping();
    const minutes = Math.ceil((watch.nowMs - (trackOf(watch).finding.firstObservedAt * 1000 - 5 * MINUTE)) / MINUTE);
    watch.context = under(() => watch.nowMs, { waivers: [waiver(40, [POOL_USER], minutes + 5)] });
    watch.live(15 * MINUTE, showing(worker('e')));
    assert.deepEqual(told(watch), [
      ['waived', 'info', 'acme.e'],
      ['open', 'medium', 'acme.e'],
    ]);
  });
});
