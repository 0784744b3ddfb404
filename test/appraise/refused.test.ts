import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDevice, writeDevice } from '../../agent/appraise/device.ts';
import { conformanceOf } from '../../shared/appraisal.ts';
import { HOUR, MINUTE, pools, showing, Watch } from './watch.ts';

/** A device that answers, and refuses all that it is asked: its password is another one, say. */

const ID = 'visibility.coverage-reduced';
const DARK = 'visibility.device-dark';

/** Polls once a minute that give nothing. `refuses` as in `Look`; a poll without it sent nothing, for the log-in rests. */
const deny = (watch: Watch, polls: number, refuses?: (poll: number) => boolean | undefined): void => {
  for (let poll = 0; poll < polls; poll += 1, watch.nowMs += MINUTE) {
    const said = refuses?.(poll);
    const reason = said === false ? 'timeout' : 'refused';
    watch.take({ kind: 'unreachable', atMs: watch.nowMs, reason, ...(said === undefined ? {} : { refuses: said }) });
  }
};

const always = () => true;
const never = () => false;
/** As a log-in that rests after it was refused. */
const atFirst = (poll: number) => (poll === 0 ? true : undefined);

for (const [name, refuses] of [
  ['at every poll', always],
  ['once, and its log-in rests since', atFirst],
] as const)
  test(`${ID}: a device that refuses ${name} is not dark, but medium and refused`, () => {
    const watch = Watch.commissioned();
    deny(watch, 4, refuses);
    assert.deepEqual(watch.said(), []);
    deny(watch, 1, refuses === always ? always : undefined);
    assert.deepEqual(watch.said(), [`${ID} open`]);
    const [finding] = watch.statements;
    assert.deepEqual([finding?.part, finding?.severity, finding?.reasons], ['refused', 'medium', ['refused']]);
    assert.deepEqual(finding?.after, { readable: [] });
    const [attestation] = watch.attestations;
    assert.equal(attestation?.trigger, 'unreachable');
    assert.deepEqual(
      attestation?.checks.failed.map(({ id }) => id),
      [ID],
    );
    assert.ok(attestation?.checks.notRun.some(({ id, reason }) => id === 'pool.url-changed' && reason === 'refused'));
    assert.ok(attestation !== undefined);
    assert.equal(conformanceOf({ observed: false, approval: 'local', ...attestation.checks }), 'unreachable');
    deny(watch, 30 * 60, refuses === always ? always : undefined);
    assert.deepEqual(watch.said(), [`${ID} open`]);
    assert.equal(watch.attestations.length, 1);
    watch.state = readDevice(writeDevice(watch.state));
    deny(watch, 10, refuses === always ? always : undefined);
    watch.live(5 * MINUTE, showing({}));
    assert.deepEqual(watch.said(), [`${ID} open`, `${ID} resolved`]);
    assert.equal(watch.attestations.at(-1)?.checks.failed.length, 0);
  });

test(`${DARK}: a device that is silent is dark, whatever it refused now and then; one whose log-in only rests, too`, () => {
  for (const refuses of [never, (poll: number) => poll === 1, () => undefined]) {
    const watch = Watch.commissioned();
    deny(watch, 60, refuses);
    assert.deepEqual(watch.said(), [`${DARK} open`]);
  }
});

test(`${ID}: a device that comes back from a silence and refuses is dark no more`, () => {
  const watch = Watch.commissioned();
  deny(watch, 20, never);
  deny(watch, 10, always);
  assert.deepEqual(watch.said(), [`${DARK} open`, `${ID} open`, `${DARK} resolved`]);
  assert.deepEqual(
    watch.attestations.at(-1)?.checks.failed.map(({ id }) => id),
    [ID],
  );
});

test(`${ID}: a poll that is lost among the refusals changes nothing; five in a row make the device dark as well`, () => {
  const watch = Watch.commissioned();
  deny(watch, 100, (poll) => poll % 7 !== 6);
  assert.deepEqual(watch.said(), [`${ID} open`]);
  deny(watch, 10, never);
  assert.deepEqual(watch.said(), [`${ID} open`, `${DARK} open`]);
  watch.live(5 * MINUTE, showing({}));
  assert.deepEqual([...watch.said().slice(2)].sort(), [`${ID} resolved`, `${DARK} resolved`]);
});

test('visibility.changed-while-dark: other pools behind a refusal are found as those in the dark are', () => {
  const watch = Watch.commissioned();
  deny(watch, 30, always);
  watch.live(5 * MINUTE, showing(pools({ user: 'thief.1' })));
  assert.equal(watch.opened('visibility.changed-while-dark')[0]?.severity, 'critical');
});

test(`${DARK}: a device of which nothing was ever read keeps nothing back that it told`, () => {
  const watch = new Watch();
  deny(watch, 10, always);
  assert.deepEqual(watch.said(), [`${DARK} open`]);
  assert.deepEqual(watch.statements[0]?.reasons, ['refused', 'api-only']);
});

test('identity.device-missing: who refuses for a day is not missing', () => {
  const watch = Watch.commissioned();
  deny(watch, (30 * HOUR) / MINUTE, always);
  assert.deepEqual(watch.opened('identity.device-missing'), []);
});
