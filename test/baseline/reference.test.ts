import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept, attestedClaims } from '../../agent/appraise/accept.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import { citedReference, diffReference, withEntry } from '../../agent/baseline/reference.ts';
import { HOUR, honest, MINUTE, pools, showing, Watch } from '../appraise/watch.ts';

const EVIL = pools({ user: 'mallory.rig0417' });
const TERMS = { by: 'kim', seq: 900 };

test('for each fact the newest entry of the strongest approval holds', () => {
  const learned = withEntry(
    undefined,
    { seq: 4, approval: 'none' },
    { 'config.mode': 'a', 'network.hostname': 'a', 'access.ssh': false },
  );
  const accepted = withEntry(
    learned,
    { seq: 9, approval: 'local', facts: ['config.mode'] },
    { 'config.mode': 'b', 'network.hostname': 'b' },
  );
  const reference = withEntry(
    accepted,
    { seq: 12, approval: 'none', facts: ['network.hostname'] },
    { 'config.mode': 'c', 'network.hostname': 'c' },
  );
  assert.deepEqual(keptFacts(reference.facts), {
    'config.mode': 'b',
    'network.hostname': 'c',
    'access.ssh': false,
  });
  assert.deepEqual(citedReference(reference, ['config.mode']), { approval: 'local', seqs: [9] });
  assert.deepEqual(citedReference(reference, ['config.mode', 'network.hostname']), { approval: 'none', seqs: [9, 12] });
  assert.deepEqual(citedReference(reference, ['access.ssh']), { approval: 'none', seqs: [4] });
});

test('the difference shows what is new or another, not what cannot be seen, nor what changes by itself', () => {
  assert.deepEqual(
    diffReference(
      { 'config.mode': 'a', 'network.hostname': 'x', 'telemetry.power_w': 1 },
      { 'config.mode': 'b', 'access.ssh': true, 'telemetry.power_w': 2 },
    ),
    [
      { fact: 'config.mode', before: 'a', after: 'b' },
      { fact: 'access.ssh', after: true },
    ],
  );
});

test('accepting a device adopts what was attested: its findings end as approved, the next full look says so', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing(EVIL));
  const cited = watch.state.attested?.seq;
  const { state, transitions, item } = accept(watch.state, { ...TERMS, nowMs: watch.nowMs });
  assert.deepEqual(
    transitions.map(({ ruleId, state: outcome, by }) => [ruleId, outcome, by]),
    [['pool.user-changed', 'approved', 'kim']],
  );
  assert.deepEqual(item, { device: 'rig', seq: cited });
  watch.state = state;
  watch.clear();
  watch.live(40 * MINUTE, showing(EVIL));
  assert.deepEqual(watch.said(), []);
  assert.deepEqual(
    watch.attestations.map(({ trigger, verdict, checks }) => [trigger, verdict.reference, checks.failed]),
    [['change', { approval: 'local', seqs: [900] }, []]],
  );
  watch.live(3 * MINUTE, showing({}));
  assert.equal(watch.opened('pool.user-changed')[0]?.before, 'mallory.rig0417');
});

test('accepting without a finding makes a learned device commissioned', () => {
  const watch = Watch.known();
  const { state, transitions } = accept(watch.state, { ...TERMS, nowMs: watch.nowMs });
  assert.deepEqual(transitions, []);
  assert.deepEqual(state.reference?.entries, [{ seq: 900, approval: 'local' }]);
  assert.equal(state.reference?.facts, watch.state.reference?.facts);
});

test('a new device that was accepted is no longer new', () => {
  const watch = new Watch({ inFirstPass: false, amongCommissioned: true }, 'range');
  watch.live(3 * MINUTE, showing({}));
  const { state, transitions } = accept(watch.state, { ...TERMS, nowMs: watch.nowMs });
  assert.deepEqual(
    transitions.map(({ ruleId }) => ruleId),
    ['identity.new-device'],
  );
  watch.state = state;
  watch.clear();
  watch.live(2 * HOUR, showing({}));
  assert.deepEqual(watch.said(), []);
});

test('accepting one fact is refused while another finding as grave is open, and done when both are accepted', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, showing({ ...EVIL, 'firmware.version': '2026.01.0' }));
  const terms = { ...TERMS, nowMs: watch.nowMs };
  assert.throws(() => accept(watch.state, { ...terms, facts: ['firmware.version', 'firmware.build'] }), {
    name: 'AgentError',
    code: 'baseline.finding-open',
  });
  const pool = accept(watch.state, { ...terms, facts: ['pools'] });
  assert.deepEqual(
    pool.transitions.map(({ ruleId }) => ruleId),
    ['pool.user-changed'],
  );
  assert.deepEqual(pool.item.facts, ['pools']);
  assert.equal(pool.state.tracks.length, 1);
  assert.equal(accept(watch.state, terms).transitions.length, 2);
});

test('a finding about the list of pools is not accepted by a baseline', () => {
  const watch = new Watch({ allow: [{ url: 'other.example' }] });
  watch.live(3 * MINUTE, showing({}));
  assert.throws(() => accept(watch.state, { ...TERMS, nowMs: watch.nowMs }), /pool\.outside-allowlist/);
});

test('a device that is dark, or was never recorded, has nothing to accept', () => {
  const dark = Watch.known();
  dark.live(10 * MINUTE, () => undefined);
  assert.throws(() => accept(dark.state, { ...TERMS, nowMs: dark.nowMs }), { code: 'baseline.not-attested' });
  const unseen = new Watch();
  assert.throws(() => accept(unseen.state, { ...TERMS, nowMs: unseen.nowMs }), { code: 'baseline.not-attested' });
});

test('what could not be read when it was attested is not accepted, and stays as it was learned', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, (nowMs) => ({ facts: honest(nowMs, EVIL), gaps: { 'access.ssh': 'timeout' } }));
  assert.equal(attestedClaims(watch.state)['access.ssh'], undefined);
  const { state } = accept(watch.state, { ...TERMS, nowMs: watch.nowMs });
  assert.equal(keptFacts(state.reference?.facts)['access.ssh'], false);
  assert.deepEqual(citedReference(state.reference, ['access.ssh'])?.approval, 'none');
  assert.deepEqual(citedReference(state.reference, ['pools'])?.approval, 'local');
});

test('a fact learned after an acceptance is not thereby approved', () => {
  const watch = new Watch();
  watch.live(10 * MINUTE, (nowMs) => ({ facts: honest(nowMs), gaps: { 'access.ssh': 'refused' } }));
  watch.state = accept(watch.state, { ...TERMS, nowMs: watch.nowMs }).state;
  watch.live(40 * MINUTE, showing({}));
  assert.equal(citedReference(watch.state.reference, ['access.ssh'])?.approval, 'none');
  assert.equal(citedReference(watch.state.reference, ['pools'])?.approval, 'local');
});
