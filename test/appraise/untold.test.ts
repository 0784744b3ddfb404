import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attestedClaims } from '../../agent/appraise/accept.ts';
import { notePools } from '../../agent/appraise/agreement.ts';
import { untoldOf } from '../../agent/appraise/untold.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import type { FactName, Facts } from '../../shared/facts.ts';
import { type Gaps, honest, MINUTE, POOLS, Watch } from './watch.ts';

/** What a person who accepts a device is told that it does not tell. */

const { user: _, ...NO_USER } = POOLS[0];

const untold = ({ state }: Watch) =>
  untoldOf(state, { known: keptFacts(state.reference?.facts), claims: attestedClaims(state) });

/** After ten minutes in which all was told, but for what this machine never tells, and an hour with these gaps. */
const told = (gaps: Gaps, changes: Facts = {}, never: readonly FactName[] = []): readonly string[] => {
  const watch = new Watch();
  const facts = (nowMs: number): Facts =>
    Object.fromEntries(Object.entries(honest(nowMs, changes)).filter(([fact]) => !never.includes(fact as FactName)));
  watch.live(10 * MINUTE, (nowMs) => ({ facts: facts(nowMs) }));
  watch.live(70 * MINUTE, (nowMs) => ({ facts: facts(nowMs), gaps }));
  return untold(watch).map(({ fact, why }) => `${fact} ${why}`);
};

test('a device that tells all leaves nothing out, and what few families tell is not missed', () => {
  assert.deepEqual(told({}), []);
  assert.deepEqual(told({}, {}, ['config.mode', 'network.dns', 'identity.psu']), []);
});

test('what the reference knows is left out, behind a closed surface, or was not read; what nobody ever saw was never told', () => {
  assert.deepEqual(told({ 'identity.serial': 'absent' }), ['identity.serial left-out']);
  assert.deepEqual(told({ 'config.mode': 'unreadable' }), ['config.mode left-out']);
  assert.deepEqual(told({ 'network.dns': 'refused' }), ['network.dns closed']);
  assert.deepEqual(told({ 'identity.serial': 'refused' }, {}, ['identity.serial', 'identity.mac']), [
    'identity.serial never-told',
    'identity.mac never-told',
  ]);
});

test('what was lost when a device was attested was not read, and pools neither while a row of looks cannot read them', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, (nowMs) => ({
    facts: honest(nowMs, { 'network.hostname': 'bench-1' }),
    gaps: { 'config.mode': 'timeout' },
  }));
  assert.deepEqual(untold(watch), [{ fact: 'config.mode', why: 'unread' }]);
  watch.live(20 * MINUTE, (nowMs) => ({ facts: honest(nowMs) }));
  assert.deepEqual(untold(watch), []);
  notePools(watch.state, false, { gaps: new Map(), observedAtMs: watch.nowMs });
  assert.deepEqual(untold(watch), [{ fact: 'pools', why: 'unread' }]);
  watch.live(20 * MINUTE, (nowMs) => ({ facts: honest(nowMs, { pools: [NO_USER, POOLS[1], POOLS[2]] }) }));
  assert.deepEqual(untold(watch), [{ fact: 'pools.user', why: 'left-out' }], 'they are read, but for the user');
});

test('of pools that are told a user may be left out, or never have been told; of pools that are not, nobody asks that', () => {
  assert.deepEqual(told({}, { pools: [NO_USER, POOLS[1]] }), ['pools.user never-told']);
  assert.deepEqual(told({ pools: 'absent' }, { pools: [POOLS[0]] }), ['pools left-out']);
});
