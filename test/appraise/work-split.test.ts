import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axeos } from '../../agent/drivers/axeos.ts';
import { luxos } from '../../agent/drivers/luxos.ts';
import { type Edits, SpecimenLife } from './specimen-life.ts';
import type { Watch } from './watch.ts';

/**
 * A NerdQAxe mines on one pool and keeps another one ready, or splits its work between the two; a LuxOS splits it between groups of
 * pools.
 */

const sharesIn = (value: unknown) =>
  (value as readonly { share_ppm?: number }[] | undefined)?.map(({ share_ppm: share }) => share);

const orderOf = (watch: Watch) => {
  const [finding] = watch.opened('pool.priority-changed');
  return [finding?.severity, sharesIn(finding?.before), sharesIn(finding?.after)];
};

test('pool.priority-changed: a NerdQAxe whose work was split 60 to 40 gives the first pool 1 percent', () => {
  const life = new SpecimenLife(axeos, 'axeos/nerdqaxe-v2');
  const watch = life.settle();
  life.live(5, { edits: [[/"poolBalance":\s*60/g, '"poolBalance": 1']] });
  assert.deepEqual(watch.said(), ['pool.priority-changed open']);
  assert.deepEqual(orderOf(watch), ['medium', [600_000, 400_000], [10_000, 990_000]]);
  watch.clear();
  life.live(5);
  assert.deepEqual(watch.said(), ['pool.priority-changed resolved']);
});

const SINGLE: Edits = [[/"poolMode":\s*0/g, '"poolMode": 0,\n"poolBalance": 10']];
const SET_DUAL: Edits = [[/"poolMode":\s*0/g, '"poolMode": 1,\n"poolBalance": 10']];
const RUNS_DUAL: Edits = [
  [/"activePoolMode":\s*0/g, '"activePoolMode": 1'],
  [/"connected":\s*false/g, '"connected": true'],
];

test('pool.priority-changed: the second pool of a NerdQAxe is mined on beside the first, from the setting until it is taken back in what runs', () => {
  const life = new SpecimenLife(axeos, 'axeos/nerdqaxe-v1');
  const watch = life.settle({ edits: SINGLE });
  life.live(5, { edits: SET_DUAL });
  assert.deepEqual(watch.said().toSorted(), ['config.drift open', 'pool.priority-changed open']);
  assert.deepEqual(orderOf(watch), ['medium', [undefined, undefined], [100_000, 900_000]]);
  assert.deepEqual(watch.opened('config.drift')[0]?.after, [{ key: 'other.poolMode', value: '1' }]);
  watch.clear();
  life.live(5, { edits: [...SET_DUAL, ...RUNS_DUAL] });
  assert.deepEqual(watch.said(), []);
  life.live(8, { edits: [...SINGLE, ...RUNS_DUAL] });
  assert.deepEqual(watch.said(), ['config.drift resolved'], 'until its next start it splits its work');
  life.live(5, { edits: SINGLE });
  assert.deepEqual(watch.said(), ['config.drift resolved', 'pool.priority-changed resolved']);
});

test('config.drift: both pools of a NerdQAxe that tells no balance are mined on at once', () => {
  const life = new SpecimenLife(axeos, 'axeos/nerdqaxe-v1');
  const watch = life.settle();
  life.live(5, { edits: [[/"poolMode":\s*0/g, '"poolMode": 1'], ...RUNS_DUAL] });
  assert.deepEqual(watch.opened('config.drift')[0]?.after, [{ key: 'other.poolMode', value: '1' }]);
});

test('config.drift: what only the settings of API v2 tell of a pool, its key, say, is another one', () => {
  const keyed = (key: string): Edits => [['"protocol": 0', `"protocol": 1, "sv2AuthorityPubkey": "${key}"`]];
  for (const [before, told] of [
    ['9ownerKey', '9ownerKey'],
    ['', 'none'],
  ] as const) {
    const life = new SpecimenLife(axeos, 'axeos/nerdqaxe-v2');
    const watch = life.settle({ edits: keyed(before) });
    life.live(8, { edits: keyed('9thiefKey') });
    const [finding] = watch.opened('config.drift');
    const keys = ['other.pool.0.sv2AuthorityPubkey', 'other.pool.1.sv2AuthorityPubkey'];
    assert.deepEqual(
      [finding?.before, finding?.after],
      [keys.map((key) => ({ key, value: told })), keys.map((key) => ({ key, value: '9thiefKey' }))],
    );
  }
});

const quotas = (first: number, second: number): Edits => [
  ['"Quota":0.75', `"Quota":${first}`],
  ['"Quota":0.25', `"Quota":${second}`],
];

test('pool.priority-changed: the groups of a LuxOS with quotas of 0.95 and 0.05 change them', () => {
  const life = new SpecimenLife(luxos, 'luxos/s21-atm');
  const watch = life.settle({ edits: quotas(0.95, 0.05) });
  life.live(5, { edits: quotas(0.05, 0.95) });
  assert.deepEqual(watch.said().toSorted(), ['config.drift open', 'pool.priority-changed open']);
  assert.deepEqual(orderOf(watch), ['medium', [950_000, 50_000], [50_000, 950_000]]);
  watch.clear();
  life.live(8, { edits: quotas(0.95, 0.05) });
  assert.deepEqual(watch.said().toSorted(), ['config.drift resolved', 'pool.priority-changed resolved']);
});

test('pool.priority-changed: quotas of a LuxOS become fractions that give nearly all work to one group', () => {
  const life = new SpecimenLife(luxos, 'luxos/s21-atm');
  const watch = life.settle({ edits: quotas(1, 1) });
  life.live(5, { edits: quotas(0.05, 0.95) });
  assert.deepEqual(orderOf(watch), ['medium', [undefined, undefined], [50_000, 950_000]]);
});
