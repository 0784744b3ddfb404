import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDevice, readDevice, withStatement, writeDevice } from '../../agent/appraise/device.ts';
import { confirmingAtMs } from '../../agent/appraise/next-look.ts';
import { keptText, NO_FACTS } from '../../agent/baseline/kept.ts';
import { HOUR, honest, MINUTE, pools, SECOND, showing, Watch } from './watch.ts';

const EVIL = pools({ user: 'mallory.rig0417' });

test('an unchanged device is looked at without work: the same state object, nothing to persist', () => {
  const watch = Watch.known();
  const { state } = watch;
  for (let minute = 0; minute < 30; minute++) {
    watch.nowMs += MINUTE;
    const verdict = watch.see(minute % 15 === 0 ? 'full' : 'pools');
    assert.equal(verdict.state, state);
    assert.equal(verdict.changed, false);
    assert.equal(verdict.next, undefined);
  }
  assert.equal(watch.state.marks.poolsMs, watch.nowMs);
});

test('lists of a device are those of one that nobody looked at yet, as long as and as soon as nothing is in them', () => {
  const { tracks: none } = newDevice({ id: 'other', position: 'host', address: '10.20.14.8', labels: {} });
  const watch = Watch.known();
  const filled = () => {
    const { tracks, closed, rebootsMs } = watch.state;
    return Object.entries({ tracks, closed, rebootsMs }).flatMap(([name, list]) => (list === none ? [] : [name]));
  };
  assert.deepEqual(filled(), []);
  watch.live(5 * MINUTE, showing(EVIL));
  assert.deepEqual(filled(), ['tracks']);
  const finding = watch.statements.find(({ state }) => state === 'open');
  assert.ok(finding !== undefined);
  watch.live(5 * MINUTE, showing({}));
  assert.deepEqual(filled(), ['closed']);
  const startedMs = watch.nowMs;
  const restarted = (nowMs: number) => ({
    facts: honest(nowMs, { 'telemetry.elapsed_s': Math.floor((nowMs - startedMs) / SECOND) }),
  });
  watch.live(5 * MINUTE, restarted);
  assert.deepEqual(filled(), ['tracks', 'closed', 'rebootsMs']);
  watch.live(30 * MINUTE, () => undefined);
  watch.live(2 * HOUR, restarted);
  // As an acceptance leaves it, which ended all that there was.
  watch.state = { ...watch.state, tracks: [] };
  // A device that settled is looked at without work until something asks for it.
  watch.context = { policy: 'b' };
  watch.live(MINUTE, restarted);
  assert.deepEqual(filled(), []);
  watch.state = withStatement(watch.state, finding, { openedSeq: 7 });
  assert.deepEqual(filled(), []);
});

test('a value that went away before its second look is one statement, resolved and never confirmed (§2)', () => {
  const watch = Watch.known();
  watch.see('pools', EVIL);
  assert.deepEqual(watch.said(), []);
  watch.nowMs += 10 * SECOND;
  watch.see('full');
  assert.deepEqual(watch.said(), ['pool.user-changed resolved']);
  assert.equal(watch.statements[0]?.confirmedAt, undefined);
  assert.equal(watch.statements[0]?.after, 'mallory.rig0417');
  assert.deepEqual(watch.attestations, []);
});

test('the third such blip with the same value within 24 hours counts as confirmed', () => {
  const watch = Watch.known();
  for (let blip = 0; blip < 3; blip++) {
    watch.nowMs += HOUR;
    watch.see('pools', EVIL);
    watch.nowMs += 10 * SECOND;
    watch.see('full');
  }
  assert.deepEqual(watch.said(), [
    'pool.user-changed resolved',
    'pool.user-changed resolved',
    'pool.user-changed open',
  ]);
  watch.live(20 * MINUTE, showing({}));
  assert.equal(watch.said().at(-1), 'pool.user-changed resolved');
});

