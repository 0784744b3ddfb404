import assert from 'node:assert/strict';
import { test } from 'node:test';
import { approvedFactsOf } from '../../agent/appraise/origin.ts';
import { differencesInForce } from '../../agent/desk/differences.ts';
import type { Facts } from '../../shared/facts.ts';
import type { ExpectedValue } from '../../shared/terms.ts';
import { pools } from '../appraise/watch.ts';
import { People } from './approvers.ts';
import { deskOf } from './desk.ts';
import { Recording } from './recording.ts';

/** Fields of templates hold what is known of the device, in findings as in what verbs show. */

const named = (user: string): Facts => pools({ user }, { user }, { user });
const WORKER: ExpectedValue = { fact: 'pools.user', class: 'template', value: '{mac}.*' };

test('a theft on a device that no longer tells its MAC is found and shown, also once it was accepted so and came back', async (t) => {
  for (const reason of ['absent', 'timeout'] as const) {
    const recording = new Recording(t);
    const people = new People('alice', 'bob');
    await recording.looks('rig-1', 2, named('021a2b3c4d5e.rig'));
    recording.recorder.writeLearned();
    const signed = people.sign({ kind: 'reference', ref_id: 'workers', version: 1, values: [WORKER] }, 'alice', 'bob');
    recording.changes(people).adopt({ kind: 'signed', ...signed });
    const gaps = { 'identity.mac': reason };
    const { fleet, preview, accept } = deskOf(recording);
    const shown = () => {
      const [differing] = differencesInForce(fleet, [], {
        standing: recording.orders.standing,
        nowMs: recording.clock.wall,
        store: recording.store,
      });
      return differing?.differences.map(({ fact }) => fact);
    };
    await recording.looks('rig-1', 3, named('021a2b3c4d5e.rig2'), gaps);
    assert.deepEqual(shown(), [], 'what the template means is no difference');
    const [previewed] = preview({ devices: ['rig-1'] });
    accept({ devices: ['rig-1'], seen: [previewed?.seq ?? -1], by: 'alice' });
    recording.leaves('rig-1');
    await recording.returns('rig-1', named('021a2b3c4d5e.rig2'));
    await recording.looks('rig-1', 3, named('mallory.rig'), gaps);
    const thefts = recording.openFindings().filter((finding) => finding === 'pool.user-changed rig-1');
    assert.equal(thefts.length, 3, `${reason}: ${recording.openFindings()}`);
    assert.deepEqual(shown(), ['pools'], reason);
    const { standing } = recording.orders;
    const told = approvedFactsOf(recording.state('rig-1'), standing.references, standing, recording.clock.wall);
    assert.deepEqual(
      told.filter(({ fact }) => fact === 'pools.user').map(({ fact, value, seen }) => [fact, value, seen]),
      [['pools.user', '{mac}.*', ['mallory.rig', 'mallory.rig', 'mallory.rig']]],
    );
    assert.deepEqual(recording.objections(people.keys), []);
  }
});
