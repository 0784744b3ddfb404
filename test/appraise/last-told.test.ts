import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDevice, writeDevice } from '../../agent/appraise/device.ts';
import { type Gaps, HOUR, honest, MINUTE, SECOND, showing, Watch } from './watch.ts';

/** The last time that what a finding calls the value before was really told (`before_at`). */

const VERSION = { 'firmware.version': 'timeout' } as const;

/** An accepted device that told all when it was last looked at, and the second of that. */
const known = (): { readonly watch: Watch; readonly toldAt: number } => {
  const watch = Watch.commissioned();
  watch.live(HOUR, showing({}));
  watch.see('full');
  const toldAt = Math.floor(watch.nowMs / SECOND);
  watch.nowMs += 10 * SECOND;
  return { watch, toldAt };
};

const losing = (watch: Watch, forMs: number, gaps: Gaps): void =>
  void watch.live(forMs, (nowMs) => ({ facts: honest(nowMs), gaps }));

const beforeAt = (watch: Watch, id: string): readonly (number | undefined)[] =>
  watch.opened(id).map((finding) => finding.beforeAt);

for (const gap of ['timeout', 'absent', 'refused'] as const)
  test(`a version that was not told (${gap}) and is another one then was last seen when it was told`, () => {
    const { watch, toldAt } = known();
    losing(watch, 8 * MINUTE, { 'firmware.version': gap });
    watch.see('full', {}, { 'firmware.version': gap });
    watch.state = readDevice(writeDevice(watch.state));
    for (let looks = 0; looks < 3; looks += 1) {
      watch.nowMs += 15 * SECOND;
      watch.see('full', { 'firmware.version': '2026.05.1' });
    }
    assert.deepEqual(beforeAt(watch, 'firmware.version-changed'), [toldAt]);
  });

test('what was told between two losses counts from there', () => {
  const { watch } = known();
  watch.see('full', {}, VERSION);
  watch.nowMs += 30 * SECOND;
  watch.see('full');
  const toldAt = Math.floor(watch.nowMs / SECOND);
  watch.nowMs += 30 * SECOND;
  watch.see('full', {}, VERSION);
  for (let looks = 0; looks < 3; looks += 1) {
    watch.nowMs += 15 * SECOND;
    watch.see('full', { 'firmware.version': '2026.05.1' });
  }
  const said = watch.statements.filter(({ ruleId }) => ruleId.startsWith('firmware.'));
  assert.deepEqual(new Set(said.map((finding) => finding.beforeAt)), new Set([toldAt]));
});

for (const [what, gaps] of [
  ['pools that are lost', { pools: 'timeout' }],
  ['a serial that is left out', { 'identity.serial': 'absent' }],
] as const)
  test(`visibility.coverage-reduced: ${what} were last told before the first look without them, not before the finding`, () => {
    const { watch, toldAt } = known();
    losing(watch, 2 * HOUR, gaps);
    assert.deepEqual(beforeAt(watch, 'visibility.coverage-reduced'), [toldAt]);
  });