test('unknown neither confirms nor resolves', () => {
  const watch = Watch.known();
  watch.see('pools', EVIL);
  for (let look = 0; look < 5; look++) {
    watch.nowMs += 10 * SECOND;
    watch.see('full', {}, { pools: 'timeout' });
  }
  assert.deepEqual(watch.said(), []);
  watch.nowMs += 10 * SECOND;
  watch.see('full', EVIL);
  assert.deepEqual(watch.said(), ['pool.user-changed open']);
  for (let look = 0; look < 5; look++) {
    watch.nowMs += MINUTE;
    watch.see('full', {}, { pools: 'timeout' });
  }
  assert.deepEqual(watch.said(), ['pool.user-changed open']);
});

test('a user that is another one at every look is confirmed all the same', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, (nowMs) => ({ facts: honest(nowMs, pools({ user: `m${nowMs}.x` })) }));
  assert.ok(watch.opened('pool.user-changed').length >= 1);
});

test('a finding resolves after three matching looks, and the return of the value is attested with it', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing(EVIL));
  watch.clear();
  watch.live(2 * MINUTE - SECOND, showing({}));
  assert.deepEqual(watch.said(), []);
  watch.live(3 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), ['pool.user-changed resolved']);
  assert.deepEqual(
    watch.attestations.map(({ trigger, checks }) => [trigger, checks.failed]),
    [['change', []]],
  );
});

test('seen again within 60 minutes a finding continues under its name; later it is another one', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing(EVIL));
  const name = watch.state.tracks[0]?.finding.openedSeq;
  assert.notEqual(name, undefined);
  watch.live(20 * MINUTE, showing({}));
  watch.live(3 * MINUTE, showing(EVIL));
  assert.equal(watch.state.tracks[0]?.finding.openedSeq, name);
  watch.live(2 * HOUR, showing({}));
  watch.live(3 * MINUTE, showing(EVIL));
  assert.notEqual(watch.state.tracks[0]?.finding.openedSeq, name);
});

test('a value that comes and goes all day is flapping: few statements, open until it was quiet for an hour', () => {
  const watch = Watch.known();
  for (let hour = 0; hour < 6; hour++)
    for (let turn = 0; turn < 6; turn++) {
      watch.live(5 * MINUTE, showing(EVIL));
      watch.live(5 * MINUTE, showing({}));
    }
  const mine = watch.statements.filter(({ ruleId }) => ruleId === 'pool.user-changed');
  assert.ok(mine.length <= 3 + 1 + 6, `${mine.length} statements in six hours`);
  assert.ok(mine.some(({ flapping = 0 }) => flapping > 3));
  assert.equal(watch.state.tracks[0]?.finding.state, 'open');
  watch.live(2 * HOUR, showing({}));
  assert.equal(watch.said().at(-1), 'pool.user-changed resolved');
});

test('another after-value of an open finding is stated under the same name', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing(EVIL));
  watch.live(3 * MINUTE, showing(pools({ user: 'trudy.x' })));
  assert.deepEqual(
    watch.opened('pool.user-changed').map(({ after }) => after),
    ['mallory.rig0417', 'trudy.x'],
  );
  assert.equal(watch.statements[1]?.openedSeq, watch.state.tracks[0]?.finding.openedSeq);
});

test('before-values come from the reference, and before_at is when they were last seen', () => {
  const watch = Watch.known();
  const lastMs = watch.state.marks.poolsMs ?? 0;
  watch.live(3 * MINUTE, showing(EVIL));
  assert.equal(watch.statements[0]?.before, 'acme.rig0417');
  assert.equal(watch.statements[0]?.beforeAt, Math.floor(lastMs / 1000));
});

test('an agent that starts again goes on where it was: pending findings, names, nothing learned anew', () => {
  const watch = Watch.known();
  watch.see('pools', EVIL);
  watch.state = readDevice(writeDevice(watch.state));
  watch.nowMs += 10 * SECOND;
  watch.see('full', EVIL);
  assert.deepEqual(watch.said(), ['pool.user-changed open']);
  watch.state = readDevice(writeDevice(watch.state));
  watch.live(20 * MINUTE, showing(EVIL));
  assert.deepEqual(watch.said(), ['pool.user-changed open']);
});

