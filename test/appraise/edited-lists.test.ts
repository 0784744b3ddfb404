import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { accept, attestedClaims } from '../../agent/appraise/accept.ts';
import { newDevice, readDevice, writeDevice } from '../../agent/appraise/device.ts';
import { ledTo } from '../../agent/appraise/edit.ts';
import type { Finding } from '../../agent/appraise/finding.ts';
import type { FirmwarePolicy } from '../../agent/appraise/firmware-policy.ts';
import { withFormer } from '../../agent/appraise/former.ts';
import { promote, settledBy, withSignedEntry } from '../../agent/appraise/promote.ts';
import type { AllowList } from '../../agent/appraise/rule.ts';
import { relabelled, tenantLeft } from '../../agent/appraise/tenancy.ts';
import { NO_FACTS } from '../../agent/baseline/kept.ts';
import { NOTHING_STANDING } from '../../agent/baseline/standing.ts';
import { departedWith, readDeparted, writeDeparted } from '../../agent/record/departed.ts';
import type { Facts } from '../../shared/facts.ts';
import { ADDRESS, HOUR, MINUTE, POOLS, pools, SECOND, showing, Watch } from './watch.ts';

/** Whoever edits lists and labels approves nothing, where approvers are named; and what an edit alone raised ends with the next one. */

const OURS: AllowList = [{ url: '*', user: 'acme.*' }];
const WIDER: AllowList = [...OURS, { url: '*', user: 'thief.*' }];
const OUTSIDE = 'pool.outside-allowlist';
const BREACH = 'tenant.hash-destination-breach';
const HOSTS: AllowList = [{ url: '*.pool.example' }, { url: 'backup.example' }];
const REDIRECT = 'pool.reconnect-redirect';
const ROBBED = pools({ user: 'thief.x' });

let edits = 0;

/** The configuration with this list of pools, and with it for this tenant. */
const under = (allow: AllowList | undefined, tenant?: string, people = 2): Watch['context'] => ({
  ...(allow === undefined ? {} : { allow }),
  ...(tenant === undefined ? {} : { tenancy: { tenant, ...(allow === undefined ? {} : { allow }) } }),
  people,
  policy: `edit ${edits++}`,
});

/** A device that was learned with its own pools, under that list and for that tenant. */
const watched = (allow: AllowList, tenant?: string, people?: number): Watch => {
  const watch = new Watch(under(allow, tenant, people));
  if (tenant !== undefined) watch.state = { ...watch.state, labels: { tenant } };
  return watch.live(5 * MINUTE, showing({}));
};

/** The same robbed, and found. */
const robbed = (tenant?: string, people?: number): Watch =>
  watched(OURS, tenant, people).live(3 * MINUTE, showing(ROBBED));

/** The agent was started again since. */
const restarted = (watch: Watch): Watch => {
  watch.state = readDevice(writeDevice(watch.state));
  return watch;
};

/** An edit gives the device to another tenant, with that list. */
const moved = (watch: Watch, allow: AllowList | undefined, tenant: string | undefined, people?: number): Watch => {
  watch.context = under(allow, tenant, people);
  watch.state = relabelled(tenantLeft(watch.state, watch.nowMs).state, tenant === undefined ? {} : { tenant });
  return restarted(watch);
};

/** An edit of the list. */
const edited = (watch: Watch, allow: AllowList | undefined, tenant?: string): Watch => {
  watch.context = under(allow, tenant);
  return watch;
};

const open = ({ state }: Watch, id: string): readonly Finding[] =>
  state.tracks.flatMap(({ finding }) => (finding.ruleId === id && finding.state !== 'provisional' ? [finding] : []));

