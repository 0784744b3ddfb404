import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type DeviceState, newDevice, type Track } from '../../agent/appraise/device.ts';
import { effectOf, withEdited, withoutApart } from '../../agent/appraise/edit.ts';
import { heldBy, type Standing, standingOf, waiverFor } from '../../agent/baseline/standing.ts';
import { reference } from './standing.ts';
import { T0 } from './watch.ts';

const device = (labels: DeviceState['labels'], tracks: readonly Track[] = []): DeviceState => ({
  ...newDevice({ id: 'rig', position: 'host', address: '10.0.0.1', labels }),
  tracks,
});

/** A finding that is open, or that a plan covers. */
const found = (severity: 'critical' | 'info'): Track => ({
  finding: {
    ruleId: 'pool.user-changed',
    state: 'open',
    severity,
    severityBase: 'critical',
    basis: 'self-reported',
    ruleVersion: 1,
    surfaces: [],
    firstObservedAt: T0 / 1000,
  },
  clear: 0,
  changesMs: [],
});

const users = (
  seq: number,
  item: { readonly class: 'template'; readonly value: string } | { readonly class: 'volatile' },
  role: string,
) => ({
  ...reference(seq, [{ fact: 'pools.user', ...item }], { labels: { role } }),
  sha256: `digest-${seq}`,
});

const OURS = { class: 'template', value: 'acme.*' } as const;
const waiver = (role: string): Standing['waivers'][number] => ({
  seq: 9,
  sha256: 'digest-9',
  by: ['alice', 'bob'],
  adoptedAt: T0 / 1000,
  terms: {
    kind: 'waiver',
    waiver_id: 'w',
    iat: T0 / 1000,
    scope: { labels: { role } },
    ids: ['pool.user-changed'],
    reason: 'x',
    risk: 'y',
    expires_at: T0 / 1000 + 3600,
    author: 'bob',
  },
});

const standing = (references: Standing['references'], waivers: Standing['waivers'] = []): Standing =>
  standingOf({ references, plans: [], waivers });

/** Which document holds the users of the device after its labels were edited. */
const holderAfter = (before: DeviceState, labels: DeviceState['labels'], documents: Standing): string | undefined => {
  const { edited } = effectOf({ device: before.id, labels, befores: [before] }, documents);
  return heldBy(documents, { device: before.id, labels, edited }, T0).get('pools.user')?.refId;
};