test('what is kept of a device without findings is small', () => {
  const watch = Watch.known();
  const { reference, attested } = watch.state;
  assert.equal(reference?.facts, attested?.facts);
  assert.ok(writeDevice(watch.state).length - keptText(attested?.facts ?? NO_FACTS).length < 3072);
});

test('the second look is asked for after confirm_s ± 50 %, and later and later while it decides nothing', () => {
  const watch = Watch.known();
  const wait = (verdict: { readonly next?: { readonly atMs: number } }) => {
    const waitMs = (verdict.next?.atMs ?? 0) - watch.nowMs;
    watch.nowMs += waitMs;
    return waitMs;
  };
  const first = wait(watch.see('pools', EVIL));
  assert.ok(first >= 5 * SECOND && first <= 15 * SECOND);
  const waits = [1, 2, 3, 4, 5, 6, 7, 8].map(() => wait(watch.see('full', {}, { pools: 'timeout' })));
  assert.ok((waits.at(-1) ?? 0) >= 160 * SECOND && Math.max(...waits) <= 480 * SECOND);
});

/** Another hashboard, which takes three looks over ten minutes (C3). */
const OTHER_BOARD = { 'identity.hashboards': ['HB1002003001', 'HB1002003002', 'HB1002003999'] };

for (const [name, look, theft] of [
  ['of a poll', 'pools', EVIL],
  ['of a full look', 'full', { 'network.dns': ['198.51.100.53'] }],
] as const)
  test(`the second look at a new finding ${name} is early while another one of the device is unconfirmed`, () => {
    const watch = Watch.known();
    watch.see('full', OTHER_BOARD);
    watch.nowMs += MINUTE;
    watch.live(3 * MINUTE, showing(OTHER_BOARD));
    const first = watch.see(look, { ...OTHER_BOARD, ...theft });
    const waitMs = (first.next?.atMs ?? 0) - watch.nowMs;
    assert.ok(waitMs >= 5 * SECOND && waitMs <= 15 * SECOND, `${waitMs} ms`);
    watch.nowMs += waitMs;
    watch.see('full', { ...OTHER_BOARD, ...theft });
    assert.equal(watch.statements.length, 1);
    assert.equal(watch.statements[0]?.state, 'open');
    assert.ok(watch.state.tracks.some(({ finding }) => finding.state === 'provisional'));
  });

test('a new value of a finding that is long unconfirmed has its second look early', () => {
  const watch = Watch.known();
  watch.see('pools', EVIL);
  for (let look = 0; look < 30; look += 1) {
    watch.nowMs += MINUTE;
    watch.see('pools', {}, { pools: 'timeout' });
  }
  const waitMs = (watch.see('pools', pools({ user: 'trudy.x' })).next?.atMs ?? 0) - watch.nowMs;
  assert.ok(waitMs >= 5 * SECOND && waitMs <= 15 * SECOND, `${waitMs} ms`);
});

test('a device that shows something new at every look has five second looks early, and then two in a poll, until it is calm', () => {
  const watch = Watch.known();
  watch.see('pools', EVIL);
  const [track] = watch.state.tracks;
  assert.ok(track !== undefined);
  const { marks } = watch.state;
  marks.hurriedMs = undefined;
  let nowMs = watch.nowMs;
  /** How long the next look is away for a device that shows this only now. */
  const waitMs = () => {
    const candidate = { after: `"m${nowMs}.x"`, same: 1, any: 1, sinceMs: nowMs };
    const state = { ...watch.state, tracks: [{ ...track, candidate }] };
    const context = { ...watch.contextNow(), nowMs };
    return (confirmingAtMs(state, context) ?? 0) - nowMs;
  };
  const startMs = nowMs;
  const waits: number[] = [];
  for (; nowMs < startMs + HOUR; nowMs += waits.at(-1) ?? 0) waits.push(waitMs());
  assert.ok(waits.slice(0, 5).every((ms) => ms >= 5 * SECOND && ms <= 15 * SECOND));
  const early = waits.filter((ms) => ms < MINUTE).length;
  assert.ok(early >= 60 && early <= 5 + 2 * 60, `${early} early looks in an hour`);
  assert.ok(waits.every((ms) => ms <= MINUTE));
  nowMs += 3 * MINUTE;
  assert.ok(waitMs() <= 15 * SECOND);
});