suite('a list that is edited', () => {
  test('accepts nothing: what it allows since stays open until people approved it', () => {
    const watch = robbed();
    edited(watch, WIDER).live(HOUR, showing(ROBBED));
    assert.deepEqual(
      open(watch, OUTSIDE).map(({ part, reasons }) => [part, reasons]),
      [['slot 0', ['not-listed', 'configuration-edited']]],
    );
    restarted(watch).live(HOUR, showing(ROBBED));
    assert.equal(open(watch, OUTSIDE).length, 1);
    watch.state = accept(watch.state, { by: 'alice and bob', nowMs: watch.nowMs, seq: 1000 }).state;
    watch.live(HOUR, showing(ROBBED));
    assert.deepEqual(open(watch, OUTSIDE), []);
  });

  test('and what works for the same account under another worker, or for one that is found, is no repair; its own pools are', () => {
    const all: AllowList = [...WIDER, { url: '*', user: 'mallory.*' }];
    for (const first of [showing({}), showing(ROBBED)])
      for (const user of ['thief.y', 'mallory.x']) {
        const watch = new Watch(under(OURS)).live(5 * MINUTE, first).live(5 * MINUTE, showing(ROBBED));
        edited(watch, all).live(HOUR, showing(ROBBED));
        restarted(watch).live(HOUR, showing(pools({ user })));
        assert.equal(open(watch, OUTSIDE).length, 1, user);
        watch.live(HOUR, showing(ROBBED));
        assert.equal(open(watch, OUTSIDE).length, 1, user);
        const signed = accept(watch.state, { by: 'alice and bob', nowMs: watch.nowMs, seq: 1000 }).state;
        watch.state = signed;
        watch.live(HOUR, showing(ROBBED));
        assert.deepEqual(watch.state.tracks, []);
      }
    const own = robbed();
    edited(own, WIDER).live(HOUR, showing(ROBBED)).live(HOUR, showing({}));
    assert.deepEqual(own.state.tracks, []);
    const narrow: AllowList = [...OURS, { url: '*', user: 'thief.x' }];
    const two = edited(robbed(), narrow).live(HOUR, showing(pools({ user: 'thief.x' }, { user: 'thief.y' })));
    assert.deepEqual(
      open(two, OUTSIDE).map(({ part, reasons }) => [part, reasons]),
      [
        ['slot 0', ['not-listed', 'configuration-edited']],
        ['slot 1', ['not-listed']],
      ],
    );
    const shifted = edited(robbed(), OURS).live(HOUR, showing(pools({}, { user: 'thief.y' })));
    assert.deepEqual(
      open(shifted, OUTSIDE).map(({ part }) => part),
      ['slot 1'],
    );
  });

  test('ends it where nobody is named who approves, and says so', () => {
    const watch = robbed(undefined, 0);
    watch.context = under(WIDER, undefined, 0);
    watch.clear();
    watch.live(HOUR, showing(ROBBED));
    assert.deepEqual(
      watch.statements.map(({ ruleId, state, reasons }) => [ruleId, state, reasons]),
      [[OUTSIDE, 'resolved', ['not-listed', 'configuration-edited']]],
    );
  });

  test('and was emptied by a slip raises what ends by itself once it is healed', () => {
    for (const tenant of [undefined, 'acme'])
      for (const slip of [[], [{ url: 'nowhere.example' }]] satisfies AllowList[]) {
        const watch = watched(OURS, tenant);
        edited(watch, slip, tenant).live(5 * MINUTE, showing({}));
        const found = open(watch, OUTSIDE).length + open(watch, BREACH).length;
        assert.equal(found, tenant === undefined ? 3 : 4);
        restarted(edited(watch, [...OURS, { url: 'new.example' }], tenant)).live(HOUR, showing({}));
        assert.deepEqual([...open(watch, OUTSIDE), ...open(watch, BREACH)], []);
      }
  });

  test('and was emptied for longer, in two edits, likewise; the device restarted in between', () => {
    const watch = watched(OURS);
    restarted(edited(watch, [])).live(HOUR, showing({}));
    edited(watch, [{ url: 'other.example' }]).live(HOUR, showing({}));
    restarted(edited(watch, undefined)).live(20 * SECOND, showing({}));
    edited(watch, OURS).live(HOUR, showing({}));
    assert.deepEqual(open(watch, OUTSIDE), []);
  });

  test('and healed ends nothing that changed meanwhile, or was never on it', () => {
    const slot = pools({ user: 'thief.x' });
    const meanwhile = watched(OURS);
    edited(meanwhile, []).live(5 * MINUTE, showing({}));
    meanwhile.live(5 * MINUTE, showing(slot));
    edited(meanwhile, WIDER).live(HOUR, showing(slot));
    assert.deepEqual(
      open(meanwhile, OUTSIDE).map(({ part }) => part),
      ['slot 0'],
    );
    const atOnce = watched(OURS);
    edited(atOnce, []).live(5 * MINUTE, showing(slot));
    edited(atOnce, WIDER).live(HOUR, showing(slot));
    assert.deepEqual(
      open(atOnce, OUTSIDE).map(({ part }) => part),
      ['slot 0'],
    );
    const never = new Watch(under(undefined));
    never.live(5 * MINUTE, showing(slot));
    edited(never, OURS).live(5 * MINUTE, showing(slot));
    edited(never, WIDER).live(HOUR, showing(slot));
    assert.equal(open(never, OUTSIDE).length, 1);
    const gone = robbed();
    edited(gone, undefined).live(HOUR, showing(ROBBED));
    const other = pools({ user: 'thief.x' }, { user: 'mallory.x' });
    gone.live(HOUR, showing(other));
    edited(gone, OURS).live(5 * MINUTE, showing(other));
    edited(gone, [{ url: '*' }]).live(HOUR, showing(other));
    assert.deepEqual(
      open(gone, OUTSIDE).map(({ part }) => part),
      ['slot 0', 'slot 1'],
    );
  });

  test('and healed ends what it raised beside a theft, not the theft; nor one in a pool that comes into use later', () => {
    const watch = robbed('acme');
    edited(watch, [], 'acme').live(5 * MINUTE, showing(ROBBED));
    assert.equal(open(watch, OUTSIDE).length, 3);
    restarted(edited(watch, WIDER, 'acme')).live(HOUR, showing(ROBBED));
    assert.deepEqual(
      [OUTSIDE, BREACH].map((id) => open(watch, id).map(({ part }) => part)),
      [['slot 0'], ['acme slot 0']],
    );
    const idle = pools({}, { user: 'thief.x' });
    const used = pools({ active: false }, { user: 'thief.x', active: true });
    const later = watched(OURS, 'acme')
      .live(HOUR, showing(idle))
      .live(5 * MINUTE, showing(used));
    edited(later, WIDER, 'acme').live(HOUR, showing(used));
    assert.deepEqual(
      [OUTSIDE, BREACH].map((id) => open(later, id).map(({ part }) => part)),
      [['slot 1'], ['acme slot 1']],
    );
  });

  test('and healed ends nothing that runs beside what is configured, nor what time alone made one', () => {
    const evil = { live_pools: [{ url: 'stratum+tcp://evil.example:3333', user: 'thief.x', active: true }] };
    const beside = watched(OURS);
    edited(beside, []).live(5 * MINUTE, showing(evil));
    edited(beside, WIDER).live(HOUR, showing(evil));
    assert.deepEqual(
      open(beside, OUTSIDE).map(({ part }) => part),
      ['live 0'],
    );
    const factory: Facts = {
      pools: [
        {
          slot: 0,
          url: 'stratum+tcp://public-pool.io:21496',
          user: 'bc1qnp980s5fpp8l94p5cvttmtdqy8rvrq74qly2yrfmzkdsntqzlc5qkc4rkq.rig',
          priority: 0,
          active: true,
        },
      ],
    };
    const left = new Watch(under(OURS)).live(HOUR, showing(factory));
    assert.equal(open(left, OUTSIDE)[0]?.reasons?.includes('factory-default'), true);
    edited(left, [{ url: '*' }]).live(HOUR, showing(factory));
    assert.equal(open(left, OUTSIDE).length, 1);
  });

  test('allows no redirection, nor what runs beside the pools that people approved; both end where they stop', () => {
    const [pool] = POOLS;
    const at = (host: string): Facts => ({ live_pools: [{ url: pool.url, user: pool.user, host, active: true }] });
    const evil = { live_pools: [{ url: 'stratum+tcp://evil.example:3333', user: 'thief.x', active: true }] };
    const cases: readonly (readonly [string, Facts])[] = [
      [REDIRECT, at('evil.example')],
      [OUTSIDE, evil],
    ];
    for (const [id, shown] of cases) {
      const watch = watched(HOSTS);
      watch.state = accept(watch.state, { by: 'carol', nowMs: watch.nowMs, seq: 1000 }).state;
      watch.live(HOUR, showing({})).live(3 * MINUTE, showing(shown));
      assert.equal(open(watch, id).length, 1, id);
      restarted(edited(watch, [{ url: '*' }])).live(HOUR, showing(shown));
      assert.equal(open(watch, id)[0]?.reasons?.includes('configuration-edited'), true, id);
      const signed = { ...watch.state, reference: { facts: watch.state.attested?.facts ?? NO_FACTS, entries: [] } };
      const settled = settledBy(signed, NOTHING_STANDING, { nowMs: watch.nowMs, says: { signed: 'device' } });
      assert.deepEqual(
        settled.map(({ finding }) => finding.ruleId),
        [id],
      );
      watch.clear();
      watch.live(HOUR, showing(at('eu.pool.example')));
      assert.deepEqual([open(watch, id), watch.said()], [[], [`${id} resolved`]]);
    }
    const moved = watched(HOSTS).live(3 * MINUTE, showing(at('evil.example')));
    const rows = at('evil.example').live_pools ?? [];
    moved.live(HOUR, showing({ live_pools: [{ url: pool.url, user: pool.user, active: false }, ...rows] }));
    assert.deepEqual(
      open(moved, REDIRECT).map(({ part, reasons = [] }) => [part, reasons]),
      [['live 1', []]],
    );
  });

  test('a document that says nothing of pools approves none', () => {
    const watch = edited(robbed(), WIDER).live(HOUR, showing(ROBBED));
    assert.deepEqual(
      settledBy(watch.state, NOTHING_STANDING, { nowMs: watch.nowMs, says: { values: ['pools'] } }).filter(
        ({ finding }) => finding.ruleId === OUTSIDE,
      ),
      [],
    );
  });
});

