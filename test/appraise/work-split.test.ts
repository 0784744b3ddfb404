import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axeos } from '../../agent/drivers/axeos.ts';
import { questionOf } from '../../agent/drivers/driver.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { LookKind } from '../../agent/normalise/observation.ts';
import type { NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';
import { loadSpecimens, replyBytes, type Specimen } from '../specimens/specimen.ts';
import { ADDRESS, MINUTE, runningOn, Watch } from './watch.ts';

/** A NerdQAxe mines on one pool and keeps another one ready, or splits its work between the two. */

const nerd = (name: string): Specimen => loadSpecimens().find((one) => one.name === `axeos/${name}`) as Specimen;

/** What somebody changed at the device, as texts of whichever replies have them. */
type Edits = readonly (readonly [from: RegExp, to: string])[];

const replyTo = (specimen: Specimen, question: string, edits: Edits): Reply | NoReply => {
  if (specimen.device.replies[question]?.file === undefined) return noReply('unsupported', 'not served');
  const text = new TextDecoder().decode(replyBytes(specimen, question));
  return readReply(Buffer.from(edits.reduce((told, [from, to]) => told.replace(from, to), text)), { whole: true });
};

const take = (watch: Watch, look: LookKind, specimen: Specimen, edits: Edits): void => {
  const asked = Object.entries(axeos.queries).filter(([, { cadence }]) => look === 'full' || cadence === 'pools');
  const replies = asked.map(([name, query]) => [name, replyTo(specimen, questionOf(query), edits)] as const);
  const capture = { address: ADDRESS, observedAtMs: watch.nowMs, replies: new Map(replies) };
  watch.take({ kind: 'observed', observation: runningOn(normalise(axeos, capture, look)) });
  watch.nowMs += MINUTE;
};

const live = (watch: Watch, minutes: number, specimen: Specimen, edits: Edits = []): void => {
  for (let minute = 0; minute < minutes; minute += 1) take(watch, minute % 3 === 0 ? 'full' : 'pools', specimen, edits);
};

/** As it was for ten minutes. */
const known = (specimen: Specimen, edits: Edits = []): Watch => {
  const watch = new Watch();
  live(watch, 10, specimen, edits);
  watch.clear();
  live(watch, 30, specimen, edits);
  assert.deepEqual(watch.said(), [], 'nothing is told of a device on which nothing changed');
  return watch;
};

const sharesIn = (value: unknown) =>
  (value as readonly { share_ppm?: number }[] | undefined)?.map(({ share_ppm: share }) => share);

const orderOf = (watch: Watch) => {
  const [finding] = watch.opened('pool.priority-changed');
  return [finding?.severity, sharesIn(finding?.before), sharesIn(finding?.after)];
};

const BALANCE = /"poolBalance":\s*60/;

test('pool.priority-changed: a NerdQAxe whose work was split 60 to 40 gives the first pool 1 percent', () => {
  const v2 = nerd('nerdqaxe-v2');
  const watch = known(v2);
  live(watch, 5, v2, [[BALANCE, '"poolBalance": 1']]);
  assert.deepEqual(watch.said(), ['pool.priority-changed open']);
  assert.deepEqual(orderOf(watch), ['medium', [600_000, 400_000], [10_000, 990_000]]);
  watch.clear();
  live(watch, 5, v2);
  assert.deepEqual(watch.said(), ['pool.priority-changed resolved']);
});

const SINGLE: Edits = [[/"poolMode":\s*0/, '"poolMode": 0,\n"poolBalance": 10']];
const SET_DUAL: Edits = [[/"poolMode":\s*0/, '"poolMode": 1,\n"poolBalance": 10']];
const RUNS_DUAL: Edits = [
  [/"activePoolMode":\s*0/, '"activePoolMode": 1'],
  [/"connected":\s*false/, '"connected": true'],
];

test('pool.priority-changed: the second pool of a NerdQAxe is mined on beside the first, from the setting until it is taken back in what runs', () => {
  const v1 = nerd('nerdqaxe-v1');
  const watch = known(v1, SINGLE);
  live(watch, 5, v1, SET_DUAL);
  assert.deepEqual(watch.said().toSorted(), ['config.drift open', 'pool.priority-changed open']);
  assert.deepEqual(orderOf(watch), ['medium', [undefined, undefined], [100_000, 900_000]]);
  assert.deepEqual(watch.opened('config.drift')[0]?.after, [{ key: 'other.poolMode', value: '1' }]);
  watch.clear();
  live(watch, 5, v1, [...SET_DUAL, ...RUNS_DUAL]);
  assert.deepEqual(watch.said(), []);
  live(watch, 8, v1, [...SINGLE, ...RUNS_DUAL]);
  assert.deepEqual(watch.said(), ['config.drift resolved'], 'until its next start it splits its work');
  live(watch, 5, v1, SINGLE);
  assert.deepEqual(watch.said(), ['config.drift resolved', 'pool.priority-changed resolved']);
});

test('config.drift: both pools of a NerdQAxe that tells no balance are mined on at once', () => {
  const v1 = nerd('nerdqaxe-v1');
  const watch = known(v1);
  live(watch, 5, v1, [[/"poolMode":\s*0/, '"poolMode": 1'], ...RUNS_DUAL]);
  assert.deepEqual(watch.opened('config.drift')[0]?.after, [{ key: 'other.poolMode', value: '1' }]);
});

test('config.drift: what only the settings of API v2 tell of a pool, its key, say, is another one', () => {
  const v2 = nerd('nerdqaxe-v2');
  const keyed = (key: string): Edits => [[/"protocol": 0/, `"protocol": 1, "sv2AuthorityPubkey": "${key}"`]];
  for (const [before, after, was] of [
    ['9ownerKey', '9thiefKey', '9ownerKey'],
    ['', '9thiefKey', 'none'],
  ] as const) {
    const watch = known(v2, keyed(before));
    live(watch, 8, v2, keyed(after));
    const [finding] = watch.opened('config.drift');
    assert.deepEqual(finding?.before, [{ key: 'other.pool.0.sv2AuthorityPubkey', value: was }]);
    assert.deepEqual(finding?.after, [{ key: 'other.pool.0.sv2AuthorityPubkey', value: after }]);
  }
});