test('only a full look is attested: a pools look that confirms asks for one at once', () => {
  const watch = Watch.known();
  watch.see('pools', EVIL);
  watch.nowMs += MINUTE;
  const verdict = watch.see('pools', EVIL);
  assert.deepEqual([verdict.attest, verdict.transitions.length, verdict.next?.atMs], [undefined, 0, watch.nowMs]);
  assert.equal(watch.see('full', EVIL).attest, 'change');
});

test('a changed fact without a finding of its own is attested after its second look', () => {
  const watch = Watch.known();
  watch.see('full', { 'firmware.name': 'stock+' });
  assert.equal(watch.attestations.length, 0);
  watch.nowMs += 10 * SECOND;
  watch.see('full', { 'firmware.name': 'stock+' });
  assert.deepEqual(
    watch.attestations.map(({ trigger }) => trigger),
    ['change'],
  );
  assert.deepEqual(watch.said(), []);
});

test('the refresh is attested when it is due, at a full look and not while a finding is provisional', () => {
  const watch = Watch.known();
  watch.context = { refreshDueMs: watch.nowMs + MINUTE };
  watch.nowMs += 2 * MINUTE;
  assert.equal(watch.see('pools').attest, undefined);
  assert.equal(watch.see('full', EVIL).attest, undefined);
  watch.nowMs += 10 * SECOND;
  assert.equal(watch.see('full', EVIL).attest, 'change');
  watch.context = { refreshDueMs: watch.nowMs };
  assert.equal(watch.see('full', EVIL).attest, 'refresh');
});

test('what somebody demands is attested at the next full look, settled or not, and only while it is demanded', () => {
  const watch = Watch.known();
  assert.equal(watch.see('full').attest, undefined);
  watch.context = { demanded: true };
  assert.equal(watch.see('pools').attest, undefined);
  assert.equal(watch.see('full').attest, 'demand');
  watch.context = {};
  assert.equal(watch.see('full').attest, undefined);
  watch.context = { demanded: true };
  assert.equal(watch.see('full', EVIL).attest, undefined, 'what is not confirmed waits');
  watch.nowMs += 10 * SECOND;
  assert.equal(watch.see('full', EVIL).attest, 'change');
});

test('a change of the configuration makes the engine judge a settled device anew', () => {
  const watch = Watch.known();
  watch.context = { allow: [{ url: 'other.example' }], policy: 'b' };
  watch.live(3 * MINUTE, showing({}));
  assert.equal(watch.opened('pool.outside-allowlist').length, 3);
});

test('a graver change in a finding that is open says since when it shows that, and the finding since when it began', () => {
  const watch = Watch.commissioned();
  const began = watch.nowMs / 1000;
  watch.live(6 * MINUTE, showing(pools({ user: 'acme.other' })));
  const [opened] = watch.opened('pool.user-changed');
  assert.deepEqual([opened?.severity, opened?.firstObservedAt, opened?.afterAt], ['medium', began, undefined]);
  watch.clear();
  const stolenS = watch.nowMs / 1000;
  watch.live(6 * MINUTE, showing(pools({ user: 'thief.x' })));
  const [theft] = watch.opened('pool.user-changed');
  assert.deepEqual([theft?.severity, theft?.after, theft?.firstObservedAt], ['critical', 'thief.x', began]);
  assert.equal(theft?.afterAt, stolenS);
  assert.equal(theft?.beforeAt, opened?.beforeAt, 'the reference was last seen before all of it');
});

test('a finding that comes back within an hour keeps its beginning, and says since when it is back', () => {
  const watch = Watch.commissioned();
  const began = watch.nowMs / 1000;
  watch.live(5 * MINUTE, showing(pools({ user: 'thief.x' })));
  watch.live(10 * MINUTE, showing({}));
  watch.clear();
  const backS = watch.nowMs / 1000;
  watch.live(5 * MINUTE, showing(pools({ user: 'thief.x' })));
  const [back] = watch.opened('pool.user-changed');
  assert.deepEqual([back?.firstObservedAt, back?.afterAt], [began, backS]);
});