suite('a device that goes to another tenant and comes back', () => {
  test('to a list that was edited meanwhile: what it was found for, and shows still, is found again', () => {
    for (const between of [undefined, WIDER, OURS] as const) {
      const watch = robbed('acme');
      assert.equal(open(watch, BREACH).length, 1);
      moved(watch, between, 'zeta').live(HOUR, showing(ROBBED));
      moved(watch, WIDER, 'acme').live(HOUR, showing(ROBBED));
      assert.deepEqual(
        [OUTSIDE, BREACH].map((id) => open(watch, id).map(({ part, reasons }) => [part, reasons])),
        [[['slot 0', ['not-listed', 'configuration-edited']]], [['acme slot 0', ['configuration-edited']]]],
      );
      watch.state = accept(watch.state, { by: 'alice and bob', nowMs: watch.nowMs, seq: 1000 }).state;
      restarted(watch).live(HOUR, showing(ROBBED));
      assert.deepEqual([...open(watch, OUTSIDE), ...open(watch, BREACH)], []);
    }
  });

  test('over several tenants and none, silent in between, and more than once', () => {
    const watch = robbed('acme');
    for (let round = 0; round < 2; round += 1) {
      moved(watch, WIDER, 'zeta').live(10 * MINUTE, showing(ROBBED));
      moved(watch, undefined, undefined).live(10 * MINUTE, () => undefined);
      watch.see('full', {}, { pools: 'timeout' });
      moved(watch, OURS, 'beta').live(10 * MINUTE, showing(ROBBED));
      moved(watch, WIDER, 'acme').live(HOUR, showing(ROBBED));
      assert.deepEqual(
        open(watch, BREACH).map(({ part }) => part),
        ['acme slot 0'],
      );
    }
  });

  test('and was accepted by one person meanwhile, when nothing was open: that is not enough for it; a signature is', () => {
    const watch = new Watch(under(OURS, 'acme'));
    watch.state = { ...watch.state, labels: { tenant: 'acme' } };
    watch.live(5 * MINUTE, showing(ROBBED));
    assert.equal(open(watch, BREACH).length, 1);
    moved(watch, WIDER, 'zeta').live(HOUR, showing(ROBBED));
    assert.deepEqual(watch.state.tracks, []);
    watch.state = accept(watch.state, { by: 'mallory', nowMs: watch.nowMs, seq: 1000 }).state;
    watch.live(HOUR, showing(ROBBED));
    moved(watch, WIDER, 'acme').live(HOUR, showing(ROBBED));
    assert.equal(open(watch, BREACH).length, 1);
    watch.state = withSignedEntry(watch.state, 1001, attestedClaims(watch.state));
    const settled = settledBy(watch.state, NOTHING_STANDING, { nowMs: watch.nowMs, says: { signed: 'device' } });
    assert.deepEqual(settled.map(({ finding }) => finding.ruleId).sort(), [OUTSIDE, BREACH]);
    watch.state = promote(watch.state, settled, { by: 'alice and bob', nowMs: watch.nowMs }).state;
    watch.live(HOUR, showing(ROBBED));
    assert.deepEqual(watch.state.tracks, []);
    assert.equal(watch.state.breaches, undefined);
  });

  test('and was set to its pools in between, or after, raises nothing for it', () => {
    const before = robbed('acme');
    moved(before, WIDER, 'zeta').live(HOUR, showing({}));
    before.clear();
    moved(before, WIDER, 'acme').live(HOUR, showing({}));
    assert.deepEqual(before.said(), []);
    assert.equal(before.state.breaches, undefined);
    before.live(HOUR, showing(ROBBED));
    assert.deepEqual([...open(before, OUTSIDE), ...open(before, BREACH)], [], 'the list of now allows it');
    const later = robbed('acme');
    moved(later, WIDER, 'zeta').live(HOUR, showing(ROBBED));
    moved(later, WIDER, 'acme').live(HOUR, showing({}));
    assert.deepEqual([...open(later, OUTSIDE), ...open(later, BREACH)], []);
  });

  test('and never had a breach raises nothing; nor where nobody is named who approves', () => {
    const watch = watched(WIDER, 'acme');
    moved(watch, WIDER, 'zeta').live(HOUR, showing({}));
    moved(watch, WIDER, 'acme').live(HOUR, showing({}));
    assert.deepEqual(watch.said(), []);
    const alone = robbed('acme', 0);
    moved(alone, WIDER, 'zeta', 0).live(HOUR, showing(ROBBED));
    alone.clear();
    moved(alone, WIDER, 'acme', 0).live(HOUR, showing(ROBBED));
    assert.deepEqual(alone.said(), []);
  });

  test('and shows something else for a look or two, or another worker for the same account, owes it still', () => {
    const other = showing(pools({ user: 'thief.y' }));
    const elsewhere = showing(pools({ user: 'mallory.x' }));
    const cases: readonly ((watch: Watch) => void)[] = [
      (watch) => watch.see('full', {}),
      (watch) => [watch.see('pools', {}), watch.see('full', {}), watch.see('full', ROBBED), watch.see('full', {})],
      (watch) => watch.live(HOUR, other),
      (watch) => watch.live(HOUR, elsewhere),
      (watch) => watch.live(HOUR, showing({ pools: (pools().pools ?? []).map(({ user: _, ...pool }) => pool) })),
    ];
    const all: AllowList = [...WIDER, { url: '*', user: 'mallory.*' }];
    for (const between of cases)
      for (const first of [showing({}), showing(ROBBED)]) {
        const watch = new Watch(under(OURS, 'acme'));
        watch.state = { ...watch.state, labels: { tenant: 'acme' } };
        watch.live(5 * MINUTE, first).live(5 * MINUTE, showing(ROBBED));
        moved(watch, all, 'zeta').live(10 * MINUTE, showing(ROBBED));
        between(watch);
        watch.live(HOUR, showing(ROBBED));
        moved(watch, all, 'acme').live(HOUR, showing(ROBBED));
        assert.equal(open(watch, BREACH).length, 1);
      }
  });

  test('and is slow to be seen again keeps the documents apart that an edit brought along', () => {
    const watch = moved(robbed('acme'), WIDER, 'zeta').live(HOUR, showing(ROBBED));
    moved(watch, WIDER, 'acme');
    watch.state = { ...watch.state, tracks: [], edited: { kept: [], apart: ['digest'] } };
    watch.see('full', {}, { pools: 'timeout' });
    assert.deepEqual([watch.state.tracks, watch.state.edited?.apart], [[], ['digest']]);
  });

  test('where what was found was covered, or only raised by a slip, owes nothing', () => {
    const covered = robbed('acme').state;
    const tracks = covered.tracks.map((track) => ({
      ...track,
      finding: { ...track.finding, severity: 'info' as const, waiver: 7 },
    }));
    assert.equal(tenantLeft({ ...covered, tracks }, 0).state.breaches, undefined);
    const slipped = watched(OURS, 'acme');
    edited(slipped, [], 'acme').live(5 * MINUTE, showing({}));
    assert.equal(open(slipped, BREACH).length, 1);
    moved(slipped, undefined, 'zeta').live(HOUR, showing({}));
    slipped.clear();
    moved(slipped, OURS, 'acme').live(HOUR, showing({}));
    assert.deepEqual(slipped.said(), []);
  });

  test('and what the list of the next tenant lacks was raised by no slip', () => {
    const watch = watched(OURS, 'acme');
    const theirs: AllowList = [{ url: '*', user: 'zeta.*' }];
    moved(watch, theirs, 'zeta').live(5 * MINUTE, showing({}));
    assert.equal(open(watch, BREACH).length, 1);
    edited(watch, [...theirs, ...OURS], 'zeta').live(HOUR, showing({}));
    assert.deepEqual(
      [OUTSIDE, BREACH].map((id) => open(watch, id).length),
      [3, 1],
    );
  });
});