suite('what an edit of labels does to documents', () => {
  test('a reference that ceases to fit goes on holding, until another one says something', () => {
    const before = device({ role: 'prod' });
    const ours = users(1, OURS, 'prod');
    assert.equal(holderAfter(before, {}, standing([ours])), 'ref-1');
    assert.equal(holderAfter(before, { role: 'bench' }, standing([ours, users(2, OURS, 'bench')])), 'ref-2');
    assert.equal(
      holderAfter(before, { role: 'bench' }, standing([ours, users(2, { class: 'volatile' }, 'bench')])),
      'ref-1',
      'one that says nothing takes no ground away',
    );
    assert.equal(holderAfter(device({ role: 'other' }), {}, standing([ours])), undefined);
  });

  test('where something is open what begins to fit does not count; elsewhere it does; and not a later version', () => {
    const documents = standing([users(2, OURS, 'bench')], [waiver('bench')]);
    const labels = { role: 'bench' };
    const waived = (before: DeviceState, now = documents): boolean => {
      const { edited } = effectOf({ device: 'rig', labels, befores: [before] }, documents);
      return waiverFor(now, { device: 'rig', labels, edited }, 'pool.user-changed', T0) !== undefined;
    };
    assert.equal(waived(device({}, [found('critical')])), false);
    assert.equal(waived(device({})), true);
    assert.equal(waived(device({}, [found('info')])), true);
    assert.equal(waived({ ...device({}), leftOpen: true }), false, 'also where it left the configuration in between');
    const owed = (tenant: object) => ({ ...device({}), breaches: [{ ...tenant, finding: found('critical').finding }] });
    assert.equal(waived(owed({})), false, 'also where it is back where an edit had taken it from');
    assert.equal(waived(owed({ tenant: 'acme' })), true, 'what waits elsewhere is none of it');
    const later = standing([], [{ ...waiver('bench'), sha256: 'signed since' }]);
    assert.equal(waived(device({}, [found('critical')]), later), true);
    assert.equal(holderAfter(device({}, [found('critical')]), labels, documents), undefined);
  });

  test('edits add up, and one that is taken back leaves nothing behind', () => {
    const documents = standing([users(1, OURS, 'prod')], [waiver('bench')]);
    const first = device({ role: 'prod' }, [found('critical')]);
    const once = effectOf({ device: 'rig', labels: { role: 'bench' }, befores: [first] }, documents);
    assert.deepEqual(once, {
      edited: { kept: ['ref-1'], apart: ['digest-9'] },
      began: ['waiver w'],
      ceased: ['reference ref-1'],
      refilled: [],
    });
    const second = withEdited({ ...first, labels: { role: 'bench' } }, once.edited);
    const twice = effectOf({ device: 'rig', labels: {}, befores: [second] }, documents);
    assert.deepEqual(twice.edited, { kept: ['ref-1'], apart: [] });
    const back = effectOf({ device: 'rig', labels: { role: 'prod' }, befores: [second] }, documents);
    assert.equal(back.edited, undefined);
    assert.deepEqual(withoutApart(second).edited, { kept: ['ref-1'], apart: [] });
  });

  test('an edit of something else takes nothing back: what an earlier one left in doubt stays so', () => {
    const documents = standing([users(1, { class: 'template', value: 'thief.*' }, 'bench')]);
    const first = device({}, [found('critical')]);
    const once = effectOf({ device: 'rig', labels: { role: 'bench' }, befores: [first] }, documents);
    assert.deepEqual(once.edited, { kept: [], apart: ['digest-1'] });
    const second = withEdited({ ...first, labels: { role: 'bench' } }, once.edited);
    const both = { role: 'bench', rack: 'r14' };
    assert.deepEqual(effectOf({ device: 'rig', labels: both, befores: [second] }, documents).edited, once.edited);

    const filled = reference(4, [{ fact: 'pools.user', class: 'template', value: '{role}.*' }]);
    const doubted = withEdited(second, { kept: [], apart: [], refilled: true });
    assert.deepEqual(
      effectOf({ device: 'rig', labels: both, befores: [doubted] }, standing([{ ...filled, sha256: 'digest-4' }]))
        .edited,
      { kept: [], apart: [], refilled: true },
    );
    assert.equal(
      effectOf({ device: 'rig', labels: both, befores: [withoutApart(doubted)] }, standing([])).edited,
      undefined,
    );
  });

  test('under another name the documents of the former one hold, and of the machine that stood there', () => {
    const byName = { ...reference(3, [{ fact: 'pools.user', ...OURS }], { devices: ['rig'] }), sha256: 'digest-3' };
    const own = { ...device({}), id: 'bench-3' };
    const robbed = device({}, [found('critical')]);
    const other = { ...waiver('none'), terms: { ...waiver('none').terms, scope: { devices: ['bench-3'] } } };
    const documents = standing([byName], [other]);
    const { edited } = effectOf({ device: 'bench-3', labels: {}, befores: [own, robbed] }, documents);
    assert.deepEqual(edited, { kept: ['ref-3'], apart: ['digest-9'] });
  });

  test('a template that is filled in with an edited label is told, and doubted where something is open', () => {
    const filled = {
      ...reference(4, [{ fact: 'pools.user', class: 'template', value: '{role}.*' }]),
      sha256: 'digest-4',
    };
    const effect = (tracks: readonly Track[], labels: DeviceState['labels']) =>
      effectOf({ device: 'rig', labels, befores: [device({ role: 'acme' }, tracks)] }, standing([filled]));
    assert.deepEqual(effect([found('critical')], { role: 'thief' }).edited, { kept: [], apart: [], refilled: true });
    assert.deepEqual(effect([found('critical')], { role: 'thief' }).refilled, ['reference ref-4']);
    assert.equal(effect([], { role: 'thief' }).edited, undefined);
    assert.deepEqual(effect([], { role: 'acme', rack: 'r14' }).refilled, []);
  });
});