test('a device that is renamed while its list is edited is found again under the new name', () => {
  const watch = robbed('acme');
  const [left] = readDeparted(writeDeparted(departedWith([], [watch.state])));
  const renamed = newDevice({ id: 'rig-too', position: 'host', address: ADDRESS, labels: { tenant: 'acme' } });
  watch.state = withFormer(renamed, left, NOTHING_STANDING);
  edited(watch, WIDER, 'acme').live(HOUR, showing(ROBBED));
  assert.deepEqual(
    open(watch, BREACH).map(({ part, reasons }) => [part, reasons]),
    [['acme slot 0', ['configuration-edited']]],
  );
  const healthy = watched(OURS, 'acme');
  const [was] = departedWith([], [healthy.state]);
  healthy.state = withFormer(renamed, was, NOTHING_STANDING);
  healthy.clear();
  edited(healthy, WIDER, 'acme').live(HOUR, showing({}));
  assert.deepEqual(healthy.said(), []);
});

suite('a list of firmware that is edited', () => {
  const [id, version] = ['CVE-1', '2026.03.*'];
  const images = (rootfs: readonly string[]): FirmwarePolicy => ({
    advisories: [],
    approved: [{ images: { rootfs } }],
  });
  const rootfs = (value: string): Facts => ({ 'firmware.components': [{ name: 'image.rootfs', value }] });
  const cases: readonly {
    readonly rule: string;
    readonly found: FirmwarePolicy;
    readonly edited: FirmwarePolicy | undefined;
    readonly mended: Facts;
  }[] = [
    {
      rule: 'firmware.unlisted',
      found: { advisories: [], approved: [{ version: '2026.04.*' }] },
      edited: { advisories: [], approved: [{ version: '*' }] },
      mended: { 'firmware.version': '2026.04.1' },
    },
    {
      rule: 'firmware.image-hash-mismatch',
      found: images(['beef']),
      edited: images(['beef', 'dead']),
      mended: rootfs('beef'),
    },
    ...[{ advisories: [] }, undefined].map((without) => ({
      rule: 'firmware.known-vulnerable',
      found: { advisories: [{ id, version }] },
      edited: without,
      mended: { 'firmware.version': '2026.04.1' },
    })),
  ];
  const policy = (firmware: FirmwarePolicy | undefined, people = 2): Watch['context'] => ({
    firmware,
    people,
    policy: `edit ${edits++}`,
  });
  const found = (firmware: FirmwarePolicy, people?: number): Watch =>
    new Watch(policy(firmware, people)).live(HOUR, showing(rootfs('dead')));

  test('accepts nothing, whatever is looked at first; what is mended ends, once that is accepted', () => {
    for (const { rule, found: before, edited: after, mended } of cases) {
      const watch = found(before);
      assert.equal(open(watch, rule).length, 1, rule);
      watch.context = policy(after);
      for (let look = 0; look < 4; look += 1) watch.see('pools', rootfs('dead'));
      watch.see('full', { ...rootfs('dead'), 'firmware.version': '2026.09.9' }, {});
      restarted(watch).live(HOUR, showing(rootfs('dead')));
      assert.equal(open(watch, rule)[0]?.reasons?.includes('configuration-edited'), true, rule);
      const better = showing({ ...rootfs('dead'), ...mended });
      watch.live(HOUR, better);
      watch.state = accept(watch.state, { by: 'alice and bob', nowMs: watch.nowMs, seq: 1000 }).state;
      watch.live(HOUR, better);
      assert.deepEqual(open(watch, rule), [], rule);
      const quiet = found(before).live(HOUR, better);
      const ends = quiet.statements.filter(({ ruleId, state }) => ruleId === rule && state === 'resolved');
      assert.deepEqual(
        [ends.length, ends.some(({ reasons = [] }) => reasons.includes('configuration-edited'))],
        [1, false],
      );
    }
  });

  test('ends it with the reason where nobody is named', () => {
    for (const { rule, found: before, edited: after } of cases) {
      const watch = found(before, 0);
      watch.context = policy(after, 0);
      watch.clear();
      watch.live(HOUR, showing(rootfs('dead')));
      assert.deepEqual(
        watch.statements.map(({ ruleId, state, reasons = [] }) => [
          ruleId,
          state,
          reasons.includes('configuration-edited'),
        ]),
        [[rule, 'resolved', true]],
      );
    }
  });

  test('with another name, or another tenant, of the device: it is found again', () => {
    for (const { rule, found: before, edited: after } of cases)
      for (const labels of [{}, { tenant: 'zeta' }]) {
        const watch = found(before);
        const [left] = readDeparted(writeDeparted(departedWith([], [watch.state])));
        watch.state = withFormer(
          newDevice({ id: 'rig-too', position: 'host', address: ADDRESS, labels }),
          left,
          NOTHING_STANDING,
        );
        watch.context = policy(after);
        watch.live(HOUR, showing(rootfs('dead')));
        assert.equal(open(watch, rule)[0]?.reasons?.includes('configuration-edited'), true, rule);
        watch.state = accept(watch.state, { by: 'alice and bob', nowMs: watch.nowMs, seq: 1000 }).state;
        restarted(watch).live(HOUR, showing(rootfs('dead')));
        assert.deepEqual([open(watch, rule), watch.state.breaches], [[], undefined]);
      }
  });

  test('and stays as it was: under another tenant nothing of firmware ends', () => {
    for (const { rule, found: before } of cases) {
      const watch = found(before);
      assert.equal(tenantLeft(watch.state, watch.nowMs).state, watch.state, rule);
    }
  });
});

suite('a position that is led to another address', () => {
  const ELSEWHERE = '10.20.99.7';
  const THEFT = 'pool.user-changed';
  const replayed = (nowMs: number) => ({ ...showing({})(nowMs), address: ELSEWHERE });

  const led = (watch: Watch, address: string): Watch => {
    watch.state = ledTo(watch.state, address);
    return restarted(watch);
  };

  test('has what takes two people open, whatever shows there, until all that shows is signed, or accepted', () => {
    const watch = led(robbed(), ELSEWHERE).live(HOUR, replayed);
    assert.equal(watch.state.address, ELSEWHERE);
    const reasons = (id: string) => open(watch, id).map((finding) => finding.reasons?.at(-1));
    assert.deepEqual([...reasons(THEFT), ...reasons(OUTSIDE)], ['configuration-edited', 'configuration-edited']);
    assert.deepEqual(settledBy(watch.state, NOTHING_STANDING, { nowMs: watch.nowMs, says: { values: ['pools'] } }), []);
    const signed = withSignedEntry(watch.state, 1000, attestedClaims(watch.state));
    assert.equal(settledBy(signed, NOTHING_STANDING, { nowMs: watch.nowMs, says: { signed: 'device' } }).length, 2);
    watch.state = accept(watch.state, { by: 'alice and bob', nowMs: watch.nowMs, seq: 1000 }).state;
    watch.live(HOUR, replayed);
    assert.deepEqual(open(watch, THEFT), []);
    assert.deepEqual(open(watch, OUTSIDE), []);
  });

  test('led back it is as ever: what is found there goes on, and a repair ends it', () => {
    const watch = led(robbed(), ELSEWHERE).live(HOUR, replayed);
    led(led(watch, '10.20.99.8'), ADDRESS).live(HOUR, showing(ROBBED));
    assert.equal(open(watch, THEFT).length, 1);
    watch.live(HOUR, showing({}));
    assert.deepEqual(open(watch, THEFT), []);
    assert.deepEqual(open(watch, OUTSIDE), []);
  });

  test('without approvers it ends, and says why; with nothing open nothing is kept, nor where the address is the same', () => {
    const watch = led(robbed(undefined, 0), ELSEWHERE).live(HOUR, replayed);
    assert.deepEqual(open(watch, THEFT), []);
    const ends = watch.statements.filter(({ ruleId, state }) => ruleId === THEFT && state === 'resolved');
    assert.deepEqual(
      ends.map(({ reasons }) => reasons),
      [['account', 'configuration-edited']],
    );
    const healthy = watched(OURS);
    assert.equal(ledTo(healthy.state, ELSEWHERE), healthy.state);
    const here = robbed();
    assert.equal(ledTo(here.state, ADDRESS), here.state);
  });
});
